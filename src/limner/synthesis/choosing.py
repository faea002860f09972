"""Which exemplars finish a composition: those that look most like it as wholes.

Chosen patch by patch, as nearest to all places together, they were many and flat, and the pictures fog (measured).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from limner.synthesis.exemplars import Exemplars

_ASKED, _FEWEST = 600, 100
"""Pictures that are compared with all others, about; how few say nothing."""


class Chooser:
    """Chooses among exemplars."""

    def __init__(self, exemplars: Exemplars) -> None:
        self._exemplars = exemplars

    def make(self) -> None:
        """Make ready what a choice needs, before several threads ask for it."""
        _ = self._descriptors

    def choose(
        self, compositions: Sequence[NDArray[np.uint8]], count: int, leave_out: Collection[int] = ()
    ) -> list[int]:
        """The numbers of exemplars that look most like compositions as wholes, the most alike first.

        Args:
            compositions: one, or several that are to be finished from the same exemplars: each is suited in its turn.
            count: for one composition; for each further one there are half as many more, three times as many at most.
        """
        asked = np.stack([descriptor(one) for one in compositions])
        # Rounded, so that no last bit of a sum decides.
        apart = np.round(np.square(asked[:, None] - self._descriptors[None]).sum(axis=2), 5)
        apart[:, list(leave_out)] = np.inf
        order = np.argsort(apart, axis=1, kind="stable")
        turns = [int(one) for rank in order.T for one in rank]
        free = [index for index in dict.fromkeys(turns) if np.isfinite(apart[0, index])]
        return free[: min(3 * count, count + count * (len(asked) - 1) // 2)]

    def apart(self) -> float:
        """How far a picture is from the one most like it, as a share of how far any two are: medians; 0 for twins."""
        asked = self._descriptors[:: max(1, len(self._descriptors) // _ASKED)]
        if len(self._descriptors) < _FEWEST:
            return 1.0
        squares = np.square(asked).sum(axis=1)[:, None] + np.square(self._descriptors).sum(axis=1)
        distances = np.sqrt(np.maximum(0, squares - 2 * asked @ self._descriptors.T))
        nearest = np.partition(distances, 1, axis=1)[:, 1]
        return float(np.median(nearest) / max(float(np.median(distances)), 1e-6))

    @cached_property
    def _descriptors(self) -> NDArray[np.float32]:
        return np.stack([descriptor(self._exemplars.thumbnail(index)) for index in range(len(self._exemplars))])


def descriptor(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What a picture looks like as a whole: 8x8 px, and how much detail each channel has. # uint8 [h, w, 3] -> [195]"""
    small = Image.fromarray(np.ascontiguousarray(pixels)).resize((64, 64), Image.Resampling.LANCZOS)
    coarse = small.resize((16, 16), Image.Resampling.LANCZOS).resize((64, 64), Image.Resampling.BICUBIC)
    apart = np.square((np.asarray(small, np.float32) - np.asarray(coarse, np.float32)) / 255).mean(axis=(0, 1))
    eight = np.asarray(small.resize((8, 8), Image.Resampling.LANCZOS), np.float32) / 255
    return np.concatenate([eight.ravel(), 4 * np.sqrt(apart)])
