"""Where a watermark lies: a tile of 64 x 64 pixels that repeats, made of some hundred waves whose phases hold the code.

The tile repeats, so any piece of a picture holds it; its waves form a grid in the spectrum, so its size and turn can be
found; part of the waves (pilots) are known, so its place can be found (after Kutter 1998 and Pereira and Pun 2000). The
waves are neither so fine that a small JPEG loses them nor so coarse that the picture drowns them.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import fft

from limner.papers.watermark.code import CODED, encode

__all__ = [
    "FULL",
    "LUMA",
    "MODEL_KEY",
    "PUBLIC_KEY",
    "QUIET",
    "SMALLEST",
    "SPREAD",
    "TILE",
    "Activity",
    "Layout",
    "mean_around",
    "resized",
    "scaled",
]

PUBLIC_KEY = b"limner watermark 1"
"""Known to all, so that anyone can read a mark; a key of one's own hides it from others."""
MODEL_KEY = b"limner rooted mark 1"
"""The public key of model watermarks, which name the model and not the work."""
TILE = 64
"""Pixels after which the pattern repeats, in pictures whose shorter side has up to `FULL` pixels."""
FULL = 512
"""In larger pictures the pattern is larger, too, as if it had been put in at this size and then enlarged."""
SMALLEST = 256
"""Shorter side of the smallest picture that is marked."""
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""How bright red, green and blue are (ITU-R BT.601); a mark lies in brightness alone, so it survives greyscale."""

SPREAD = LUMA / float(LUMA @ LUMA)
"""What changes brightness by 1 with the least change of the three channels."""

_COARSEST, _FINEST = 5.5, 19.0
"""Waves in a tile: 0.09 to 0.3 waves a pixel."""
_SLOPE = -0.6
"""Power of the length by which finer waves are weaker."""
_PILOTS = 0.24
_BLOCK = 8
_AROUND, _WITHIN = 9, 13
QUIET = 3.0
_NORMAL = 1.48
"""Deviation of normal numbers, by the square of the mean square root of what they are without their signs."""
_LOUDEST = 2.5
_LESS = 1.3


class Layout:
    """A key's waves: which there are, which are pilots, what each says.

    Args:
        key: whoever has another one sees nothing.

    Attributes:
        waves: rows and columns of the tile's spectrum, pilots first. # int [n, 2]
        pilots: how many of them are pilots.
        known: the pilots' phases. # complex [pilots]
        turned: what the data's phases are turned by. # complex [n - pilots]
        slots: which number of the code each half of each data wave carries. # int [2 * (n - pilots)]
    """

    def __init__(self, key: bytes = PUBLIC_KEY) -> None:
        seed = int.from_bytes(hashlib.sha256(b"limner layout 1\n" + key).digest()[:16], "big")
        random = np.random.Generator(np.random.Philox(seed))
        reach = np.arange(-int(_FINEST), int(_FINEST) + 1)
        rows, columns = (part.ravel() for part in np.meshgrid(reach, reach, indexing="ij"))
        length = np.hypot(rows, columns)
        # One of each wave and its mirror; none that falls together with the blocks of a JPEG.
        half = (columns > 0) | ((columns == 0) & (rows > 0))
        blocks = (rows % _BLOCK == 0) & (columns % _BLOCK == 0)
        keep = half & (length >= _COARSEST) & (length <= _FINEST) & ~blocks
        self.waves = random.permutation(np.stack([rows[keep], columns[keep]], axis=1))
        self.pilots = round(_PILOTS * len(self.waves))
        self.known = _phases(random, self.pilots)
        self.turned = _phases(random, len(self.waves) - self.pilots)
        self.slots = random.permutation(2 * len(self.turned)) % CODED

    @cached_property
    def lengths(self) -> NDArray[np.float64]:
        """Waves a tile, of each wave. # [n]"""
        found: NDArray[np.float64] = np.hypot(self.waves[:, 0], self.waves[:, 1])
        return found

    @cached_property
    def strengths(self) -> NDArray[np.float64]:
        """How strong each wave is, mean square 1: pictures and compression leave coarse ones more room. # [n]"""
        power = self.lengths**_SLOPE
        found: NDArray[np.float64] = power / np.sqrt((power**2).mean())
        return found

    def says(self, message: int) -> NDArray[np.complex64]:
        """What each wave is for a message; pilots and data have the same mean square, 1. # complex [n]"""
        numbers = encode(message)[self.slots].reshape(-1, 2) / np.sqrt(2)
        data = (numbers[:, 0] + 1j * numbers[:, 1]) * self.turned
        found: NDArray[np.complex64] = (np.concatenate([self.known, data]) * self.strengths).astype(np.complex64)
        return found

    def tile(self, waves: NDArray[np.complex64]) -> NDArray[np.float32]:
        """The pattern of these waves, deviation 1. # complex [n] -> [64, 64]"""
        spectrum = np.zeros((TILE, TILE), np.complex128)
        rows, columns = self.waves.T
        spectrum[rows, columns], spectrum[-rows, -columns] = waves, waves.conj()
        pattern = fft.ifft2(spectrum).real
        found: NDArray[np.float32] = (pattern / pattern.std()).astype(np.float32)
        return found

    @cached_property
    def passed(self) -> NDArray[np.float64]:
        """How much of each wave is left when the mean around each pixel is taken away. # [n]"""
        rows, columns = (np.sinc(_AROUND * k / TILE) / np.sinc(k / TILE) for k in self.waves.T)
        found: NDArray[np.float64] = 1 - rows * columns
        return found


class Activity:
    """A picture's brightness, seen as a watermark sees it.

    Attributes:
        fine: brightness without its mean around each pixel. # float [h, w]
        strength: deviation of that around each pixel, grey levels. # float [h, w]
    """

    def __init__(self, brightness: NDArray[np.float32]) -> None:
        self.fine = brightness - mean_around(brightness, _AROUND)
        around = mean_around(self.fine * self.fine, _WITHIN)
        self.strength: NDArray[np.float32] = np.sqrt(np.maximum(around, 0))

    @cached_property
    def hides(self) -> NDArray[np.float32]:
        """How much can be hidden around each pixel, grey levels: an edge in a plain place hides little. # [h, w]"""
        around = mean_around(np.sqrt(np.abs(self.fine)), _WITHIN)
        found: NDArray[np.float32] = np.minimum(_NORMAL * around * around, self.strength)
        return found

    @cached_property
    def listens(self) -> NDArray[np.float32]:
        """How a reader weighs each pixel: less, the more goes on around it. # [h, w]"""
        found: NDArray[np.float32] = (self.strength + np.float32(QUIET)) ** np.float32(-_LESS)
        return found

    @cached_property
    def heard(self) -> NDArray[np.float32]:
        """What a reader looks for waves in. # [h, w]"""
        most = _LOUDEST * (self.strength + QUIET)
        found: NDArray[np.float32] = np.clip(self.fine, -most, most) * self.listens
        return found


def mean_around(
    values: NDArray[np.float32], size: int, beyond: Literal["symmetric", "edge"] = "symmetric"
) -> NDArray[np.float32]:
    """The mean of the `size` x `size` values around each; `size` is odd. # [h, w]

    The sum of 13 is that of 8, of 4 and of 1, and that of 8 is two of 4: few passes, each of whole rows.

    Args:
        beyond: what lies around the plane: its mirror image, or its edge again.
    """
    sums = np.pad(values, size // 2, beyond)
    for axis in (0, 1):
        sums = _sums(sums, size, axis)
    found: NDArray[np.float32] = sums * np.float32(1 / size**2)
    return found


def _sums(values: NDArray[np.float32], size: int, axis: int) -> NDArray[np.float32]:
    """Sums of `size` values in a row. # [n] -> [n - size + 1] along the axis"""

    def part(of: NDArray[np.float32], start: int, length: int) -> NDArray[np.float32]:
        return of[start : start + length] if axis == 0 else of[:, start : start + length]

    length = values.shape[axis] - size + 1
    found, at, width = None, 0, 1
    while True:
        if size & width:
            more = part(values, at, length)
            found, at = more if found is None else found + more, at + width
        if 2 * width > size:
            assert found is not None
            return found
        half = values.shape[axis] - width
        values, width = part(values, 0, half) + part(values, width, half), 2 * width


def scaled(brightness: NDArray[np.float32], shorter: int) -> NDArray[np.float32]:
    """The same, shrunk so far that its shorter side has no more than so many pixels. # [h, w]"""
    height, width = brightness.shape
    share = shorter / min(height, width)
    return brightness if share >= 1 else resized(brightness, (round(height * share), round(width * share)))


def resized(plane: NDArray[np.float32], size: tuple[int, ...]) -> NDArray[np.float32]:
    """A plane at another size (Lanczos). # [h, w] -> [height, width]"""
    height, width = size
    return np.asarray(Image.fromarray(plane).resize((width, height), Image.Resampling.LANCZOS))


def _phases(random: np.random.Generator, count: int) -> NDArray[np.complex64]:
    found: NDArray[np.complex64] = np.exp(2j * np.pi * random.random(count)).astype(np.complex64)
    return found
