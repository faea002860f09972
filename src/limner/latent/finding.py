"""How directions are found in a model's space, and what one step along each is measured to do.

Four ways to find them:

- `attribute`: what changes one measured attribute of the pictures and, as far as that goes, no other one; the way is
  found anew for each latent (`Sense`), the direction's row is the mean of these ways;
- `pca`: where the model's own latents vary most (Härkönen et al. 2020, "GANSpace");
- `closed-form`: what the painter's own first layers amplify most (Shen and Zhou 2021, "SeFa");
- `labels`: from one label towards the others, by a linear probe whose accuracy is measured on latents it has not seen.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from limner.errors import UsageError
from limner.latent.attributes import ATTRIBUTES, measure_attributes
from limner.latent.directions import Direction, Directions, numbers_of, rows_of
from limner.latent.latents import stacked
from limner.latent.pipeline import Pipeline
from limner.latent.sensing import Sense
from limner.models.painter import Latent

_SEED = 1_000_003
_TRIED, _FEW = 192, 48


@dataclass(frozen=True)
class _Drawn:
    """Pictures of the model's own that directions are found on."""

    latent: Latent
    rows: Tensor
    attributes: Tensor
    unit: Tensor
    """What one deviation of each attribute is, without the rare ones far out."""


def _draw(pipeline: Pipeline, count: int, progress: Callable[[int, int], object]) -> _Drawn:
    latents, measured = [], []
    for first in range(0, count, 64):
        latents.append(pipeline.sample(64, seed=_SEED, first=first))
        measured.append(measure_attributes(pipeline.paint(latents[-1])))
        progress(first + 64, count)
    latent, attributes = stacked(latents), torch.cat(measured)
    low, high = torch.quantile(attributes, torch.tensor([0.02, 0.98]), dim=0)
    return _Drawn(latent, rows_of(pipeline, latent), attributes, ((high - low) / 4.1).clamp_min(1e-6))


def find_directions(
    pipeline: Pipeline,
    method: str,
    *,
    count: int = 2048,
    keep: int = 8,
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> Directions:
    """Find the directions of a model by one method, and measure what each does.

    Args:
        keep: how many directions of `pca` and `closed-form`.

    Raises:
        UsageError: no such method, or the model has no labels.
    """
    if method not in METHODS:
        raise UsageError(f"--method {method}", "is no way to find directions", f"use one of: {', '.join(METHODS)}")
    if method == "labels" and len(pipeline.model.card.config.labels) < 2:
        reason = f"{pipeline.model.card.name} was trained without labels"
        raise UsageError("--method labels", reason, "use pca or attribute")
    drawn = _draw(pipeline, -(-count // 64) * 64, progress)
    digest = f"sha256:{pipeline.model.digest}"
    if method == "attribute":
        return _by_attribute(pipeline, drawn, digest, progress)
    found = _LINEAR[method](pipeline, drawn, keep)
    return Directions(digest, [_measured(pipeline, drawn, Directions(digest, [one]), one) for one in found])


def _by_attribute(pipeline: Pipeline, drawn: _Drawn, digest: str, progress: Callable[[int, int], object]) -> Directions:
    sense = Sense(drawn.rows.shape[1])
    explained = sense.learn(pipeline, drawn.rows, drawn.attributes, progress=progress)
    rows = drawn.rows[:_TRIED]
    found = []
    for i, (name, (meaning, _)) in enumerate(ATTRIBUTES.items()):
        wanted = torch.zeros(len(ATTRIBUTES))
        wanted[i] = 1.0
        way = (sense.steer(pipeline, rows, wanted) - rows).mean(0)
        known = {"attribute": name, "meaning": meaning, "unit": float(sense.deviation[i]), "explained": explained}
        found.append(Direction(name, "attribute", way, known=known))
    whole = Directions(digest, found, sense)
    return Directions(digest, [_measured(pipeline, drawn, whole, one) for one in found], sense)


def _by_variance(pipeline: Pipeline, drawn: _Drawn, keep: int) -> list[Direction]:
    rows = drawn.rows - drawn.rows.mean(0)
    _, scale, axes = torch.linalg.svd(rows, full_matrices=False)
    share = scale.square() / scale.square().sum()
    return [
        Direction(f"pca-{i + 1}", "pca", axes[i] * scale[i] / len(rows) ** 0.5, known={"variance": float(share[i])})
        for i in range(min(keep, len(axes)))
    ]


def _by_weights(pipeline: Pipeline, drawn: _Drawn, keep: int) -> list[Direction]:
    """Of each block's style, the eigenvectors of its layer's weights; strongest first."""
    config, painter = pipeline.model.card.config.painter, pipeline.model.generator.painter
    deviation = pipeline.model.generator.whitening.deviation.float().cpu()
    found: list[tuple[float, Direction]] = []
    for block, layer in enumerate(painter.blocks):
        own = numbers_of(config, block + 1)
        weights = layer.affine.weight.detach().float().cpu() * deviation[own]  # type: ignore[union-attr, operator]
        values, vectors = torch.linalg.eigh(weights.T @ weights)
        for rank in range(1, 3):
            row = torch.zeros(config.numbers)
            row[own] = vectors[:, -rank] * drawn.rows[:, own].std(0).mean()
            known = {"block": block + 1, "strength": float(values[-rank].sqrt())}
            found.append((known["strength"], Direction(f"block-{block + 1}-{rank}", "closed-form", row, known=known)))
    return [one for _, one in sorted(found, key=lambda pair: -pair[0])[:keep]]


def _by_label(pipeline: Pipeline, drawn: _Drawn, keep: int) -> list[Direction]:
    from sklearn.linear_model import LogisticRegression

    names = pipeline.model.card.config.labels
    each = max(64, len(drawn.rows) // len(names) // 64 * 64)
    rows = [rows_of(pipeline, pipeline.sample(each, seed=_SEED + 1, label=name)) for name in names]
    x, y = torch.cat(rows).numpy(), torch.arange(len(names)).repeat_interleave(each).numpy()
    learns = torch.arange(len(y)).numpy() % 4 != 0
    probe = LogisticRegression(C=0.01, max_iter=300).fit(x[learns], y[learns])
    accuracy = float(probe.score(x[~learns], y[~learns]))
    centre = torch.stack([own.mean(0) for own in rows])
    found = []
    for i, name in enumerate(names):
        others = torch.cat([centre[:i], centre[i + 1 :]]).mean(0)
        known, plain = {"accuracy": accuracy, "chance": 1 / len(names)}, re.sub(r"[\W_]", "-", name)[:30] or "none"
        found.append(Direction(f"label-{plain}", "labels", centre[i] - others, known=known))
    return found


_LINEAR: dict[str, Callable[[Pipeline, _Drawn, int], list[Direction]]] = {
    "pca": _by_variance,
    "closed-form": _by_weights,
    "labels": _by_label,
}
METHODS = ("attribute", *_LINEAR)
"""Ways to find directions."""


def _measured(pipeline: Pipeline, drawn: _Drawn, among: Directions, direction: Direction) -> Direction:
    """The direction with its effects and with the steps up to which pictures stay within the model's spread."""
    tried, few = (Latent(drawn.latent.content[:number], drawn.latent.style[:number]) for number in (_TRIED, _FEW))
    before = drawn.attributes[:_TRIED]
    after = measure_attributes(pipeline.sketch(among.moved(pipeline, tried, {direction.name: 1.0})))
    # Medians: a white picture has no hue, and one that gets some changes it by a half circle.
    change = ((after - before) / drawn.unit).median(0).values
    effects = {name: round(float(value), 4) for name, value in zip(ATTRIBUTES, change, strict=True)}
    # Nineteen of twenty of the model's own latents lie within `usual` of its mean, by Mahalanobis' distance.
    spread, mean = drawn.rows.var(0).clamp_min(1e-4), drawn.rows.mean(0)
    usual = ((drawn.rows - mean).square() / spread).sum(1).quantile(0.95)
    safe = {}
    for way in (-1.0, 1.0):
        safe[way] = 0.0
        for size in (0.5, 1.0, 1.5, 2.0, 3.0, 4.0):
            moved = rows_of(pipeline, among.moved(pipeline, few, {direction.name: way * size}, rounds=1))
            inside = ((moved - mean).square() / spread).sum(1) <= usual
            if float(inside.float().mean()) < 0.8:
                break
            safe[way] = way * size
    return replace(direction, effects=effects, low=safe[-1.0], high=safe[1.0])
