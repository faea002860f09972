"""Two models that descend from one as a third: levels of the painter from either, or all weights averaged.

What is learned from one start lies in one valley: layers of the one go on where layers of the other stop, and weights
between the two still paint (Pinkney and Adler 2020, "Resolution Dependent GAN Interpolation"; Wortsman et al. 2022,
"Model soups"). No picture and no optimiser is needed. What must fit together:

- **painter**: the same shape in both; swapped level by level, or averaged;
- **encoder**: averaged with the painter; in a swap that of the model whose coarse levels are kept, for these say where
  things are;
- **whitening**: goes with the encoder;
- **prior, embeddings and labels**: of one model, whole: embeddings lie along axes of that model alone, and an average
  of axes is none. Only where both have the very same embeddings (a GAN's children, say) the networks are averaged too.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from limner.errors import UsageError
from limner.models.bundle import Model
from limner.models.card import Card, CollectionNote, TeacherNote, TrainingNote
from limner.models.latent_model import LatentModel
from limner.models.painter import PainterConfig
from limner.rights import RightsSummary, check_merge, credit_line, joined

_ALIKE = 0.35
"""Cosine of the painters' weights from which two are of one start. Two that ship and never met: 0.20; a GAN and the VAE
that it comes from: 0.98."""


def is_kin(a: Model, b: Model) -> bool:
    """Whether the weights of both come from one start: by their cards, and by the weights themselves.

    A card alone does not tell: a model that two others taught names both, but has the weights of neither.
    """
    if not {a.digest, *a.card.parents} & {b.digest, *b.card.parents} or a.card.config.painter != b.card.config.painter:
        return False
    ours, theirs = (torch.cat([p.flatten() for p in m.generator.painter.parameters()]) for m in (a, b))
    return float(F.cosine_similarity(ours, theirs, dim=0)) >= _ALIKE


def levels(config: PainterConfig) -> tuple[int, ...]:
    """Shorter side in pixels of each level of a painter, coarse first."""
    return tuple(min(config.grid) * 2**level for level in range(len(config.widths)))


def same_painter(a: Model, b: Model) -> None:
    """See that both have the same painter.

    Raises:
        UsageError: they differ in size or in shape.
    """
    ours, theirs = a.card.config.painter, b.card.config.painter
    if ours == theirs:
        return
    sizes = [f"{one.width}x{one.height}" for one in (ours, theirs)]
    differ = "painters of other shapes" if sizes[0] == sizes[1] else f"pictures of {sizes[0]} and {sizes[1]}"
    raise UsageError(f"{a.card.name} and {b.card.name}", f"have {differ}", "merge models of one size")


def swap_levels(a: Model, b: Model, at: int) -> LatentModel:
    """The coarse layers of `a`, which say where things are, and the finer ones of `b`, which say how they look.

    A layer counts by the size of what it puts out. Encoder, prior and labels are those of `a`.

    Args:
        at: up to this level layers are those of `a`: shorter side in pixels, one of `levels`.

    Raises:
        UsageError: the painters differ, or there is no such level.
    """
    same_painter(a, b)
    config = a.card.config.painter
    if at not in levels(config):
        known = ", ".join(str(level) for level in levels(config))
        raise UsageError(f"--at {at}", f"is no level of a painter of {config.width}x{config.height}", f"give {known}")
    sizes = _sizes(a.generator)
    finer = tuple(name for name, size in sizes.items() if size > at)
    weights = dict(a.generator.state_dict())
    weights |= {name: t for name, t in b.generator.state_dict().items() if name.startswith(finer)}
    return _built(a, weights)


def average(a: Model, b: Model, share: float) -> LatentModel:
    """All weights between those of two models; prior and labels are those of the one that has more of it.

    Args:
        share: of `b`, 0 to 1.

    Raises:
        UsageError: the painters differ.
    """
    same_painter(a, b)
    ours, theirs = a.generator.state_dict(), b.generator.state_dict()
    heavier = a if share <= 0.5 else b
    between = ("encoder.", "painter.", "whitening.", *(("prior.",) if _same_embeddings(a, b) else ()))
    weights = dict(heavier.generator.state_dict())
    for name in ours:
        if name.startswith(between) and not name.startswith("prior.embeddings."):
            weights[name] = torch.lerp(ours[name], theirs[name], share)
    return _built(heavier, weights)


def merged_rights(a: Model, b: Model) -> RightsSummary:
    """The rights in the pictures of both. Those of an ancestor are among its child's already.

    Raises:
        RightsError: their licences exclude each other; names the two.
    """
    ours, theirs = a.card.rights, b.card.rights
    check_merge(ours, theirs, (a.card.name, b.card.name))
    if a.digest in b.card.parents:
        return theirs
    one, other = a.card.collection, b.card.collection
    same = ours == theirs and (one.digest, one.where) == (other.digest, other.where)
    if b.digest in a.card.parents or same:
        return ours
    return joined(ours, theirs)


def merged_card(
    name: str,
    generator: LatentModel,
    models: tuple[Model, Model],
    how: dict[str, Any],
    *,
    training: TrainingNote | None = None,
    teacher: TeacherNote | None = None,
) -> Card:
    """The card of what was made of two models.

    Args:
        how: what was done; plain JSON. It stands in the card as `training.settings["merge"]`, with both models.
        training: what was learned since, where anything was.
        teacher: that took part; otherwise that of the models.

    Raises:
        RightsError: as `merged_rights`.
    """
    rights = merged_rights(*models)
    cards = [model.card for model in models]
    parents = [digest for card in cards for digest in card.parents]
    of = [
        {"name": model.card.name, "digest": model.digest, "collection": model.card.collection.model_dump(mode="json")}
        for model in models
    ]
    note = training or TrainingNote(
        pictures_seen=0, latents_seen=0, minutes=0, steps={}, device="cpu", precision="fp32", threads=1, seed=0
    )
    return Card(
        name=name,
        family="gan" if generator.config.prior.kind == "mapping" else "vae",
        config=generator.config,
        collection=_collection(*models),
        rights=rights,
        credit=credit_line(rights),
        teacher=teacher or max((card.teacher for card in cards), key=lambda teacher: teacher.name != "none"),
        training=note.model_copy(update={"settings": note.settings | {"merge": how | {"of": of}}}),
        parents=tuple(dict.fromkeys([*parents, *(model.digest for model in models)])),
        created=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
    )


def _sizes(generator: LatentModel) -> dict[str, int]:
    """Shorter side in pixels of what each layer of the painter puts out."""
    painter = generator.painter
    config, grids = painter.config, levels(painter.config)
    sizes = {"painter.enter.": grids[0], "painter.leave.": 2 * grids[-1]}
    ends = itertools.accumulate(config.depths)
    for level, end in enumerate(ends):
        sizes |= {f"painter.blocks.{block}.": grids[level] for block in range(end - config.depths[level], end)}
    sizes |= {f"painter.rises.{level}.": grids[level + 1] for level in range(len(painter.rises))}
    for name, layers in (("noise_inputs", painter.noise_inputs), ("noise_gates", painter.noise_gates)):
        sizes |= {f"painter.{name}.{i}.": grids[i - len(layers)] for i in range(len(layers))}
    first = len(grids) - 1 - len(painter.coarse)
    return sizes | {f"painter.coarse.{i}.": 2 * grids[first + i] for i in range(len(painter.coarse))}


def _same_embeddings(a: Model, b: Model) -> bool:
    """Whether both priors have the same instance embeddings, so that their networks mean the same."""
    if a.card.config != b.card.config or a.card.config.prior.kind == "mixture":
        return False
    ours, theirs = a.generator.state_dict(), b.generator.state_dict()
    return all(torch.equal(t, theirs[n]) for n, t in ours.items() if n.startswith(("prior.embeddings.", "whitening.")))


def _built(of: Model, weights: dict[str, Tensor]) -> LatentModel:
    generator = LatentModel(of.card.config)
    generator.load_state_dict(weights)
    return generator.eval().requires_grad_(False)


def _collection(a: Model, b: Model) -> CollectionNote:
    """What both were learned from. Of two collections the digest is sha256 of their digests, one a line."""
    ours, theirs = a.card.collection, b.card.collection
    if ours == theirs:
        return ours

    def both(one: str, other: str) -> str:
        return one if one == other else hashlib.sha256(f"{one}\n{other}\n".encode()).hexdigest()

    return CollectionNote(
        name=" + ".join(dict.fromkeys((ours.name, theirs.name))),
        digest=both(ours.digest, theirs.digest),
        holdout_digest=both(ours.holdout_digest, theirs.holdout_digest),
        pictures=ours.pictures + theirs.pictures,
        held_out=ours.held_out + theirs.held_out,
    )
