"""A picture made ready for its readers: what no key is needed for is worked out once, whoever asks first."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from limner.papers.watermark.layout import LUMA, TILE, Activity, scaled
from limner.papers.watermark.search import Look, Pose, Spectrum, likely_poses

__all__ = ["Plane", "Prepared"]


class Prepared:
    """A picture in which readers of several keys look for a mark, one after another.

    Args:
        pixels: uint8, [height, width, 3], sRGB.

    Attributes:
        height, width: in pixels.
    """

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        self.height, self.width = pixels.shape[:2]
        self._pixels = pixels
        self._planes: dict[int, Plane] = {}

    def plane(self, shorter: int) -> Plane:
        """Its brightness, shrunk so far that the shorter side has no more than so many pixels."""
        shorter = min(shorter, self.height, self.width)
        if shorter not in self._planes:
            self._planes[shorter] = Plane(scaled(self._brightness, shorter))
        return self._planes[shorter]

    @cached_property
    def _brightness(self) -> NDArray[np.float32]:
        found: NDArray[np.float32] = self._pixels.astype(np.float32) @ LUMA
        return found


class Plane:
    """A picture at one size.

    Args:
        brightness: grey levels. # float [h, w]
    """

    def __init__(self, brightness: NDArray[np.float32]) -> None:
        self.shape = brightness.shape
        self.heard = Activity(brightness).heard
        self._poses: dict[Look, list[Pose]] = {}

    @cached_property
    def folded(self) -> NDArray[np.complex64]:
        """The waves of all its tiles together, as they lie in a picture that was neither cut nor scaled. # [64, 64]"""
        height, width = self.heard.shape
        whole = np.zeros((-(-height // TILE) * TILE, -(-width // TILE) * TILE), np.float32)
        whole[:height, :width] = self.heard
        found: NDArray[np.complex64] = fft.fft2(whole.reshape(whole.shape[0] // TILE, TILE, -1, TILE).sum((0, 2)))
        return found

    @cached_property
    def spectrum(self) -> Spectrum:
        """Its spectrum, finely divided."""
        return Spectrum(self.heard)

    @cached_property
    def _likeness(self) -> NDArray[np.float32]:
        return self.spectrum.likeness()

    def poses(self, look: Look) -> list[Pose]:
        """The poses in which it is most like itself a tile away, each quarter turn, mirrored or not, best first."""
        if look not in self._poses:
            self._poses[look] = [
                turned for pose in likely_poses(self._likeness, self.spectrum, look) for turned in pose.turns
            ]
        return self._poses[look]
