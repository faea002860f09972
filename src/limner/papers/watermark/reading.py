"""Reading a watermark: is there one, how does it lie, what does it say?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from limner.papers.watermark.code import CODED, decode
from limner.papers.watermark.layout import FULL, PUBLIC_KEY, TILE, Layout
from limner.papers.watermark.prepared import Plane, Prepared
from limner.papers.watermark.search import Look, Pose, Spectrum, posed, straight_poses

__all__ = ["Reader", "Reading"]

_KNOWN_POSE, _TURNED_POSE, _FOUND_POSE = 4.8, 5.4, 5.8
"""Deviations by which pilots must stand out: in a pose that was guessed, in that turned by quarters, in one of many."""
_LOOKS: dict[Look, float] = {"near": _FOUND_POSE, "turned": 6.4, "wider": 6.4}
"""What is tried, in this order, and the deviations by which pilots must stand out then: rarer changes, more poses."""
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

    def read(self, picture: NDArray[np.uint8] | Prepared) -> Reading:
        """What a picture's mark says; most pictures have none.

        "No mark" is an answer: of pictures without one, fewer than one in a million gets another (docs/decisions.md).

        Args:
            picture: uint8, [height, width, 3], sRGB; or such a one made ready, where other readers look at it too.
        """
        prepared = picture if isinstance(picture, Prepared) else Prepared(picture)
        shorter = min(prepared.height, prepared.width)
        if shorter < _SMALLEST:
            return Reading(None, 0.0, None)
        planes = [prepared.plane(size) for size in self._sizes if size == self._sizes[0] or size < shorter]
        best = 0.0
        for plane in planes:
            sight = self._guessed(plane)
            enough = _KNOWN_POSE if sight.pose.turn == 0 else _TURNED_POSE
            message = decode(self._soft(sight)) if sight.evidence >= enough else None
            if message is not None:
                return _told(message, sight, plane, prepared)
            best = max(best, sight.evidence)
        for look, enough in _LOOKS.items():
            found = self._searched(planes[0], look)
            message = decode(self._soft(found)) if found.evidence >= enough else None
            if message is not None:
                return _told(message, found, planes[0], prepared)
            best = max(best, found.evidence)
        return Reading(None, best, None)

    def _guessed(self, plane: Plane) -> _Sight:
        """As it was put in, in each quarter turn, mirrored or not."""
        poses = Pose(1.0).turns
        places = np.rint(posed(poses, self.layout.waves) * TILE).astype(np.int64)
        return self._best(poses, plane.folded[places[..., 0], places[..., 1]])

    def _searched(self, plane: Plane, look: Look) -> _Sight:
        """In any scale, each quarter turn, mirrored or not, and as the look says turned or made wider."""
        spectrum = plane.spectrum
        best = self._glance(spectrum, plane.poses(look))
        if look == "near" and best.evidence < _FOUND_POSE and min(plane.shape) <= _FEW_TILES:
            best = max(best, self._glance(spectrum, straight_poses(), _ROUGH), key=lambda sight: sight.evidence)
        # A tenth of a percent and of a degree more or less makes the far ends of a picture agree.
        scale, turn = 0.002, 0.12
        for _ in range(3):
            for more, left in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                pose = best.pose._replace(scale=best.pose.scale * (1 + more * scale))
                if look == "wider":
                    pose = pose._replace(aspect=pose.aspect * (1 + left * scale))
                else:
                    pose = pose._replace(turn=pose.turn + left * turn)
                best = max(best, self._glance(spectrum, [pose]), key=lambda sight: sight.evidence)
            scale, turn = scale / 2, turn / 2
        return self._best([best.pose], _folded(plane.heard, best.pose, self.layout)[None])

    def _glance(self, spectrum: Spectrum, poses: Sequence[Pose], fine: int = _FINE) -> _Sight:
        """The best of some poses, by pilots alone."""
        pilots = self.layout.waves[: self.layout.pilots]
        return self._best(poses, spectrum.at(posed(poses, pilots)), fine)

    def _best(self, poses: Sequence[Pose], values: NDArray[np.complex64], fine: int = _FINE) -> _Sight:
        """The pose whose pilots agree most on a shift, tried at `fine` places a side. # values: complex [p, n]"""
        layout = self.layout
        strength = np.sqrt((np.abs(values) ** 2).mean(axis=1)) + 1e-12
        rows, columns = layout.waves[: layout.pilots].T
        # Waves of the right half alone: the left one mirrors it, and the middle column is its own mirror image.
        plane = np.zeros((len(poses), fine, columns.max() + 1), np.complex64)
        plane[:, rows, columns] = values[:, : layout.pilots] * (layout.known.conj() * np.where(columns, 1, 2))
        agree = fft.irfft(fft.ifft(plane, axis=1, overwrite_x=True), fine).reshape(len(poses), -1)
        at = agree.argmax(axis=1)
        evidence = agree[np.arange(len(poses)), at] * fine**2 / (2 * strength * np.sqrt(layout.pilots / 2))
        best = int(evidence.argmax())
        down, across = divmod(int(at[best]), fine)
        return _Sight(float(evidence[best]), poses[best], values[best], (down * TILE / fine, across * TILE / fine))

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


def _told(message: int, sight: _Sight, plane: Plane, prepared: Prepared) -> Reading:
    pose = sight.pose._replace(scale=sight.pose.scale * prepared.height / plane.shape[0])
    return Reading(message, sight.evidence, pose)


def _folded(heard: NDArray[np.float32], pose: Pose, layout: Layout) -> NDArray[np.complex64]:
    """A picture's values at the waves of a tile that lies so: all of its pixels laid onto one tile. # -> complex [n]"""
    height, width = heard.shape
    angle = np.deg2rad(pose.turn)
    down = np.float32(np.cos(angle) / pose.scale), np.float32(np.sin(angle) / pose.scale)
    wider = np.float32(np.sqrt(pose.aspect))
    rows = (np.arange(height, dtype=np.float32) - height // 2)[:, None] * wider
    columns = (np.arange(width, dtype=np.float32) - width // 2) / wider
    # Two cells of the folded tile for each pixel of the true one.
    y = np.rint(2 * (down[0] * rows + down[1] * columns)).astype(np.int32) & (2 * TILE - 1)
    x = np.rint(2 * (down[0] * columns - down[1] * rows)).astype(np.int32) & (2 * TILE - 1)
    tile = np.bincount((y * 2 * TILE + x).ravel(), heard.ravel(), minlength=4 * TILE**2).reshape(2 * TILE, 2 * TILE)
    values = fft.fft2(tile)
    rows_of, columns_of = layout.waves.T
    found: NDArray[np.complex64] = values[rows_of, -columns_of if pose.mirrored else columns_of].astype(np.complex64)
    return found
