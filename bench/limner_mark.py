"""limner's own watermark, as the bench runs it beside the others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from limner.papers.watermark import Embedder, Reader

__all__ = ["LimnerMark"]


class LimnerMark:
    """With the key that everybody knows."""

    bits = 48

    def __init__(self) -> None:
        self.choices: list[str] = []
        self._embedder, self._reader = Embedder(), Reader()

    def embed(self, pixels: NDArray[np.uint8], message: int) -> NDArray[np.uint8]:
        """By `Embedder`. # uint8 [h, w, 3]"""
        return self._embedder.embed(pixels, message)

    def read(self, pixels: NDArray[np.uint8]) -> int | None:
        """By `Reader`; None is its "no mark"."""
        return self._reader.read(pixels).message
