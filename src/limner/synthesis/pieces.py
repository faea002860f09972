"""Bounds on copying: pieces that grow too large are broken, and what was excluded there stays so at finer levels.

A piece is a connected part of the picture that comes from one exemplar as it stands there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from limner.synthesis.patches import Ints, Mask, compiled, inlined

_SLACK = 1
"""How many px the offsets of neighbours may differ for them to count as one piece."""
_CELL = 0.5
"""Area of a cell in which a piece is broken, as a share of the largest that is allowed."""
_BEND = 0.15
_EXCLUSIONS = 4
"""From how many pieces a place may be excluded at once; the oldest exclusion goes first."""
_INNER = 0.84
"""Width of the free part of a free cell, so that no two of them touch at a corner."""


def no_exclusions(field: Ints) -> Ints:
    """Nothing is excluded. # -> int32 [h, w, exclusions, 3]: exemplar (-1 for none), offset down and across"""
    return np.full((*field.shape[:2], _EXCLUSIONS, 3), -1, np.int32)


@inlined
def _root(parent: NDArray[np.int64], a: Any) -> Any:
    """The smallest number of a set of places, its paths made shorter on the way (Tarjan 1975)."""
    while parent[a] != a:
        parent[a] = parent[parent[a]]
        a = parent[a]
    return a


@inlined
def _goes_on(field: Ints, i: int, j: int, ni: int, nj: int) -> bool:
    """Whether two neighbours come from one exemplar, and from nearly the same offset."""
    return bool(
        field[i, j, 0] == field[ni, nj, 0]
        and abs(field[i, j, 1] - i - field[ni, nj, 1] + ni) <= _SLACK
        and abs(field[i, j, 2] - j - field[ni, nj, 2] + nj) <= _SLACK
    )


@compiled
def label_pieces(field: Ints) -> tuple[Ints, NDArray[np.int64]]:
    """The number of the piece that each place belongs to, and how many places each piece has.

    # int32 [h, w, 3] -> int32 [h, w], areas int64 [pieces]
    """
    ny, nx = field.shape[0], field.shape[1]
    parent = np.arange(ny * nx)
    for i in range(ny):
        for j in range(nx):
            for k in range(2):
                ni, nj = (i - 1, j) if k == 0 else (i, j - 1)
                if ni < 0 or nj < 0 or not _goes_on(field, i, j, ni, nj):
                    continue
                a, b = _root(parent, i * nx + j), _root(parent, ni * nx + nj)
                parent[max(a, b)] = min(a, b)
    labels = np.empty((ny, nx), np.int32)
    number = np.full(ny * nx, -1, np.int32)
    areas = np.zeros(ny * nx, np.int64)
    count = 0
    for i in range(ny):
        for j in range(nx):
            a = _root(parent, i * nx + j)
            if number[a] < 0:
                number[a] = count
                count += 1
            labels[i, j] = number[a]
            areas[number[a]] += 1
    return labels, areas[:count].copy()


def largest_piece(field: Ints, counts: Mask) -> float:
    """The largest piece as a share of what counts. # counts: bool [h, w]"""
    labels, _ = label_pieces(field)
    areas = np.bincount(labels[counts], minlength=1)
    return float(areas.max() / max(1, counts.sum()))


def shares_of(field: Ints, counts: Mask, exemplars: int) -> NDArray[np.float64]:
    """What share of what counts each exemplar gives. # -> [exemplars]"""
    found: NDArray[np.float64] = np.bincount(field[..., 0][counts], minlength=exemplars) / max(1, counts.sum())
    return found


def break_pieces(field: Ints, exclusions: Ints, counts: Mask, bound: float, seed: int) -> Ints | None:
    """Exclude all but every second cell of each piece that is larger than `bound`, as a share of what counts.

    The cells are bent, so that no straight seam shows; in an excluded cell the piece may not go on.

    Returns:
        The number of the excluded cell that each place lies in, from 1, and 0 elsewhere; None where no piece is too
        large. # int32 [h, w]
    """
    labels, whole = label_pieces(field)
    most = bound * max(1, int(counts.sum()))
    areas = np.bincount(labels[counts], minlength=len(whole))
    if not (areas > most).any():
        return None
    # A piece of which little counts is broken in cells that are larger by as much.
    worst = int((areas * (areas > most)).argmax())
    cell = max(4.0, np.sqrt(most * _CELL * whole[worst] / max(1, areas[worst])))
    cells = _cells(field.shape[:2], cell, np.random.default_rng(seed).random(6))
    here: Mask = (areas > most)[labels] & (cells > 0)
    down, across = np.mgrid[: field.shape[0], : field.shape[1]]
    exclusions[here] = np.roll(exclusions[here], 1, axis=1)
    exclusions[here, 0, 0] = field[here, 0]
    exclusions[here, 0, 1] = (field[..., 1] - down)[here]
    exclusions[here, 0, 2] = (field[..., 2] - across)[here]
    pairs = np.where(here, labels.astype(np.int64) * (int(cells.max()) + 1) + cells, -1)
    numbers: Ints = np.unique(pairs, return_inverse=True)[1].reshape(here.shape).astype(np.int32)
    return numbers + (0 if (pairs < 0).any() else 1)


def _cells(shape: tuple[int, ...], cell: float, phases: NDArray[np.float64]) -> Ints:
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
    numbers: Ints = np.where(free, 0, 1 + row * (int(column.max()) + 1) + column).astype(np.int32)
    return numbers
