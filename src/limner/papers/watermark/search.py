"""Synchronisation: how a marked picture was scaled and turned. Its pattern repeats, so it is like itself tiles away."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from limner.papers.watermark.layout import FULL, TILE, Floats, mean_around

_SCALES = 0.45, 2.3
_FINE_STEP = 0.006
"""Between scales (logarithm), over which pilots of a picture of few tiles still agree."""
_FINER = 5
_KEPT = 8
_AROUND = 16
"""Bins of an unpadded spectrum over which it is whitened."""
_LOUDEST = 8.0
_TAPER = 0.25
_BAND = 0.04, 0.6
"""Periods a pixel in which a pattern may lie, in any scale."""
_SHIFTS = np.array([(1, 0), (0, 1), (1, 1), (1, -1), (2, 0), (0, 2), (2, 1), (1, 2), (2, -1), (-1, 2)], np.float32)
"""Tiles, down and across, by which a picture is shifted and compared with itself."""
_OVERLAP = 0.15
"""Share of a picture that must overlap with itself for a shift to say something."""

Search = Literal["near", "turned", "wider"]
"""`near`: any scale, turned by 4 degrees at most. `turned`: by 45, further turns being quarter turns more. `wider`: not
turned, made wider or narrower by 12 %."""


class _Grid(NamedTuple):
    """What a search tries first: scales in steps (logarithm), and turns in degrees, or aspects (logarithm).

    A repetition is seen over one per cent and one degree.
    """

    step: float
    low: float
    high: float
    other_step: float


_GRIDS: dict[Search, _Grid] = {
    "near": _Grid(0.008, -4.0, 4.0 + 1e-6, 0.4),
    "turned": _Grid(0.012, -45.0, 45.0, 0.6),
    "wider": _Grid(0.008, -0.12, 0.12 + 1e-6, 0.01),
}
_REACH = int(np.ceil(TILE * _SCALES[1] * float(np.hypot(*_SHIFTS.T).max()) * np.exp(_GRIDS["near"].step))) + 1
"""The longest of the shifts, in pixels."""


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
    def symmetric(self) -> list[Pose]:
        """Itself, turned by each quarter, mirrored or not: autocorrelation cannot distinguish these."""
        return [self._replace(turn=self.turn + 90.0 * more, mirrored=m) for more in range(4) for m in (False, True)]


def posed(poses: Sequence[Pose], carriers: NDArray[np.integer]) -> Floats:
    """Carriers of a tile as periods a pixel of a picture in which it lies so. # [n, 2] -> [poses, n, 2]"""
    scales, turns, mirrored, aspects = np.array(poses).T[..., None]
    angle = np.deg2rad(turns)
    across, along = np.cos(angle) / (TILE * scales), np.sin(angle) / (TILE * scales)
    rows, columns = carriers[:, 0], np.where(mirrored, -carriers[:, 1], carriers[:, 1])
    wider = np.sqrt(aspects)
    down, right = (across * rows - along * columns) * wider, (along * rows + across * columns) / wider
    return np.stack([down, right], axis=-1, dtype=np.float32, casting="same_kind")


class Spectrum:
    """The spectrum of a picture's middle, finely divided, phases counted from its centre.

    Args:
        signal: in which a reader looks for carriers. # [h, w]
    """

    def __init__(self, signal: Floats) -> None:
        height, width = signal.shape
        rows, columns = min(height, FULL), min(width, FULL)
        self.shape = rows, columns
        top, left = (height - rows) // 2, (width - columns) // 2
        part = signal[top : top + rows, left : left + columns]
        part = part * _window(rows)[:, None] * _window(columns)
        # At least twice as large as the part, so that nothing wraps around.
        self.size = size = FULL if max(rows, columns) <= FULL // 2 else 2 * FULL
        # The centre lies at the origin, so that phases turn slowly and may be interpolated.
        down, across = rows // 2, columns // 2
        lines = np.zeros((rows, size), np.float32)
        lines[:, : columns - across], lines[:, size - across :] = part[:, across:], part[:, :across]
        lines_spectrum = fft.rfft(lines)
        whole = np.zeros((size, size // 2 + 1), np.complex64)
        whole[: rows - down], whole[size - down :] = lines_spectrum[down:], lines_spectrum[:down]
        self.values: NDArray[np.complex64] = fft.fft(whole, axis=0, overwrite_x=True)

    def at(self, frequencies: Floats) -> NDArray[np.complex64]:
        """Its values at some frequencies, in periods a pixel, interpolated. # [..., 2] -> complex [...]"""
        mirrored = frequencies[..., 1] < 0
        bins = np.where(mirrored[..., None], -frequencies, frequencies) * self.size
        floor = np.floor(bins)
        (fy, fx), low = np.moveaxis(bins - floor, -1, 0), floor.astype(np.int64)
        y, x = low[..., 0], np.clip(low[..., 1], 0, self.size // 2 - 1)
        values, wide = self.values.ravel(), self.values.shape[1]
        above, below = y % self.size * wide + x, (y + 1) % self.size * wide + x
        one = values[above] * (1 - fx) + values[above + 1] * fx
        two = values[below] * (1 - fx) + values[below + 1] * fx
        found = one * (1 - fy) + two * fy
        return np.asarray(np.where(mirrored, found.conj(), found), np.complex64)

    def autocorrelation(self) -> Floats:
        """Of the picture, its spectrum whitened, as a pattern's is.

        Returns:
            Shifts down from 0 to the longest, shifts across all around; up is the same as down, turned round.
            # [min(size / 2, _REACH) + 1, size]
        """
        power = self.values.real**2 + self.values.imag**2
        around = round(_AROUND * self.size / max(self.shape)) | 1
        white = power / np.maximum(mean_around(power, around, "edge"), 1e-12)
        # What is transformed is real, so half of the shifts say all; far ones are not asked for.
        down = fft.rfft(np.minimum(white, _LOUDEST) * _band(self.size), axis=0)[: _REACH + 1].conj()
        return np.asarray(fft.irfft(down, self.size) / np.float32(self.size))


def likely_poses(autocorrelation: Floats, spectrum: Spectrum, search: Search = "near") -> list[Pose]:
    """The poses in which a picture is most like itself a tile away, best first; none is mirrored.

    Args:
        autocorrelation: as `spectrum.autocorrelation` gives it.
    """
    grid, (scales, others, columns) = _GRIDS[search], _grid_points(search)
    scores = _scores(autocorrelation, _grid_shifts(spectrum.size, search), spectrum.shape)
    seen = scores.reshape(-1, columns)
    peaks = (seen == ndimage.maximum_filter(seen, (5, 5), mode="nearest")).ravel()
    first = np.argsort(np.where(peaks, -scores, np.inf))[:_KEPT]
    # Around each of the best peaks once more, in finer steps.
    fine = np.linspace(-1, 1, 2 * _FINER + 1)
    by, off = (part.ravel() for part in np.meshgrid(fine * grid.step, fine * grid.other_step, indexing="ij"))
    scales, others = scales[first, None] * np.exp(by), others[first, None] + off
    shifts = _shifts(scales.ravel(), others.ravel(), spectrum.size, search)
    scores = _scores(autocorrelation, shifts, spectrum.shape).reshape(scales.shape)
    best = np.arange(len(first)), scores.argmax(axis=1)
    order = np.argsort(-scores[best], kind="stable")
    found = [
        (float(scale), float(other)) for scale, other in zip(scales[best][order], others[best][order], strict=True)
    ]
    if search == "wider":
        return [Pose(scale, aspect=float(np.exp(aspect))) for scale, aspect in found]
    return [Pose(scale, turn) for scale, turn in found]


@cache
def straight_poses() -> list[Pose]:
    """Every scale, not turned: as a picture is whose size alone was changed."""
    scales = np.exp(np.arange(np.log(_SCALES[0]), np.log(_SCALES[1]), _FINE_STEP))
    return [Pose(float(scale), 0.0, mirrored) for scale in scales for mirrored in (False, True)]


class _Shifts(NamedTuple):
    """Where poses are looked up in an autocorrelation: each at ten shifts, each shift between four of its numbers.

    Attributes:
        y, x: the shifts, in pixels. # float32 [p, 10]
        where: of the four numbers. # int [4, p, 10]
        share: how much each counts. # float32 [4, p, 10]
    """

    y: Floats
    x: Floats
    where: NDArray[np.int32]
    share: Floats


def _shifts(scales: NDArray[np.floating], others: NDArray[np.floating], size: int, search: Search) -> _Shifts:
    """The shifts of poses, in an autocorrelation of this size; `others` as in `_Grid`. # each [p]"""
    turns = np.zeros_like(others) if search == "wider" else np.deg2rad(others)
    across, along = ((part * scales * TILE).astype(np.float32)[:, None] for part in (np.cos(turns), np.sin(turns)))
    y = across * _SHIFTS[:, 0] - along * _SHIFTS[:, 1]
    x = along * _SHIFTS[:, 0] + across * _SHIFTS[:, 1]
    if search == "wider":
        wider = np.sqrt(np.exp(others))[:, None].astype(np.float32)
        y, x = y / wider, x * wider
    y, x = np.abs(y), np.where(y < 0, -x, x)
    low_y, low_x = np.floor(y), np.floor(x)
    fy, fx = y - low_y, x - low_x
    far = min(size // 2, _REACH)
    rows = [np.minimum(low_y.astype(np.int64) + more, far) * size for more in (0, 1)]
    columns = [(low_x.astype(np.int64) + more) % size for more in (0, 1)]
    where = np.stack([row + column for row in rows for column in columns]).astype(np.int32)
    return _Shifts(y, x, where, np.stack([down * right for down in (1 - fy, fy) for right in (1 - fx, fx)]))


def _scores(autocorrelation: Floats, shifts: _Shifts, shape: tuple[int, int]) -> Floats:
    """How like a picture is to itself some tiles away, in each pose, in standard deviations of chance. # -> [p]"""
    # The larger the overlap, the more it says.
    overlap = np.clip(1 - shifts.y / shape[0], 0, 1) * np.clip(1 - np.abs(shifts.x) / shape[1], 0, 1)
    counted = overlap > _OVERLAP
    values = (autocorrelation.ravel()[shifts.where] * shifts.share).sum(axis=0)
    return np.asarray((values * counted).sum(axis=1) / np.sqrt((counted * overlap).sum(axis=1) + 1e-9))


@cache
def _grid_points(search: Search) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """Scales and turns (or logarithms of aspects) of a search, the second running faster, and how many. # [p], [p]"""
    grid = _GRIDS[search]
    scales = np.exp(np.arange(np.log(_SCALES[0]), np.log(_SCALES[1]), grid.step))
    others = np.arange(grid.low, grid.high, grid.other_step)
    first, second = np.meshgrid(scales, others, indexing="ij")
    return first.ravel(), second.ravel(), len(others)


@lru_cache(maxsize=6)
def _grid_shifts(size: int, search: Search) -> _Shifts:
    scales, others, _ = _grid_points(search)
    return _shifts(scales, others, size, search)


@lru_cache(maxsize=4)
def _band(size: int) -> Floats:
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size))
    return np.asarray((frequency > _BAND[0]) & (frequency < _BAND[1]), np.float32)


@lru_cache(maxsize=16)
def _window(length: int) -> Floats:
    """A cosine's rise and fall at both ends, `_TAPER` of the length together (Tukey 1967). # [length]"""
    ends = np.minimum(np.arange(length), np.arange(length)[::-1]) / (_TAPER * (length - 1) / 2)
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.minimum(ends, 1)), np.float32)
