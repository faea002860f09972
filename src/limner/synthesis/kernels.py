"""The compiled loops: searching nearest-neighbour fields, voting, counting. Plain arrays in, plain arrays out.

Every loop gives the same bits whatever runs beside it: random numbers are hashed from what they are for, and a band of
rows reads the rows around it as they were before.

Conventions: a picture is uint8 [h, w * 3] (rows of red, green, blue), an atlas uint8 [n, h, w * 3] of exemplars padded
to one size. A field is int32 [h - 6, w - 6, 3]: for the patch whose upper left corner lies there, exemplar, row and
column of the patch that it is taken from; costs are float32 of the same places.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar, cast

import numba as nb
import numpy as np
from numpy.typing import NDArray

__all__ = [
    "PATCH",
    "best_chunk",
    "brute",
    "gradients_of",
    "keep_former",
    "label_pieces",
    "means",
    "search",
    "sources_of",
    "upsampled",
    "vote",
]

PATCH = 7
"""Side of a patch, px."""
_CHANNELS = 3
_WIDE = PATCH * _CHANNELS
_AREA = PATCH * PATCH
_BELL = 1.5
_FAITHFUL, _NEAR = 2.8, 12.0
"""A former patch is kept up to so many times the cost of the best one, and so much more."""
_FURTHEST = 72
"""Largest difference in tone that a patch is lent, levels of 255."""

Bytes: TypeAlias = NDArray[np.uint8]
Ints: TypeAlias = NDArray[np.int32]
Floats: TypeAlias = NDArray[np.float32]

_Function = TypeVar("_Function", bound=Callable[..., object])


def _jit(function: _Function) -> _Function:
    """Compiled when it is first called, and kept for the next time; runs without the interpreter's lock."""
    return cast(_Function, nb.njit(nogil=True, cache=True, fastmath=True, boundscheck=False)(function))


@_jit
def _hash(a: int, b: int, c: int, d: int) -> Any:
    """A number of 32 bits that looks random, from four."""
    h = np.uint32(2166136261)
    for v in (a, b, c, d):
        h = (h ^ np.uint32(v)) * np.uint32(16777619)
        h ^= h >> np.uint32(15)
        h *= np.uint32(2246822519)
        h ^= h >> np.uint32(13)
    return h


@_jit
def _squares(picture: Bytes, i: int, j: int, atlas: Bytes, e: Any, y: Any, x: Any, most: Any) -> Any:
    """Sum of squared differences of two patches, or something above `most`."""
    total: Any = 0
    for dy in range(PATCH):
        row: Any = 0
        for k in range(_WIDE):
            d = np.int32(picture[i + dy, j * 3 + k]) - np.int32(atlas[e, y + dy, x * 3 + k])
            row += d * d
        total += row
        if total > most:
            return total
    return total


@_jit
def means(picture: Bytes, out: Bytes) -> None:
    """Mean colour of each patch, rounded. # uint8 [h, w * 3] -> out uint8 [h - 6, w - 6, 3]"""
    ny, nx = out.shape[0], out.shape[1]
    columns = np.zeros(picture.shape[1], np.int32)
    for i in range(ny):
        for k in range(picture.shape[1]):
            if i == 0:
                for dy in range(PATCH):
                    columns[k] += picture[dy, k]
            else:
                columns[k] += np.int32(picture[i + PATCH - 1, k]) - np.int32(picture[i - 1, k])
        for c in range(3):
            total: Any = 0
            for dx in range(PATCH - 1):
                total += columns[dx * 3 + c]
            for j in range(nx):
                total += columns[(j + PATCH - 1) * 3 + c]
                out[i, j, c] = (total + _AREA // 2) // _AREA
                total -= columns[j * 3 + c]


@_jit
def _cost(
    picture: Bytes,
    tones: Bytes,
    i: int,
    j: int,
    atlas: Bytes,
    atlas_tones: Bytes,
    lent: Any,
    prices: Floats,
    e: Any,
    y: Any,
    x: Any,
    best: Any,
) -> Any:
    """What it costs to take a patch from there: mean squared difference of a number, and the exemplar's price.

    A share `lent` of what is due to a difference in tone does not count. Something above `best` where it is no less.
    """
    apart: Any = 0
    for c in range(3):
        d = np.int32(tones[i, j, c]) - np.int32(atlas_tones[e, y, x, c])
        apart += min(d * d, _FURTHEST * _FURTHEST)
    free = lent * np.float32(apart)
    most = (best - prices[e]) * (_AREA * _CHANNELS) + free * _AREA
    if most <= 0:
        return best + np.float32(1)
    squares = np.float32(_squares(picture, i, j, atlas, e, y, x, np.int64(most) + 1))
    return max(np.float32(0), squares - free * _AREA) / (_AREA * _CHANNELS) + prices[e]


@_jit
def brute(
    picture: Bytes,
    tones: Bytes,
    atlas: Bytes,
    atlas_tones: Bytes,
    lent: Any,
    sizes: Ints,
    prices: Floats,
    reach: Floats,
    field: Ints,
    costs: Floats,
) -> None:
    """The best patch of all exemplars for each place, from near the same place of the whole: exact, for small pictures.

    Args:
        reach: how far, as shares of the picture down and across, a patch may come from another place.
        field, costs: filled with the best of all.
    """
    ny, nx = field.shape[0], field.shape[1]
    for i in range(ny):
        for j in range(nx):
            best = np.float32(1e9)
            be, by, bx = 0, 0, 0
            for e in range(atlas.shape[0]):
                hy, hx = sizes[e, 0] - PATCH + 1, sizes[e, 1] - PATCH + 1
                cy, cx = i / max(1, ny - 1) * (hy - 1), j / max(1, nx - 1) * (hx - 1)
                y0, y1 = max(0, int(cy - reach[0] * hy)), min(hy, int(cy + reach[0] * hy) + 2)
                x0, x1 = max(0, int(cx - reach[1] * hx)), min(hx, int(cx + reach[1] * hx) + 2)
                for y in range(y0, y1):
                    for x in range(x0, x1):
                        c = _cost(picture, tones, i, j, atlas, atlas_tones, lent, prices, e, y, x, best)
                        if c < best:
                            best, be, by, bx = c, e, y, x
            field[i, j, 0], field[i, j, 1], field[i, j, 2] = be, by, bx
            costs[i, j] = best


@_jit
def _barred(bars: Ints, i: int, j: int, e: Any, y: Any, x: Any, slack: int) -> bool:
    """Whether a place may not be taken from there: its piece would grow too large."""
    for k in range(bars.shape[2]):
        if bars[i, j, k, 0] == e and abs(y - i - bars[i, j, k, 1]) <= slack and abs(x - j - bars[i, j, k, 2]) <= slack:
            return True
    return False


@_jit
def search(
    picture: Bytes,
    tones: Bytes,
    atlas: Bytes,
    atlas_tones: Bytes,
    lent: Any,
    sizes: Ints,
    prices: Floats,
    bars: Ints,
    slack: int,
    old: Ints,
    field: Ints,
    costs: Floats,
    first: int,
    last: int,
    step: int,
    seed: int,
    tries: int,
    spread: int,
    coherence: Any,
    reach: Floats,
    todo: NDArray[np.bool_],
) -> None:
    """One pass of PatchMatch over the rows from `first` up to `last` (Barnes et al. 2009).

    It changes `field` and `costs`.

    Args:
        bars: from where each place may not be taken. # int32 [h - 6, w - 6, bars, 3]: exemplar, offset down, across
        slack: how near to a barred offset is barred, too, px.
        old: the field before the pass, read where another band's rows are needed.
        step: number of the pass; even ones go down, odd ones up.
        tries: how many random places of all exemplars are tried for each patch.
        spread: radius of the first random step around the place that a patch has, px.
        coherence: how much dearer what does not go on from a neighbour is, as a share.
        todo: the places that are searched; the others stay. # bool [h - 6, w - 6]
    """
    ny, nx = field.shape[0], field.shape[1]
    down = step % 2 == 0
    way = 1 if down else -1
    for ii in range(last - first):
        i = first + ii if down else last - 1 - ii
        for jj in range(nx):
            j = jj if down else nx - 1 - jj
            if not todo[i, j]:
                continue
            be, by, bx = field[i, j, 0], field[i, j, 1], field[i, j, 2]
            best = np.float32(1e9)
            if not _barred(bars, i, j, be, by, bx, slack):
                best = _cost(picture, tones, i, j, atlas, atlas_tones, lent, prices, be, by, bx, best)
            # What goes on from a neighbour: the patch beside the one that it has.
            for k in range(4):
                ni = i - way if k == 0 else i + way if k == 1 else i
                nj = j - way if k == 2 else j + way if k == 3 else j
                if ni < 0 or nj < 0 or ni >= ny or nj >= nx:
                    continue
                near = field if first <= ni < last else old
                e, y, x = near[ni, nj, 0], near[ni, nj, 1] + i - ni, near[ni, nj, 2] + j - nj
                if y < 0 or x < 0 or y > sizes[e, 0] - PATCH or x > sizes[e, 1] - PATCH:
                    continue
                if (e == be and y == by and x == bx) or _barred(bars, i, j, e, y, x, slack):
                    continue
                c = _cost(picture, tones, i, j, atlas, atlas_tones, lent, prices, e, y, x, best)
                if c < best:
                    best, be, by, bx = c, e, y, x
            fresh = best / (1 + coherence)
            ce, cy, cx = be, by, bx
            # Around it, closer and closer.
            radius, t = spread, 0
            while radius >= 1:
                h = _hash(seed, step * 64 + t, i, j)
                y = by + np.int64(h & np.uint32(0xFFFF)) % (2 * radius + 1) - radius
                x = bx + np.int64(h >> np.uint32(16)) % (2 * radius + 1) - radius
                y = min(max(y, 0), sizes[be, 0] - PATCH)
                x = min(max(x, 0), sizes[be, 1] - PATCH)
                if (y != by or x != bx) and not _barred(bars, i, j, be, y, x, slack):
                    c = _cost(picture, tones, i, j, atlas, atlas_tones, lent, prices, be, y, x, fresh)
                    if c < fresh:
                        fresh, ce, cy, cx = c, be, y, x
                radius //= 2
                t += 1
            # Anywhere, not too far from the same place of the whole.
            for r in range(tries):
                h = _hash(seed + 77, step * 64 + r, i, j)
                g = _hash(seed + 78, step * 64 + r, i, j)
                e = np.int64(h % np.uint32(atlas.shape[0]))
                hy, hx = sizes[e, 0] - PATCH + 1, sizes[e, 1] - PATCH + 1
                ry, rx = int(reach[0] * hy) + 1, int(reach[1] * hx) + 1
                y = int(i / max(1, ny - 1) * (hy - 1)) + np.int64(g & np.uint32(0xFFFF)) % (2 * ry + 1) - ry
                x = int(j / max(1, nx - 1) * (hx - 1)) + np.int64(g >> np.uint32(16)) % (2 * rx + 1) - rx
                y, x = min(max(y, 0), hy - 1), min(max(x, 0), hx - 1)
                if _barred(bars, i, j, e, y, x, slack):
                    continue
                c = _cost(picture, tones, i, j, atlas, atlas_tones, lent, prices, e, y, x, fresh)
                if c < fresh:
                    fresh, ce, cy, cx = c, e, y, x
            if ce != be or cy != by or cx != bx:
                best, be, by, bx = fresh, ce, cy, cx
            field[i, j, 0], field[i, j, 1], field[i, j, 2] = be, by, bx
            costs[i, j] = best


@_jit
def upsampled(field: Ints, shape: tuple[int, int], sizes: Ints, sizes_before: Ints, before: tuple[int, int]) -> Ints:
    """The field of a finer level that takes what the coarser one took.

    Args:
        shape: height and width of the finer picture.
        sizes, sizes_before: of the exemplars at both levels. # [n, 2]
        before: height and width of the coarser picture.
    """
    ny, nx = shape[0] - PATCH + 1, shape[1] - PATCH + 1
    out = np.empty((ny, nx, 3), np.int32)
    half = (PATCH - 1) / 2
    ry, rx = shape[0] / before[0], shape[1] / before[1]
    for i in range(ny):
        ci = (i + half + 0.5) / ry - 0.5 - half
        pi = min(max(int(np.floor(ci + 0.5)), 0), field.shape[0] - 1)
        for j in range(nx):
            cj = (j + half + 0.5) / rx - 0.5 - half
            pj = min(max(int(np.floor(cj + 0.5)), 0), field.shape[1] - 1)
            e, y, x = field[pi, pj, 0], field[pi, pj, 1], field[pi, pj, 2]
            sy, sx = sizes[e, 0] / sizes_before[e, 0], sizes[e, 1] / sizes_before[e, 1]
            # The offset from the coarse patch is kept in fine pixels, so that neighbours go on being neighbours.
            fy = np.floor((y + half + 0.5) * sy - 0.5 - half + 0.5) + (
                i - np.floor((pi + half + 0.5) * ry - 0.5 - half + 0.5)
            )
            fx = np.floor((x + half + 0.5) * sx - 0.5 - half + 0.5) + (
                j - np.floor((pj + half + 0.5) * rx - 0.5 - half + 0.5)
            )
            out[i, j, 0] = e
            out[i, j, 1] = min(max(int(fy), 0), sizes[e, 0] - PATCH)
            out[i, j, 2] = min(max(int(fx), 0), sizes[e, 1] - PATCH)
    return out


@_jit
def vote(
    field: Ints, costs: Floats, tones: Bytes, atlas: Bytes, atlas_tones: Bytes, lent: Any, sharpness: Any, out: Bytes
) -> None:
    """The picture that the patches of a field make together: each pixel a mean of what covers it, weighted by fit.

    Args:
        sharpness: cost at which the weight of a patch has fallen to 1/e.
        out: filled. # uint8 [h, w * 3]
    """
    h, w = out.shape[0], out.shape[1] // 3
    ny, nx = field.shape[0], field.shape[1]
    total = np.zeros((h, w * 3), np.float32)
    weights = np.zeros((h, w), np.float32)
    bell = np.empty(PATCH, np.float32)
    for k in range(PATCH):
        bell[k] = np.exp(-((k - PATCH // 2) ** 2) / (2 * _BELL**2))
    for i in range(ny):
        for j in range(nx):
            e, y, x = field[i, j, 0], field[i, j, 1], field[i, j, 2]
            fit = np.float32(np.exp(-min(costs[i, j] / sharpness, np.float32(40)))) + np.float32(1e-12)
            s0 = lent * max(-_FURTHEST, min(_FURTHEST, np.int32(tones[i, j, 0]) - np.int32(atlas_tones[e, y, x, 0])))
            s1 = lent * max(-_FURTHEST, min(_FURTHEST, np.int32(tones[i, j, 1]) - np.int32(atlas_tones[e, y, x, 1])))
            s2 = lent * max(-_FURTHEST, min(_FURTHEST, np.int32(tones[i, j, 2]) - np.int32(atlas_tones[e, y, x, 2])))
            for dy in range(PATCH):
                for dx in range(PATCH):
                    g = fit * bell[dy] * bell[dx]
                    at, of = (j + dx) * 3, (x + dx) * 3
                    total[i + dy, at] += g * (atlas[e, y + dy, of] + s0)
                    total[i + dy, at + 1] += g * (atlas[e, y + dy, of + 1] + s1)
                    total[i + dy, at + 2] += g * (atlas[e, y + dy, of + 2] + s2)
                    weights[i + dy, j + dx] += g
    for y in range(h):
        for x in range(w):
            for c in range(3):
                out[y, x * 3 + c] = np.uint8(min(max(total[y, x * 3 + c] / weights[y, x], 0), 255) + np.float32(0.5))


@_jit
def sources_of(field: Ints, costs: Floats, sharpness: Any, shape: tuple[int, int]) -> Ints:
    """Of each pixel, exemplar, row and column of the patch that weighs most in it. # -> int32 [h, w, 3]"""
    h, w = shape
    out = np.zeros((h, w, 3), np.int32)
    most = np.full((h, w), np.float32(-1e30))
    for i in range(field.shape[0]):
        for j in range(field.shape[1]):
            wt = -costs[i, j] / sharpness
            for dy in range(PATCH):
                for dx in range(PATCH):
                    d = wt - ((dy - PATCH // 2) ** 2 + (dx - PATCH // 2) ** 2) / np.float32(2 * _BELL**2)
                    if d > most[i + dy, j + dx]:
                        most[i + dy, j + dx] = d
                        out[i + dy, j + dx, 0] = field[i, j, 0]
                        out[i + dy, j + dx, 1] = field[i, j, 1] + dy
                        out[i + dy, j + dx, 2] = field[i, j, 2] + dx
    return out


@_jit
def label_pieces(field: Ints, slack: int) -> tuple[Ints, NDArray[np.int64]]:
    """Which places go on from each other: one number a connected piece that comes from one picture as it stands there.

    Neighbours belong together where both come from one exemplar and their offsets differ by `slack` px at most.
    # int32 [h, w, 3] -> int32 [h, w], areas int64 [pieces]
    """
    ny, nx = field.shape[0], field.shape[1]
    parent = np.arange(ny * nx)
    for i in range(ny):
        for j in range(nx):
            for k in range(2):
                ni, nj = (i - 1, j) if k == 0 else (i, j - 1)
                if ni < 0 or nj < 0 or field[i, j, 0] != field[ni, nj, 0]:
                    continue
                if (
                    abs(field[i, j, 1] - i - field[ni, nj, 1] + ni) > slack
                    or abs(field[i, j, 2] - j - field[ni, nj, 2] + nj) > slack
                ):
                    continue
                a, b = i * nx + j, ni * nx + nj
                while parent[a] != a:
                    parent[a] = parent[parent[a]]
                    a = parent[a]
                while parent[b] != b:
                    parent[b] = parent[parent[b]]
                    b = parent[b]
                if a < b:
                    parent[b] = a
                else:
                    parent[a] = b
    labels = np.empty((ny, nx), np.int32)
    number = np.full(ny * nx, -1, np.int32)
    areas = np.zeros(ny * nx, np.int64)
    count = 0
    for i in range(ny):
        for j in range(nx):
            a = i * nx + j
            while parent[a] != a:
                a = parent[a]
            if number[a] < 0:
                number[a] = count
                count += 1
            labels[i, j] = number[a]
            areas[number[a]] += 1
    return labels, areas[:count].copy()


@_jit
def _free(bars: Ints, e: Any, oy: Any, ox: Any, slack: int) -> bool:
    """Whether a part may be taken from there: nothing bars its offset. # bars: int32 [bars, 3]"""
    for k in range(bars.shape[0]):
        if bars[k, 0] == e and abs(oy - bars[k, 1]) <= slack and abs(ox - bars[k, 2]) <= slack:
            return False
    return True


@_jit
def _chunk_cost(
    picture: Bytes,
    rows: Ints,
    columns: Ints,
    atlas: Bytes,
    prices: Floats,
    lent: Any,
    e: Any,
    oy: Any,
    ox: Any,
    best: Any,
) -> Any:
    """What it costs to take a part from there, as `_cost` counts; something above `best` where it is no less."""
    count = len(rows)
    # What tone is due to is at most all of it.
    most = (best - prices[e]) * 3 * count / (1 - lent)
    squares: Any = 0
    a: Any = 0
    b: Any = 0
    c: Any = 0
    for n in range(count):
        i, at, of = rows[n], columns[n] * 3, (columns[n] + ox) * 3
        r = np.int32(picture[i, at]) - np.int32(atlas[e, i + oy, of])
        g = np.int32(picture[i, at + 1]) - np.int32(atlas[e, i + oy, of + 1])
        d = np.int32(picture[i, at + 2]) - np.int32(atlas[e, i + oy, of + 2])
        squares += r * r + g * g + d * d
        if squares > most:
            return best + np.float32(1)
        a += r
        b += g
        c += d
    tone = (np.float32(a) * a + np.float32(b) * b + np.float32(c) * c) / count
    return (np.float32(squares) - lent * tone) / (3 * count) + prices[e]


@_jit
def best_chunk(
    picture: Bytes,
    rows: Ints,
    columns: Ints,
    atlas: Bytes,
    sizes: Ints,
    prices: Floats,
    bars: Ints,
    slack: int,
    reach: Floats,
    every: int,
    lent: Any,
) -> tuple[int, int, int]:
    """From where a part of the picture is best taken whole: exemplar, and offset of its places down and across.

    What counts is how far the part's steps and, less so, its tone are from those there.

    Args:
        rows, columns: of the pixels that are compared. # [n]
        bars: from where it may not be taken. # int32 [bars, 3]: exemplar, offset down, across
        slack: how near to a barred offset is barred, too, px.
        reach: how far, as shares of the picture down and across, it may come from another place.
        every: how many px lie between the places that are tried.
        lent: share of a difference in tone that does not count.
    """
    h, w = picture.shape[0], picture.shape[1] // 3
    top, left, bottom, right = rows.min(), columns.min(), rows.max(), columns.max()
    best: Any = np.float32(1e18)
    be, bo, bp = -1, 0, 0
    for e in range(atlas.shape[0]):
        hy, hx = sizes[e, 0], sizes[e, 1]
        if bottom - top >= hy or right - left >= hx:
            continue
        cy, cx = top / max(1, h - 1) * (hy - 1), left / max(1, w - 1) * (hx - 1)
        y0, y1 = max(0, int(cy - reach[0] * hy)), min(hy - (bottom - top), int(cy + reach[0] * hy) + 1)
        x0, x1 = max(0, int(cx - reach[1] * hx)), min(hx - (right - left), int(cx + reach[1] * hx) + 1)
        for y in range(y0, y1, every):
            for x in range(x0, x1, every):
                oy, ox = y - top, x - left
                if not _free(bars, e, oy, ox, slack):
                    continue
                cost = _chunk_cost(picture, rows, columns, atlas, prices, lent, e, oy, ox, best)
                if cost < best:
                    best, be, bo, bp = cost, e, oy, ox
    if be < 0:
        return be, bo, bp
    # And the places between those that were tried, around the best.
    near, across = bo, bp
    for oy in range(max(-top, near - every + 1), min(sizes[be, 0] - 1 - bottom, near + every - 1) + 1):
        for ox in range(max(-left, across - every + 1), min(sizes[be, 1] - 1 - right, across + every - 1) + 1):
            if (oy == near and ox == across) or not _free(bars, be, oy, ox, slack):
                continue
            cost = _chunk_cost(picture, rows, columns, atlas, prices, lent, be, oy, ox, best)
            if cost < best:
                best, bo, bp = cost, oy, ox
    return be, bo, bp


@_jit
def keep_former(
    picture: Bytes,
    tones: Bytes,
    atlas: Bytes,
    atlas_tones: Bytes,
    lent: Any,
    prices: Floats,
    former: Ints,
    field: Ints,
    costs: Floats,
) -> None:
    """Take the patches of a former field wherever they cost at most `_FAITHFUL` times what the field's own cost."""
    for i in range(field.shape[0]):
        for j in range(field.shape[1]):
            e, y, x = field[i, j, 0], field[i, j, 1], field[i, j, 2]
            costs[i, j] = _cost(picture, tones, i, j, atlas, atlas_tones, lent, prices, e, y, x, np.float32(1e9))
            e, y, x = former[i, j, 0], former[i, j, 1], former[i, j, 2]
            most = costs[i, j] * np.float32(_FAITHFUL) + np.float32(_NEAR)
            c = _cost(picture, tones, i, j, atlas, atlas_tones, lent, prices, e, y, x, most)
            if c < most:
                field[i, j, 0], field[i, j, 1], field[i, j, 2] = e, y, x
                costs[i, j] = min(c, costs[i, j])


@_jit
def gradients_of(places: Ints, atlas: Bytes, sizes: Ints, down: Floats, across: Floats) -> None:
    """How much lighter the next pixel is in the exemplars, down and across: the mean of what both pixels' own ones say.

    # places int32 [h, w, 3] -> down float32 [h - 1, w, 3], across float32 [h, w - 1, 3]
    """
    h, w = places.shape[0], places.shape[1]
    for i in range(h):
        for j in range(w):
            e, y, x = places[i, j, 0], places[i, j, 1], places[i, j, 2]
            for k in range(2):
                ni, nj = (i + 1, j) if k == 0 else (i, j + 1)
                if ni >= h or nj >= w:
                    continue
                f, v, u = places[ni, nj, 0], places[ni, nj, 1], places[ni, nj, 2]
                # The pixel beyond, in the exemplar of this one; the pixel before, in the exemplar of the next.
                y1, x1 = (y + 1, x) if k == 0 else (y, x + 1)
                v1, u1 = (v - 1, u) if k == 0 else (v, u - 1)
                for c in range(3):
                    total, count = np.float32(0), 0
                    if y1 < sizes[e, 0] and x1 < sizes[e, 1]:
                        total += np.float32(atlas[e, y1, x1 * 3 + c]) - np.float32(atlas[e, y, x * 3 + c])
                        count += 1
                    if v1 >= 0 and u1 >= 0:
                        total += np.float32(atlas[f, v, u * 3 + c]) - np.float32(atlas[f, v1, u1 * 3 + c])
                        count += 1
                    step = total / max(1, count)
                    if k == 0:
                        down[i, j, c] = step
                    else:
                        across[i, j, c] = step
