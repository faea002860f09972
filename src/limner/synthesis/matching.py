"""Nearest-neighbour fields: for each patch of a picture a patch of the exemplars that costs little.

Exact for small pictures, otherwise PatchMatch (Barnes et al. 2009), in which not going on from a neighbour costs more.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from limner.synthesis.patches import (
    AREA,
    CHANNELS,
    FURTHEST,
    PATCH,
    Bytes,
    Floats,
    Ints,
    Mask,
    Matching,
    compiled,
    inlined,
)

_WIDE = PATCH * CHANNELS
_FAITHFUL, _NEAR = 2.8, 12.0
"""A former patch is kept up to so many times the cost of the best one, and so much more."""


class Pass(NamedTuple):
    """One pass of PatchMatch.

    Attributes:
        number: even passes go down, odd ones up.
        tries: how many random places of all exemplars are tried for each patch.
        spread: radius of the first random step around the place that a patch has, px.
        coherence: by which share a patch that does not go on from a neighbour must be cheaper.
        reach: how far, as shares of the picture down and across, a patch may come from another place.
        exclusions: from where each place may not be taken, since its piece would grow too large: exemplar, offset down
            and across. # int32 [h - 6, w - 6, exclusions, 3]
        slack: how near to an excluded offset is excluded, too, px.
        former: the field before the pass, read where another band's rows are needed.
    """

    number: int
    seed: int
    tries: int
    spread: int
    coherence: np.float32
    reach: Floats
    exclusions: Ints
    slack: int
    former: Ints


@compiled
def _hash(a: int, b: int, c: int, d: int) -> Any:
    """A number of 32 bits that looks random, from four."""
    h = np.uint32(2166136261)
    for v in (a, b, c, d):
        h = (h ^ np.uint32(v)) * np.uint32(16777619)
        h ^= h >> np.uint32(15)
        h *= np.uint32(2246822519)
        h ^= h >> np.uint32(13)
    return h


@compiled
def _squares(picture: Bytes, i: int, j: int, pixels: Bytes, e: Any, y: Any, x: Any, most: Any) -> Any:
    """Sum of squared differences of two patches, or something above `most`."""
    total: Any = 0
    for dy in range(PATCH):
        row: Any = 0
        for k in range(_WIDE):
            d = np.int32(picture[i + dy, j * 3 + k]) - np.int32(pixels[e, y + dy, x * 3 + k])
            row += d * d
        total += row
        if total > most:
            return total
    return total


@inlined
def _cost(m: Matching, i: int, j: int, e: Any, y: Any, x: Any, best: Any) -> Any:
    """What it costs to take a patch from there: mean squared difference, and the exemplar's penalty.

    What the tone shift makes good does not count. Something above `best` where it is no less.
    """
    apart: Any = 0
    for c in range(CHANNELS):
        d = np.int32(m.means[i, j, c]) - np.int32(m.atlas.means[e, y, x, c])
        apart += min(d * d, FURTHEST * FURTHEST)
    free = m.tone_shift * np.float32(apart)
    most = (best - m.penalties[e]) * (AREA * CHANNELS) + free * AREA
    if most <= 0:
        return best + np.float32(1)
    squares = np.float32(_squares(m.picture, i, j, m.atlas.pixels, e, y, x, np.int64(most) + 1))
    return max(np.float32(0), squares - free * AREA) / (AREA * CHANNELS) + m.penalties[e]


@inlined
def _nearest(m: Matching, reach: Floats, i: int, j: int, y_share: float, x_share: float) -> tuple[Any, Any, Any, Any]:
    """Cost, exemplar, row and column of the cheapest patch for a place, which lies at these shares of its picture."""
    best = np.float32(1e9)
    be, by, bx = 0, 0, 0
    for e in range(m.atlas.pixels.shape[0]):
        hy, hx = m.atlas.sizes[e, 0] - PATCH + 1, m.atlas.sizes[e, 1] - PATCH + 1
        cy, cx = y_share * (hy - 1), x_share * (hx - 1)
        y0, y1 = max(0, int(cy - reach[0] * hy)), min(hy, int(cy + reach[0] * hy) + 2)
        x0, x1 = max(0, int(cx - reach[1] * hx)), min(hx, int(cx + reach[1] * hx) + 2)
        for y in range(y0, y1):
            for x in range(x0, x1):
                c = _cost(m, i, j, e, y, x, best)
                if c < best:
                    best, be, by, bx = c, e, y, x
    return best, be, by, bx


@compiled
def exhaustive(m: Matching, reach: Floats, field: Ints, costs: Floats) -> None:
    """The best patch of all exemplars for each place, from near the same place of the whole: exact, for small pictures.

    Args:
        reach: how far, as shares of the picture down and across, a patch may come from another place.
        field, costs: filled with the best of all.
    """
    ny, nx = field.shape[0], field.shape[1]
    for i in range(ny):
        for j in range(nx):
            best, e, y, x = _nearest(m, reach, i, j, i / max(1, ny - 1), j / max(1, nx - 1))
            field[i, j, 0], field[i, j, 1], field[i, j, 2] = e, y, x
            costs[i, j] = best


@inlined
def _excluded(this: Pass, i: int, j: int, e: Any, y: Any, x: Any) -> bool:
    """Whether a place may not be taken from there."""
    for k in range(this.exclusions.shape[2]):
        if (
            this.exclusions[i, j, k, 0] == e
            and abs(y - i - this.exclusions[i, j, k, 1]) <= this.slack
            and abs(x - j - this.exclusions[i, j, k, 2]) <= this.slack
        ):
            return True
    return False


@inlined
def _propagated(
    m: Matching, this: Pass, field: Ints, first: int, last: int, i: int, j: int
) -> tuple[Any, Any, Any, Any]:
    """Cost, exemplar, row and column of the best of what a place has and of what goes on from its neighbours."""
    way = 1 if this.number % 2 == 0 else -1
    be, by, bx = field[i, j, 0], field[i, j, 1], field[i, j, 2]
    best = np.float32(1e9)
    if not _excluded(this, i, j, be, by, bx):
        best = _cost(m, i, j, be, by, bx, best)
    for k in range(4):
        ni = i - way if k == 0 else i + way if k == 1 else i
        nj = j - way if k == 2 else j + way if k == 3 else j
        if ni < 0 or nj < 0 or ni >= field.shape[0] or nj >= field.shape[1]:
            continue
        near = field if first <= ni < last else this.former
        e, y, x = near[ni, nj, 0], near[ni, nj, 1] + i - ni, near[ni, nj, 2] + j - nj
        if y < 0 or x < 0 or y > m.atlas.sizes[e, 0] - PATCH or x > m.atlas.sizes[e, 1] - PATCH:
            continue
        if (e == be and y == by and x == bx) or _excluded(this, i, j, e, y, x):
            continue
        c = _cost(m, i, j, e, y, x, best)
        if c < best:
            best, be, by, bx = c, e, y, x
    return best, be, by, bx


@inlined
def _around(m: Matching, this: Pass, i: int, j: int, be: Any, by: Any, bx: Any, best: Any) -> tuple[Any, Any, Any, Any]:
    """The best of random places around the one that a place has, closer and closer."""
    ce, cy, cx = be, by, bx
    radius, t = this.spread, 0
    while radius >= 1:
        h = _hash(this.seed, this.number * 64 + t, i, j)
        y = by + np.int64(h & np.uint32(0xFFFF)) % (2 * radius + 1) - radius
        x = bx + np.int64(h >> np.uint32(16)) % (2 * radius + 1) - radius
        y = min(max(y, 0), m.atlas.sizes[be, 0] - PATCH)
        x = min(max(x, 0), m.atlas.sizes[be, 1] - PATCH)
        if (y != by or x != bx) and not _excluded(this, i, j, be, y, x):
            c = _cost(m, i, j, be, y, x, best)
            if c < best:
                best, ce, cy, cx = c, be, y, x
        radius //= 2
        t += 1
    return best, ce, cy, cx


@inlined
def _anywhere(
    m: Matching, this: Pass, i: int, j: int, y_share: float, x_share: float, ce: Any, cy: Any, cx: Any, best: Any
) -> tuple[Any, Any, Any, Any]:
    """The best of random places of all exemplars, not too far from the same place (0 to 1) of the whole."""
    for r in range(this.tries):
        h = _hash(this.seed + 77, this.number * 64 + r, i, j)
        g = _hash(this.seed + 78, this.number * 64 + r, i, j)
        e = np.int64(h % np.uint32(m.atlas.pixels.shape[0]))
        hy, hx = m.atlas.sizes[e, 0] - PATCH + 1, m.atlas.sizes[e, 1] - PATCH + 1
        ry, rx = int(this.reach[0] * hy) + 1, int(this.reach[1] * hx) + 1
        y: Any = int(y_share * (hy - 1)) + np.int64(g & np.uint32(0xFFFF)) % (2 * ry + 1) - ry
        x: Any = int(x_share * (hx - 1)) + np.int64(g >> np.uint32(16)) % (2 * rx + 1) - rx
        y, x = min(max(y, 0), hy - 1), min(max(x, 0), hx - 1)
        if _excluded(this, i, j, e, y, x):
            continue
        c = _cost(m, i, j, e, y, x, best)
        if c < best:
            best, ce, cy, cx = c, e, y, x
    return best, ce, cy, cx


@compiled
def search(m: Matching, this: Pass, field: Ints, costs: Floats, first: int, last: int, todo: Mask) -> None:
    """One pass of PatchMatch over the rows from `first` up to `last` (Barnes et al. 2009).

    Args:
        field, costs: changed.
        todo: the places that are searched; the others stay. # bool [h - 6, w - 6]
    """
    ny, nx = field.shape[0], field.shape[1]
    down = this.number % 2 == 0
    for ii in range(last - first):
        i = first + ii if down else last - 1 - ii
        for jj in range(nx):
            j = jj if down else nx - 1 - jj
            if not todo[i, j]:
                continue
            best, e, y, x = _propagated(m, this, field, first, last, i, j)
            fresh, ce, cy, cx = _around(m, this, i, j, e, y, x, best / (1 + this.coherence))
            y_share, x_share = i / max(1, ny - 1), j / max(1, nx - 1)
            fresh, ce, cy, cx = _anywhere(m, this, i, j, y_share, x_share, ce, cy, cx, fresh)
            if ce != e or cy != y or cx != x:
                best, e, y, x = fresh, ce, cy, cx
            field[i, j, 0], field[i, j, 1], field[i, j, 2] = e, y, x
            costs[i, j] = best


@compiled
def keep_former(m: Matching, former: Ints, field: Ints, costs: Floats) -> None:
    """Take patches of a former field where they cost at most `_FAITHFUL` times the field's own; changes both."""
    for i in range(field.shape[0]):
        for j in range(field.shape[1]):
            e, y, x = field[i, j, 0], field[i, j, 1], field[i, j, 2]
            costs[i, j] = _cost(m, i, j, e, y, x, np.float32(1e9))
            e, y, x = former[i, j, 0], former[i, j, 1], former[i, j, 2]
            most = costs[i, j] * np.float32(_FAITHFUL) + np.float32(_NEAR)
            c = _cost(m, i, j, e, y, x, most)
            if c < most:
                field[i, j, 0], field[i, j, 1], field[i, j, 2] = e, y, x
                costs[i, j] = min(c, costs[i, j])
