"""Bounds on copying: pieces that grow too large are broken, and what was barred there stays barred at finer levels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from limner.synthesis import kernels

__all__ = ["SLACK", "break_pieces", "largest_piece", "no_bars", "shares_of", "upsampled_bars"]

SLACK = 1
"""How many px the offsets of neighbours may differ for them to count as one piece."""
_CELL = 0.5
"""Area of a cell in which a piece is broken, as a share of the largest that is allowed."""
_BEND = 0.15
_BARS = 4
"""How many pieces a place may be barred from at once; the oldest bar goes first."""
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
) -> NDArray[np.bool_] | None:
    """Bar all but every second cell of each piece that is larger than `bound`, as a share of what counts.

    The cells are bent, so that no straight seam shows; in a barred cell the piece may not go on.

    Returns:
        Where it was barred, or None where no piece is too large. # bool [h, w]
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
    free = _free_cells(field.shape[:2], cell, np.random.default_rng(seed).random(6))
    here: NDArray[np.bool_] = (areas > most)[labels] & ~free
    down, across = np.mgrid[: field.shape[0], : field.shape[1]]
    bars[here] = np.roll(bars[here], 1, axis=1)
    bars[here, 0, 0] = field[here, 0]
    bars[here, 0, 1] = (field[..., 1] - down)[here]
    bars[here, 0, 2] = (field[..., 2] - across)[here]
    return here


def _free_cells(shape: tuple[int, ...], cell: float, phases: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Every second cell of a bent grid, without its edge. # -> bool [h, w]"""
    down, across = np.mgrid[: shape[0], : shape[1]] / cell
    turn = phases * 2 * np.pi
    y = down + _BEND * (np.sin(2.1 * across + turn[0]) + np.sin(4.7 * across + 1.3 * down + turn[1])) + phases[4]
    x = across + _BEND * (np.sin(2.3 * down + turn[2]) + np.sin(5.1 * down + 1.7 * across + turn[3])) + phases[5]
    even = (np.floor(y) + np.floor(x)).astype(np.int64) % 2 == 0
    inner = (np.abs(y % 1 - 0.5) < _INNER / 2) & (np.abs(x % 1 - 0.5) < _INNER / 2)
    free: NDArray[np.bool_] = even & inner
    return free


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
