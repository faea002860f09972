"""The levels of a finish, and the exemplars at each of them, side by side in one array."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from limner.synthesis.exemplars import Exemplars, PictureCache
from limner.synthesis.patches import Atlas, Bytes, patch_means
from limner.synthesis.resampling import fitted, rows_of

_FROM_THUMBNAIL = 36
"""Largest shorter side that is made from the size at which exemplars are compared, px."""
_STEPS = (160, 512, 1024)
_LAST_STEP = 0.87
"""Share of the last side up to which there is a level before it."""


def level_sides(start: int, side: int, growth: float) -> list[int]:
    """Shorter sides of the levels, from `start` to `side`.

    They are the same whatever the last one is: a picture that is finished larger goes through what it was before.
    """
    sides = [min(start, side)]
    while (here := round(start * growth ** len(sides))) < _LAST_STEP * side:
        sides.append(here)
    return sides if sides[-1] == side else [*sides, side]


class Pyramid:
    """Gives atlases of some exemplars at any size; what was made lately is kept.

    Args:
        edge: width of the edge that is cut off each exemplar, as a share of its shorter side.
    """

    def __init__(self, exemplars: Exemplars, edge: float = 0.0) -> None:
        self._exemplars, self._edge = exemplars, edge
        self._pages = PictureCache()
        self._kept: dict[int, Atlas] = {}
        self._kept_for: tuple[int, ...] = ()

    def kept_atlas(self, chosen: Sequence[int], side: int) -> Atlas:
        """The same as `atlas`, kept while the same exemplars are asked for: for pictures that go on from each other."""
        if self._kept_for != tuple(chosen):
            self._kept, self._kept_for = {}, tuple(chosen)
        if side not in self._kept:
            self._kept[side] = self.atlas(chosen, side)
        return self._kept[side]

    def atlas(self, chosen: Sequence[int], side: int) -> Atlas:
        """Exemplars whose shorter side is `side` px."""
        pages = [self._pages.get((index, side), partial(self._page, index, side)) for index in chosen]
        sizes = np.array([page.shape for page in pages], dtype=np.int32) // (1, 3)
        height, width = sizes.max(axis=0)
        pixels = np.zeros((len(pages), height, width * 3), np.uint8)
        for k, page in enumerate(pages):
            pixels[k, : page.shape[0], : page.shape[1]] = page
        return Atlas(pixels, np.stack([patch_means(page) for page in pixels]), sizes.astype(np.int32))

    def _page(self, index: int, side: int) -> Bytes:
        # Always from the same larger size, so that the bits never depend on what was made before.
        small = side <= _FROM_THUMBNAIL
        whole = self._exemplars.thumbnail(index) if small else self._exemplars.picture(index, self._step(side))
        edge = round(self._edge * min(whole.shape[:2]))
        inner = np.ascontiguousarray(whole[edge : whole.shape[0] - edge, edge : whole.shape[1] - edge])
        return rows_of(fitted(inner, side))

    def _step(self, side: int) -> int:
        """The size that a smaller one is made from: the next step, or that of the exemplars themselves."""
        own = self._exemplars.side
        return next((step for step in (*_STEPS, own) if side <= step <= own), side)
