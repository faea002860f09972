"""The compiled loops: searching nearest-neighbour fields, voting, counting. Plain arrays in, plain arrays out.

Every loop gives the same bits whatever runs beside it: random numbers are hashed from what they are for, and a band of
rows reads the rows around it as they were before.

Conventions: a picture is uint8 [h, w * 3] (rows of red, green, blue), an atlas uint8 [n, h, w * 3] of exemplars padded to one
size. A field is int32 [h - 6, w - 6, 3]: for the patch whose upper left corner lies there, exemplar, row and column of
the patch that it is taken from; costs are float32 of the same places. Means of patches are int16, in 64ths of a level.
"""

from __future__ import annotations

import numba as nb
import numpy as np

__all__ = ["PATCH", "brute", "count_uses", "patch_means", "search", "sources_of", "upsampled", "vote"]

PATCH = 7
"""Side of a patch, px."""
_CHANNELS = 3
_WIDE = PATCH * _CHANNELS
_AREA = PATCH * PATCH
_FAITHFUL = 1.5

_jit = nb.njit(nogil=True, cache=True, fastmath=True, boundscheck=False)


@_jit
def _hash(a, b, c, d):
    """A number of 32 bits that looks random, from four."""
    h = np.uint32(2166136261)
    for v in (a, b, c, d):
        h = (h ^ np.uint32(v)) * np.uint32(16777619)
        h ^= h >> np.uint32(15)
        h *= np.uint32(2246822519)
        h ^= h >> np.uint32(13)
    return h


@_jit
def patch_means(picture):
    """Mean of every patch, in 64ths. # uint8 [h, w * 3] -> int16 [h - 6, w - 6, 3]"""
    h, w = picture.shape[0], picture.shape[1] // 3
    out = np.empty((h - PATCH + 1, w - PATCH + 1, 3), np.int16)
    columns = np.zeros(w * 3, np.int32)
    for y in range(PATCH - 1):
        for x in range(w * 3):
            columns[x] += picture[y, x]
    for y in range(h - PATCH + 1):
        for x in range(w * 3):
            columns[x] += picture[y + PATCH - 1, x]
        for c in range(3):
            run = 0
            for x in range(PATCH - 1):
                run += columns[x * 3 + c]
            for x in range(w - PATCH + 1):
                run += columns[(x + PATCH - 1) * 3 + c]
                out[y, x, c] = (run * 64 + _AREA // 2) // _AREA
                run -= columns[x * 3 + c]
        for x in range(w * 3):
            columns[x] -= picture[y, x]
    return out


@_jit
def _squares(picture, i, j, atlas, e, y, x, most):
    """Sum of squared differences of two patches, or something above `most`."""
    total = 0
    for dy in range(PATCH):
        row = 0
        for k in range(_WIDE):
            d = np.int32(picture[i + dy, j * 3 + k]) - np.int32(atlas[e, y + dy, x * 3 + k])
            row += d * d
        total += row
        if total > most:
            return total
    return total


@_jit
def _cost(picture, means, guide, i, j, atlas, atlas_means, atlas_guide, uses, price, e, y, x, lend, keep, weight, crowd, best):
    """What it costs to take a patch from there: mean squared difference a number, with tone lent, and its prices.

    Args:
        lend: how many levels a patch may be made lighter or darker, in each channel.
        keep: how much of the square of that is still paid.
        weight: of the difference in guidance.
        crowd: price of a patch for each time that it is used more than once.
    """
    extra = price[e] + crowd * max(np.float32(0), uses[e, y, x] - 1)
    for c in range(guide.shape[2]):
        d = guide[i, j, c] - atlas_guide[e, y, x, c]
        extra += weight * d * d
    saved = np.float32(0)
    for c in range(3):
        b = (np.float32(means[i, j, c]) - np.float32(atlas_means[e, y, x, c])) * np.float32(1 / 64)
        l = min(max(b, -lend), lend)
        saved += 2 * b * l - l * l - keep * l * l
    most = (best - extra) * (_AREA * 3) + saved * _AREA
    if most <= 0:
        return best + 1
    total = _squares(picture, i, j, atlas, e, y, x, np.int64(most) + 1)
    return (total - saved * _AREA) / (_AREA * 3) + extra


@_jit
def brute(picture, means, guide, atlas, atlas_means, atlas_guide, sizes, price, reach, lend, keep, weight, field, costs):
    """The best patch of each exemplar for each place, near the same place of the whole: exact, for small pictures.

    Args:
        reach: how far, as a share of the picture, a patch may come from another place.
        field, costs: filled with the best of all.
    """
    ny, nx = field.shape[0], field.shape[1]
    none = np.zeros((atlas.shape[0], atlas_means.shape[1], atlas_means.shape[2]), np.float32)
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
                        c = _cost(picture, means, guide, i, j, atlas, atlas_means, atlas_guide, none, price, e, y, x, lend, keep, weight, np.float32(0), best)
                        if c < best:
                            best, be, by, bx = c, e, y, x
            field[i, j, 0], field[i, j, 1], field[i, j, 2] = be, by, bx
            costs[i, j] = best


@_jit
def _barred(ban, i, j, e, y, x, slack):
    """Whether a place may not be taken from there: its piece would grow too large."""
    if ban[i, j, 0] != e:
        return False
    return abs(y - i - ban[i, j, 1]) <= slack and abs(x - j - ban[i, j, 2]) <= slack


@_jit
def search(picture, means, guide, atlas, atlas_means, atlas_guide, sizes, uses, price, ban, slack, old, field, costs, first, last,
           step, seed, tries, spread, coherence, lend, keep, weight, crowd, reach):
    """One pass of PatchMatch over the rows from `first` up to `last` (Barnes et al. 2009), changing `field` and `costs`.

    Args:
        old: the field before the pass, read where another band's rows are needed.
        step: number of the pass; even ones go down, odd ones up.
        tries: how many random places of other exemplars are tried for each patch.
        spread: radius of the first random step around the place that a patch has, px.
        coherence: how much dearer what does not go on from a neighbour is, as a share.
    """
    ny, nx = field.shape[0], field.shape[1]
    down = step % 2 == 0
    way = 1 if down else -1
    for ii in range(last - first):
        i = first + ii if down else last - 1 - ii
        for jj in range(nx):
            j = jj if down else nx - 1 - jj
            be, by, bx = field[i, j, 0], field[i, j, 1], field[i, j, 2]
            best = _cost(picture, means, guide, i, j, atlas, atlas_means, atlas_guide, uses, price, be, by, bx, lend, keep, weight, crowd, np.float32(1e9))
            if _barred(ban, i, j, be, by, bx, slack):
                best = np.float32(1e9)
            # What goes on from a neighbour: the patch beside the one that it has.
            for k in range(4):
                if k == 0:
                    ni, nj = i - way, j
                elif k == 1:
                    ni, nj = i, j - way
                elif k == 2:
                    ni, nj = i + way, j
                else:
                    ni, nj = i, j + way
                if ni < 0 or nj < 0 or ni >= ny or nj >= nx:
                    continue
                if first <= ni < last:
                    e, y, x = field[ni, nj, 0], field[ni, nj, 1] + i - ni, field[ni, nj, 2] + j - nj
                else:
                    e, y, x = old[ni, nj, 0], old[ni, nj, 1] + i - ni, old[ni, nj, 2] + j - nj
                if y < 0 or x < 0 or y > sizes[e, 0] - PATCH or x > sizes[e, 1] - PATCH or (e == be and y == by and x == bx):
                    continue
                if _barred(ban, i, j, e, y, x, slack):
                    continue
                c = _cost(picture, means, guide, i, j, atlas, atlas_means, atlas_guide, uses, price, e, y, x, lend, keep, weight, crowd, best)
                if c < best:
                    best, be, by, bx = c, e, y, x
            fresh = best / (1 + coherence)
            # Around it, closer and closer.
            radius = spread
            t = 0
            ce, cy, cx = be, by, bx
            while radius >= 1:
                h = _hash(seed, step * 64 + t, i, j)
                y = by + np.int64(h & np.uint32(0xFFFF)) % (2 * radius + 1) - radius
                x = bx + np.int64(h >> np.uint32(16)) % (2 * radius + 1) - radius
                y = min(max(y, 0), sizes[be, 0] - PATCH)
                x = min(max(x, 0), sizes[be, 1] - PATCH)
                if (y != by or x != bx) and not _barred(ban, i, j, be, y, x, slack):
                    c = _cost(picture, means, guide, i, j, atlas, atlas_means, atlas_guide, uses, price, be, y, x, lend, keep, weight, crowd, fresh)
                    if c < fresh:
                        fresh, ce, cy, cx = c, be, y, x
                radius //= 2
                t += 1
            for r in range(tries):
                h = _hash(seed + 77, step * 64 + r, i, j)
                g = _hash(seed + 78, step * 64 + r, i, j)
                e = np.int64(h % np.uint32(atlas.shape[0]))
                hy, hx = sizes[e, 0] - PATCH + 1, sizes[e, 1] - PATCH + 1
                ay, ax = int(i / max(1, ny - 1) * (hy - 1)), int(j / max(1, nx - 1) * (hx - 1))
                ry, rx = int(reach[0] * hy) + 1, int(reach[1] * hx) + 1
                y = min(max(ay + np.int64(g & np.uint32(0xFFFF)) % (2 * ry + 1) - ry, 0), hy - 1)
                x = min(max(ax + np.int64(g >> np.uint32(16)) % (2 * rx + 1) - rx, 0), hx - 1)
                if _barred(ban, i, j, e, y, x, slack):
                    continue
                c = _cost(picture, means, guide, i, j, atlas, atlas_means, atlas_guide, uses, price, e, y, x, lend, keep, weight, crowd, fresh)
                if c < fresh:
                    fresh, ce, cy, cx = c, e, y, x
            if ce != be or cy != by or cx != bx:
                best, be, by, bx = fresh, ce, cy, cx
            field[i, j, 0], field[i, j, 1], field[i, j, 2] = be, by, bx
            costs[i, j] = best


@_jit
def upsampled(field, shape, sizes, sizes_before, before):
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
            fy = np.floor((y + half + 0.5) * sy - 0.5 - half + 0.5) + (i - np.floor((pi + half + 0.5) * ry - 0.5 - half + 0.5))
            fx = np.floor((x + half + 0.5) * sx - 0.5 - half + 0.5) + (j - np.floor((pj + half + 0.5) * rx - 0.5 - half + 0.5))
            out[i, j, 0] = e
            out[i, j, 1] = min(max(int(fy), 0), sizes[e, 0] - PATCH)
            out[i, j, 2] = min(max(int(fx), 0), sizes[e, 1] - PATCH)
    return out


@_jit
def vote(field, costs, means, atlas, atlas_means, lend, sharpness, shape, out):
    """The picture that the patches of a field make together: each pixel a mean of what covers it, weighted by fit.

    Args:
        lend: how many levels a patch is made lighter or darker at most, to fit the tone of its place.
        sharpness: cost at which the weight of a patch has fallen to 1/e.
        out: uint8 [h, w * 3].
    """
    h, w = shape
    ny, nx = field.shape[0], field.shape[1]
    total = np.zeros((h, w * 3), np.float32)
    weights = np.zeros((h, w), np.float32)
    bell = np.empty(PATCH, np.float32)
    for k in range(PATCH):
        bell[k] = np.exp(-((k - PATCH // 2) ** 2) / (2 * 1.5**2))
    for i in range(ny):
        for j in range(nx):
            e, y, x = field[i, j, 0], field[i, j, 1], field[i, j, 2]
            wt = np.float32(np.exp(-min(costs[i, j] / sharpness, np.float32(40)))) + np.float32(1e-12)
            b0 = min(max((np.float32(means[i, j, 0]) - np.float32(atlas_means[e, y, x, 0])) * np.float32(1 / 64), -lend), lend)
            b1 = min(max((np.float32(means[i, j, 1]) - np.float32(atlas_means[e, y, x, 1])) * np.float32(1 / 64), -lend), lend)
            b2 = min(max((np.float32(means[i, j, 2]) - np.float32(atlas_means[e, y, x, 2])) * np.float32(1 / 64), -lend), lend)
            for dy in range(PATCH):
                for dx in range(PATCH):
                    g = wt * bell[dy] * bell[dx]
                    at, of = (j + dx) * 3, (x + dx) * 3
                    total[i + dy, at] += g * (atlas[e, y + dy, of] + b0)
                    total[i + dy, at + 1] += g * (atlas[e, y + dy, of + 1] + b1)
                    total[i + dy, at + 2] += g * (atlas[e, y + dy, of + 2] + b2)
                    weights[i + dy, j + dx] += g
    for y in range(h):
        for x in range(w):
            for c in range(3):
                v = total[y, x * 3 + c] / weights[y, x]
                out[y, x * 3 + c] = np.uint8(min(max(v + np.float32(0.5), np.float32(0)), np.float32(255)))


@_jit
def sources_of(field, costs, sharpness, shape):
    """Of each pixel, exemplar, row and column of the patch that weighs most in it. # -> int32 [h, w, 3]"""
    h, w = shape
    out = np.zeros((h, w, 3), np.int32)
    most = np.full((h, w), np.float32(-1e30))
    for i in range(field.shape[0]):
        for j in range(field.shape[1]):
            wt = -costs[i, j] / sharpness
            for dy in range(PATCH):
                for dx in range(PATCH):
                    d = wt - ((dy - PATCH // 2) ** 2 + (dx - PATCH // 2) ** 2) / np.float32(2 * 1.5**2)
                    if d > most[i + dy, j + dx]:
                        most[i + dy, j + dx] = d
                        out[i + dy, j + dx, 0] = field[i, j, 0]
                        out[i + dy, j + dx, 1] = field[i, j, 1] + dy
                        out[i + dy, j + dx, 2] = field[i, j, 2] + dx
    return out


@_jit
def count_uses(field, uses):
    """How often each patch of the exemplars is used, spread over the patch's own size; 1 is once each. # uses [n, h, w]"""
    uses[:] = 0
    n, h, w = uses.shape
    reach = PATCH // 2
    for i in range(field.shape[0]):
        for j in range(field.shape[1]):
            e, y, x = field[i, j, 0], field[i, j, 1], field[i, j, 2]
            for dy in range(-reach, reach + 1, 3):
                for dx in range(-reach, reach + 1, 3):
                    yy, xx = y + dy, x + dx
                    if 0 <= yy < h and 0 <= xx < w:
                        uses[e, yy, xx] += np.float32(1 / 9)


@_jit
def label_pieces(field, slack):
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
                if abs(field[i, j, 1] - i - field[ni, nj, 1] + ni) > slack or abs(field[i, j, 2] - j - field[ni, nj, 2] + nj) > slack:
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
def keep_former(picture, means, guide, atlas, atlas_means, atlas_guide, price, lend, keep, weight, former, field, costs):
    """Take the patches of a former field wherever they cost at most `_FAITHFUL` times what the field's own cost."""
    none = np.zeros((atlas.shape[0], atlas_means.shape[1], atlas_means.shape[2]), np.float32)
    for i in range(field.shape[0]):
        for j in range(field.shape[1]):
            e, y, x = field[i, j, 0], field[i, j, 1], field[i, j, 2]
            own = _cost(picture, means, guide, i, j, atlas, atlas_means, atlas_guide, none, price, e, y, x, lend, keep, weight, np.float32(0), np.float32(1e9))
            costs[i, j] = own
            e, y, x = former[i, j, 0], former[i, j, 1], former[i, j, 2]
            most = own * _FAITHFUL + 8
            c = _cost(picture, means, guide, i, j, atlas, atlas_means, atlas_guide, none, price, e, y, x, lend, keep, weight, np.float32(0), most)
            if c < most:
                field[i, j, 0], field[i, j, 1], field[i, j, 2] = e, y, x
                costs[i, j] = min(c, own)
