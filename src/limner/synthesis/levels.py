"""The exemplars at one level of a finish, laid side by side in one array, with what a search asks of them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates, uniform_filter

from limner.synthesis import kernels
from limner.synthesis.exemplars import Exemplars, fitted

__all__ = ["Atlas", "Pyramid", "detail_of", "level_sides", "rows_of", "spread"]

_DETAIL_AT = 44
"""Shorter side at which it is told how much goes on in a place, px."""
_DETAIL_UP_TO = 220
"""Shorter side up to which that guides the search: above it, places hardly change, px."""
_HELD = 320 << 20


@dataclass(frozen=True)
class Atlas:
    """Exemplars at one size, padded to the largest.

    Attributes:
        pixels: uint8 [n, h, w * 3].
        means: of each patch, in 64ths of a level. # int16 [n, h - 6, w - 6, 3]
        detail: how much goes on around each patch; no channel above 220 px. # float32 [n, h - 6, w - 6, 0 or 1]
        sizes: height and width of each. # int32 [n, 2]
    """

    pixels: NDArray[np.uint8]
    means: NDArray[np.int16]
    detail: NDArray[np.float32]
    sizes: NDArray[np.int32]


def level_sides(start: int, side: int, growth: float) -> list[int]:
    """Shorter sides of the levels, from `start` to `side`; the last step is no larger than the others."""
    if side <= start:
        return [side]
    steps = max(1, round(np.log(side / start) / np.log(growth)))
    return [round(start * (side / start) ** (k / steps)) for k in range(steps + 1)]


def detail_of(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How much goes on in each place: logarithm of the deviation of grey within 5x5 px at 44 px. # -> float32 [h, w]"""
    grey = fitted(pixels, _DETAIL_AT).astype(np.float32).mean(axis=2)
    mean = uniform_filter(grey, 5, mode="nearest")
    variance = uniform_filter(grey * grey, 5, mode="nearest") - mean * mean
    found: NDArray[np.float32] = np.log(np.sqrt(np.maximum(variance, 0)) + 2).astype(np.float32)
    return found


def spread(detail: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    """A map over the patches of a picture of another size. # [h, w] -> float32 [height - 6, width - 6, 1]"""
    if min(shape) > _DETAIL_UP_TO:
        return np.zeros((shape[0] - kernels.PATCH + 1, shape[1] - kernels.PATCH + 1, 0), np.float32)
    middle = kernels.PATCH / 2
    places = [
        (np.arange(there - kernels.PATCH + 1) + middle) / there * here - 0.5
        for here, there in zip(detail.shape, shape, strict=True)
    ]
    found = map_coordinates(detail, np.meshgrid(*places, indexing="ij"), order=1, mode="nearest")
    return np.ascontiguousarray(found.astype(np.float32)[..., None])


def rows_of(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture as the compiled loops take it. # uint8 [h, w, 3] -> [h, w * 3], its own memory"""
    return np.array(pixels.reshape(pixels.shape[0], -1), order="C")


@dataclass(frozen=True)
class _Page:
    """One exemplar at one size."""

    pixels: NDArray[np.uint8]
    means: NDArray[np.int16]
    detail: NDArray[np.float32]


class Pyramid:
    """Gives atlases of some exemplars at any size; what was made lately is kept."""

    def __init__(self, exemplars: Exemplars, largest: int) -> None:
        self._exemplars, self._largest = exemplars, largest
        self._pages: OrderedDict[tuple[int, bool, int], _Page] = OrderedDict()
        self._details: dict[int, NDArray[np.float32]] = {}
        self._bytes, self._lock = 0, Lock()

    def detail(self, index: int, mirrored: bool) -> NDArray[np.float32]:
        """How much goes on in each place of an exemplar. # -> float32 [h, w]"""
        if index not in self._details:
            self._details[index] = detail_of(self._exemplars.look(index))
        found = self._details[index]
        return found[:, ::-1] if mirrored else found

    def atlas(self, chosen: Sequence[tuple[int, bool]], side: int) -> Atlas:
        """Exemplars, mirrored or not, whose shorter side is `side` px."""
        pages = [self._page(index, mirrored, side) for index, mirrored in chosen]
        sizes = np.array([page.pixels.shape[:2] for page in pages], dtype=np.int32)
        sizes[:, 1] //= 3
        (height, width), count, edge = sizes.max(axis=0), len(pages), kernels.PATCH - 1
        pixels = np.zeros((count, height, width * 3), np.uint8)
        means = np.zeros((count, height - edge, width - edge, 3), np.int16)
        detail = np.zeros((count, height - edge, width - edge, pages[0].detail.shape[2]), np.float32)
        for k, page in enumerate(pages):
            h, w = sizes[k]
            pixels[k, :h, : w * 3] = page.pixels
            means[k, : h - edge, : w - edge] = page.means
            detail[k, : h - edge, : w - edge] = page.detail
        return Atlas(pixels, means, detail, sizes)

    def _page(self, index: int, mirrored: bool, side: int) -> _Page:
        key = index, mirrored, side
        with self._lock:
            if key in self._pages:
                self._pages.move_to_end(key)
                return self._pages[key]
        # From the next larger size that is at hand in all cases, so that the bits never depend on what was made before.
        whole = self._exemplars.look(index) if side <= 36 else self._exemplars.picture(index, self._step(side))
        small = fitted(whole, side)
        rows = rows_of(small[:, ::-1] if mirrored else small)
        page = _Page(rows, kernels.patch_means(rows), spread(self.detail(index, mirrored), small.shape[:2]))
        with self._lock:
            if key not in self._pages:
                self._pages[key] = page
                self._bytes += _bytes_of(page)
            while self._bytes > _HELD and len(self._pages) > 1:
                self._bytes -= _bytes_of(self._pages.popitem(last=False)[1])
        return page

    def _step(self, side: int) -> int:
        """The size that a smaller one is made from."""
        return min(self._largest, 160) if side <= 160 else min(self._largest, 512) if side <= 512 else self._largest


def _bytes_of(page: _Page) -> int:
    return page.pixels.nbytes + page.means.nbytes + page.detail.nbytes
