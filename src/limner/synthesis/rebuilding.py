"""One finish: a composition rebuilt level by level, coarse to fine, from patches of some exemplars.

Only what is where is kept of a composition; how it is painted comes from the exemplars (Hertzmann et al. 2001, "Image
Analogies"; Granot et al. 2022, "Drop the GAN"). At each level the field of the coarser one goes on, is bettered by
PatchMatch (Barnes et al. 2009), and the patches vote, weighted by how well they fit (Wexler et al. 2007). Patches of
pictures that give more than their share cost more, pieces that grow beyond the bound are broken (`pieces`), and at the
end tones fade over the seams (`blending`).
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from limner.synthesis.blending import fade_seams, follow_tones
from limner.synthesis.exemplars import Exemplars
from limner.synthesis.filling import fill_cells
from limner.synthesis.levels import Pyramid, level_sides
from limner.synthesis.matching import Pass, exhaustive, search
from limner.synthesis.options import Plan
from limner.synthesis.patches import PATCH, Atlas, Bytes, Floats, Ints, Mask, Matching, patch_means
from limner.synthesis.pieces import break_pieces, largest_piece, no_exclusions, shares_of
from limner.synthesis.resampling import nearest, resized, rows_of, scaled, upsampled, upsampled_exclusions
from limner.synthesis.sources import SourceMap, busy_places
from limner.synthesis.state import Carried, Finished, State
from limner.synthesis.voting import sources_of, vote

_BANDS = 4
"""Bands of rows in which a picture is searched; as many whatever the threads, so that the bits are the same."""
_EXACT_TO = 24
"""Shorter side up to which the first search is exact, px."""
_BROKEN_FROM = 96
"""Shorter side from which pieces are broken: below, the bound is hardly more than a patch, and fog comes of it, px."""
_PRUNED_FROM = 130
"""Shorter side from which exemplars that give nothing are left behind, px."""
_MOST_CONTRAST = 1.6
"""By how much the contrast of a composition is raised at most."""
_CELL_TONE_SHIFT = 0.7
"""Share of a difference in tone that does not cost where whole cells are taken and tones fade over seams later."""
_SAFE = 0.85
"""How far below the bounds the search keeps, so that what comes after does not break them."""


class Rebuilding:
    """One finish.

    Args:
        composition: uint8 [h, w, 3].
        pool: searches bands at once; None searches them one after the other.
    """

    def __init__(
        self,
        pyramid: Pyramid,
        exemplars: Exemplars,
        plan: Plan,
        seed: int,
        pool: ThreadPoolExecutor | None,
        composition: Bytes,
    ) -> None:
        self._pyramid, self._exemplars, self._plan, self._seed, self._pool = pyramid, exemplars, plan, seed, pool
        self._composition, self._reach = composition, np.array(plan.reach, np.float32)

    def run(self, chosen: Sequence[int], side: int, *, keep: bool = False) -> Finished:
        """The finished picture, its shorter side `side` px; with what was taken at each level if that is to be kept."""
        sides = level_sides(self._plan.start, side, self._plan.growth)
        state = self._begin(list(chosen), sides[0])
        levels = []
        for number, here in enumerate(sides):
            if number:
                state = self._finer(state, here)
            last = number == len(sides) - 1
            for step in range(_passes(here, last)):
                self._better(state, here, number * 16 + step, step)
            if last:
                self._hold_bounds(state, side, len(sides) * 16)
            if keep:
                levels.append(state.level(len(chosen)))
        return self._finished(state, tuple(chosen), Carried(tuple(chosen), tuple(levels)) if keep else None)

    def _begin(self, chosen: list[int], side: int, penalties: Floats | None = None) -> State:
        """The coarsest level: for each patch the nearest of all, none giving more than its share.

        Args:
            penalties: of the exemplars, where they are known already; they stay as they are. # float32 [exemplars]
        """
        atlas = self._atlas(chosen, side)
        shape = scaled(self._composition.shape, side)
        small = resized(self._composition, shape)
        self._guide = _contrasted(small, atlas) if self._plan.tone_shift else small
        field = np.zeros((shape[0] - PATCH + 1, shape[1] - PATCH + 1, 3), np.int32)
        costs = np.zeros(field.shape[:2], np.float32)
        numbers = np.arange(len(chosen), dtype=np.int32)
        own = np.zeros(len(chosen), np.float32) if penalties is None else penalties.copy()
        state = State(shape, rows_of(self._guide), field, costs, no_exclusions(field), own, chosen, numbers, atlas)
        if side > _EXACT_TO:
            self._match(state)
            return state
        for _ in range(4):
            exhaustive(self._matching(state), self._reach, field, costs)
            if penalties is not None or not self._penalise(state):
                break
        return state

    def _atlas(self, chosen: list[int], side: int) -> Atlas:
        return self._pyramid.atlas(chosen, side)

    def _matching(self, state: State) -> Matching:
        means = patch_means(state.picture)
        return Matching(state.picture, means, state.atlas, state.penalties, np.float32(self._plan.tone_shift))

    def _match(self, state: State) -> None:
        """For each patch of the composition nearly the nearest of all, by PatchMatch from random places."""
        rng = np.random.default_rng(self._seed)
        shape = state.field.shape[:2]
        state.field[..., 0] = rng.integers(0, len(state.chosen), shape)
        most = state.atlas.sizes[state.field[..., 0]] - PATCH + 1
        for axis, share in ((0, np.linspace(0, 1, shape[0])[:, None]), (1, np.linspace(0, 1, shape[1])[None])):
            state.field[..., axis + 1] = np.minimum((share * most[..., axis]).astype(np.int32), most[..., axis] - 1)
        for step in range(8):
            self._look(state, self._matching(state), state.shape[0], step - 8, step, 24)
            if step % 2:
                self._penalise(state)

    def _finer(self, state: State, side: int) -> State:
        if side > _PRUNED_FROM:
            state.prune()
        atlas = self._pyramid.atlas(state.chosen, side)
        shape = scaled(self._composition.shape, side)
        field = upsampled(state.field, shape, atlas.sizes, state.atlas.sizes, state.shape)
        costs = nearest(state.costs, field.shape[:2])
        exclusions = upsampled_exclusions(state.exclusions, shape, state.shape)
        taken = replace(state, shape=shape, field=field, costs=costs, exclusions=exclusions, atlas=atlas)
        return self._voted(taken, state)

    def _voted(self, state: State, before: State) -> State:
        """A finer level with what was taken there, painted in the tones of the level before."""
        state.picture = rows_of(resized(before.picture.reshape(*before.shape, 3), state.shape))
        state.picture = vote(self._matching(state), state.field, state.costs, self._sharpness(state.costs))
        return state

    def _better(self, state: State, side: int, number: int, step: int) -> None:
        """One pass: pieces broken, shares held, patches searched, then the vote."""
        if side >= _BROKEN_FROM and self._plan.piece < 1:
            self._break(state, self._counts(state), number)
        self._penalise(state)
        self._search(state, side, number, step)

    def _break(self, state: State, counts: Mask, number: int, safe: float = _SAFE) -> None:
        """Break pieces that are too large; where they may not go on, take a whole part of another place."""
        bound, seed = self._plan.piece * safe, self._seed * 1000 + number
        cells = break_pieces(state.field, state.exclusions, counts, bound, seed)
        if cells is not None:
            shift = np.float32(_CELL_TONE_SHIFT if self._plan.fade > 0 else 0)
            matching = self._matching(state)._replace(tone_shift=shift)
            fill_cells(matching, state.field, cells, state.exclusions, self._slack(state), self._reach, self._pool)

    def _slack(self, state: State) -> int:
        return max(2, int(0.5 * (min(self._plan.piece, 0.1) * state.shape[0] * state.shape[1]) ** 0.5))

    def _search(self, state: State, side: int, number: int, step: int, todo: Mask | None = None) -> None:
        matching = self._matching(state)
        self._look(state, matching, side, number, step, 4 if side <= 200 else 1, todo)
        state.picture = vote(matching, state.field, state.costs, self._sharpness(state.costs))

    def _look(
        self, state: State, matching: Matching, side: int, number: int, step: int, tries: int, todo: Mask | None = None
    ) -> None:
        """One pass of PatchMatch, over all places or those that are `todo`. # bool [h - 6, w - 6]"""
        places = np.ones(state.field.shape[:2], np.bool_) if todo is None else todo
        this = Pass(
            number=step,
            seed=self._seed * 1000 + number,
            tries=tries,
            spread=max(2, side // 8),
            coherence=np.float32(self._plan.coherence),
            reach=self._reach,
            exclusions=state.exclusions,
            slack=self._slack(state),
            former=state.field.copy(),
        )
        edges = [len(places) * k // _BANDS for k in range(_BANDS + 1)]

        def band(k: int) -> None:
            search(matching, this, state.field, state.costs, edges[k], edges[k + 1], places)

        list((self._pool.map if self._pool else map)(band, range(_BANDS)))

    def _sharpness(self, costs: Floats) -> np.float32:
        return np.float32(float(np.median(costs)) * self._plan.sharpness + 2)

    def _counts(self, state: State) -> Mask:
        """Which patches count where shares and pieces are measured. # -> bool [h - 6, w - 6]"""
        half = PATCH // 2
        counted = np.ascontiguousarray(self._counted(state)[half:-half, half:-half])
        return counted if counted.any() else np.ones_like(counted)

    def _penalise(self, state: State) -> bool:
        """Make patches of pictures that give more than their share cost more; whether any does."""
        over = shares_of(state.field, self._counts(state), len(state.chosen)) - self._plan.share * _SAFE
        if len(state.chosen) * self._plan.share * _SAFE <= 1:
            return False
        usual = float(np.median(state.costs)) + 1
        change = np.where(over > 0, 4 * usual * over, -0.1 * state.penalties)
        state.penalties = np.maximum(0, state.penalties + change).astype(np.float32)
        return bool((over > 0).any())

    def _hold_bounds(self, state: State, side: int, number: int) -> None:
        """Search on at the finest level until no piece and no share is beyond its bound, twelve times at most.

        Each time the bound that pieces are broken by is a little closer.
        """
        plan = self._plan
        most = max(plan.share, 1 / len(state.chosen))
        for k in range(12):
            places, counts = self._places(state), self._counted(state)
            shares = shares_of(places, counts, len(state.chosen))
            if largest_piece(places, counts) <= plan.piece and shares.max() <= most:
                return
            self._break(state, self._counts(state), number + k, _SAFE ** (k + 2))
            self._penalise(state)
            self._search(state, side, number + k, k)

    def _places(self, state: State) -> Ints:
        """Exemplar, row and column of each pixel. # -> int32 [h, w, 3]"""
        return sources_of(state.field, state.costs, self._sharpness(state.costs), state.shape)

    def _counted(self, state: State) -> Mask:
        """Which pixels count where shares and pieces are measured. # -> bool [h, w]"""
        every = np.ones(state.shape, dtype=bool)
        if self._plan.flat_counts:
            return every
        busy = busy_places(state.picture.reshape(*state.shape, 3))
        return busy if busy.any() else every

    def _toned(self, pixels: Bytes) -> Bytes:
        return follow_tones(pixels, self._guide, self._plan.tone) if self._plan.tone > 0 else pixels

    def _finished(self, state: State, chosen: tuple[int, ...], carried: Carried | None) -> Finished:
        pixels = state.picture.reshape(*state.shape, 3)
        places = self._places(state)
        if self._plan.fade > 0:
            pixels = fade_seams(places, state.atlas, pixels, self._plan.fade * min(state.shape))
        pixels = self._toned(pixels)
        used, numbers = np.unique(places[..., 0], return_inverse=True)
        places[..., 0] = numbers.reshape(state.shape)
        sources = SourceMap(
            exemplars=tuple(self._exemplars.items[state.chosen[k]] for k in used),
            shapes=tuple((int(height), int(width)) for height, width in state.atlas.sizes[used]),
            places=places,
            busy=busy_places(pixels),
        )
        return Finished(pixels, sources, chosen, carried)


def _passes(side: int, last: bool) -> int:
    return 4 if side <= 200 else 2 if side <= 400 or (last and side <= 512) else 1


def _contrasted(composition: Bytes, atlas: Atlas) -> Bytes:
    """A composition with the contrast that exemplars have at its size: what is undecided is flat. # uint8 [h, w, 3]"""
    usual = [
        float(pixels[:height, : width * 3].reshape(height, width, 3).std(axis=(0, 1)).mean())
        for pixels, (height, width) in zip(atlas.pixels, atlas.sizes, strict=True)
    ]
    mean = composition.mean(axis=(0, 1), keepdims=True)
    own = float(composition.std(axis=(0, 1)).mean())
    gain = float(np.clip(np.median(usual) / max(own, 1.0), 1, _MOST_CONTRAST))
    out: Bytes = (mean + gain * (composition - mean)).clip(0, 255).round().astype(np.uint8)
    return out
