"""Works aligned with a copy: moved, stretched, made brighter until they differ least. Many works at once.

Source: Lucas and Kanade (1981), by Gauss-Newton steps, with gain and offset of brightness.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from limner.papers.registry.fingerprints import MIDDLE, SIDE, Floats, interpolation

_STEPS = ((4, 5, 0.35), (2, 4, 0.22), (1, 3, 1.0))
"""By how much both are made smaller, how many steps are made, and what share of the contrast may then be missing."""
_GAIN = 0.6, 1.6
_AWAY = 0.12
"""Further than a neighbouring trial it is another place: the hash did not mean that one."""
_LONGEST, _SHORTEST = 0.05, 2e-4
_FLOOR = 4.0  # grey levels; a picture with less contrast than this is held to as much
_Ints = NDArray[np.int64]


@dataclass
class Places:
    """Where works lie in a copy, as shares of its sides, and how their brightness was changed.

    Attributes:
        start: left and upper end. # [c, 2]
        stretch: width and height. # [c, 2]
        gain, offset: of brightness. # [c]
    """

    start: Floats
    stretch: Floats
    gain: Floats
    offset: Floats

    @classmethod
    def of(cls, windows: Floats) -> Places:
        """Where works begin whose middles lie in these windows. # [c, 4], as `likeness.ALL`"""
        stretch = windows[:, 1::2] / np.float32(MIDDLE)
        start = windows[:, ::2] - stretch * np.float32((1 - MIDDLE) / 2)
        return cls(start, stretch, np.ones(len(windows), np.float32), np.zeros(len(windows), np.float32))

    def read(self, copies: Floats, size: int, which: _Ints | slice = slice(None)) -> tuple[Floats, NDArray[np.bool_]]:
        """What a copy shows where some works lie, and which of it is there.

        Args:
            copies: of each of these works its copy. # [k, ..., s, s]
            size: pixels in a row of what is read.
            which: numbers of these works; all by default.

        Returns:
            Pixels, and whether each lies in the copy. # [k, ..., size, size], [k, size, size]
        """
        places = ((np.arange(size) + 0.5) / size).astype(np.float32)
        across, down = (self.start[which, i, None] + self.stretch[which, i, None] * places for i in (0, 1))
        rows, columns = (interpolation(at, copies.shape[-1]) for at in (down, across))
        if copies.ndim == 4:
            rows, columns = rows[:, None], columns[:, None]
        inside = [(at >= 0) & (at <= 1) for at in (down, across)]
        shown = np.asarray(rows @ copies @ columns.swapaxes(-1, -2), np.float32)
        return shown, inside[0][:, :, None] & inside[1][:, None]


def aligned(works: Floats, copies: Floats, turned: _Ints, windows: Floats) -> Places:
    """Where works lie best, searched at a quarter of the size first, and closer where that comes near.

    Args:
        works: luma. # float32 [c, 64, 64]
        copies: luma of the copy, and of its mirror image. # float32 [2, 64, 64]
        turned: with which of the two each work is aligned. # [c]
        windows: in which their middles lie at first. # float32 [c, 4]
    """
    works, copies, places = _blurred(works), _blurred(copies), Places.of(windows)
    start, stretch = places.start.copy(), places.stretch.copy()
    near = np.arange(len(works))
    for factor, steps, far in _STEPS:
        small, large = (
            one.reshape(len(one), SIDE // factor, factor, -1, factor).mean((2, 4)) for one in (works, copies)
        )
        sources = np.stack([large, *np.gradient(large, axis=(1, 2))], axis=1)  # [2, 3, s, s]
        left, moving = np.ones(len(works), np.float32), near
        for _ in range(steps):
            step, left[moving] = _step(small[moving], sources[turned[moving]], places, moving)
            for part, first, move in ((places.start, start, step[:, :2]), (places.stretch, stretch, step[:, 2:4])):
                part[moving] = first[moving] + (part[moving] + move - first[moving]).clip(-_AWAY, _AWAY)
            places.gain[moving] = (places.gain[moving] + step[:, 4]).clip(*_GAIN)
            places.offset[moving] += step[:, 5]
            moving = moving[np.abs(step[:, :4]).max(axis=1) >= _SHORTEST]
            if not len(moving):
                break
        near = near[left[near] <= far]
        if not len(near):
            break
    return places


def _step(works: Floats, sources: Floats, places: Places, which: _Ints) -> tuple[Floats, Floats]:
    """One step by least squares, and what share of a work's contrast was missing before it.

    Args:
        works: luma of some works. # [k, s, s]
        sources: of each its copy, and that copy's slopes, down and across. # [k, 3, s, s]
        places: where all works lie.
        which: numbers of these ones. # [k]

    Returns:
        Changes of start, stretch, gain and offset; none where hardly anything of a work is there. # [k, 6], [k]
    """
    size = works.shape[1]
    gain, offset = places.gain[which, None, None], places.offset[which, None, None]
    shown, there = places.read(sources, size, which)
    (seen, below, right), inside = np.moveaxis(shown, 1, 0), there.astype(np.float32)
    below, right = gain * size * below, gain * size * right
    at = ((np.arange(size) + 0.5) / size).astype(np.float32)
    known = np.stack([right, below, right * at, below * at[:, None], seen, np.ones_like(seen)], axis=1)
    known = (known * inside[:, None]).reshape(len(works), 6, -1)
    missing, count = (works - (gain * seen + offset)) * inside, inside.sum((1, 2))
    normal = (known @ known.swapaxes(1, 2)).astype(np.float64)
    normal[:, range(6), range(6)] *= 1 + 1e-4
    normal[:, range(6), range(6)] += 1e-6
    residual = (known @ missing.reshape(len(works), -1, 1)).astype(np.float64)
    step: Floats = np.linalg.solve(normal, residual)[..., 0].astype(np.float32)
    step[:, :4] = step[:, :4].clip(-_LONGEST, _LONGEST)
    enough = count >= size * size // 4
    left = _deviation(missing, inside, count) / (_deviation(works * inside, inside, count) + _FLOOR)
    return np.where(enough[:, None], step, 0).astype(np.float32), np.where(enough, left, 1).astype(np.float32)


def _deviation(values: Floats, inside: Floats, count: Floats) -> Floats:
    """Of those inside; the others are 0. # [k, s, s], [k, s, s], [k] -> [k]"""
    count = np.maximum(count, 1)
    away = values - (values.sum((1, 2)) / count)[:, None, None] * inside
    return np.asarray(np.sqrt((away * away).sum((1, 2)) / count))


def _blurred(planes: Floats) -> Floats:
    """Blurred a little, so that steps find their way. # [n, 64, 64]"""
    for axis in (1, 2):
        planes = ndimage.correlate1d(planes, np.array([0.25, 0.5, 0.25]), axis, mode="nearest")
    return planes
