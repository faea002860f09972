"""One finish: a composition rebuilt level by level, coarse to fine, from patches of some exemplars.

Only what is where is kept of a composition; how it is painted comes from the exemplars (Hertzmann et al. 2001, "Image
Analogies"; Granot et al. 2022, "Drop the GAN"). At each level the field of the coarser one goes on, is bettered by
PatchMatch (Barnes et al. 2009), and the patches vote, weighted by how well they fit (Wexler et al. 2007). Pictures that
give more than their share become dearer, pieces that grow beyond the bound are broken (`pieces`), and at the end tones
fade over the seams (`blending`).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from limner.synthesis import kernels
from limner.synthesis.blending import fade_seams, follow_tones
from limner.synthesis.exemplars import Exemplars
from limner.synthesis.levels import Atlas, Pyramid, level_sides, rows_of
from limner.synthesis.options import Plan
from limner.synthesis.pieces import break_pieces, fill_cells, largest_piece, no_bars, shares_of, upsampled_bars
from limner.synthesis.sources import SourceMap, busy_places

__all__ = [
    "Carried",
    "Finished",
    "Level",
    "Rebuilding",
    "State",
    "level_of",
    "nearest",
    "resized",
    "scaled",
    "tones_of",
]

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
_LENT = 0.7
"""Share of a difference in tone that does not count where whole parts are taken and tones fade over seams later."""
_SAFE = 0.85
"""How far below the bounds the search keeps, so that what comes after does not break them."""


_Value = TypeVar("_Value", np.float32, np.bool_)


@dataclass(frozen=True)
class Level:
    """What was taken at one level; exemplars are numbered as they were chosen.

    Attributes:
        field: int32 [h - 6, w - 6, 3].
        bars: int32 [h - 6, w - 6, bars, 3].
        costs: float32 [h - 6, w - 6].
        prices: of the exemplars. # float32 [exemplars]
    """

    field: NDArray[np.int32]
    bars: NDArray[np.int32]
    costs: NDArray[np.float32]
    prices: NDArray[np.float32]


@dataclass(frozen=True)
class Carried:
    """What a picture that changed little goes on from.

    Attributes:
        chosen: the exemplars that were searched, and whether mirrored.
        levels: what was taken from them, coarse to fine.
    """

    chosen: tuple[tuple[int, bool], ...]
    levels: tuple[Level, ...]


@dataclass(frozen=True)
class Finished:
    """A finished picture.

    Attributes:
        pixels: uint8 [height, width, 3], sRGB.
        sources: where each pixel came from.
        chosen: the exemplars that were searched, and whether mirrored.
        carried: what the next one goes on from; None unless asked for.
    """

    pixels: NDArray[np.uint8]
    sources: SourceMap
    chosen: tuple[tuple[int, bool], ...]
    carried: Carried | None = None


@dataclass
class State:
    """A picture under way.

    Attributes:
        shape: height and width, px.
        picture: uint8 [h, w * 3].
        field, costs, bars: of its patches; bars is where pieces must not go on.
        prices: of each exemplar: dearer the more it gives beyond its share.
        chosen, numbers: the exemplars that are still there, and their numbers among those that were chosen.
    """

    shape: tuple[int, int]
    picture: NDArray[np.uint8]
    field: NDArray[np.int32]
    costs: NDArray[np.float32]
    bars: NDArray[np.int32]
    prices: NDArray[np.float32]
    chosen: list[tuple[int, bool]]
    numbers: NDArray[np.int32]
    atlas: Atlas


class Rebuilding:
    """One finish.

    Args:
        pool: searches bands at once; None searches them one after the other.
    """

    def __init__(
        self,
        pyramid: Pyramid,
        exemplars: Exemplars,
        plan: Plan,
        seed: int,
        pool: ThreadPoolExecutor | None,
        composition: NDArray[np.uint8],
    ) -> None:
        self._pyramid, self._exemplars, self._plan, self._seed, self._pool = pyramid, exemplars, plan, seed, pool
        self._lent = np.float32(plan.lent)
        self._composition, self._reach = composition, np.array(plan.reach, np.float32)

    def run(self, chosen: list[tuple[int, bool]], side: int, *, keep: bool = False) -> Finished:
        """The finished picture, its shorter side `side` px.

        Args:
            keep: whether what was taken at each level is told, too.
        """
        sides = level_sides(self._plan.start, side, self._plan.growth)
        state = self._begin(chosen, sides[0])
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
                levels.append(level_of(state, len(chosen)))
        return self._finished(state, tuple(chosen), Carried(tuple(chosen), tuple(levels)) if keep else None)

    def _begin(self, chosen: list[tuple[int, bool]], side: int, prices: NDArray[np.float32] | None = None) -> State:
        """The coarsest level: for each patch the nearest of all, none giving more than its share.

        Args:
            prices: of the exemplars, where they are known already; they stay as they are. # float32 [exemplars]
        """
        atlas = self._atlas(chosen, side)
        shape = scaled(self._composition.shape[:2], side)
        small = resized(self._composition, shape)
        self._guide = _contrasted(small, atlas) if self._plan.lent else small
        picture = rows_of(self._guide)
        edge = kernels.PATCH - 1
        field = np.zeros((shape[0] - edge, shape[1] - edge, 3), np.int32)
        costs = np.zeros(field.shape[:2], np.float32)
        numbers = np.arange(len(chosen), dtype=np.int32)
        own = np.zeros(len(chosen), np.float32) if prices is None else prices.copy()
        state = State(shape, picture, field, costs, no_bars(field), own, chosen, numbers, atlas)
        if side > _EXACT_TO:
            self._match(state)
            return state
        for _ in range(4):
            kernels.brute(
                picture, tones_of(picture), atlas.pixels, atlas.tones, self._lent, atlas.sizes, state.prices,
                self._reach, field, costs,
            )  # fmt: skip
            if prices is not None or not self._price(state):
                break
        return state

    def _atlas(self, chosen: list[tuple[int, bool]], side: int) -> Atlas:
        return self._pyramid.atlas(chosen, side)

    def _match(self, state: State) -> None:
        """For each patch of the composition nearly the nearest of all, by PatchMatch from random places."""
        rng = np.random.default_rng(self._seed)
        shape = state.field.shape[:2]
        state.field[..., 0] = rng.integers(0, len(state.chosen), shape)
        most = state.atlas.sizes[state.field[..., 0]] - kernels.PATCH + 1
        for axis, share in ((0, np.linspace(0, 1, shape[0])[:, None]), (1, np.linspace(0, 1, shape[1])[None])):
            state.field[..., axis + 1] = np.minimum((share * most[..., axis]).astype(np.int32), most[..., axis] - 1)
        for step in range(8):
            self._look(state, state.shape[0], step - 8, step, 24)
            if step % 2:
                self._price(state)

    def _finer(self, state: State, side: int) -> State:
        """The next level: what was taken goes on, twice as fine."""
        if side > _PRUNED_FROM:
            _prune(state)
        atlas = self._pyramid.atlas(state.chosen, side)
        shape = scaled(self._composition.shape[:2], side)
        field = kernels.upsampled(state.field, shape, atlas.sizes, state.atlas.sizes, state.shape)
        costs = nearest(state.costs, field.shape[:2])
        picture = np.empty((shape[0], shape[1] * 3), np.uint8)
        toned = rows_of(resized(state.picture.reshape(*state.shape, 3), shape))
        self._vote(field, costs, atlas, picture, tones_of(toned))
        bars = upsampled_bars(state.bars, shape, state.shape)
        return State(shape, picture, field, costs, bars, state.prices, state.chosen, state.numbers, atlas)

    def _better(self, state: State, side: int, number: int, step: int) -> None:
        """One pass: pieces broken, shares held, patches searched, then the vote."""
        if side >= _BROKEN_FROM and self._plan.piece < 1:
            self._break(state, self._counts(state), number)
        self._price(state)
        self._search(state, side, number, step)

    def _break(self, state: State, counts: NDArray[np.bool_], number: int, safe: float = _SAFE) -> None:
        """Break pieces that are too large; where they may not go on, take a whole part of another place."""
        bound, seed = self._plan.piece * safe, self._seed * 1000 + number
        cells = break_pieces(state.field, state.bars, counts, bound, seed)
        if cells is not None:
            fill_cells(
                state.field, cells, state.bars, state.picture, state.atlas, state.prices, self._slack(state),
                self._reach, _LENT if self._plan.fade > 0 else 0.0, self._pool,
            )  # fmt: skip

    def _slack(self, state: State) -> int:
        """How near to a barred place is barred, too, px."""
        return max(2, int(0.5 * (min(self._plan.piece, 0.1) * state.shape[0] * state.shape[1]) ** 0.5))

    def _search(self, state: State, side: int, number: int, step: int, todo: NDArray[np.bool_] | None = None) -> None:
        tones = tones_of(state.picture)
        self._look(state, side, number, step, 4 if side <= 200 else 1, todo)
        self._vote(state.field, state.costs, state.atlas, state.picture, tones)

    def _look(
        self, state: State, side: int, number: int, step: int, tries: int, todo: NDArray[np.bool_] | None = None
    ) -> None:
        """One pass of PatchMatch, over all places or those that are `todo`. # bool [h - 6, w - 6]"""
        todo = np.ones(state.field.shape[:2], np.bool_) if todo is None else todo
        atlas, plan = state.atlas, self._plan
        slack = self._slack(state)
        old = state.field.copy()
        edges = [len(old) * k // _BANDS for k in range(_BANDS + 1)]
        tones = tones_of(state.picture)

        def band(k: int) -> None:
            kernels.search(
                state.picture, tones, atlas.pixels, atlas.tones, self._lent, atlas.sizes, state.prices, state.bars,
                slack, old, state.field,
                state.costs, edges[k], edges[k + 1], step, self._seed * 1000 + number, tries, max(2, side // 8),
                np.float32(plan.coherence), self._reach, todo,
            )  # fmt: skip

        list((self._pool.map if self._pool else map)(band, range(_BANDS)))

    def _vote(
        self,
        field: NDArray[np.int32],
        costs: NDArray[np.float32],
        atlas: Atlas,
        out: NDArray[np.uint8],
        tones: NDArray[np.uint8],
    ) -> None:
        kernels.vote(field, costs, tones, atlas.pixels, atlas.tones, self._lent, self._sharpness(costs), out)

    def _sharpness(self, costs: NDArray[np.float32]) -> np.float32:
        return np.float32(float(np.median(costs)) * self._plan.sharpness + 2)

    def _counts(self, state: State) -> NDArray[np.bool_]:
        """Which patches count where shares and pieces are measured. # -> bool [h - 6, w - 6]"""
        half = kernels.PATCH // 2
        counted = np.ascontiguousarray(self._counted(state)[half:-half, half:-half])
        return counted if counted.any() else np.ones_like(counted)

    def _price(self, state: State) -> bool:
        """Make dearer what gives more than its share; whether anything does."""
        over = shares_of(state.field, self._counts(state), len(state.chosen)) - self._plan.share * _SAFE
        if len(state.chosen) * self._plan.share * _SAFE <= 1:
            return False
        usual = float(np.median(state.costs)) + 1
        state.prices = np.maximum(0, state.prices + np.where(over > 0, 4 * usual * over, -0.1 * state.prices)).astype(
            np.float32
        )
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
            self._price(state)
            self._search(state, side, number + k, k)

    def _places(self, state: State) -> NDArray[np.int32]:
        """Exemplar, row and column of each pixel. # -> int32 [h, w, 3]"""
        found: NDArray[np.int32] = kernels.sources_of(
            state.field, state.costs, self._sharpness(state.costs), state.shape
        )
        return found

    def _counted(self, state: State) -> NDArray[np.bool_]:
        """Which pixels count where shares and pieces are measured. # -> bool [h, w]"""
        every = np.ones(state.shape, dtype=bool)
        if self._plan.flat_counts:
            return every
        busy = busy_places(state.picture.reshape(*state.shape, 3))
        return busy if busy.any() else every

    def _toned(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The picture in the broad tones of its composition. # uint8 [h, w, 3]"""
        return follow_tones(pixels, self._guide, self._plan.tone) if self._plan.tone > 0 else pixels

    def _finished(self, state: State, chosen: tuple[tuple[int, bool], ...], carried: Carried | None) -> Finished:
        pixels = state.picture.reshape(*state.shape, 3)
        places = self._places(state)
        if self._plan.fade > 0:
            pixels = fade_seams(places, state.atlas, pixels, self._plan.fade * min(state.shape))
        pixels = self._toned(pixels)
        used = np.unique(places[..., 0])
        number = np.zeros(len(state.chosen), np.int32)
        number[used] = np.arange(len(used))
        places[..., 0] = number[places[..., 0]]
        sizes = state.atlas.sizes
        sources = SourceMap(
            exemplars=tuple(self._exemplars.items[state.chosen[k][0]] for k in used),
            mirrored=tuple(state.chosen[k][1] for k in used),
            shapes=tuple((int(sizes[k, 0]), int(sizes[k, 1])) for k in used),
            places=places,
            busy=busy_places(pixels),
        )
        return Finished(pixels, sources, chosen, carried)


def level_of(state: State, exemplars: int) -> Level:
    """What was taken, by the numbers of exemplars as they were chosen."""
    field, bars = state.field.copy(), state.bars.copy()
    field[..., 0] = state.numbers[field[..., 0]]
    bars[..., 0] = np.where(bars[..., 0] >= 0, state.numbers[bars[..., 0]], -1)
    prices = np.zeros(exemplars, np.float32)
    prices[state.numbers] = state.prices
    return Level(field, bars, state.costs.copy(), prices)


def _passes(side: int, last: bool) -> int:
    """How often a level is searched."""
    return 4 if side <= 200 else 2 if side <= 400 or (last and side <= 512) else 1


def _prune(state: State) -> None:
    """Leave exemplars behind that give nothing."""
    used = np.unique(state.field[..., 0])
    if len(used) == len(state.chosen):
        return
    number = np.full(len(state.chosen), -1, np.int32)
    number[used] = np.arange(len(used))
    state.field[..., 0] = number[state.field[..., 0]]
    barred = state.bars[..., 0]
    state.bars[..., 0] = np.where(barred >= 0, number[barred], -1)
    state.numbers = state.numbers[used]
    state.chosen, state.prices = [state.chosen[k] for k in used], np.ascontiguousarray(state.prices[used])
    state.atlas = replace(state.atlas, sizes=np.ascontiguousarray(state.atlas.sizes[used]))


def scaled(shape: tuple[int, ...], side: int) -> tuple[int, int]:
    """Height and width with a shorter side of `side` px."""
    share = side / min(shape[:2])
    return max(side, round(shape[0] * share)), max(side, round(shape[1] * share))


def resized(pixels: NDArray[np.uint8], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """The picture at another size. # uint8 [h, w, 3] -> [height, width, 3]"""
    smaller = shape[0] < pixels.shape[0]
    how = Image.Resampling.LANCZOS if smaller else Image.Resampling.BICUBIC
    return np.array(Image.fromarray(np.ascontiguousarray(pixels)).resize((shape[1], shape[0]), how))


def _contrasted(composition: NDArray[np.uint8], atlas: Atlas) -> NDArray[np.uint8]:
    """A composition with the contrast that exemplars have at its size: what is undecided is flat. # uint8 [h, w, 3]"""
    usual = [
        float(pixels[:height, : width * 3].reshape(height, width, 3).std(axis=(0, 1)).mean())
        for pixels, (height, width) in zip(atlas.pixels, atlas.sizes, strict=True)
    ]
    mean = composition.mean(axis=(0, 1), keepdims=True)
    own = float(composition.std(axis=(0, 1)).mean())
    gain = float(np.clip(np.median(usual) / max(own, 1.0), 1, _MOST_CONTRAST))
    out: NDArray[np.uint8] = (mean + gain * (composition - mean)).clip(0, 255).round().astype(np.uint8)
    return out


def tones_of(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Mean colour of each patch. # uint8 [h, w * 3] -> [h - 6, w - 6, 3]"""
    out = np.empty((picture.shape[0] - kernels.PATCH + 1, picture.shape[1] // 3 - kernels.PATCH + 1, 3), np.uint8)
    kernels.means(picture, out)
    return out


def nearest(values: NDArray[_Value], shape: tuple[int, ...]) -> NDArray[_Value]:
    """The nearest value at another size. # [h, w] -> [height, width]"""
    down, across = ((np.arange(new) * old // new) for new, old in zip(shape, values.shape, strict=True))
    return np.ascontiguousarray(values[down][:, across])
