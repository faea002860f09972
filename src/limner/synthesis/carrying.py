"""A picture that changed little goes on from the one before: what still fits stays where it is.

So a slider that is moved a little changes the picture a little, and films do not boil (as fields are carried from frame
to frame in Jamriska et al. 2019, "Stylizing Video by Example"). Only what the new composition asks for is searched.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter

from limner.synthesis import kernels
from limner.synthesis.levels import Atlas, level_sides, rows_of
from limner.synthesis.pieces import upsampled_bars
from limner.synthesis.rebuilding import (
    Carried,
    Finished,
    Level,
    Rebuilding,
    State,
    level_of,
    nearest,
    resized,
    scaled,
    tones_of,
)

__all__ = ["Carrying"]

_QUICK_TO = 64
"""Shorter side of the last level of a preview before its own size, px."""
_AROUND = 2
"""How far around what is new is searched, too, at each level, px: with less nothing prevails, with more it flickers."""
_PASSES = 2
"""How often what is new is searched at each level."""


class Carrying(Rebuilding):
    """A finish that goes on from another one; made as `Rebuilding` is."""

    def go_on(self, before: Carried, side: int) -> Finished:
        """The finished picture, its shorter side `side` px.

        Args:
            before: of a finish of the same size and shape.

        Raises:
            ValueError: it is of another one.
        """
        sides = list(enumerate(level_sides(self._plan.start, side, self._plan.growth)))
        levels = []
        for state in self._levels(before, sides, side):
            levels.append(level_of(state, len(before.chosen)))
        self._hold_bounds(state, side, len(sides) * 16)
        levels[-1] = level_of(state, len(before.chosen))
        return self._finished(state, before.chosen, Carried(before.chosen, tuple(levels)))

    def preview(self, before: Carried, side: int) -> NDArray[np.uint8]:
        """Nearly what `go_on` gives, at once: small levels, then the last; no bounds, no seams. # -> uint8 [h, w, 3]"""
        every = list(enumerate(level_sides(self._plan.start, side, self._plan.growth)))
        sides = [one for one in every if one[1] <= _QUICK_TO or one == every[-1]]
        for state in self._levels(before, sides, _QUICK_TO):
            if state.shape == scaled(self._composition.shape[:2], side):
                break
        pixels: NDArray[np.uint8] = state.picture.reshape(*state.shape, 3)
        return self._toned(pixels)

    def _levels(self, before: Carried, sides: list[tuple[int, int]], searched: int) -> Iterator[State]:
        """The levels of these numbers and sides; what is new is searched up to a shorter side of `searched` px."""
        shape = scaled(self._composition.shape[:2], sides[-1][1])
        if sides[-1][0] != len(before.levels) - 1 or before.levels[-1].field.shape[:2] != tuple(
            side - kernels.PATCH + 1 for side in shape
        ):
            raise ValueError("a picture goes on from one of another size or shape")
        state = self._begin(list(before.chosen), sides[0][1], before.levels[0].prices)
        self._keep(state, before.levels[0].field)
        new = (state.field != before.levels[0].field).any(axis=2)
        yield state
        for number, here in sides[1:]:
            former = before.levels[number]
            state, new = self._finer_from(state, new, former, here)
            for step in range(_PASSES):
                if new.any() and here <= searched:
                    self._search(state, here, number * 16 + step, step, new)
            new &= (state.field != former.field).any(axis=2)
            yield state

    def _atlas(self, chosen: list[tuple[int, bool]], side: int) -> Atlas:
        return self._pyramid.kept_atlas(chosen, side)

    def _keep(self, state: State, former: NDArray[np.int32]) -> None:
        """Take what the former picture took, wherever that still fits nearly as well."""
        kernels.keep_former(
            state.picture, tones_of(state.picture), state.atlas.pixels, state.atlas.tones, self._lent, state.prices,
            former, state.field, state.costs,
        )  # fmt: skip

    def _finer_from(
        self, state: State, new: NDArray[np.bool_], former: Level, side: int
    ) -> tuple[State, NDArray[np.bool_]]:
        """The next level, and what is new there: elsewhere it is the former picture's."""
        atlas = self._atlas(state.chosen, side)
        shape = scaled(self._composition.shape[:2], side)
        here = maximum_filter(nearest(new, former.field.shape[:2]), 2 * _AROUND + 1)
        field, bars, costs = former.field.copy(), former.bars.copy(), former.costs.copy()
        if here.any():
            field[here] = kernels.upsampled(state.field, shape, atlas.sizes, state.atlas.sizes, state.shape)[here]
            bars[here] = upsampled_bars(state.bars, shape, state.shape)[here]
            costs[here] = nearest(state.costs, field.shape[:2])[here]
        picture = np.empty((shape[0], shape[1] * 3), np.uint8)
        toned = rows_of(resized(state.picture.reshape(*state.shape, 3), shape))
        self._vote(field, costs, atlas, picture, tones_of(toned))
        return State(shape, picture, field, costs, bars, former.prices.copy(), state.chosen, state.numbers, atlas), here
