"""Embedding a watermark: as strong as a budget of visible change allows, most where a reader gains most."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

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
    Floats,
    Layout,
    resized,
    scaled,
    tile_spectrum,
)

_PSNR = 42.2
"""Decibels: what is changed at most."""
_SSIM_LOSS = 0.0125
"""Loss of structural similarity (estimated) that is aimed at."""
_SSIM_LOSS_MOST = 0.035
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
        return np.clip(np.rint(marked, out=marked), 0, 255, out=marked).astype(np.uint8)

    def _change(self, activity: Activity, message: int) -> Floats:
        """What is added to brightness. # -> [h, w]"""
        mask = self._mask(activity)
        pattern = self.layout.tile(self._carriers(activity, mask, message))
        height, width = mask.shape
        return mask * np.tile(pattern, (-(-height // TILE), -(-width // TILE)))[:height, :width]

    def _mask(self, activity: Activity) -> Floats:
        """How strong the mark is at each pixel, grey levels.

        What a reader gains from a pixel falls with its activity, and below `_LOST` compression takes it; what the eye
        loses there is 1 - SSIM = e / (2 a^2 + e + C), e the squared change and a the activity. The most gain for the
        least of both losses is gain / (1 + k / (2 a^2 + C)), and k is chosen so that the loss is what is aimed at.
        """
        masking, deviation = (plane[::4, ::4].astype(np.float64) for plane in (activity.masking, activity.deviation))
        error = self.error / float((SPREAD**2).mean())

        def shape(k: float, a: NDArray[np.floating]) -> NDArray[np.floating]:
            gain = (a + 0.3) / (a + _LOST) / (a + QUIET)
            return np.asarray(gain / (1 + k / (2 * a**2 + _STABLE)))

        def loss(mask: NDArray[np.floating], error: float) -> float:
            squares = mask**2 / (mask**2).mean() * error
            return float((squares / (2 * deviation**2 + squares + _STABLE)).mean())

        low, high = 0.0, 1e6
        for _ in range(20):
            k = float(np.sqrt((low + 1) * (high + 1))) - 1
            low, high = (k, high) if loss(shape(k, masking), error) > _SSIM_LOSS else (low, k)
        error *= min(1.0, _SSIM_LOSS_MOST / max(loss(shape(high, masking), error), 1e-9))
        mask = shape(high, activity.masking).astype(np.float32)
        mask *= np.float32(np.sqrt(error / float((mask**2).mean())))
        return mask

    def _carriers(self, activity: Activity, mask: Floats, message: int) -> NDArray[np.complex64]:
        """The carriers' values for a message, each a little against what the picture itself has there.

        The picture is known here, so part of its interference can be cancelled (Malvar and Florencio 2003).
        """
        layout = self.layout
        values = layout.modulated(message)
        rows, columns = layout.carriers.T
        response = float((mask * activity.weights).sum()) * layout.passed / np.sqrt(2 * len(values))
        own = tile_spectrum(activity.signal)[rows, columns] / response
        pilots = slice(None, layout.pilots)
        own[pilots] = (own[pilots] * layout.pilot_phases.conj()).real * layout.pilot_phases
        own *= np.minimum(1, _AGAINST_MOST / np.maximum(np.abs(own), 1e-9))
        return np.asarray(values - _AGAINST * own, np.complex64)
