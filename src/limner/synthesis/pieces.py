"""Bounds on copying: pieces that grow too large are broken, and what was barred there stays barred at finer levels."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

from limner.synthesis import kernels
from limner.synthesis.levels import Atlas

__all__ = ["SLACK", "break_pieces", "fill_cells", "largest_piece", "no_bars", "shares_of", "upsampled_bars"]

SLACK = 1
"""How many px the offsets of neighbours may differ for them to count as one piece."""
_CELL = 0.5
"""Area of a cell in which a piece is broken, as a share of the largest that is allowed."""
_BEND = 0.15
_BARS = 4
"""How many pieces a place may be barred from at once; the oldest bar goes first."""
_SMALLEST = 16
"""Places that a cell has at least to be taken whole; of a smaller one the neighbours go on."""
_COMPARED = 120
"""Places of a cell by which it is compared."""
_TRIED = 40
"""Places down a picture that a cell is tried to be taken from, before those around the best."""
_INNER = 0.84
"""Width of the free part of a free cell, so that no two of them touch at a corner."""

Field = NDArray[np.int32]


def no_bars(field: Field) -> Field:
    """Nothing is barred. # int32 [h, w, bars, 3]: exemplar (-1 for none), offset down and across"""
    return np.full((*field.shape[:2], _BARS, 3), -1, np.int32)


def largest_piece(field: Field, counts: NDArray[np.bool_]) -> float:
    """The largest piece as a share of what counts. # counts: bool [h, w]"""
    labels, _ = kernels.label_pieces(field, SLACK)
    areas = np.bincount(labels[counts], minlength=1)
    return float(areas.max() / max(1, counts.sum()))


def shares_of(field: Field, counts: NDArray[np.bool_], exemplars: int) -> NDArray[np.float64]:
    """What share of what counts each exemplar gives. # -> [exemplars]"""
    found: NDArray[np.float64] = np.bincount(field[..., 0][counts], minlength=exemplars) / max(1, counts.sum())
    return found


def break_pieces(
    field: Field, bars: Field, counts: NDArray[np.bool_], bound: float, seed: int
) -> NDArray[np.int32] | None:
    """Bar all but every second cell of each piece that is larger than `bound`, as a share of what counts.

    The cells are bent, so that no straight seam shows; in a barred cell the piece may not go on.

    Returns:
        The number of the barred cell that each place lies in, from 1, and 0 elsewhere; None where no piece is too
        large. # int32 [h, w]
    """
    labels, _ = kernels.label_pieces(field, SLACK)
    most = bound * max(1, int(counts.sum()))
    areas = np.bincount(labels[counts], minlength=int(labels.max()) + 1)
    if not (areas > most).any():
        return None
    # A piece of which little counts is broken in cells that are larger by as much.
    whole = np.bincount(labels.ravel(), minlength=len(areas))
    worst = int((areas * (areas > most)).argmax())
    cell = max(4.0, np.sqrt(most * _CELL * whole[worst] / max(1, areas[worst])))
    cells = _cells(field.shape[:2], cell, np.random.default_rng(seed).random(6))
    here: NDArray[np.bool_] = (areas > most)[labels] & (cells > 0)
    down, across = np.mgrid[: field.shape[0], : field.shape[1]]
    bars[here] = np.roll(bars[here], 1, axis=1)
    bars[here, 0, 0] = field[here, 0]
    bars[here, 0, 1] = (field[..., 1] - down)[here]
    bars[here, 0, 2] = (field[..., 2] - across)[here]
    pairs = np.where(here, labels.astype(np.int64) * (int(cells.max()) + 1) + cells, -1)
    numbers: NDArray[np.int32] = np.unique(pairs, return_inverse=True)[1].reshape(here.shape).astype(np.int32)
    return numbers + (0 if (pairs < 0).any() else 1)


def fill_cells(
    field: Field,
    cells: NDArray[np.int32],
    bars: Field,
    picture: NDArray[np.uint8],
    atlas: Atlas,
    prices: NDArray[np.float32],
    slack: int,
    reach: NDArray[np.float32],
    lent: float,
    pool: Executor | None = None,
) -> None:
    """Take each barred cell whole from another place, the one that suits it best (Efros and Freeman 2001).

    Taken patch by patch from many places it would be a mean of them: fog.

    Args:
        field: changed. # int32 [h - 6, w - 6, 3]
        cells: as `break_pieces` gives them. # int32 [h - 6, w - 6]
        picture: uint8 [h, w * 3].
        slack: how near to a barred offset is barred, too, px.
        lent: share of a difference in tone that does not count.
        pool: looks for several cells at once; None for one after the other.
    """
    half = kernels.PATCH // 2

    def found(box: tuple[slice, slice], number: int) -> tuple[NDArray[np.intp], NDArray[np.intp], Any] | None:
        """The places of a cell, and from where it is best taken."""
        down, across = np.nonzero(cells[box] == number)
        if len(down) < _SMALLEST:
            return None
        down, across = down + box[0].start, across + box[1].start
        some = slice(None, None, max(1, len(down) // _COMPARED))
        middle = len(down) // 2
        return down, across, kernels.best_chunk(
            picture, (down[some] + half).astype(np.int32), (across[some] + half).astype(np.int32), atlas.pixels,
            atlas.sizes, prices, bars[down[middle], across[middle]], slack, reach,
            max(2, picture.shape[0] // _TRIED), np.float32(lent),
        )  # fmt: skip

    boxes = find_objects(cells)
    for cell in (pool.map if pool else map)(found, boxes, range(1, len(boxes) + 1)):
        if cell is None or cell[2][0] < 0:
            continue
        down, across, (e, oy, ox) = cell
        most = atlas.sizes[e] - kernels.PATCH
        field[down, across, 0] = e
        field[down, across, 1] = np.clip(down + oy, 0, most[0])
        field[down, across, 2] = np.clip(across + ox, 0, most[1])


def _cells(shape: tuple[int, ...], cell: float, phases: NDArray[np.float64]) -> NDArray[np.int32]:
    """Numbers of every second cell of a bent grid, grown by the edge of its neighbours, whose inner part is 0.

    # -> int32 [h, w]
    """
    down, across = np.mgrid[: shape[0], : shape[1]] / cell
    turn = phases * 2 * np.pi
    y = down + _BEND * (np.sin(2.1 * across + turn[0]) + np.sin(4.7 * across + 1.3 * down + turn[1])) + phases[4]
    x = across + _BEND * (np.sin(2.3 * down + turn[2]) + np.sin(5.1 * down + 1.7 * across + turn[3])) + phases[5]
    row, column = np.floor(y).astype(np.int32), np.floor(x).astype(np.int32)
    even, fy, fx = (row + column) % 2 == 0, y % 1 - 0.5, x % 1 - 0.5
    free = even & (np.abs(fy) < _INNER / 2) & (np.abs(fx) < _INNER / 2)
    # The edge of a free cell belongs to the cell on that side.
    upright = np.abs(fy) > np.abs(fx)
    row += (even & upright) * np.sign(fy).astype(np.int32)
    column += (even & ~upright) * np.sign(fx).astype(np.int32)
    row, column = row - row.min(), column - column.min()
    numbers: NDArray[np.int32] = np.where(free, 0, 1 + row * (int(column.max()) + 1) + column).astype(np.int32)
    return numbers


def upsampled_bars(bars: Field, shape: tuple[int, int], before: tuple[int, int]) -> Field:
    """What was barred at a coarser level, at a finer one.

    Args:
        shape, before: height and width of the finer and the coarser picture.
    """
    half = kernels.PATCH / 2
    places = [
        np.clip(np.round((np.arange(fine - kernels.PATCH + 1) + half) * coarse / fine - half).astype(int), 0, count - 1)
        for fine, coarse, count in zip(shape, before, bars.shape[:2], strict=True)
    ]
    found = bars[places[0]][:, places[1]].copy()
    for axis in (0, 1):
        scaled = np.round(found[..., axis + 1] * (shape[axis] / before[axis])).astype(np.int32)
        found[..., axis + 1] = np.where(found[..., 0] >= 0, scaled, -1)
    return np.ascontiguousarray(found)
