"""Putting a watermark into a picture: as strong as a budget of visible change allows, where it is heard best."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from limner.errors import PapersError
from limner.papers.watermark.code import MESSAGE_BITS
from limner.papers.watermark.layout import (
    FULL,
    LUMA,
    PUBLIC_KEY,
    QUIET,
    SMALLEST,
    SPREAD,
    TILE,
    Activity,
    Layout,
    resized,
    scaled,
)

__all__ = ["Embedder"]

_PSNR = 42.2
"""Decibels: what is changed at most."""
_UNLIKE = 0.0125
"""Loss of structural similarity (estimated) that is aimed at."""
_UNLIKE_MOST = 0.035
"""Where a picture hides so little that even this is not enough, it is changed less."""
_STABLE = 58.5
"""Of structural similarity: (0.03 * 255) ** 2 (Wang et al. 2004)."""
_LOST = 30.0
"""Deviation, in grey levels, below which half of a mark is lost to compression."""
_AGAINST, _AGAINST_MOST = 0.6, 1.2


class Embedder:
    """Marks pictures with one key.

    Args:
        key: whoever reads needs it.
        psnr: decibels that a marked picture keeps at least.
    """

    def __init__(self, key: bytes = PUBLIC_KEY, *, psnr: float = _PSNR) -> None:
        self.layout = Layout(key)
        self.error = float(255**2 / 10 ** (psnr / 10) - 1 / 12)  # rounding takes its part

    def embed(self, pixels: NDArray[np.uint8], message: int) -> NDArray[np.uint8]:
        """The picture with the message in it; a new array.

        Args:
            pixels: uint8, [height, width, 3], sRGB; the shorter side has 256 pixels or more.
            message: 0 to 2**48 - 1.

        Raises:
            PapersError: the picture is too small, or the message too large.
        """
        height, width = pixels.shape[:2]
        if min(height, width) < SMALLEST:
            raise PapersError(
                f"{width}x{height}",
                f"is too small for a watermark (the shorter side needs {SMALLEST} pixels)",
                "enlarge it first: limner enlarge",
            )
        if not 0 <= message < 1 << MESSAGE_BITS:
            raise PapersError(f"{message}", f"does not fit into {MESSAGE_BITS} bits", "give a work's identifier")
        brightness = pixels.astype(np.float32) @ LUMA
        # The change of a large picture is that of the same picture made small, enlarged.
        change = self._change(Activity(scaled(brightness, FULL)), message)
        if change.shape != brightness.shape:
            change = resized(change, brightness.shape)
        marked = pixels + change[..., None] * SPREAD
        found: NDArray[np.uint8] = np.clip(np.rint(marked, out=marked), 0, 255, out=marked).astype(np.uint8)
        return found

    def _change(self, seen: Activity, message: int) -> NDArray[np.float32]:
        """What is added to brightness. # -> [h, w]"""
        mask = self._mask(seen)
        pattern = self.layout.tile(self._informed(seen, mask, message))
        height, width = mask.shape
        tiles = np.tile(pattern, (-(-height // TILE), -(-width // TILE)))[:height, :width]
        found: NDArray[np.float32] = mask * tiles
        return found

    def _mask(self, seen: Activity) -> NDArray[np.float32]:
        """How strong the mark is at each pixel, grey levels.

        What a reader gains from a pixel falls with its activity, and below `_LOST` compression takes it; what the eye
        loses there is 1 - SSIM = e / (2 a^2 + e + C), e the squared change and a the activity. The most gain for the
        least of both losses is gain / (1 + k / (2 a^2 + C)), and k is chosen so that the loss is what is aimed at.
        """
        some, there = seen.hides[::4, ::4].astype(np.float64), seen.strength[::4, ::4].astype(np.float64)
        error = self.error / float((SPREAD**2).mean())

        def shape(k: float, activity: NDArray[np.floating]) -> NDArray[np.floating]:
            gain = (activity + 0.3) / (activity + _LOST) / (activity + QUIET)
            found: NDArray[np.floating] = gain / (1 + k / (2 * activity**2 + _STABLE))
            return found

        def loss(mask: NDArray[np.floating], error: float) -> float:
            squares = mask**2 / (mask**2).mean() * error
            return float((squares / (2 * there**2 + squares + _STABLE)).mean())

        low, high = 0.0, 1e6
        for _ in range(20):
            k = float(np.sqrt((low + 1) * (high + 1))) - 1
            low, high = (k, high) if loss(shape(k, some), error) > _UNLIKE else (low, k)
        chosen = shape(high, some)
        error *= min(1.0, _UNLIKE_MOST / max(loss(chosen, error), 1e-9))
        found: NDArray[np.float32] = shape(high, seen.hides).astype(np.float32)
        found *= np.float32(np.sqrt(error / float((found**2).mean())))
        return found

    def _informed(self, seen: Activity, mask: NDArray[np.float32], message: int) -> NDArray[np.complex64]:
        """The waves of a message, each a little against what the picture itself says there.

        The picture is known here, so part of what it disturbs can be taken back (Malvar and Florencio 2003).
        """
        layout = self.layout
        waves = layout.says(message)
        height, width = seen.heard.shape
        whole = np.zeros((-(-height // TILE) * TILE, -(-width // TILE) * TILE), np.float32)
        whole[:height, :width] = seen.heard
        folded = whole.reshape(whole.shape[0] // TILE, TILE, -1, TILE).sum((0, 2))
        rows, columns = layout.waves.T
        response = float((mask * seen.listens).sum()) * layout.passed / np.sqrt(2 * len(waves))
        own = fft.fft2(folded)[rows, columns] / response
        pilots = slice(None, layout.pilots)
        own[pilots] = (own[pilots] * layout.known.conj()).real * layout.known
        own *= np.minimum(1, _AGAINST_MOST / np.maximum(np.abs(own), 1e-9))
        found: NDArray[np.complex64] = (waves - _AGAINST * own).astype(np.complex64)
        return found
