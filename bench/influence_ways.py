"""Other ways to say whose pictures shaped a composition, beside limner's, on the same works.

    python -m bench influence --ways

- small VAEs without each creator (what limner does);
- mixtures of Gaussians on principal components of the pictures (Tipping and Bishop 1999) without each creator;
- the model's own encoder and painter, which have seen everybody, and only the mixture of its latents without each;
- likeness alone (limner's quick estimate).

All are compared with what the ensembles of small VAEs of other seeds say together.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bench.influence import SEEDS, Case, ensemble_of, judged, open_case
from bench.planted import PLANTS
from limner.influence.compositions import SIDE, describe
from limner.influence.ensemble import WHOLE, EnsembleOptions
from limner.influence.estimate import distances_to, estimate
from limner.influence.shares import influence
from limner.machine import probe
from limner.models.bundle import load_model
from limner.models.latent_model import LatentModel
from limner.models.painter import Latent
from limner.models.prior import MixturePrior, PriorConfig
from limner.workspace import Workspace

__all__ = ["ways", "ways_told"]

_OPTIONS = EnsembleOptions()
_AXES, _GAUSSIANS = 48, 32
Paints = Callable[[Tensor, int], Tensor]
"""Compositions of a model that learned from these views, with this seed. # uint8 [n, 3, 32, 32] -> the same"""


def ways(workspace: Workspace, only: Sequence[str] = ()) -> list[dict[str, Any]]:
    """What each way says of each collection whose ensembles are complete."""
    found = []
    for plant in PLANTS:
        if only and plant.name not in only:
            continue
        case = open_case(plant, workspace)
        ensembles = [ensemble_of(case, workspace, seed) for seed in SEEDS]
        complete = [one.load() for one in ensembles if one.status().complete]
        if len(complete) < 2:
            continue
        truth_of = {kind: [one for painted in complete[1:] for one in painted[kind]] for kind in complete[0]}
        truths = [influence(work, truth_of, case.groups) for work in case.described]
        model = load_model(workspace.models / f"{plant.name}.safetensors").generator
        for name, paints in (
            ("small VAEs", None),
            ("mixtures", mixture_of_pictures),
            ("prior alone", _refitted(model)),
        ):
            began = time.process_time()
            painted = complete[0] if paints is None else _members(case, paints)
            spent = time.process_time() - began
            shares = [influence(work, painted, case.groups) for work in case.described]
            found.append(
                {"way": name, "collection": plant.name, "seconds": spent}
                | judged(case, shares, truths, len(case.shows))
            )
        shares = [estimate(distances_to(work, case.learned), case.groups) for work in case.described]
        found.append(
            {"way": "likeness", "collection": plant.name, "seconds": 0.0}
            | judged(case, shares, truths, len(case.shows))
        )
    return found


def ways_told(found: Sequence[Mapping[str, Any]]) -> str:
    """The ways as a table in Markdown, all collections together."""
    titles = "way", "collections", "works", "planted creator first", "error of shares", "intervals hold", "s of a core"
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    for way in dict.fromkeys(one["way"] for one in found):
        own = [one for one in found if one["way"] == way]
        first = [x for one in own for x in one["first"]]
        holds = [x for one in own for work in one["holds"] for x in work]
        error = float(np.sqrt(np.mean([one["error"] ** 2 for one in own])))
        cells = [way, f"{len(own)}", f"{len(first)}", f"{np.mean(first):.0%}", f"{error:.3f}", f"{np.mean(holds):.0%}"]
        lines.append(f"| {' | '.join(cells)} | {np.mean([one['seconds'] for one in own]):.0f} |")
    return "\n".join(lines)


def _members(case: Case, paints: Paints) -> Mapping[int, list[Tensor]]:
    everything = np.arange(len(case.learned.rows))
    found: dict[int, list[Tensor]] = {}
    for kind in (*range(len(case.groups.groups)), WHOLE):
        left_out = [] if kind == WHOLE else case.groups.groups[kind].members
        views = case.learned.all_views(np.setdiff1d(everything, np.array(left_out, dtype=np.int64)), 0)
        count = _OPTIONS.whole if kind == WHOLE else _OPTIONS.each
        found[kind] = [describe(paints(views, 100 * (kind + 1) + number)) for number in range(count)]
    return found


def mixture_of_pictures(views: Tensor, seed: int) -> Tensor:
    """A mixture of Gaussians on principal components of pixels. # uint8 [n, 3, 32, 32] -> the same"""
    from sklearn.mixture import GaussianMixture

    rows = views.float().flatten(1) / 127.5 - 1
    mean = rows.mean(0)
    torch.manual_seed(seed)
    _, _, axes = torch.pca_lowrank(rows, q=_AXES)
    within = (rows - mean) @ axes
    mixture = GaussianMixture(
        min(_GAUSSIANS, max(1, len(views) // 16)),
        covariance_type="diag",
        random_state=seed,
        reg_covar=1e-3 * float(within.var(0).max()),
        max_iter=60,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mixture.fit(within.double().numpy())
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(mixture.weights_), _OPTIONS.compositions, p=mixture.weights_ / mixture.weights_.sum())
    noise = rng.standard_normal((len(chosen), _AXES)) * np.sqrt(mixture.covariances_[chosen])
    drawn = torch.from_numpy(mixture.means_[chosen] + noise).float() @ axes.T + mean
    painted: Tensor = ((drawn.clamp(-1, 1) + 1) * 127.5).round().byte().unflatten(1, (3, SIDE, SIDE))
    return painted


def _refitted(model: LatentModel) -> Paints:
    """Only the mixture of the model's latents is fitted anew; encoder and painter stay as they learned from all."""
    machine = probe(threads=1)

    def paints(views: Tensor, seed: int) -> Tensor:
        with machine.autocast():
            found = model.encode(views)
            rows = model.whitening(Latent(found.content.clone(), found.style.clone()))
            prior = MixturePrior(model.config.painter, PriorConfig(kind="mixture"))
            prior.fit(rows, None, seed)
            model.prior = prior
            return model.paint(model.sample(_OPTIONS.compositions, seed=seed)).clone()

    return paints
