"""A picture that changed little goes on from the one before: what still fits stays where it is.

So a slider that is moved a little changes the picture a little, and films do not boil (as fields are carried from frame
to frame in Jamriska et al. 2019, "Stylizing Video by Example"). Only what the new composition asks for is searched.
"""

from __future__ import annotations

from collections.abc import Iterator

from scipy.ndimage import maximum_filter

from limner.synthesis.levels import level_sides
from limner.synthesis.matching import keep_former
from limner.synthesis.patches import PATCH, Atlas, Bytes, Mask
from limner.synthesis.rebuilding import Rebuilding
from limner.synthesis.resampling import nearest, scaled, upsampled, upsampled_exclusions
from limner.synthesis.state import Carried, Finished, Level, State

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

        Raises:
            ValueError: `before` is of a finish of another size or shape.
        """
        sides = list(enumerate(level_sides(self._plan.start, side, self._plan.growth)))
        levels = []
        for state in self._levels(before, sides, side):
            levels.append(state.level(len(before.chosen)))
        self._hold_bounds(state, side, len(sides) * 16)
        levels[-1] = state.level(len(before.chosen))
        return self._finished(state, before.chosen, Carried(before.chosen, tuple(levels)))

    def preview(self, before: Carried, side: int) -> Bytes:
        """Nearly what `go_on` gives, at once: small levels, then the last; no bounds, no seams. # -> uint8 [h, w, 3]"""
        every = list(enumerate(level_sides(self._plan.start, side, self._plan.growth)))
        sides = [one for one in every if one[1] <= _QUICK_TO or one == every[-1]]
        for state in self._levels(before, sides, _QUICK_TO):
            if state.shape == scaled(self._composition.shape, side):
                break
        return self._toned(state.picture.reshape(*state.shape, 3))

    def _levels(self, before: Carried, sides: list[tuple[int, int]], searched: int) -> Iterator[State]:
        """The levels of these numbers and sides; what is new is searched up to a shorter side of `searched` px."""
        shape = scaled(self._composition.shape, sides[-1][1])
        if sides[-1][0] != len(before.levels) - 1 or before.levels[-1].field.shape[:2] != tuple(
            side - PATCH + 1 for side in shape
        ):
            raise ValueError("a picture goes on from one of another size or shape")
        former = before.levels[0]
        state = self._begin(list(before.chosen), sides[0][1], former.penalties)
        # What the former picture took stays wherever it still fits nearly as well.
        keep_former(self._matching(state), former.field, state.field, state.costs)
        new = (state.field != former.field).any(axis=2)
        yield state
        for number, here in sides[1:]:
            former = before.levels[number]
            state, new = self._finer_from(state, new, former, here)
            for step in range(_PASSES):
                if new.any() and here <= searched:
                    self._search(state, here, number * 16 + step, step, new)
            new &= (state.field != former.field).any(axis=2)
            yield state

    def _atlas(self, chosen: list[int], side: int) -> Atlas:
        return self._pyramid.kept_atlas(chosen, side)

    def _finer_from(self, state: State, new: Mask, former: Level, side: int) -> tuple[State, Mask]:
        """The next level, and what is new there: elsewhere it is the former picture's."""
        atlas = self._atlas(state.chosen, side)
        shape = scaled(self._composition.shape, side)
        here = maximum_filter(nearest(new, former.field.shape[:2]), 2 * _AROUND + 1)
        field, exclusions, costs = former.field.copy(), former.exclusions.copy(), former.costs.copy()
        if here.any():
            field[here] = upsampled(state.field, shape, atlas.sizes, state.atlas.sizes, state.shape)[here]
            exclusions[here] = upsampled_exclusions(state.exclusions, shape, state.shape)[here]
            costs[here] = nearest(state.costs, field.shape[:2])[here]
        own = State(
            shape, state.picture, field, costs, exclusions, former.penalties.copy(), state.chosen, state.numbers, atlas
        )
        return self._voted(own, state), here
