"""Finding how a marked picture was scaled and turned: its pattern repeats, so it is like itself a tile away."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage, signal

from limner.papers.watermark.layout import FULL, TILE

__all__ = ["Pose", "Spectrum", "likely_poses", "straight_poses"]

_SCALES, _TURNS = (0.45, 2.3), 4.0
_STEP, _TURN = 0.008, 0.4
"""Of the first look; a repetition is seen over one percent and one degree."""
_FINE_STEP = 0.006
"""Over which pilots of a picture of few tiles still agree."""
_FINER = 5
_KEPT = 8
_AROUND = 16
"""Bins of an unpadded spectrum over which it is made flat."""
_LOUDEST = 8.0
_TAPER = 0.25
_BAND = 0.04, 0.6
"""Waves a pixel in which a pattern may lie, in any scale."""
_AWAY = np.array([(1, 0), (0, 1), (1, 1), (1, -1), (2, 0), (0, 2), (2, 1), (1, 2), (2, -1), (-1, 2)], np.float32)
"""Tiles away that a picture is compared with itself."""


class Pose(NamedTuple):
    """How a tile lies in a picture.

    Attributes:
        scale: pixels of the picture for one of the tile.
        turn: degrees, against the clock.
        mirrored: left and right are exchanged.
    """

    scale: float
    turn: float = 0.0
    mirrored: bool = False

    def waves(self, waves: NDArray[np.integer]) -> NDArray[np.float32]:
        """Waves of a tile as waves a pixel of the picture. # [n, 2] -> [n, 2]"""
        rows, columns = waves[:, 0], -waves[:, 1] if self.mirrored else waves[:, 1]
        angle = np.deg2rad(self.turn)
        across, along = np.cos(angle) / (TILE * self.scale), np.sin(angle) / (TILE * self.scale)
        posed = np.stack([across * rows - along * columns, along * rows + across * columns], axis=1)
        found: NDArray[np.float32] = posed.astype(np.float32)
        return found


class Spectrum:
    """The spectrum of a picture's middle, finely divided, phases counted from its centre.

    Args:
        heard: what a reader looks for waves in. # [h, w]
    """

    def __init__(self, heard: NDArray[np.float32]) -> None:
        height, width = heard.shape
        rows, columns = min(height, FULL), min(width, FULL)
        self.shape = rows, columns
        top, left = (height - rows) // 2, (width - columns) // 2
        part = heard[top : top + rows, left : left + columns]
        part = part * _window(rows)[:, None] * _window(columns)
        # At least twice as large as the part, so that nothing wraps around.
        self.size = size = FULL if max(rows, columns) <= FULL // 2 else 2 * FULL
        whole = np.zeros((size, size), np.float32)
        # The centre lies at the origin, so that phases turn slowly and may be interpolated.
        down, across = rows // 2, columns // 2
        for r, source in ((slice(rows - down), slice(down, None)), (slice(size - down, None), slice(down))):
            whole[r, : columns - across] = part[source, across:]
            whole[r, size - across :] = part[source, :across]
        self.values: NDArray[np.complex64] = fft.rfft2(whole)

    def at(self, waves: NDArray[np.float32]) -> NDArray[np.complex64]:
        """Its values at some waves a pixel, interpolated. # [n, 2] -> complex [n]"""
        mirrored = waves[:, 1] < 0
        waves = np.where(mirrored[:, None], -waves, waves) * self.size
        low = np.floor(waves).astype(np.int64)
        (y, x), (fy, fx) = low.T, (waves - low).T
        x = np.clip(x, 0, self.size // 2 - 1)
        below, above = y % self.size, (y + 1) % self.size
        values = self.values
        one = values[below, x] * (1 - fx) + values[below, x + 1] * fx
        two = values[above, x] * (1 - fx) + values[above, x + 1] * fx
        found = one * (1 - fy) + two * fy
        turned: NDArray[np.complex64] = np.where(mirrored, found.conj(), found).astype(np.complex64)
        return turned

    def likeness(self) -> NDArray[np.float32]:
        """How like the picture is to itself, shifted; its spectrum made flat, as a pattern's is. # -> [size, size]"""
        power = self.values.real**2 + self.values.imag**2
        around = round(_AROUND * self.size / max(self.shape)) | 1
        flat = power / np.maximum(ndimage.uniform_filter(power, around, mode="nearest"), 1e-12)
        found: NDArray[np.float32] = fft.irfft2(np.minimum(flat, _LOUDEST) * _band(self.size))
        return found


def likely_poses(spectrum: Spectrum) -> list[Pose]:
    """The scales and turns at which a picture is most like itself a tile away, best first; none is mirrored."""
    likeness = spectrum.likeness()
    scales = np.exp(np.arange(np.log(_SCALES[0]), np.log(_SCALES[1]), _STEP))
    turns = np.arange(-_TURNS, _TURNS + 1e-6, _TURN)
    grid = [part.ravel() for part in np.meshgrid(scales, turns, indexing="ij")]
    told = _alike(likeness, grid[0], grid[1], spectrum.shape).reshape(len(scales), len(turns))
    peaks = (told == ndimage.maximum_filter(told, (5, 5), mode="nearest")).ravel()
    first = np.argsort(np.where(peaks, -told.ravel(), np.inf))[:_KEPT]
    fine = np.linspace(-1, 1, 2 * _FINER + 1)
    more, left = (part.ravel() for part in np.meshgrid(fine * _STEP, fine * _TURN, indexing="ij"))
    found = []
    for i in first:
        near, turned = grid[0][i] * np.exp(more), grid[1][i] + left
        shares = _alike(likeness, near, turned, spectrum.shape)
        best = int(shares.argmax())
        found.append((float(shares[best]), Pose(float(near[best]), float(turned[best]))))
    return [pose for _, pose in sorted(found, key=lambda one: -one[0])]


def straight_poses() -> list[Pose]:
    """Every scale, not turned: as a picture is whose size alone was changed."""
    scales = np.exp(np.arange(np.log(_SCALES[0]), np.log(_SCALES[1]), _FINE_STEP))
    return [Pose(float(scale), 0.0, mirrored) for scale in scales for mirrored in (False, True)]


def _alike(
    likeness: NDArray[np.float32], scales: NDArray[np.floating], turns: NDArray[np.floating], shape: tuple[int, int]
) -> NDArray[np.floating]:
    """How like a picture is to itself some tiles away, in each pose, in deviations of chance. # [p], [p] -> [p]"""
    size = len(likeness)
    across, along = (
        (part * scales * TILE).astype(np.float32) for part in (np.cos(np.deg2rad(turns)), np.sin(np.deg2rad(turns)))
    )
    y = across[:, None] * _AWAY[:, 0] - along[:, None] * _AWAY[:, 1]
    x = along[:, None] * _AWAY[:, 0] + across[:, None] * _AWAY[:, 1]
    # What overlaps says the more, the more of it there is.
    overlap = np.clip(1 - np.abs(y) / shape[0], 0, 1) * np.clip(1 - np.abs(x) / shape[1], 0, 1)
    weight = np.where(overlap > 0.15, 1, 0)
    low_y, low_x = np.floor(y).astype(np.int64), np.floor(x).astype(np.int64)
    fy, fx = y - low_y, x - low_x
    parts = [
        (1 - fy if dy == 0 else fy) * (1 - fx if dx == 0 else fx) * likeness[(low_y + dy) % size, (low_x + dx) % size]
        for dy in (0, 1)
        for dx in (0, 1)
    ]
    found: NDArray[np.floating] = (sum(parts) * weight).sum(axis=1) / np.sqrt((weight * overlap).sum(axis=1) + 1e-9)
    return found


@lru_cache(maxsize=4)
def _band(size: int) -> NDArray[np.float32]:
    length = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size))
    found: NDArray[np.float32] = ((length > _BAND[0]) & (length < _BAND[1])).astype(np.float32)
    return found


@lru_cache(maxsize=16)
def _window(length: int) -> NDArray[np.float32]:
    found: NDArray[np.float32] = signal.windows.tukey(length, _TAPER).astype(np.float32)
    return found
