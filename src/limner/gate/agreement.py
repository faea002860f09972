"""How far two pictures agree, place by place, once one is laid over the other."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from limner.gate.placing import Affine, of_reduced, refined, scale_of

Pixels = NDArray[np.uint8]

_SOFT = 0.8
"""Deviation of the blur before comparing, px at `THUMBNAIL`."""
_WINDOW = 7
_BUSY, _ALIKE = 0.15, 0.75
"""Deviation from which something goes on in a window, as a share of the whole picture's; correlation of a copy."""
_NOISE = 0.0015
_RECOLOURED = 64.0
"""Difference of chroma (CIELAB of OpenCV, a and b) from which a place has another colour."""
_FEWEST_PIXELS = 30
_PROMISING = 0.3
"""Agreement from which the place is refined."""
_CELLS, _KEPT = 10, 0.6
"""Cells a side of what is compared; share of it that the cells which agree most are kept for."""
_SEEN = 0.3
"""Share of the training picture that must be compared before agreement counts in full."""
_ENOUGH = 16.0
"""Features that must agree before agreement counts in full: a plain disc agrees with every other disc."""


@dataclass(frozen=True)
class Agreement:
    """How far a picture agrees with a training picture where it shows that.

    Attributes:
        whole: 0 to 1: of the places where something goes on in either, those that look the same; less where too few
            local features, or too little of the training picture, lie among them to tell a copy from a common shape.
        most: the same where the cells that agree least are left out, four tenths of what is compared: a copy that
            something else covers in part agrees everywhere else.
        seen: share of the training picture's area that lies within the picture.
        hashed: how alike the perceptual hashes of both are, whole and in any of eight ways (`hashes.py`), 0 to 1.
    """

    whole: float
    most: float
    seen: float
    hashed: float = 0.0


NOTHING = Agreement(0.0, 0.0, 0.0)
"""Of pictures that have nothing in common."""


def agreement(known: Pixels, asked: Pixels, affine: Affine, points: NDArray[np.float32]) -> Agreement:
    """Compare a training picture with a picture that shows it, both at the size of the smaller one of them.

    Args:
        known: the training picture as it is kept, small. # [h, w, 3]
        asked: the picture.
        affine: from `known` to `asked`.
        points: of the training picture's local features, in px of `known`. # [n, 2]
    """
    known, asked, affine, points = _at_one_size(known, asked, affine, points)
    first = _compared(known, asked, affine, points)
    if first.whole < _PROMISING:
        return first
    second = _compared(known, asked, refined(known, asked, affine), points)
    return second if second.whole > first.whole and second.seen > 0.8 * first.seen else first


def _at_one_size(
    known: Pixels, asked: Pixels, affine: Affine, points: NDArray[np.float32]
) -> tuple[Pixels, Pixels, Affine, NDArray[np.float32]]:
    larger = scale_of(affine)
    if larger > 1.4:
        asked, by = _resized(asked, 1 / larger)
        return known, asked, of_reduced(affine, 1, by), points
    if larger < 0.75:
        known, by = _resized(known, max(larger, 0.3))
        return known, asked, of_reduced(affine, by, 1), (points + 0.5) * by - 0.5
    return known, asked, affine, points


def _resized(pixels: Pixels, by: float) -> tuple[Pixels, float]:
    height, width = pixels.shape[:2]
    size = max(8, round(width * by)), max(8, round(height * by))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8), size[0] / width


def _compared(known: Pixels, asked: Pixels, affine: Affine, points: NDArray[np.float32]) -> Agreement:
    height, width = known.shape[:2]
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    over = cv2.warpAffine(asked, affine, (width, height), flags=how, borderMode=cv2.BORDER_REPLICATE)
    laid = np.asarray(over, np.uint8)
    there = _inside(affine, (height, width), asked.shape)
    if there.sum() < _FEWEST_PIXELS:
        return NOTHING
    busy, alike = _alike(known, laid, there)
    recoloured = there & _recoloured(known, laid)
    same, asked_for = alike & ~recoloured, busy | recoloured
    column, row = (np.clip(np.round(points[:, i]), 0, side - 1).astype(int) for i, side in ((0, width), (1, height)))
    around = cv2.dilate(same.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    agreeing = (around & there)[row, column]

    # A sliver of a picture agrees with many others.
    enough = min(1.0, int(agreeing.sum()) / _ENOUGH) * min(1.0, float(there.mean()) / _SEEN)
    whole = float(same.sum() / max(1, asked_for.sum())) * enough
    return Agreement(whole, max(whole, _trimmed(same, asked_for) * enough), float(there.mean()))


def _trimmed(same: NDArray[np.bool_], asked_for: NDArray[np.bool_]) -> float:
    """The share of places that are the same in the cells that agree most, `_KEPT` of all that is asked for."""
    height, width = same.shape
    cell = np.add.outer(np.arange(height) * _CELLS // height * _CELLS, np.arange(width) * _CELLS // width).ravel()
    agree = np.bincount(cell, same.ravel(), _CELLS**2)
    asked = np.bincount(cell, asked_for.ravel(), _CELLS**2)
    order = np.argsort(-(agree / np.maximum(asked, 1)), kind="stable")
    order = order[asked[order] > 0]
    kept = order[: 1 + int(np.searchsorted(np.cumsum(asked[order]), _KEPT * asked.sum()))]
    return float(agree[kept].sum() / max(1.0, asked[kept].sum()))


def _inside(affine: Affine, shape: tuple[int, int], other: tuple[int, ...]) -> NDArray[np.bool_]:
    """Which places of a picture of this shape lie within the other."""
    down, across = np.mgrid[: shape[0], : shape[1]]
    x = affine[0, 0] * across + affine[0, 1] * down + affine[0, 2]
    y = affine[1, 0] * across + affine[1, 1] * down + affine[1, 2]
    inside: NDArray[np.bool_] = (x >= 0) & (y >= 0) & (x <= other[1] - 1) & (y <= other[0] - 1)
    return inside


def _alike(one: Pixels, other: Pixels, there: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Where something goes on in either, and where both correlate there; brightness and contrast do not count."""
    seen = there.astype(np.float32)

    def mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(cv2.blur(values, (_WINDOW, _WINDOW)), np.float32)

    count = mean(seen) + 1e-6
    a, b = (_plain(pixels, there) * seen for pixels in (one, other))
    mean_a, mean_b = mean(a) / count, mean(b) / count
    var_a = np.maximum(mean(a * a) / count - mean_a**2, 0)
    var_b = np.maximum(mean(b * b) / count - mean_b**2, 0)
    both = mean(a * b) / count - mean_a * mean_b
    correlation = both / np.sqrt((var_a + _NOISE) * (var_b + _NOISE))
    busy: NDArray[np.bool_] = there & (count > 0.5) & (np.maximum(var_a, var_b) > _BUSY**2)
    return busy, busy & (correlation > _ALIKE)


def _plain(pixels: Pixels, there: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Grey, softened, without the mean and deviation of what is compared. # float32 [h, w]"""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    grey = np.asarray(cv2.GaussianBlur(grey, (0, 0), _SOFT), np.float32)
    inside = grey[there]
    plain: NDArray[np.float32] = (grey - inside.mean()) / max(float(inside.std()), 3.0)
    return plain


def _recoloured(one: Pixels, other: Pixels) -> NDArray[np.bool_]:
    chroma = [cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)[..., 1:].astype(np.float32) for pixels in (one, other)]
    apart: NDArray[np.bool_] = np.hypot(*np.moveaxis(chroma[0] - chroma[1], 2, 0)) > _RECOLOURED
    return apart
