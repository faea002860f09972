"""What the patches of a field make together: a picture, where its pixels are from, and the steps between them."""

from __future__ import annotations

from typing import Any

import numpy as np

from limner.synthesis.patches import BELL, FURTHEST, PATCH, Atlas, Bytes, Floats, Ints, Matching, compiled


@compiled
def vote(m: Matching, field: Ints, costs: Floats, sharpness: Any) -> Bytes:
    """The picture that the patches of a field make together: each pixel a mean of what covers it, weighted by fit.

    Args:
        m: its picture only says the mean colours that patches are shifted towards.
        sharpness: cost at which the weight of a patch has fallen to 1/e.

    Returns:
        uint8 [h, w * 3].
    """
    h, w = m.picture.shape[0], m.picture.shape[1] // 3
    pixels, means = m.atlas.pixels, m.atlas.means
    shift: Any = m.tone_shift
    total = np.zeros((h, w * 3), np.float32)
    weights = np.zeros((h, w), np.float32)
    bell = np.empty(PATCH, np.float32)
    for k in range(PATCH):
        bell[k] = np.exp(-((k - PATCH // 2) ** 2) / (2 * BELL**2))
    for i in range(field.shape[0]):
        for j in range(field.shape[1]):
            e, y, x = field[i, j, 0], field[i, j, 1], field[i, j, 2]
            fit = np.float32(np.exp(-min(costs[i, j] / sharpness, np.float32(40)))) + np.float32(1e-12)
            s0 = shift * max(-FURTHEST, min(FURTHEST, np.int32(m.means[i, j, 0]) - np.int32(means[e, y, x, 0])))
            s1 = shift * max(-FURTHEST, min(FURTHEST, np.int32(m.means[i, j, 1]) - np.int32(means[e, y, x, 1])))
            s2 = shift * max(-FURTHEST, min(FURTHEST, np.int32(m.means[i, j, 2]) - np.int32(means[e, y, x, 2])))
            for dy in range(PATCH):
                for dx in range(PATCH):
                    g = fit * bell[dy] * bell[dx]
                    at, of = (j + dx) * 3, (x + dx) * 3
                    total[i + dy, at] += g * (pixels[e, y + dy, of] + s0)
                    total[i + dy, at + 1] += g * (pixels[e, y + dy, of + 1] + s1)
                    total[i + dy, at + 2] += g * (pixels[e, y + dy, of + 2] + s2)
                    weights[i + dy, j + dx] += g
    out = np.empty((h, w * 3), np.uint8)
    for y in range(h):
        for x in range(w):
            for c in range(3):
                out[y, x * 3 + c] = np.uint8(min(max(total[y, x * 3 + c] / weights[y, x], 0), 255) + np.float32(0.5))
    return out


@compiled
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
                    d = wt - ((dy - PATCH // 2) ** 2 + (dx - PATCH // 2) ** 2) / np.float32(2 * BELL**2)
                    if d > most[i + dy, j + dx]:
                        most[i + dy, j + dx] = d
                        out[i + dy, j + dx, 0] = field[i, j, 0]
                        out[i + dy, j + dx, 1] = field[i, j, 1] + dy
                        out[i + dy, j + dx, 2] = field[i, j, 2] + dx
    return out


@compiled
def gradients_of(places: Ints, atlas: Atlas, vertical: bool) -> Floats:
    """How much lighter the next pixel is in the exemplars: the mean of what both pixels' own ones say.

    Args:
        places: int32 [h, w, 3].
        vertical: whether the next one is the one below; otherwise the one to the right.

    Returns:
        float32 [h - 1, w, 3] or [h, w - 1, 3].
    """
    down, right = (1, 0) if vertical else (0, 1)
    h, w = places.shape[0] - down, places.shape[1] - right
    out = np.zeros((h, w, 3), np.float32)
    for i in range(h):
        for j in range(w):
            e, y, x = places[i, j, 0], places[i, j, 1], places[i, j, 2]
            f, v, u = places[i + down, j + right, 0], places[i + down, j + right, 1], places[i + down, j + right, 2]
            # The pixel beyond, in the exemplar of this one; the pixel before, in the exemplar of the next.
            y1, x1, v1, u1 = y + down, x + right, v - down, u - right
            for c in range(3):
                total, count = np.float32(0), 0
                if y1 < atlas.sizes[e, 0] and x1 < atlas.sizes[e, 1]:
                    total += np.float32(atlas.pixels[e, y1, x1 * 3 + c]) - np.float32(atlas.pixels[e, y, x * 3 + c])
                    count += 1
                if v1 >= 0 and u1 >= 0:
                    total += np.float32(atlas.pixels[f, v, u * 3 + c]) - np.float32(atlas.pixels[f, v1, u1 * 3 + c])
                    count += 1
                out[i, j, c] = total / max(1, count)
    return out
