"""A picture made ready for its readers: what no key is needed for is worked out once, whoever asks first."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from limner.papers.watermark.layout import LUMA, Activity, Floats, scaled, tile_spectrum
from limner.papers.watermark.search import Pose, Search, Spectrum, likely_poses

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
    def _brightness(self) -> Floats:
        return np.asarray(self._pixels.astype(np.float32) @ LUMA)


class Plane:
    """A picture at one size.

    Args:
        brightness: grey levels. # float [h, w]

    Attributes:
        signal: in which a reader looks for carriers. # float [h, w]
    """

    def __init__(self, brightness: Floats) -> None:
        self.shape = brightness.shape
        self.signal = Activity(brightness).signal
        self._poses: dict[Search, list[Pose]] = {}

    @cached_property
    def tiles(self) -> NDArray[np.complex64]:
        """The spectrum of the sum of its tiles. # complex [64, 64]"""
        return tile_spectrum(self.signal)

    @cached_property
    def spectrum(self) -> Spectrum:
        """Its spectrum, finely divided."""
        return Spectrum(self.signal)

    @cached_property
    def _autocorrelation(self) -> Floats:
        return self.spectrum.autocorrelation()

    def poses(self, search: Search) -> list[Pose]:
        """The likely poses of tiles in it, each with its quarter turns and mirror images, best first."""
        if search not in self._poses:
            likely = likely_poses(self._autocorrelation, self.spectrum, search)
            self._poses[search] = [symmetric for pose in likely for symmetric in pose.symmetric]
        return self._poses[search]
