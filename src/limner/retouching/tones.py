"""How colours were changed all over: one smooth map from the work's colours to the file's.

A quadratic polynomial of the three channels, by weighted least squares with Tukey's biweight, so that what was painted
over does not pull (root polynomials aside, as Finlayson, Mackiewicz and Hurlbert 2015, IEEE TIP 24(5), section II).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
_MOST, _ROUNDS = 20_000, 12
_BETTER, _LEAST = 0.8, 1.2
"""To which share the usual difference must shrink, and above how many levels it must have been, to count."""


@dataclass(frozen=True)
class Tones:
    """A change of colours all over.

    Attributes:
        weights: of 1, r, g, b and their products, for each channel; 0 to 1 in, 0 to 1 out. # [10, 3]
    """

    weights: NDArray[np.float64]

    def changed(self, pixels: Floats) -> Floats:
        """Pixels as the change leaves them, in levels of 0 to 255. # [..., 3]"""
        terms = _terms(pixels.reshape(-1, 3) / 255)
        return np.asarray((terms @ self.weights * 255).clip(0, 255).reshape(pixels.shape), np.float32)


def tones_between(work: Floats, file: Floats) -> Tones | None:
    """The change of colours from the work to the file; None where there is none that most pixels share.

    Args:
        work, file: the same places, levels of 0 to 255. # [n, 3]
    """
    rng = np.random.default_rng(0)
    chosen = rng.permutation(len(work))[:_MOST]
    own, other = work[chosen].astype(np.float64) / 255, file[chosen].astype(np.float64) / 255
    if len(own) < 200:
        return None
    terms, missing = _terms(own), other - own
    before = _usual(missing)
    weights = np.zeros((10, 3))
    weights[1:4] = np.eye(3)
    for _ in range(_ROUNDS):
        away = np.abs(missing).max(1)
        spread = 1.4826 * float(np.median(away)) + 1 / 255
        weight = np.square(np.clip(1 - np.square(away / (4.7 * spread)), 0, None))
        normal = (terms * weight[:, None]).T @ terms + np.eye(10) * 1e-4 * len(own)
        # Held a little to the colours as they were, where few pixels say anything.
        held = np.zeros((10, 3))
        held[1:4] = np.eye(3)
        weights = np.linalg.solve(normal, (terms * weight[:, None]).T @ other + held * 1e-4 * len(own))
        missing = other - terms @ weights
    after = _usual(missing)
    return Tones(weights) if before * 255 > _LEAST and after < _BETTER * before else None


def _usual(missing: NDArray[np.float64]) -> float:
    return float(np.median(np.abs(missing).mean(1)))


def _terms(pixels: NDArray[np.float64] | Floats) -> NDArray[np.float64]:
    """1, the channels, and their products. # [n, 3] -> [n, 10]"""
    r, g, b = np.asarray(pixels, np.float64).T
    return np.stack([np.ones_like(r), r, g, b, r * r, g * g, b * b, r * g, r * b, g * b], axis=1)
