"""Reading a watermark: is there one, how does it lie, what does it say?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from limner.papers.watermark.code import CODED, decode
from limner.papers.watermark.layout import FULL, LUMA, PUBLIC_KEY, TILE, Activity, Floats, Layout, scaled, tile_spectrum
from limner.papers.watermark.search import Pose, Search, Spectrum, likely_poses, posed, straight_poses

_KNOWN_POSE, _TURNED_POSE, _FOUND_POSE = 4.8, 5.4, 5.8
"""Thresholds of the detection statistic: in the pose of embedding, in that turned by quarters, in one of many."""
_SEARCHES: dict[Search, float] = {"near": _FOUND_POSE, "turned": 6.4, "wider": 6.4}
"""What is tried, in this order, with its threshold: higher for rarer changes and more poses."""
_FINE, _ROUGH = 128, 64
_FEW_TILES = 400
"""Shorter side, in pixels, up to which a picture holds too few tiles to be found by its autocorrelation alone."""
_RINGS = np.arange(7.5, 19.0, 4.0)
_SMALLEST = 96


@dataclass(frozen=True)
class Reading:
    """What was read from a picture.

    Attributes:
        message: 48 bits; None where no mark was found.
        statistic: by how many standard deviations the pilots stand out, in the best pose that was tried.
        pose: how the mark lies, for one pixel of the picture as it was given; None where no mark was found.
    """

    message: int | None
    statistic: float
    pose: Pose | None


@dataclass(frozen=True)
class _Detection:
    """A pose that was tried: the detection statistic, the carriers' values, and how far the tile is shifted."""

    statistic: float
    pose: Pose
    values: NDArray[np.complex64]
    shift: tuple[float, float]


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


class Reader:
    """Reads marks of one key. Safe to use from several threads.

    Args:
        key: with which the mark was put in.
        sizes: shorter sides, in pixels, at which a picture that was not cut may hold it as it was put in, largest
            first; larger pictures are shrunk to them.
    """

    def __init__(self, key: bytes = PUBLIC_KEY, sizes: Sequence[int] = (FULL,)) -> None:
        self.layout, self._sizes = Layout(key), tuple(sizes)

    def read(self, picture: NDArray[np.uint8] | Prepared) -> Reading:
        """What a picture's mark says; most pictures have none.

        "No mark" is an answer: the false-positive rate is below one in a million pictures (docs/decisions.md).

        Args:
            picture: uint8, [height, width, 3], sRGB; or such a one made ready, where other readers look at it too.
        """
        prepared = picture if isinstance(picture, Prepared) else Prepared(picture)
        shorter = min(prepared.height, prepared.width)
        if shorter < _SMALLEST:
            return Reading(None, 0.0, None)
        planes = [prepared.plane(size) for size in self._sizes if size == self._sizes[0] or size < shorter]
        tried = [(plane, None) for plane in planes] + [(planes[0], search) for search in _SEARCHES]
        best = 0.0
        for plane, search in tried:
            if search is None:
                found = self._as_embedded(plane)
                enough = _KNOWN_POSE if found.pose.turn == 0 else _TURNED_POSE
            else:
                found, enough = self._searched(plane, search), _SEARCHES[search]
            message = decode(self._soft(found)) if found.statistic >= enough else None
            if message is not None:
                scale = found.pose.scale * prepared.height / plane.shape[0]
                return Reading(message, found.statistic, found.pose._replace(scale=scale))
            best = max(best, found.statistic)
        return Reading(None, best, None)

    def _as_embedded(self, plane: Plane) -> _Detection:
        """As it was put in, in each quarter turn, mirrored or not."""
        poses = Pose(1.0).symmetric
        bins = np.rint(posed(poses, self.layout.carriers) * TILE).astype(np.int64)
        return self._best(poses, plane.tiles[bins[..., 0], bins[..., 1]])

    def _searched(self, plane: Plane, search: Search) -> _Detection:
        """In any scale, each quarter turn, mirrored or not, and as the search says turned or made wider."""
        spectrum = plane.spectrum
        best = self._by_pilots(spectrum, plane.poses(search))
        if search == "near" and best.statistic < _FOUND_POSE and min(plane.shape) <= _FEW_TILES:
            best = _better(best, self._by_pilots(spectrum, straight_poses(), _ROUGH))
        # A tenth of a per cent and of a degree more or less makes the far ends of a picture agree.
        scale, turn = 0.002, 0.12
        for _ in range(3):
            for more, left in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                pose = best.pose._replace(scale=best.pose.scale * (1 + more * scale))
                if search == "wider":
                    pose = pose._replace(aspect=pose.aspect * (1 + left * scale))
                else:
                    pose = pose._replace(turn=pose.turn + left * turn)
                best = _better(best, self._by_pilots(spectrum, [pose]))
            scale, turn = scale / 2, turn / 2
        return self._best([best.pose], _carriers_at(plane.signal, best.pose, self.layout)[None])

    def _by_pilots(self, spectrum: Spectrum, poses: Sequence[Pose], fine: int = _FINE) -> _Detection:
        """The best of some poses, by template matching of the pilots alone."""
        pilots = self.layout.carriers[: self.layout.pilots]
        return self._best(poses, spectrum.at(posed(poses, pilots)), fine)

    def _best(self, poses: Sequence[Pose], values: NDArray[np.complex64], fine: int = _FINE) -> _Detection:
        """The pose whose pilots agree most on a shift, tried at `fine` places a side. # values: complex [p, n]"""
        layout = self.layout
        strength = np.sqrt((np.abs(values) ** 2).mean(axis=1)) + 1e-12
        rows, columns = layout.carriers[: layout.pilots].T
        # Carriers of the right half alone: the left one mirrors it, and the middle column is its own mirror image.
        plane = np.zeros((len(poses), fine, columns.max() + 1), np.complex64)
        plane[:, rows, columns] = values[:, : layout.pilots] * (layout.pilot_phases.conj() * np.where(columns, 1, 2))
        agree = fft.irfft(fft.ifft(plane, axis=1, overwrite_x=True), fine).reshape(len(poses), -1)
        at = agree.argmax(axis=1)
        statistics = agree[np.arange(len(poses)), at] * fine**2 / (2 * strength * np.sqrt(layout.pilots / 2))
        best = int(statistics.argmax())
        down, across = divmod(int(at[best]), fine)
        return _Detection(
            float(statistics[best]), poses[best], values[best], (down * TILE / fine, across * TILE / fine)
        )

    def _soft(self, found: _Detection) -> NDArray[np.float64]:
        """The codeword's soft values. # -> [256]"""
        layout = self.layout
        rows, columns = layout.carriers.T
        down, across = found.shift
        values = found.values * np.exp(2j * np.pi * (rows * down + columns * across) / TILE)
        pilots = values[: layout.pilots] * layout.pilot_phases.conj()
        data = values[layout.pilots :] * layout.data_phases.conj()
        # Compression takes fine carriers and pictures drown coarse ones: pilots of like frequency say what to trust.
        near = np.exp(-(((layout.frequencies[:, None] - _RINGS) / 3) ** 2))
        own = near[: layout.pilots]
        mean = (own * pilots.real[:, None]).sum(0) / own.sum(0)
        power = (own * (np.abs(pilots) ** 2)[:, None]).sum(0) / own.sum(0)
        trust = np.maximum(mean, 0.05 * np.abs(mean).max() + 1e-12) / np.maximum(power, 1e-12)
        data = data * np.exp(np.interp(layout.frequencies[layout.pilots :], _RINGS, np.log(trust)))
        parts = np.stack([data.real, data.imag], axis=1).ravel()
        return np.bincount(layout.interleaving, parts, CODED).astype(np.float64)


def _better(one: _Detection, other: _Detection) -> _Detection:
    return max(one, other, key=lambda detection: detection.statistic)


def _carriers_at(signal: Floats, pose: Pose, layout: Layout) -> NDArray[np.complex64]:
    """A picture's values at the carriers of a tile that lies so: all pixels summed onto one tile. # -> complex [n]"""
    height, width = signal.shape
    angle = np.deg2rad(pose.turn)
    down = np.float32(np.cos(angle) / pose.scale), np.float32(np.sin(angle) / pose.scale)
    wider = np.float32(np.sqrt(pose.aspect))
    rows = (np.arange(height, dtype=np.float32) - height // 2)[:, None] * wider
    columns = (np.arange(width, dtype=np.float32) - width // 2) / wider
    # Two cells of the summed tile for each pixel of the true one.
    y = np.rint(2 * (down[0] * rows + down[1] * columns)).astype(np.int32) & (2 * TILE - 1)
    x = np.rint(2 * (down[0] * columns - down[1] * rows)).astype(np.int32) & (2 * TILE - 1)
    tile = np.bincount((y * 2 * TILE + x).ravel(), signal.ravel(), minlength=4 * TILE**2).reshape(2 * TILE, 2 * TILE)
    tile_rows, tile_columns = layout.carriers.T
    values = fft.fft2(tile)[tile_rows, -tile_columns if pose.mirrored else tile_columns]
    return np.asarray(values, np.complex64)
