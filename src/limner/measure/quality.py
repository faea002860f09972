"""How good generated pictures are: two sets compared by several features, every number beside its floor.

What is compared with what, and why:
- **KID and Fréchet distance: generated against held-out pictures.** Nothing learned from those; against training
  pictures a model that copies would come out best. Where a part of the hold-out chose something (a prior, a
  checkpoint), that part is left out.
- **The floor of each: real training pictures in the place of the generated ones, as many.** It says what a perfect
  generator would get on these very pictures. A Fréchet distance depends on the counts, so both have the same.
- **Precision, recall, density, coverage: against all real pictures**, training and held-out. They ask where real
  pictures lie, and a few hundred held-out ones leave holes that a good generator would be blamed for. A copy counts as
  precise: the share memorised tells of those. Both sides have equal counts, at most half of the real ones, and the
  floor is the other half.
- **Memorised: distance to the nearest training picture**, against that of all held-out ones; 1 % is none.
- **Patches: generated against held-out**, equally many, with training pictures as the floor.
- **Inception FID, where it can be had: generated against training**, as papers do, and held-out against training as its
  floor, with as many as there are.

KID has no bias, so all generated pictures take part. 300 held-out pictures set its interval; more than 5,000 generated
ones hardly narrow it. Features that trained the models (the teacher's) are reported too; no claim may lean on them.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from limner.errors import UsageError
from limner.measure.distances import diversity, frechet, plain_frechet
from limner.measure.findings import FeatureNumbers, Finding, QualityReport
from limner.measure.manifolds import compare_manifolds
from limner.measure.patches import sliced_wasserstein
from limner.models.feature_distances import kid, memorised, picture_numbers, standardised
from limner.models.features import Lite2Features, RandomFeatures, TeacherFeatures
from limner.models.selfsupervised import SelfSupervisedFeatures
from limner.statistics import Estimate

_FEATURES: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "lite2": (
        Lite2Features, "EfficientNet-Lite2 (ImageNet) at 128 px; trains no model, and agrees with independent judges"
    ),
    "self-supervised": (
        SelfSupervisedFeatures, "learned without labels from pictures of all of limner's data; trains no model"
    ),
    "random": (RandomFeatures, "random convolutions on three scales; nobody trained them"),
    "teacher": (
        TeacherFeatures, "EfficientNet-Lite0 (ImageNet); where it trained the model, the model has learned to please it"
    ),
}  # fmt: skip
FEATURES = tuple(_FEATURES)
"""Names of the features, the yardstick first."""
_FEWEST = 8
_MOST_ALIKE = 5000
_INCEPTION = "weights-inception-2015-12-05-6726825d.pth"
"""The file of Inception's weights that torch-fidelity takes; nothing is downloaded."""


@dataclass(frozen=True)
class RealPictures:
    """What a generator learned from, and what was kept from it.

    Attributes:
        training: pictures (or views of them) that the generator learned from. # uint8 [n, 3, h, w]
        held_out: pictures that chose nothing. # uint8 [m, 3, h, w]
        chose: held-out pictures that chose something: they count as real and as never trained on. # uint8 [l, 3, h, w]
        training_of, held_out_of: which picture each is a view of. # [n], [m]
    """

    training: Tensor
    held_out: Tensor
    chose: Tensor
    training_of: Tensor
    held_out_of: Tensor

    @classmethod
    def of(
        cls,
        training: Tensor,
        held_out: Tensor,
        chose: Tensor | None = None,
        training_of: Tensor | None = None,
        held_out_of: Tensor | None = None,
    ) -> RealPictures:
        """Where nothing is said, nothing chose, and no picture is there in several views."""
        return cls(
            training,
            held_out,
            held_out[:0] if chose is None else chose,
            picture_numbers(training_of, len(training)),
            picture_numbers(held_out_of, len(held_out)),
        )


def measure_sets(
    real: RealPictures,
    fake: Tensor,
    features: Sequence[str] = FEATURES,
    seed: int = 0,
    *,
    progress: Callable[[str], None] = lambda _: None,
    seen: Callable[[str, Mapping[str, Tensor]], None] = lambda name, rows: None,
) -> QualityReport:
    """Measure generated pictures of any program against real ones.

    Args:
        fake: generated pictures. # uint8 [k, 3, h, w]
        progress: called with the name of what is measured next.
        seen: called with the rows of each features once they are there (see `measure_rows`).

    Raises:
        UsageError: too few pictures, other sizes, or unknown features.
    """
    _check(real, fake)
    sets = {"training": real.training, "held_out": real.held_out, "chose": real.chose, "generated": fake}
    found = []
    for name in features:
        progress(name)
        extract = extractor(name)
        rows = {kind: extract(pictures) for kind, pictures in sets.items() if len(pictures)}
        seen(name, rows)
        found.append(measure_rows(name, rows, train_of=real.training_of, holdout_of=real.held_out_of, seed=seed))
    progress("patches")
    training, held_out = real.training[_once(real.training_of)], real.held_out[_once(real.held_out_of)]
    sets |= {"training": training, "held_out": held_out}
    return QualityReport(
        counts={kind: len(pictures) for kind, pictures in sets.items()},
        size=(fake.shape[-2], fake.shape[-1]),
        seed=seed,
        features=tuple(found),
        patches=_patches(training, held_out, fake, seed),
        inception=_inception(training, held_out, fake, seed),
    )


def measure_rows(
    name: str, rows: Mapping[str, Tensor], *, train_of: Tensor, holdout_of: Tensor, seed: int = 0
) -> FeatureNumbers:
    """What the features `name` say, from rows of `training`, `held_out`, `generated`, maybe `chose`. # [n, d] each

    Args:
        train_of, holdout_of: which picture each row is a view of. # [n], [m]
    """
    training, held_out, fake = rows["training"], rows["held_out"], rows["generated"]
    chose = rows.get("chose", held_out[:0])
    once = training[_once(train_of)]
    some, stand_in = (_drawn(each, min(len(fake), len(once)), seed) for each in (fake, once))
    real, unseen = torch.cat([once, held_out[_once(holdout_of)], chose]), torch.cat([held_out, chose])
    return FeatureNumbers(
        features=name,
        note=_FEATURES[name][1] if name in _FEATURES else "",
        kid=Finding.of(*(kid(held_out, new, by=training, real_of=holdout_of, seed=seed) for new in (fake, stand_in))),
        frechet=Finding.of(
            *(frechet(held_out, new, training, real_of=holdout_of, seed=seed) for new in (some, stand_in))
        ),
        **_manifolds(standardised(real, training), standardised(fake, training), seed),
        memorised=Finding.of(memorised(training, unseen, fake, seed), Estimate(0.01, 0.01, 0.01, len(unseen))),
        diversity=Finding.of(*(diversity(_drawn(r, _MOST_ALIKE, seed), training, seed=seed) for r in (fake, once))),
    )


def extractor(name: str) -> Callable[[Tensor], Tensor]:
    """The network that gives the features of this name. # uint8 [n, 3, h, w] -> float32 [n, d]

    Raises:
        UsageError: there is none.
    """
    if name not in FEATURES:
        raise UsageError(f"features {name}", "are not known", f"use: {', '.join(FEATURES)}")
    return _FEATURES[name][0]()


def _check(real: RealPictures, fake: Tensor) -> None:
    sets = {"training": real.training, "held-out": real.held_out, "generated": fake}
    for name, pictures in sets.items():
        if len(pictures) < _FEWEST:
            raise UsageError(
                f"{len(pictures)} {name} pictures", "too few to measure by", f"{_FEWEST} of each are needed at least"
            )
        if pictures.shape[1:] != fake.shape[1:] or pictures.dtype != torch.uint8:
            raise UsageError(
                f"{name} pictures of {tuple(pictures.shape[1:])}, {pictures.dtype}",
                f"the generated ones are {tuple(fake.shape[1:])}, {fake.dtype}",
                "give both as uint8 of one size",
            )


def _manifolds(real: Tensor, fake: Tensor, seed: int) -> dict[str, Finding]:
    """Generated pictures against a part of the real ones, and another part against the same. # [n, d], [m, d]"""
    count = min(len(fake), len(real) // 2, _MOST_ALIKE)
    drawn = _drawn(real, 2 * count, seed)
    found = compare_manifolds(drawn[:count], _drawn(fake, count, seed), seed=seed)
    floor = compare_manifolds(drawn[:count], drawn[count:], seed=seed)
    return {name: Finding.of(value, floor[name]) for name, value in found.items()}


def _patches(training: Tensor, held_out: Tensor, fake: Tensor, seed: int) -> dict[int, Finding]:
    count = min(len(training), len(held_out), len(fake))
    real = held_out[:count]
    found, floor = (sliced_wasserstein(real, _drawn(some, count, seed), seed=seed) for some in (fake, training))
    return {side: Finding.of(found[side], floor[side]) for side in found}


def _inception(training: Tensor, held_out: Tensor, fake: Tensor, seed: int) -> Finding | str:
    if missing := inception_missing():
        return missing
    known, kept, new = (_inception_features(some) for some in (training, held_out, fake))
    return Finding.of(plain_frechet(known, new, seed=seed), plain_frechet(known, kept, seed=seed))


def inception_missing() -> str:
    """Why Inception cannot be used here, in one line; empty where it can."""
    if importlib.util.find_spec("torch_fidelity") is None:
        return "no Inception FID: torch-fidelity is not installed (it is optional)"
    if not _weights().is_file():
        return f"no Inception FID: {_weights()} is not there, and limner downloads nothing"
    return ""


@torch.inference_mode()
def _inception_features(pictures: Tensor) -> Tensor:
    """Features of the last pooling layer. # uint8 [n, 3, h, w] -> [n, 2048]"""
    module = importlib.import_module("torch_fidelity.feature_extractor_inceptionv3")
    extractor = module.FeatureExtractorInceptionV3(
        "inception", ["2048"], feature_extractor_weights_path=str(_weights())
    )
    extractor.eval()
    return torch.cat([extractor(chunk)[0].float() for chunk in pictures.split(32)])


def _weights() -> Path:
    home = os.environ.get("TORCH_HOME") or Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "torch"
    return Path(home) / "hub" / "checkpoints" / _INCEPTION


def _once(of: Tensor) -> Tensor:
    """The first row of each picture. # [n] -> [pictures]"""
    _, first = np.unique(of.numpy(), return_index=True)
    return torch.from_numpy(np.sort(first))


def _drawn(rows: Tensor, count: int, seed: int) -> Tensor:
    """At most `count` rows, drawn at random. # [n, ...] -> [count, ...]"""
    return rows[torch.from_numpy(np.random.default_rng(seed).permutation(len(rows))[:count].copy())]
