"""Pictures, fields and what belongs to their places at another size."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from limner.synthesis.patches import PATCH, Bytes, Ints, compiled

_Value = TypeVar("_Value", np.float32, np.bool_)


def scaled(shape: tuple[int, ...], side: int) -> tuple[int, int]:
    """Height and width with a shorter side of `side` px."""
    share = side / min(shape[:2])
    return max(side, round(shape[0] * share)), max(side, round(shape[1] * share))


def fitted(pixels: Bytes, side: int) -> Bytes:
    """The picture with a shorter side of `side` px. # uint8 [h, w, 3] -> [h', w', 3]"""
    shape = scaled(pixels.shape, side)
    if shape == pixels.shape[:2]:
        return np.array(pixels)
    how = Image.Resampling.LANCZOS if side < min(pixels.shape[:2]) else Image.Resampling.BICUBIC
    return np.array(Image.fromarray(pixels).resize(shape[::-1], how, reducing_gap=3.0))


def resized(pixels: Bytes, shape: tuple[int, int]) -> Bytes:
    """The picture at another size. # uint8 [h, w, 3] -> [height, width, 3]"""
    smaller = shape[0] < pixels.shape[0]
    how = Image.Resampling.LANCZOS if smaller else Image.Resampling.BICUBIC
    return np.array(Image.fromarray(np.ascontiguousarray(pixels)).resize(shape[::-1], how))


def rows_of(pixels: Bytes) -> Bytes:
    """A picture as the compiled loops take it. # uint8 [h, w, 3] -> [h, w * 3], its own memory"""
    return np.array(pixels.reshape(pixels.shape[0], -1), order="C")


def nearest(values: NDArray[_Value], shape: tuple[int, ...]) -> NDArray[_Value]:
    """The nearest value at another size. # [h, w] -> [height, width]"""
    down, across = ((np.arange(new) * old // new) for new, old in zip(shape, values.shape, strict=True))
    return np.ascontiguousarray(values[down][:, across])


@compiled
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


def upsampled_exclusions(exclusions: Ints, shape: tuple[int, int], before: tuple[int, int]) -> Ints:
    """What was excluded in a picture of shape `before`, at a finer level. # int32 [h, w, exclusions, 3]"""
    half = PATCH / 2
    places = [
        np.clip(np.round((np.arange(fine - PATCH + 1) + half) * coarse / fine - half).astype(int), 0, count - 1)
        for fine, coarse, count in zip(shape, before, exclusions.shape[:2], strict=True)
    ]
    found = exclusions[places[0]][:, places[1]].copy()
    for axis in (0, 1):
        moved = np.round(found[..., axis + 1] * (shape[axis] / before[axis])).astype(np.int32)
        found[..., axis + 1] = np.where(found[..., 0] >= 0, moved, -1)
    return np.ascontiguousarray(found)
