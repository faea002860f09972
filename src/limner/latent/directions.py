"""Directions in a model's space: what one step along each does, and the file that keeps them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from limner.errors import UsageError
from limner.latent.attributes import ATTRIBUTES
from limner.latent.pipeline import Pipeline
from limner.latent.sensing import ROUNDS, Sense
from limner.models.bundle import SHIPPED
from limner.models.painter import Latent, PainterConfig
from limner.workspace import Workspace, replace_file

_KEY = "limner.directions"
_SENSE = "sense."


@dataclass(frozen=True)
class Direction:
    """One direction, with what it does.

    Attributes:
        row: what is added to a whitened latent for one step. # [numbers]
        low, high: steps between which pictures stay within the model's own spread.
        effects: what one step changes of each attribute, in deviations of the model's own pictures.
        known: what else is known: the share of the variance, the accuracy of a probe, the unit of an attribute.
    """

    name: str
    method: str
    row: Tensor
    low: float = -3.0
    high: float = 3.0
    effects: dict[str, float] = field(default_factory=dict)
    known: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Everything but the row."""
        return {name: value for name, value in vars(self).items() if name != "row"}


class Directions:
    """The directions of one model.

    Args:
        sense: finds the way for those of the method `attribute`.
    """

    def __init__(self, model: str, found: list[Direction], sense: Sense | None = None) -> None:
        self.model, self._all, self.sense = model, {one.name: one for one in found}, sense

    def __iter__(self) -> Iterator[Direction]:
        return iter(self._all.values())

    def __len__(self) -> int:
        return len(self._all)

    def __getitem__(self, name: str) -> Direction:
        if name not in self._all:
            known = ", ".join(self._all) or "none; find some with `limner directions find`"
            raise UsageError(name, "is no direction of this model", f"known: {known}")
        return self._all[name]

    def joined(self, more: Directions) -> Directions:
        """With more directions; of the same name, the new ones stay."""
        return Directions(self.model, list((self._all | more._all).values()), more.sense or self.sense)

    def moved(
        self,
        pipeline: Pipeline,
        latent: Latent,
        steps: Mapping[str, float],
        blocks: range | None = None,
        rounds: int = ROUNDS,
    ) -> Latent:
        """Latents moved along some of them. # rows of any number

        Args:
            blocks: 0 is the content, 1 and on are the painter's styles, coarse first; None for all.
            rounds: of measuring what came of it; fewer are quicker and rougher.

        Raises:
            UsageError: there is no such direction.
        """
        whitening, kept = pipeline.model.generator.whitening, _kept(pipeline, blocks)
        rows, wanted = whitening(latent).float(), torch.zeros(len(ATTRIBUTES))
        for name, size in steps.items():
            one = self[name]
            if one.method == "attribute" and self.sense is not None:
                wanted[list(ATTRIBUTES).index(one.known["attribute"])] += size
            else:
                rows = rows + size * (one.row if kept is None else one.row * kept).to(rows)
        if self.sense is not None and wanted.any():
            rows = self.sense.steer(pipeline, rows, wanted, kept, rounds)
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
        if new in self._all and new != old:
            raise UsageError(new, "is taken", "choose another name")
        return Directions(self.model, [replace(one, name=new) if one.name == old else one for one in self], self.sense)

    def save(self, path: Path, *, small: bool = False) -> None:
        """Write the one file of them (`.safetensors`).

        Args:
            small: numbers in half precision, half of the size.
        """
        rows = {f"row.{i}": one.row.float().contiguous().clone() for i, one in enumerate(self)}
        described = {"model": self.model, "directions": [one.to_json() for one in self]}
        if self.sense is not None:
            rows |= {_SENSE + name: tensor.contiguous().clone() for name, tensor in self.sense.state_dict().items()}
        if small:
            rows = {name: tensor.half() for name, tensor in rows.items()}
        with torch.inference_mode(False), replace_file(path) as part:
            save_file(rows, part, metadata={_KEY: json.dumps(described)})

    @classmethod
    def load(cls, path: Path, model: str, numbers: int) -> Directions:
        """Read the file of them.

        Args:
            model: sha256 of the model that they are to steer.

        Raises:
            UsageError: missing, damaged, or of another model.
        """
        if not path.is_file():
            raise UsageError(path, "there is no such file", "find directions with `limner directions find`")
        try:
            with safe_open(path, framework="pt") as file:
                raw = json.loads((file.metadata() or {})[_KEY])
                rows = [file.get_tensor(f"row.{i}").float() for i in range(len(raw["directions"]))]
                found = [Direction(row=row, **one) for row, one in zip(rows, raw["directions"], strict=True)]
                names = [name for name in file.keys() if name.startswith(_SENSE)]  # noqa: SIM118 (no mapping)
                kept = {name.removeprefix(_SENSE): file.get_tensor(name) for name in names}
                sense = Sense(numbers) if kept else None
                if sense is not None:
                    sense.load_state_dict(kept)
        except (SafetensorError, OSError, KeyError, ValueError, TypeError, RuntimeError) as error:
            raise UsageError(path, f"holds no directions ({error})", "find them again") from None
        if raw["model"] != model:
            raise UsageError(path, f"belongs to another model ({raw['model'][:19]})", "find directions of this model")
        if any(one.row.shape != (numbers,) or not torch.isfinite(one.row).all() for one in found):
            raise UsageError(path, "holds directions of another shape", "find them again")
        return cls(model, found, sense)


def directions_file(pipeline: Pipeline, workspace: Workspace) -> Path:
    """Where a workspace keeps the directions of a model; there need not be any yet."""
    return workspace.make(workspace.root / "directions") / shipped_directions(pipeline.model.digest).name


def shipped_directions(digest: str) -> Path:
    """Where the directions of a model that comes with limner lie. # sha256 of the model's file"""
    return SHIPPED / "directions" / f"{digest.removeprefix('sha256:')[:32]}.safetensors"


def directions_of(pipeline: Pipeline, workspace: Workspace) -> Directions:
    """The directions of a model: those of the workspace, or those that come with it.

    Raises:
        UsageError: none yet, or a damaged file.
    """
    found = known_directions(pipeline, workspace)
    if found is None:
        name = pipeline.model.card.name
        raise UsageError(name, "no directions of it are known yet", f"find them: limner directions find {name}")
    return found


def known_directions(pipeline: Pipeline, workspace: Workspace) -> Directions | None:
    """The same, or None where there are none yet.

    Raises:
        UsageError: a damaged file.
    """
    places = directions_file(pipeline, workspace), shipped_directions(pipeline.model.digest)
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        return None
    return Directions.load(path, f"sha256:{pipeline.model.digest}", pipeline.model.card.config.painter.numbers)


def rows_of(pipeline: Pipeline, latent: Latent) -> Tensor:
    """Whitened rows of latents. # -> float [n, numbers]"""
    found: Tensor = pipeline.model.generator.whitening(latent)
    return found.float().cpu()


def _kept(pipeline: Pipeline, blocks: range | None) -> Tensor | None:
    """1 for the numbers of some blocks, 0 for the others; None for all blocks. # -> [numbers]"""
    if blocks is None:
        return None
    config = pipeline.model.card.config.painter
    kept = torch.zeros(config.numbers)
    for block in blocks:
        kept[numbers_of(config, block)] = 1.0
    return kept


def numbers_of(config: PainterConfig, block: int) -> slice:
    """Which numbers of a whitened latent are those of a block; 0 is the content, 1 and on are the styles."""
    end = config.numbers - (config.blocks - block) * config.style_width
    return slice(end - config.style_width if block else 0, end)
