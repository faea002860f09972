"""Reading a watermark: is there one, how does it lie, what does it say?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from limner.papers.watermark.code import CODED, decode
from limner.papers.watermark.layout import FULL, LUMA, PUBLIC_KEY, TILE, Activity, Layout, scaled
from limner.papers.watermark.search import Pose, Spectrum, likely_poses, straight_poses

__all__ = ["Reader", "Reading"]

_KNOWN_POSE, _FOUND_POSE = 4.8, 5.8
"""Deviations by which pilots must stand out, in a pose that was guessed and in one of many that were tried."""
_FINE, _ROUGH = 128, 64
_FEW_TILES = 400
"""Shorter side, in pixels, up to which a picture holds too few tiles to be told by its likeness to itself alone."""
_RINGS = np.arange(7.5, 19.0, 4.0)
_SMALLEST = 96


@dataclass(frozen=True)
class Reading:
    """What was read from a picture.

    Attributes:
        message: 48 bits; None where no mark was found.
        evidence: deviations by which the mark's pilots stand out, in the best pose that was tried.
        pose: how the mark lies, for one pixel of the picture as it was given; None where no mark was found.
    """

    message: int | None
    evidence: float
    pose: Pose | None


@dataclass(frozen=True)
class _Sight:
    """A pose, looked at: how far pilots stand out, the waves' values, and how far the tile is shifted."""

    evidence: float
    pose: Pose
    values: NDArray[np.complex64]
    shift: tuple[float, float]


class Reader:
    """Reads marks of one key. Safe to use from several threads.

    Args:
        key: with which the mark was put in.
        sizes: shorter sides, in pixels, at which a picture that was not cut may hold it as it was put in, largest
            first; larger pictures are shrunk to them.
    """

    def __init__(self, key: bytes = PUBLIC_KEY, sizes: Sequence[int] = (FULL,)) -> None:
        self.layout, self._sizes = Layout(key), tuple(sizes)

    def read(self, pixels: NDArray[np.uint8]) -> Reading:
        """What a picture's mark says; most pictures have none. # uint8 [h, w, 3]

        "No mark" is an answer: of pictures without one, fewer than one in a million gets another (docs/decisions.md).
        """
        height, width = pixels.shape[:2]
        if min(height, width) < _SMALLEST:
            return Reading(None, 0.0, None)
        brightness = pixels.astype(np.float32) @ LUMA
        planes = [
            scaled(brightness, size) for size in self._sizes if size == self._sizes[0] or size < min(height, width)
        ]
        best: _Sight | None = None
        for plane in planes:
            sight = self._guessed(Activity(plane).heard)
            message = decode(self._soft(sight)) if sight.evidence >= _KNOWN_POSE else None
            if message is not None:
                return self._told(message, sight, plane, height)
            best = sight if best is None or sight.evidence > best.evidence else best
        found = self._searched(Activity(planes[0]).heard)
        message = decode(self._soft(found)) if found.evidence >= _FOUND_POSE else None
        if message is not None:
            return self._told(message, found, planes[0], height)
        assert best is not None
        return Reading(None, max(best.evidence, found.evidence), None)

    def _told(self, message: int, sight: _Sight, plane: NDArray[np.float32], height: int) -> Reading:
        pose = sight.pose._replace(scale=sight.pose.scale * height / plane.shape[0])
        return Reading(message, sight.evidence, pose)

    def _guessed(self, heard: NDArray[np.float32]) -> _Sight:
        """As it was put in, mirrored or not."""
        height, width = heard.shape
        whole = np.zeros((-(-height // TILE) * TILE, -(-width // TILE) * TILE), np.float32)
        whole[:height, :width] = heard
        values = fft.fft2(whole.reshape(whole.shape[0] // TILE, TILE, -1, TILE).sum((0, 2)))
        rows, columns = self.layout.waves.T
        sights = [
            self._sight(Pose(1.0, 0.0, mirrored), values[rows, -columns if mirrored else columns])
            for mirrored in (False, True)
        ]
        return max(sights, key=lambda sight: sight.evidence)

    def _searched(self, heard: NDArray[np.float32]) -> _Sight:
        """In any scale, turned a little, mirrored or not."""
        spectrum = Spectrum(heard)
        poses = [pose._replace(mirrored=mirrored) for pose in likely_poses(spectrum) for mirrored in (False, True)]
        best = max((self._glance(spectrum, pose) for pose in poses), key=lambda sight: sight.evidence)
        if best.evidence < _FOUND_POSE and min(heard.shape) <= _FEW_TILES:
            straight = (self._glance(spectrum, pose, _ROUGH) for pose in straight_poses())
            best = max(best, max(straight, key=lambda sight: sight.evidence), key=lambda sight: sight.evidence)
        # A tenth of a percent and of a degree more or less makes the far ends of a picture agree.
        scale, turn = 0.002, 0.12
        for _ in range(3):
            for more, left in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                pose = Pose(best.pose.scale * (1 + more * scale), best.pose.turn + left * turn, best.pose.mirrored)
                best = max(best, self._glance(spectrum, pose), key=lambda sight: sight.evidence)
            scale, turn = scale / 2, turn / 2
        return self._sight(best.pose, _folded(heard, best.pose, self.layout))

    def _glance(self, spectrum: Spectrum, pose: Pose, fine: int = _FINE) -> _Sight:
        return self._sight(pose, spectrum.at(pose.waves(self.layout.waves[: self.layout.pilots])), fine)

    def _sight(self, pose: Pose, values: NDArray[np.complex64], fine: int = _FINE) -> _Sight:
        """Where the pilots agree on a shift, tried at `fine` places a side, and how much. # values: complex [n]"""
        layout = self.layout
        strength = float(np.sqrt((np.abs(values) ** 2).mean())) + 1e-12
        pilots = values[: layout.pilots] * layout.known.conj() / strength
        plane = np.zeros((fine, fine), np.complex64)
        rows, columns = layout.waves[: layout.pilots].T
        plane[rows, columns] = pilots
        agree = fft.ifft2(plane).real
        at = int(agree.argmax())
        evidence = float(agree.flat[at]) * fine**2 / np.sqrt(layout.pilots / 2)
        down, across = divmod(at, fine)
        return _Sight(float(evidence), pose, values, (down * TILE / fine, across * TILE / fine))

    def _soft(self, sight: _Sight) -> NDArray[np.float64]:
        """The code's numbers as this sight tells them. # -> [256]"""
        layout = self.layout
        rows, columns = layout.waves.T
        down, across = sight.shift
        values = sight.values * np.exp(2j * np.pi * (rows * down + columns * across) / TILE)
        pilots = values[: layout.pilots] * layout.known.conj()
        data = values[layout.pilots :] * layout.turned.conj()
        # Compression takes fine waves and pictures drown coarse ones: pilots of a like length say how much to believe.
        near = np.exp(-(((layout.lengths[:, None] - _RINGS) / 3) ** 2))
        own = near[: layout.pilots]
        mean = (own * pilots.real[:, None]).sum(0) / own.sum(0)
        power = (own * (np.abs(pilots) ** 2)[:, None]).sum(0) / own.sum(0)
        belief = np.maximum(mean, 0.05 * np.abs(mean).max() + 1e-12) / np.maximum(power, 1e-12)
        data = data * np.exp(np.interp(layout.lengths[layout.pilots :], _RINGS, np.log(belief)))
        soft = np.zeros(CODED)
        np.add.at(soft, layout.slots, np.stack([data.real, data.imag], axis=1).ravel())
        return soft


def _folded(heard: NDArray[np.float32], pose: Pose, layout: Layout) -> NDArray[np.complex64]:
    """A picture's values at the waves of a tile that lies so: all of its pixels laid onto one tile. # -> complex [n]"""
    height, width = heard.shape
    angle = np.deg2rad(pose.turn)
    down = np.float32(np.cos(angle) / pose.scale), np.float32(np.sin(angle) / pose.scale)
    rows = (np.arange(height, dtype=np.float32) - height // 2)[:, None]
    columns = np.arange(width, dtype=np.float32) - width // 2
    # Two cells of the folded tile for each pixel of the true one.
    y = np.rint(2 * (down[0] * rows + down[1] * columns)).astype(np.int32) & (2 * TILE - 1)
    x = np.rint(2 * (down[0] * columns - down[1] * rows)).astype(np.int32) & (2 * TILE - 1)
    tile = np.bincount((y * 2 * TILE + x).ravel(), heard.ravel(), minlength=4 * TILE**2).reshape(2 * TILE, 2 * TILE)
    values = fft.fft2(tile)
    rows_of, columns_of = layout.waves.T
    found: NDArray[np.complex64] = values[rows_of, -columns_of if pose.mirrored else columns_of].astype(np.complex64)
    return found
