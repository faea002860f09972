"""Finding how a marked picture was scaled and turned: its pattern repeats, so it is like itself a tile away."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from limner.papers.watermark.layout import FULL, TILE, mean_around

__all__ = ["QUARTERS", "Look", "Pose", "Spectrum", "likely_poses", "posed", "straight_poses"]

_SCALES, _TURNS = (0.45, 2.3), 4.0
_STEP, _TURN = 0.008, 0.4
"""Of the first look; a repetition is seen over one percent and one degree."""
_WIDE_TURNS, _WIDE_TURN, _WIDE_STEP = 45.0, 0.6, 0.012
"""Of the look at any turn; those beyond 45 degrees are quarter turns more or less."""
_ASPECTS, _ASPECT = 0.12, 0.01
"""By which a picture may be wider or narrower (logarithm), and the step of the look at that."""
QUARTERS = (0.0, 90.0, 180.0, 270.0)
"""Turns that a tile's likeness to itself does not tell apart."""
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
_REACH = int(np.ceil(TILE * _SCALES[1] * float(np.hypot(*_AWAY.T).max()) * np.exp(_STEP))) + 1
"""Pixels away that this is at most."""
_OVERLAP = 0.15
"""Share of a picture that must meet itself for a shift to say something."""


Look = Literal["near", "turned", "wider"]


class Pose(NamedTuple):
    """How a tile lies in a picture.

    Attributes:
        scale: pixels of the picture for one of the tile.
        turn: degrees, against the clock.
        mirrored: left and right are exchanged.
        aspect: how much wider than high the picture was made afterwards.
    """

    scale: float
    turn: float = 0.0
    mirrored: bool = False
    aspect: float = 1.0

    @property
    def turns(self) -> list[Pose]:
        """It, turned by each quarter, mirrored or not."""
        return [self._replace(turn=self.turn + more, mirrored=m) for more in QUARTERS for m in (False, True)]


def posed(poses: Sequence[Pose], waves: NDArray[np.integer]) -> NDArray[np.float32]:
    """Waves of a tile as waves a pixel of a picture in which it lies so. # [n, 2] -> [poses, n, 2]"""
    scales, turns, mirrored, aspects = np.array(poses).T[..., None]
    angle = np.deg2rad(turns)
    across, along = np.cos(angle) / (TILE * scales), np.sin(angle) / (TILE * scales)
    rows, columns = waves[:, 0], np.where(mirrored, -waves[:, 1], waves[:, 1])
    found = np.empty((len(poses), len(waves), 2), np.float32)
    wider = np.sqrt(aspects)
    found[..., 0] = (across * rows - along * columns) * wider
    found[..., 1] = (along * rows + across * columns) / wider
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
        # The centre lies at the origin, so that phases turn slowly and may be interpolated.
        down, across = rows // 2, columns // 2
        lines = np.zeros((rows, size), np.float32)
        lines[:, : columns - across], lines[:, size - across :] = part[:, across:], part[:, :across]
        waves = fft.rfft(lines)
        whole = np.zeros((size, size // 2 + 1), np.complex64)
        whole[: rows - down], whole[size - down :] = waves[down:], waves[:down]
        self.values: NDArray[np.complex64] = fft.fft(whole, axis=0, overwrite_x=True)

    def at(self, waves: NDArray[np.float32]) -> NDArray[np.complex64]:
        """Its values at some waves a pixel, interpolated. # [..., 2] -> complex [...]"""
        mirrored = waves[..., 1] < 0
        waves = np.where(mirrored[..., None], -waves, waves) * self.size
        floor = np.floor(waves)
        (fy, fx), low = np.moveaxis(waves - floor, -1, 0), floor.astype(np.int64)
        y, x = low[..., 0], np.clip(low[..., 1], 0, self.size // 2 - 1)
        values, wide = self.values.ravel(), self.values.shape[1]
        above, below = y % self.size * wide + x, (y + 1) % self.size * wide + x
        one = values[above] * (1 - fx) + values[above + 1] * fx
        two = values[below] * (1 - fx) + values[below + 1] * fx
        found = one * (1 - fy) + two * fy
        turned: NDArray[np.complex64] = np.where(mirrored, found.conj(), found).astype(np.complex64)
        return turned

    def likeness(self) -> NDArray[np.float32]:
        """How like the picture is to itself, shifted; its spectrum made flat, as a pattern's is.

        Returns:
            Shifts down from 0 to as far as is looked, shifts across all around; up is the same as down, turned
            round. # [min(size / 2, _REACH) + 1, size]
        """
        power = self.values.real**2 + self.values.imag**2
        around = round(_AROUND * self.size / max(self.shape)) | 1
        flat = power / np.maximum(mean_around(power, around, "edge"), 1e-12)
        # What is transformed is real, so half of the shifts say all; far ones are not asked for.
        down = fft.rfft(np.minimum(flat, _LOUDEST) * _band(self.size), axis=0)[: _REACH + 1].conj()
        found: NDArray[np.float32] = fft.irfft(down, self.size) / np.float32(self.size)
        return found


def likely_poses(likeness: NDArray[np.float32], spectrum: Spectrum, look: Look = "near") -> list[Pose]:
    """The poses in which a picture is most like itself a tile away, best first; none is mirrored.

    Args:
        likeness: as `spectrum.likeness` gives it.
        look: `near`: any scale, turned by 4 degrees at most. `turned`: by 45, further turns being quarter turns more.
            `wider`: not turned, made wider or narrower by 12 %.
    """
    scales, others, wide = _grid(look)
    told = _alike(likeness, _grid_places(spectrum.size, look), spectrum.shape)
    seen = told.reshape(-1, wide)
    peaks = (seen == ndimage.maximum_filter(seen, (5, 5), mode="nearest")).ravel()
    first = np.argsort(np.where(peaks, -told, np.inf))[:_KEPT]
    fine = np.linspace(-1, 1, 2 * _FINER + 1)
    step, other = {"near": (_STEP, _TURN), "turned": (_WIDE_STEP, _WIDE_TURN), "wider": (_STEP, _ASPECT)}[look]
    more, left = (part.ravel() for part in np.meshgrid(fine * step, fine * other, indexing="ij"))
    near, around = (scales[first, None] * np.exp(more)), others[first, None] + left
    shares = _alike(likeness, _places(near.ravel(), around.ravel(), spectrum.size, look), spectrum.shape)
    shares = shares.reshape(near.shape)
    best = []
    for i, at in enumerate(shares.argmax(axis=1)):
        value = float(around[i, at])
        pose = (
            Pose(float(near[i, at]), aspect=float(np.exp(value)))
            if look == "wider"
            else Pose(float(near[i, at]), value)
        )
        best.append((float(shares[i, at]), pose))
    return [pose for _, pose in sorted(best, key=lambda one: -one[0])]


def _places(scales: NDArray[np.floating], others: NDArray[np.floating], size: int, look: Look) -> _Places:
    """Where to look up poses of a look: its second number is a turn, or the logarithm of an aspect."""
    if look == "wider":
        return _Places.of(scales, np.zeros_like(scales), size, np.exp(others))
    return _Places.of(scales, others, size, np.ones_like(scales))


@cache
def straight_poses() -> list[Pose]:
    """Every scale, not turned: as a picture is whose size alone was changed."""
    scales = np.exp(np.arange(np.log(_SCALES[0]), np.log(_SCALES[1]), _FINE_STEP))
    return [Pose(float(scale), 0.0, mirrored) for scale in scales for mirrored in (False, True)]


class _Places(NamedTuple):
    """Where in a picture's likeness to itself some poses are looked up: each at ten shifts, each between four numbers.

    Attributes:
        y, x: the shifts, in pixels. # float32 [p, 10]
        where: of the four numbers. # int [4, p, 10]
        share: how much each counts. # float32 [4, p, 10]
    """

    y: NDArray[np.float32]
    x: NDArray[np.float32]
    where: NDArray[np.int32]
    share: NDArray[np.float32]

    @classmethod
    def of(
        cls, scales: NDArray[np.floating], turns: NDArray[np.floating], size: int, aspects: NDArray[np.floating]
    ) -> _Places:
        """Of poses, in a likeness of this size. # each [p]"""
        across, along = (
            (part * scales * TILE).astype(np.float32) for part in (np.cos(np.deg2rad(turns)), np.sin(np.deg2rad(turns)))
        )
        y = across[:, None] * _AWAY[:, 0] - along[:, None] * _AWAY[:, 1]
        x = along[:, None] * _AWAY[:, 0] + across[:, None] * _AWAY[:, 1]
        wider = np.sqrt(aspects)[:, None].astype(np.float32)
        y, x = y / wider, x * wider
        y, x = np.abs(y), np.where(y < 0, -x, x)
        low_y, low_x = np.floor(y), np.floor(x)
        fy, fx = y - low_y, x - low_x
        far = min(size // 2, _REACH)
        rows = [np.minimum(low_y.astype(np.int64) + more, far) * size for more in (0, 1)]
        columns = [(low_x.astype(np.int64) + more) % size for more in (0, 1)]
        where = np.stack([row + column for row in rows for column in columns]).astype(np.int32)
        share = np.stack([down * right for down in (1 - fy, fy) for right in (1 - fx, fx)])
        return cls(y, x, where, share)


def _alike(likeness: NDArray[np.float32], places: _Places, shape: tuple[int, int]) -> NDArray[np.float32]:
    """How like a picture is to itself some tiles away, in each pose, in deviations of chance. # -> [p]"""
    # What overlaps says the more, the more of it there is.
    overlap = np.clip(1 - places.y / shape[0], 0, 1) * np.clip(1 - np.abs(places.x) / shape[1], 0, 1)
    weight = overlap > _OVERLAP
    told = (likeness.ravel()[places.where] * places.share).sum(axis=0)
    found: NDArray[np.float32] = (told * weight).sum(axis=1) / np.sqrt((weight * overlap).sum(axis=1) + 1e-9)
    return found


@cache
def _grid(look: Look) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """Scales and turns (or logarithms of aspects) of a look, the second running faster, and how many. # [p], [p]"""
    step = _WIDE_STEP if look == "turned" else _STEP
    scales = np.exp(np.arange(np.log(_SCALES[0]), np.log(_SCALES[1]), step))
    if look == "near":
        others = np.arange(-_TURNS, _TURNS + 1e-6, _TURN)
    elif look == "turned":
        others = np.arange(-_WIDE_TURNS, _WIDE_TURNS, _WIDE_TURN)
    else:
        others = np.arange(-_ASPECTS, _ASPECTS + 1e-6, _ASPECT)
    first, second = np.meshgrid(scales, others, indexing="ij")
    return first.ravel(), second.ravel(), len(others)


@lru_cache(maxsize=6)
def _grid_places(size: int, look: Look) -> _Places:
    scales, others, _ = _grid(look)
    return _places(scales, others, size, look)


@lru_cache(maxsize=4)
def _band(size: int) -> NDArray[np.float32]:
    length = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size))
    found: NDArray[np.float32] = ((length > _BAND[0]) & (length < _BAND[1])).astype(np.float32)
    return found


@lru_cache(maxsize=16)
def _window(length: int) -> NDArray[np.float32]:
    """A cosine's rise and fall at both ends, `_TAPER` of the length together (Tukey 1967). # [length]"""
    ends = np.minimum(np.arange(length), np.arange(length)[::-1]) / (_TAPER * (length - 1) / 2)
    found: NDArray[np.float32] = (0.5 - 0.5 * np.cos(np.pi * np.minimum(ends, 1))).astype(np.float32)
    return found
