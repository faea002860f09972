"""Filling the cells of a broken piece: each is taken whole from another place (Efros and Freeman 2001)."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

from limner.synthesis.patches import PATCH, Floats, Ints, Matching, compiled, inlined

_SMALLEST = 16
"""Places that a cell has at least to be taken whole; of a smaller one the neighbours go on."""
_COMPARED = 120
"""Places of a cell by which it is compared."""
_TRIED = 40
"""Places down a picture that a cell is tried to be taken from, before those around the best."""


@inlined
def _excluded(exclusions: Ints, e: Any, oy: Any, ox: Any, slack: int) -> bool:
    """Whether a cell may not be taken from there. # exclusions: int32 [exclusions, 3]"""
    for k in range(exclusions.shape[0]):
        if exclusions[k, 0] == e and abs(oy - exclusions[k, 1]) <= slack and abs(ox - exclusions[k, 2]) <= slack:
            return True
    return False


@inlined
def _cell_cost(m: Matching, rows: Ints, columns: Ints, e: Any, oy: Any, ox: Any, best: Any) -> Any:
    """What it costs to take a cell from there: mean squared difference, and the exemplar's penalty.

    What the tone shift makes good does not count. Something above `best` where it is no less.
    """
    count = len(rows)
    # What is due to tone is at most all of it.
    most = (best - m.penalties[e]) * 3 * count / (1 - m.tone_shift)
    squares: Any = 0
    a: Any = 0
    b: Any = 0
    c: Any = 0
    for n in range(count):
        i, at, of = rows[n], columns[n] * 3, (columns[n] + ox) * 3
        r = np.int32(m.picture[i, at]) - np.int32(m.atlas.pixels[e, i + oy, of])
        g = np.int32(m.picture[i, at + 1]) - np.int32(m.atlas.pixels[e, i + oy, of + 1])
        d = np.int32(m.picture[i, at + 2]) - np.int32(m.atlas.pixels[e, i + oy, of + 2])
        squares += r * r + g * g + d * d
        if squares > most:
            return best + np.float32(1)
        a += r
        b += g
        c += d
    tone = (np.float32(a) * a + np.float32(b) * b + np.float32(c) * c) / count
    return (np.float32(squares) - m.tone_shift * tone) / (3 * count) + m.penalties[e]


@inlined
def _coarse(
    m: Matching, rows: Ints, columns: Ints, exclusions: Ints, slack: int, reach: Floats, every: int
) -> tuple[Any, Any, Any, Any]:
    """The best of places that lie `every` px apart: cost, exemplar (-1 where none fits), offset down and across."""
    h, w = m.picture.shape[0], m.picture.shape[1] // 3
    top, left, bottom, right = rows.min(), columns.min(), rows.max(), columns.max()
    best: Any = np.float32(1e18)
    be, bo, bp = -1, 0, 0
    for e in range(m.atlas.pixels.shape[0]):
        hy, hx = m.atlas.sizes[e, 0], m.atlas.sizes[e, 1]
        if bottom - top >= hy or right - left >= hx:
            continue
        cy, cx = top / max(1, h - 1) * (hy - 1), left / max(1, w - 1) * (hx - 1)
        y0, y1 = max(0, int(cy - reach[0] * hy)), min(hy - (bottom - top), int(cy + reach[0] * hy) + 1)
        x0, x1 = max(0, int(cx - reach[1] * hx)), min(hx - (right - left), int(cx + reach[1] * hx) + 1)
        for y in range(y0, y1, every):
            for x in range(x0, x1, every):
                oy, ox = y - top, x - left
                if _excluded(exclusions, e, oy, ox, slack):
                    continue
                cost = _cell_cost(m, rows, columns, e, oy, ox, best)
                if cost < best:
                    best, be, bo, bp = cost, e, oy, ox
    return best, be, bo, bp


@compiled
def _best_place(
    m: Matching, rows: Ints, columns: Ints, exclusions: Ints, slack: int, reach: Floats, every: int
) -> tuple[int, int, int]:
    """From where a cell is best taken: exemplar (-1 where it fits nowhere), offset of its places down and across.

    Args:
        rows, columns: of the pixels that are compared. # [n]
        exclusions: from where it may not be taken. # int32 [exclusions, 3]: exemplar, offset down, across
        slack: how near to an excluded offset is excluded, too, px.
        reach: how far, as shares of the picture down and across, it may come from another place.
        every: how many px lie between the places that are tried first; then those around the best are.
    """
    best, e, near, across = _coarse(m, rows, columns, exclusions, slack, reach, every)
    if e < 0:
        return e, near, across
    top, left, bottom, right = rows.min(), columns.min(), rows.max(), columns.max()
    bo, bp = near, across
    for oy in range(max(-top, near - every + 1), min(m.atlas.sizes[e, 0] - 1 - bottom, near + every - 1) + 1):
        for ox in range(max(-left, across - every + 1), min(m.atlas.sizes[e, 1] - 1 - right, across + every - 1) + 1):
            if (oy == near and ox == across) or _excluded(exclusions, e, oy, ox, slack):
                continue
            cost = _cell_cost(m, rows, columns, e, oy, ox, best)
            if cost < best:
                best, bo, bp = cost, oy, ox
    return e, bo, bp


def fill_cells(
    m: Matching,
    field: Ints,
    cells: Ints,
    exclusions: Ints,
    slack: int,
    reach: Floats,
    pool: Executor | None = None,
) -> None:
    """Take each excluded cell whole from another place, the one that suits it best.

    Taken patch by patch from many places it would be a mean of them: fog.

    Args:
        field: changed. # int32 [h - 6, w - 6, 3]
        cells: as `break_pieces` gives them. # int32 [h - 6, w - 6]
        slack: how near to an excluded offset is excluded, too, px.
        pool: looks for several cells at once; None for one after the other.
    """
    half, every = PATCH // 2, max(2, m.picture.shape[0] // _TRIED)

    def found(box: tuple[slice, slice], number: int) -> tuple[NDArray[np.intp], NDArray[np.intp], Any] | None:
        """The places of a cell, and from where it is best taken."""
        down, across = np.nonzero(cells[box] == number)
        if len(down) < _SMALLEST:
            return None
        down, across = down + box[0].start, across + box[1].start
        some = slice(None, None, max(1, len(down) // _COMPARED))
        rows, columns = (down[some] + half).astype(np.int32), (across[some] + half).astype(np.int32)
        middle = exclusions[down[len(down) // 2], across[len(down) // 2]]
        return down, across, _best_place(m, rows, columns, middle, slack, reach, every)

    boxes = find_objects(cells)
    for cell in (pool.map if pool else map)(found, boxes, range(1, len(boxes) + 1)):
        if cell is None or cell[2][0] < 0:
            continue
        down, across, (e, oy, ox) = cell
        most = m.atlas.sizes[e] - PATCH
        field[down, across, 0] = e
        field[down, across, 1] = np.clip(down + oy, 0, most[0])
        field[down, across, 2] = np.clip(across + ox, 0, most[1])
