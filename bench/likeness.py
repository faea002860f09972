"""How like two pictures are: PSNR and SSIM, in NumPy alone, so that every program's own Python measures the same."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["psnr", "ssim"]

_WINDOW = 7
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def psnr(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio of two pictures, dB; 100 where they are the same. # uint8 [h, w, 3] twice"""
    error = float(((one.astype(np.float64) - other) ** 2).mean())
    return 100.0 if error == 0 else float(10 * np.log10(255**2 / error))


def ssim(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Structural similarity of two pictures (Wang et al. 2004): windows of 7 x 7, mean over windows and channels.

    Even weights and the sample's covariance, as scikit-image has it. # uint8 [h, w, 3] twice
    """
    a, b = one.astype(np.float64), other.astype(np.float64)
    count = _WINDOW**2
    mean_a, mean_b = _means(a), _means(b)
    share = count / (count - 1)
    variances = share * (_means(a * a) - mean_a**2 + _means(b * b) - mean_b**2)
    covariance = share * (_means(a * b) - mean_a * mean_b)
    similar = (2 * mean_a * mean_b + _C1) * (2 * covariance + _C2)
    return float((similar / ((mean_a**2 + mean_b**2 + _C1) * (variances + _C2))).mean())


def _means(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each whole window. # [h, w, c] -> [h - 6, w - 6, c]"""
    for axis in (0, 1):
        sums = np.cumsum(values, axis=axis)
        sums = np.concatenate([np.zeros_like(sums.take([0], axis=axis)), sums], axis=axis)
        size = sums.shape[axis]
        values = (sums.take(range(_WINDOW, size), axis=axis) - sums.take(range(size - _WINDOW), axis=axis)) / _WINDOW
    return values
