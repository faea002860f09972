"""Directions in a model's space: how they are found, what one step along each does, and the file that keeps them.

Four ways to find them:

- `attribute`: what changes one measured attribute of the pictures and, as far as that goes, no other one; the way is
  found anew for each latent (`Sense`), the direction's row is the mean of these ways;
- `pca`: where the model's own latents vary most (Härkönen et al. 2020, "GANSpace");
- `closed-form`: what the painter's own first layers amplify most (Shen and Zhou 2021, "SeFa");
- `labels`: from one label towards the others, by a linear probe whose accuracy is measured on latents it has not seen.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from limner.errors import UsageError
from limner.latent.attributes import ATTRIBUTES, measure_attributes
from limner.latent.painting import Brush
from limner.latent.sensing import ROUNDS, Sense
from limner.latent.store import stacked
from limner.models.painter import Latent
from limner.workspace import replace_file

__all__ = ["METHODS", "Direction", "Directions", "find_directions", "rows_of"]

_KEY = "limner.directions"
_SEED = 1_000_003
_TRIED, _FEW = 192, 48
_SENSE = "sense."


@dataclass(frozen=True)
class Direction:
    """One direction, with what it does.

    Attributes:
        name: as the artist calls it.
        method: how it was found.
        row: what is added to a whitened latent for one step. # [numbers]
        low, high: steps between which pictures stay within the model's own spread.
        effects: what one step changes of each attribute, in deviations of the model's own pictures.
        told: what else is known: the share of the variance, the accuracy of a probe, the unit of an attribute.
    """

    name: str
    method: str
    row: Tensor
    low: float = -3.0
    high: float = 3.0
    effects: dict[str, float] = field(default_factory=dict)
    told: dict[str, Any] = field(default_factory=dict)


class Directions:
    """The directions of one model.

    Args:
        model: sha256 of the model's file.
        held: in their order; names differ.
        sense: finds the way for those of the method `attribute`.
    """

    def __init__(self, model: str, held: list[Direction], sense: Sense | None = None) -> None:
        self.model, self._held, self.sense = model, {one.name: one for one in held}, sense

    def __iter__(self) -> Iterator[Direction]:
        return iter(self._held.values())

    def __len__(self) -> int:
        return len(self._held)

    def __getitem__(self, name: str) -> Direction:
        if name not in self._held:
            known = ", ".join(self._held) or "none; find some with `limner directions find`"
            raise UsageError(name, "is no direction of this model", f"known: {known}")
        return self._held[name]

    def joined(self, more: Directions) -> Directions:
        """With more directions; of the same name, the new ones stay."""
        return Directions(self.model, list((self._held | more._held).values()), more.sense or self.sense)

    def moved(
        self,
        brush: Brush,
        latent: Latent,
        steps: Mapping[str, float],
        blocks: range | None = None,
        rounds: int = ROUNDS,
    ) -> Latent:
        """Latents moved along some of them. # rows of any number

        Args:
            steps: how far along which.
            blocks: 0 is the content, 1 and on are the painter's styles, coarse first; None for all.
            rounds: of measuring what came of it; fewer are quicker and rougher.

        Raises:
            UsageError: there is no such direction.
        """
        whitening, kept = brush.model.generator.whitening, _kept(brush, blocks)
        rows, wanted = whitening(latent).float(), torch.zeros(len(ATTRIBUTES))
        for name, size in steps.items():
            one = self[name]
            if one.method == "attribute" and self.sense is not None:
                wanted[list(ATTRIBUTES).index(one.told["attribute"])] += size
            else:
                rows = rows + size * (one.row if kept is None else one.row * kept).to(rows)
        if self.sense is not None and wanted.any():
            rows = self.sense.steer(brush, rows, wanted, kept, rounds)
        found: Latent = whitening.back(rows)
        return found

    def renamed(self, old: str, new: str) -> Directions:
        """With another name for one of them.

        Raises:
            UsageError: there is no such direction, or the new name is taken or unfit.
        """
        self[old]
        if not new.replace("-", "").replace("_", "").isalnum() or len(new) > 40:
            raise UsageError(new, "is no name for a direction", "use letters, digits, - and _, 40 at most")
        if new in self._held and new != old:
            raise UsageError(new, "is taken", "choose another name")
        return Directions(self.model, [replace(one, name=new) if one.name == old else one for one in self], self.sense)

    def save(self, path: Path) -> None:
        """Write the one file of them (`.safetensors`)."""
        told = [{name: value for name, value in asdict(one).items() if name != "row"} for one in self]
        rows = {f"row.{i}": one.row.float().contiguous().clone() for i, one in enumerate(self)}
        if self.sense is not None:
            rows |= {_SENSE + name: tensor.contiguous().clone() for name, tensor in self.sense.state_dict().items()}
        with torch.inference_mode(False), replace_file(path) as part:
            save_file(rows, part, metadata={_KEY: json.dumps({"model": self.model, "directions": told})})

    @classmethod
    def load(cls, path: Path, model: str, numbers: int) -> Directions:
        """Read the file of them.

        Args:
            model: sha256 of the model that they are to steer.
            numbers: how many numbers its latents have.

        Raises:
            UsageError: missing, damaged, or of another model.
        """
        if not path.is_file():
            raise UsageError(path, "there is no such file", "find directions with `limner directions find`")
        try:
            with safe_open(path, framework="pt") as file:
                raw = json.loads((file.metadata() or {})[_KEY])
                told = raw["directions"]
                held = [Direction(row=file.get_tensor(f"row.{i}"), **one) for i, one in enumerate(told)]
                names = [name for name in file.keys() if name.startswith(_SENSE)]  # noqa: SIM118 (no mapping)
                kept = {name.removeprefix(_SENSE): file.get_tensor(name) for name in names}
                sense = Sense(numbers) if kept else None
                if sense is not None:
                    sense.load_state_dict(kept)
        except (SafetensorError, OSError, KeyError, ValueError, TypeError, RuntimeError) as error:
            raise UsageError(path, f"holds no directions ({error})", "find them again") from None
        if raw["model"] != model:
            raise UsageError(path, f"belongs to another model ({raw['model'][:19]})", "find directions of this model")
        if any(one.row.shape != (numbers,) or not torch.isfinite(one.row).all() for one in held):
            raise UsageError(path, "holds directions of another shape", "find them again")
        return cls(model, held, sense)


def rows_of(brush: Brush, latent: Latent) -> Tensor:
    """Whitened rows of latents. # -> float [n, numbers]"""
    found: Tensor = brush.model.generator.whitening(latent)
    return found.float().cpu()


def _kept(brush: Brush, blocks: range | None) -> Tensor | None:
    """1 for the numbers of some blocks, 0 for the others; None for all blocks. # -> [numbers]"""
    if blocks is None:
        return None
    config = brush.model.card.config.painter
    places = config.numbers - config.blocks * config.style_width
    kept = torch.zeros(config.numbers)
    kept[:places] = float(0 in blocks)
    for block in range(config.blocks):
        start = places + block * config.style_width
        kept[start : start + config.style_width] = float(block + 1 in blocks)
    return kept


@dataclass(frozen=True)
class _Drawn:
    """Pictures of the model's own that directions are found on."""

    latent: Latent
    rows: Tensor
    attributes: Tensor
    unit: Tensor
    """What one deviation of each attribute is, without the rare ones far out."""


def _draw(brush: Brush, count: int, progress: Callable[[int, int], object]) -> _Drawn:
    latents, measured = [], []
    for first in range(0, count, 64):
        latents.append(brush.sample(64, seed=_SEED, first=first))
        measured.append(measure_attributes(brush.paint(latents[-1])))
        progress(first + 64, count)
    latent, attributes = stacked(latents), torch.cat(measured)
    low, high = torch.quantile(attributes, torch.tensor([0.02, 0.98]), dim=0)
    return _Drawn(latent, rows_of(brush, latent), attributes, ((high - low) / 4.1).clamp_min(1e-6))


def find_directions(
    brush: Brush,
    method: str,
    *,
    count: int = 2048,
    keep: int = 8,
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> Directions:
    """Find the directions of a model by one method, and measure what each does.

    Args:
        method: one of `METHODS`.
        count: how many pictures are painted to learn from.
        keep: how many directions of `pca` and `closed-form`.
        progress: told pictures painted, of how many.

    Raises:
        UsageError: no such method, or the model has no labels.
    """
    if method not in METHODS:
        raise UsageError(f"--method {method}", "is no way to find directions", f"use one of: {', '.join(METHODS)}")
    if method == "labels" and len(brush.model.card.config.labels) < 2:
        raise UsageError(
            "--method labels", f"{brush.model.card.name} was trained without labels", "use pca or attribute"
        )
    drawn = _draw(brush, -(-count // 64) * 64, progress)
    digest = f"sha256:{brush.model.digest}"
    if method == "attribute":
        return _by_attribute(brush, drawn, digest, progress)
    found = _LINEAR[method](brush, drawn, keep)
    return Directions(digest, [_measured(brush, drawn, Directions(digest, [one]), one) for one in found])


def _by_attribute(brush: Brush, drawn: _Drawn, digest: str, progress: Callable[[int, int], object]) -> Directions:
    sense = Sense(drawn.rows.shape[1])
    explained = sense.learn(brush, drawn.rows, drawn.attributes, progress=progress)
    rows = drawn.rows[:_TRIED]
    held = []
    for i, (name, (meaning, _)) in enumerate(ATTRIBUTES.items()):
        wanted = torch.zeros(len(ATTRIBUTES))
        wanted[i] = 1.0
        way = (sense.steer(brush, rows, wanted) - rows).mean(0)
        told = {"attribute": name, "meaning": meaning, "unit": float(sense.deviation[i]), "explained": explained}
        held.append(Direction(name, "attribute", way, told=told))
    found = Directions(digest, held, sense)
    return Directions(digest, [_measured(brush, drawn, found, one) for one in held], sense)


def _by_variance(brush: Brush, drawn: _Drawn, keep: int) -> list[Direction]:
    rows = drawn.rows - drawn.rows.mean(0)
    _, scale, axes = torch.linalg.svd(rows, full_matrices=False)
    share = scale.square() / scale.square().sum()
    return [
        Direction(f"pca-{i + 1}", "pca", axes[i] * scale[i] / len(rows) ** 0.5, told={"variance": float(share[i])})
        for i in range(min(keep, len(axes)))
    ]


def _by_weights(brush: Brush, drawn: _Drawn, keep: int) -> list[Direction]:
    """Of each block's style, the eigenvectors of its layer's weights; strongest first."""
    config, painter = brush.model.card.config.painter, brush.model.generator.painter
    places = config.numbers - config.blocks * config.style_width
    deviation = brush.model.generator.whitening.deviation.float().cpu()
    found: list[tuple[float, Direction]] = []
    for block, layer in enumerate(painter.blocks):
        start = places + block * config.style_width
        own = slice(start, start + config.style_width)
        weights = layer.affine.weight.detach().float().cpu() * deviation[own]  # type: ignore[union-attr, operator]
        values, vectors = torch.linalg.eigh(weights.T @ weights)
        for rank in range(1, 3):
            row = torch.zeros(config.numbers)
            row[own] = vectors[:, -rank] * drawn.rows[:, own].std(0).mean()
            told = {"block": block + 1, "strength": float(values[-rank].sqrt())}
            found.append((told["strength"], Direction(f"block-{block + 1}-{rank}", "closed-form", row, told=told)))
    return [one for _, one in sorted(found, key=lambda pair: -pair[0])[:keep]]


def _by_label(brush: Brush, drawn: _Drawn, keep: int) -> list[Direction]:
    from sklearn.linear_model import LogisticRegression

    names = brush.model.card.config.labels
    each = max(64, len(drawn.rows) // len(names) // 64 * 64)
    rows = [rows_of(brush, brush.sample(each, seed=_SEED + 1, label=name)) for name in names]
    x, y = torch.cat(rows).numpy(), torch.arange(len(names)).repeat_interleave(each).numpy()
    learns = torch.arange(len(y)).numpy() % 4 != 0
    probe = LogisticRegression(C=0.01, max_iter=300).fit(x[learns], y[learns])
    accuracy = float(probe.score(x[~learns], y[~learns]))
    centre = torch.stack([own.mean(0) for own in rows])
    found = []
    for i, name in enumerate(names):
        others = torch.cat([centre[:i], centre[i + 1 :]]).mean(0)
        told = {"accuracy": accuracy, "chance": 1 / len(names)}
        found.append(Direction(f"label-{_plain(name)}", "labels", centre[i] - others, told=told))
    return found


_LINEAR: dict[str, Callable[[Brush, _Drawn, int], list[Direction]]] = {
    "pca": _by_variance,
    "closed-form": _by_weights,
    "labels": _by_label,
}
METHODS = ("attribute", *_LINEAR)
"""Ways to find directions."""


def _plain(name: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in name)[:30] or "none"


def _measured(brush: Brush, drawn: _Drawn, among: Directions, direction: Direction) -> Direction:
    """The direction with its effects and with the steps up to which pictures stay within the model's spread."""
    tried, few = (Latent(drawn.latent.content[:number], drawn.latent.style[:number]) for number in (_TRIED, _FEW))
    before = drawn.attributes[:_TRIED]
    after = measure_attributes(brush.sketch(among.moved(brush, tried, {direction.name: 1.0})))
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
            moved = rows_of(brush, among.moved(brush, few, {direction.name: way * size}, rounds=1))
            inside = ((moved - mean).square() / spread).sum(1) <= usual
            if float(inside.float().mean()) < 0.8:
                break
            safe[way] = way * size
    return replace(direction, effects=effects, low=safe[-1.0], high=safe[1.0])
