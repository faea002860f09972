"""What a finish holds while it is under way, and what of it the next one goes on from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from limner.synthesis.patches import Atlas, Bytes, Floats, Ints
from limner.synthesis.sources import SourceMap


@dataclass(frozen=True)
class Level:
    """What was taken at one level; exemplars are numbered as they were chosen.

    Attributes:
        field: int32 [h - 6, w - 6, 3].
        exclusions: int32 [h - 6, w - 6, exclusions, 3].
        costs: float32 [h - 6, w - 6].
        penalties: of the exemplars. # float32 [exemplars]
    """

    field: Ints
    exclusions: Ints
    costs: Floats
    penalties: Floats


@dataclass(frozen=True)
class Carried:
    """What a picture that changed little goes on from: the exemplars searched, and the levels, coarse first."""

    chosen: tuple[int, ...]
    levels: tuple[Level, ...]


@dataclass(frozen=True)
class Finished:
    """A finished picture.

    Attributes:
        pixels: uint8 [height, width, 3], sRGB.
        carried: what the next one goes on from; None unless asked for.
    """

    pixels: Bytes
    sources: SourceMap
    chosen: tuple[int, ...]
    carried: Carried | None = None


@dataclass
class State:
    """A picture under way.

    Attributes:
        picture: uint8 [h, w * 3].
        field, costs: of its patches.
        exclusions: from where pieces must not go on. # int32 [h - 6, w - 6, exclusions, 3]
        penalties: of each exemplar: more, the more it gives beyond its share. # float32 [exemplars]
        numbers: their numbers among those that were chosen. # int32 [exemplars]
    """

    shape: tuple[int, int]
    picture: Bytes
    field: Ints
    costs: Floats
    exclusions: Ints
    penalties: Floats
    chosen: list[int]
    numbers: Ints
    atlas: Atlas

    def level(self, exemplars: int) -> Level:
        """What was taken, by the numbers of the exemplars as they were chosen; so many were."""
        field, exclusions = self.field.copy(), self.exclusions.copy()
        _renumber(field, exclusions, self.numbers)
        penalties = np.zeros(exemplars, np.float32)
        penalties[self.numbers] = self.penalties
        return Level(field, exclusions, self.costs.copy(), penalties)

    def prune(self) -> None:
        """Leave exemplars behind that give nothing."""
        used = np.unique(self.field[..., 0])
        if len(used) == len(self.chosen):
            return
        number = np.full(len(self.chosen), -1, np.int32)
        number[used] = np.arange(len(used))
        _renumber(self.field, self.exclusions, number)
        self.numbers, self.chosen = self.numbers[used], [self.chosen[k] for k in used]
        self.penalties = np.ascontiguousarray(self.penalties[used])
        self.atlas = self.atlas._replace(sizes=np.ascontiguousarray(self.atlas.sizes[used]))


def _renumber(field: Ints, exclusions: Ints, numbers: Ints) -> None:
    """Give exemplars other numbers. # changes int32 [h, w, 3] and int32 [h, w, exclusions, 3]"""
    field[..., 0] = numbers[field[..., 0]]
    exclusions[..., 0] = np.where(exclusions[..., 0] >= 0, numbers[exclusions[..., 0]], -1)
