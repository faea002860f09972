"""The second look: whether a thumbnail shows a registered work, or a part of it, once both are laid on each other.

Hashes find what may be the same; two emoji that differ in a mouth have nearly the same hash. So each candidate is laid
over the copy as well as possible (moved, stretched, made brighter), and then the worst small part decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from limner.papers.fingerprints import MIDDLE, SIDE, Bytes, Floats, planes_of

__all__ = ["ALL", "Likeness", "alike", "compare", "rough"]

ALL = np.array([(1 - MIDDLE) / 2, MIDDLE, (1 - MIDDLE) / 2, MIDDLE], np.float32)
"""The window (left, width, top, height) in which the middle of a work lies in a copy that shows all of it."""

EVEN, PART, COLOUR = 3.5, 9.5, 6.5
"""Up to how many per cent of the work's contrast its copy may differ; measured by `python -m bench registry`."""

NEARLY = 2.0
_STEPS = ((4, 5, 0.35), (2, 4, 0.22), (1, 3, 1.0))
"""By how much both are made smaller, how many steps are made, and what share of the contrast may then be missing."""
_CELL = 8  # side of the cells whose means are compared, px of the thumbnail: saving again changes finer detail first
_GAIN = 0.6, 1.6
_LEAST = 0.5  # share of the work that a copy must show
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_FLOOR = 4.0  # grey levels; a picture with less contrast than this is held to as much
_Matrix = NDArray[np.float64]
T = TypeVar("T")


@dataclass(frozen=True)
class Likeness:
    """How well a copy lies on a work; differences are of means over 8 x 8 of 64 x 64 pixels.

    Attributes:
        share: of the work's area that the copy shows, 0 to 1.
        even: root mean square difference in luma, per cent of the work's contrast.
        part: the largest difference in luma, per cent of the same.
        colour: the largest difference in colour, over 16 x 16 pixels, per cent of the contrast of luma and colour.
        mirrored: whether the copy is a mirror image.
    """

    share: float
    even: float
    part: float
    colour: float
    mirrored: bool = False

    @property
    def score(self) -> float:
        """0 for the same picture; up to 1 it may be called the same."""
        return max(self.even / EVEN, self.part / PART, self.colour / COLOUR)

    @property
    def same(self) -> bool:
        """Whether this may be called the same picture: likeness, which is no proof."""
        return self.share >= _LEAST and self.score <= 1


def rough(
    works: Mapping[int, Bytes], copy: Bytes, which: Sequence[int], windows: Floats, mirrored: NDArray[np.bool_]
) -> Floats:
    """How alike works and a copy are where windows put them, unrefined: correlation of luma, -1 to 1. # [n]

    Args:
        works: uint8 [64, 64, 3], thumbnails by number.
        copy: uint8 [64, 64, 3].
        which: numbers of the works that are laid on it. # [n]
        windows: float32 [n, 4], as `ALL`.
        mirrored: whether the copy is turned round first. # [n]
    """
    # Many works are laid in the same few windows.
    kinds, kind = np.unique(np.column_stack([windows, mirrored]), axis=0, return_inverse=True)
    seen, inside = _seen(planes_of(np.stack([copy, copy[:, ::-1]]))[:, 0], kinds[:, :4], kinds[:, 4].astype(np.int64))
    order = {number: place for place, number in enumerate(works)}
    small = _halved(np.stack(list(works.values())))
    one, other, inside = small[[order[number] for number in which]], seen[kind.ravel()], inside[kind.ravel()]
    count = np.maximum(inside.sum((1, 2)), 1)

    def centred(x: Floats) -> Floats:
        found: Floats = (x - (np.einsum("nij,nij->n", x, inside) / count)[:, None, None]) * inside
        return found

    one, other = centred(one), centred(other)
    power = np.einsum("nij,nij->n", one, one) * np.einsum("nij,nij->n", other, other)
    found: Floats = np.einsum("nij,nij->n", one, other) / np.sqrt(np.maximum(power, 1e-6))
    return found


def _seen(lumas: Floats, windows: Floats, turned: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Luma of a copy where a work would lie, and which of it is there. # [2, 64, 64], [n, 4] -> 2 of [n, 32, 32]"""
    places = ((np.arange(0, SIDE, 2) + 1) / SIDE).astype(np.float32)  # [32]
    stretch = windows[:, 1::2] / MIDDLE  # [n, 2]: across, down
    start = windows[:, ::2] - stretch * (1 - MIDDLE) / 2
    at = start[:, :, None] + stretch[:, :, None] * places  # [n, 2, 32]
    across, down = (_between(at[:, i]) for i in (0, 1))  # [n, 32, 64]
    inside = (_inside(at[:, 1])[:, :, None] & _inside(at[:, 0])[:, None, :]).astype(np.float32)
    seen: Floats = np.matmul(np.matmul(down, lumas[turned]), across.transpose(0, 2, 1), dtype=np.float32)
    return seen, inside


def _halved(thumbnails: Bytes) -> Floats:
    """Luma at half the size. # uint8 [n, 64, 64, 3] -> float32 [n, 32, 32]"""
    quarters = thumbnails.reshape(len(thumbnails), SIDE // 2, 2, SIDE // 2, 2, 3)
    sums = quarters[:, :, 0].astype(np.uint16) + quarters[:, :, 1]
    wholes = (sums[:, :, :, 0] + sums[:, :, :, 1]).astype(np.float32)
    found: Floats = (wholes.reshape(-1, 3) @ (_LUMA / 4)).reshape(wholes.shape[:-1])
    return found


def compare(work: Bytes, copy: Bytes, window: Floats, *, mirrored: bool = False) -> Likeness:
    """Lay a work over a copy, beginning where `window` puts it, and say how far they still differ.

    Args:
        work, copy: uint8 [64, 64, 3], thumbnails.
        window: as `ALL`.
        mirrored: turn the copy round first.

    Source: Lucas and Kanade (1981), by Gauss-Newton steps, with gain and offset of brightness.
    """
    wanted = planes_of(work[None])[0]
    given = planes_of((copy[:, ::-1] if mirrored else copy)[None])[0]
    stretch = np.array([window[1], window[3]], np.float64) / MIDDLE
    start = np.array([window[0], window[2]], np.float64) - stretch * (1 - MIDDLE) / 2
    place = _Place(start, stretch)
    _laid(_soft(wanted[0]), _soft(given[0]), place)
    places = (np.arange(SIDE) + 0.5) / SIDE
    across, down = (place.start[i] + place.stretch[i] * places for i in (0, 1))
    seen = _between(down) @ given @ _between(across).T  # [3, 64, 64]
    seen[0] = place.gain * seen[0] + place.offset
    inside = _inside(down)[:, None] & _inside(across)[None]
    return _judged(wanted, wanted - seen, inside, mirrored)


@dataclass
class _Place:
    """Where a work lies in a copy, on both axes (across, down), and how its brightness was changed."""

    start: _Matrix
    stretch: _Matrix
    gain: float = 1.0
    offset: float = 0.0


def _laid(wanted: _Matrix, given: _Matrix, place: _Place) -> None:
    """Move `place` to where the work lies best: at a quarter of the size first, and closer where that comes near."""
    first = np.concatenate([place.start, place.stretch])
    for factor, steps, far in _STEPS:
        left = 1.0
        small, large = (
            one.reshape(SIDE // factor, factor, SIDE // factor, factor).mean((1, 3)) for one in (wanted, given)
        )
        slopes = np.gradient(large)
        for _ in range(steps):
            step, left = _step(small, large, slopes, place)
            place.start, place.stretch = place.start + step[:2], place.stretch + step[2:4]
            # Further than a neighbouring trial it is another place: the hash did not mean that one.
            moved = np.concatenate([place.start, place.stretch]) - first
            place.start, place.stretch = np.split(first + moved.clip(-0.12, 0.12), 2)
            place.gain, place.offset = float(np.clip(place.gain + step[4], *_GAIN)), place.offset + float(step[5])
            if np.abs(step[:4]).max() < 2e-4:
                break
        if left > far:
            return


def _step(wanted: _Matrix, given: _Matrix, slopes: Sequence[_Matrix], place: _Place) -> tuple[_Matrix, float]:
    """One step by least squares, and what share of the work's contrast was missing before it."""
    size = len(wanted)
    places = (np.arange(size) + 0.5) / size
    across, down = (place.start[i] + place.stretch[i] * places for i in (0, 1))
    to_across, to_down = _between(across, size).T, _between(down, size)
    seen = to_down @ given @ to_across
    inside = (_inside(down)[:, None] & _inside(across)[None]).ravel()
    if inside.sum() < inside.size // 4:
        return np.zeros(6), 1.0
    below, right = (place.gain * size * (to_down @ slope @ to_across) for slope in slopes)
    columns = (right, below, right * places[None], below * places[:, None], seen, np.ones_like(seen))
    known = np.stack([column.ravel()[inside] for column in columns], 1)
    target = wanted.ravel()[inside]
    missing = target - (place.gain * seen + place.offset).ravel()[inside]
    normal = known.T @ known
    normal[np.diag_indices(6)] *= 1 + 1e-4
    normal[np.diag_indices(6)] += 1e-6
    step: _Matrix = np.linalg.solve(normal, known.T @ missing).astype(np.float64)
    step[:4] = step[:4].clip(-0.05, 0.05)
    return step, float(missing.std() / (target.std() + _FLOOR))


def _judged(work: Floats, missing: Floats, inside: NDArray[np.bool_], mirrored: bool) -> Likeness:
    """# [3, 64, 64], [3, 64, 64], [64, 64]"""
    if not inside.any():
        return Likeness(0.0, 100.0, 100.0, 100.0, mirrored)
    luma, colour = _cells(missing[:1], inside, _CELL), _cells(missing[1:], inside, 2 * _CELL)
    if not luma.size or not colour.size:
        return Likeness(float(inside.mean()), 100.0, 100.0, 100.0, mirrored)
    light, tint = (float(work[planes][:, inside].std(axis=1).max()) for planes in (slice(1), slice(1, 3)))
    contrast = light + _FLOOR
    return Likeness(
        share=float(inside.mean()),
        even=100 * float(np.sqrt((luma**2).mean())) / contrast,
        part=100 * float(np.abs(luma).max()) / contrast,
        colour=100 * float(np.sqrt((colour**2).sum(0).max())) / (contrast + tint + _FLOOR),
        mirrored=mirrored,
    )


def _cells(planes: Floats, inside: NDArray[np.bool_], side: int) -> Floats:
    """Means over cells of which at least half is inside. # [p, 64, 64] -> [p, cells]"""
    count = SIDE // side
    sums = (planes * inside).reshape(len(planes), count, side, count, side).sum((2, 4))
    weights = inside.reshape(count, side, count, side).sum((1, 3))
    enough = weights >= side * side // 2
    found: Floats = sums[:, enough] / weights[enough]
    return found


def _soft(plane: Floats) -> _Matrix:
    """Blurred a little, so that steps find their way. # [64, 64]"""
    padded = np.pad(plane.astype(np.float64), 1, mode="edge")
    rows = padded[:-2] + 2 * padded[1:-1] + padded[2:]
    found: _Matrix = (rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) / 16
    return found


def _between(at: NDArray[np.floating], size: int = SIDE) -> Floats:
    """Weights that read `size` pixels at places given as shares of the side. # [..., k] -> float32 [..., k, size]"""
    place = np.clip(at.astype(np.float32) * size - 0.5, 0, size - 1)[..., None]
    found: Floats = np.maximum(0, 1 - np.abs(place - np.arange(size, dtype=np.float32)))
    return found


def _inside(at: NDArray[np.floating]) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = (at >= 0) & (at <= 1)
    return found


def alike(laid: list[tuple[Likeness, T]]) -> list[tuple[Likeness, T]]:
    """Of works laid on one copy those that it may be called the same as, the best first.

    Works that lie nearly as well as the best come with it: between them the picture does not decide.
    """
    good = sorted(((seen, one) for seen, one in laid if seen.same), key=lambda pair: pair[0].score)
    return [pair for pair in good if pair[0].score <= good[0][0].score * NEARLY + 0.1]
