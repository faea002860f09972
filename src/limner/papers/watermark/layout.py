"""Where a watermark lies: a tile of 64 x 64 pixels that repeats, the sum of some hundred carriers.

A carrier is a sine wave whose phase holds a part of the codeword (spread spectrum). The tile repeats, so any piece of a
picture holds it; its carriers form a grid in the spectrum, so its size and turn can be found; some of them, the pilots,
have known phases, so its place can be found (after Kutter 1998 and Pereira and Pun 2000). The carriers are neither so
fine that a small JPEG loses them nor so coarse that the picture drowns them.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import fft

from limner.papers.watermark.code import CODED, encode

Floats = NDArray[np.float32]

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
"""Frequencies of carriers, in periods a tile: 0.09 to 0.3 periods a pixel."""
_SLOPE = -0.6
"""Power of the frequency by which the amplitude of finer carriers falls."""
_PILOTS = 0.24
_BLOCK = 8
_AROUND, _WITHIN = 9, 13
QUIET = 3.0
_NORMAL = 1.48
"""Deviation of normal numbers, by the square of the mean square root of what they are without their signs."""
_LOUDEST = 2.5
_LESS = 1.3


class Layout:
    """The carriers that a key chooses: their frequencies, which are pilots, what each holds.

    Args:
        key: whoever has another one sees nothing.

    Attributes:
        carriers: rows and columns of the tile's spectrum, pilots first. # int [n, 2]
        pilots: how many of them are pilots.
        pilot_phases: of the pilots, as complex numbers of size 1. # complex [pilots]
        data_phases: by which the phases of the others are rotated. # complex [n - pilots]
        interleaving: which number of the codeword each part, real or imaginary, of each data carrier holds.
            # int [2 * (n - pilots)]
    """

    def __init__(self, key: bytes = PUBLIC_KEY) -> None:
        seed = int.from_bytes(hashlib.sha256(b"limner layout 1\n" + key).digest()[:16], "big")
        random = np.random.Generator(np.random.Philox(seed))
        reach = np.arange(-int(_FINEST), int(_FINEST) + 1)
        rows, columns = (part.ravel() for part in np.meshgrid(reach, reach, indexing="ij"))
        frequency = np.hypot(rows, columns)
        # One of each frequency and its mirror image; none that coincides with the blocks of a JPEG.
        half = (columns > 0) | ((columns == 0) & (rows > 0))
        blocks = (rows % _BLOCK == 0) & (columns % _BLOCK == 0)
        keep = half & (frequency >= _COARSEST) & (frequency <= _FINEST) & ~blocks
        self.carriers = random.permutation(np.stack([rows[keep], columns[keep]], axis=1))
        self.pilots = round(_PILOTS * len(self.carriers))
        self.pilot_phases = _phases(random, self.pilots)
        self.data_phases = _phases(random, len(self.carriers) - self.pilots)
        self.interleaving = random.permutation(2 * len(self.data_phases)) % CODED

    @cached_property
    def frequencies(self) -> NDArray[np.float64]:
        """Periods a tile, of each carrier. # [n]"""
        return np.asarray(np.hypot(*self.carriers.T))

    @cached_property
    def amplitudes(self) -> NDArray[np.float64]:
        """Of each carrier, mean square 1: pictures and compression leave more room to coarse ones. # [n]"""
        power = self.frequencies**_SLOPE
        return np.asarray(power / np.sqrt((power**2).mean()))

    def modulated(self, message: int) -> NDArray[np.complex64]:
        """The carriers' values for a message; pilots and data have the same mean square, 1. # complex [n]"""
        numbers = encode(message)[self.interleaving].reshape(-1, 2) / np.sqrt(2)
        data = (numbers[:, 0] + 1j * numbers[:, 1]) * self.data_phases
        return np.asarray(np.concatenate([self.pilot_phases, data]) * self.amplitudes, np.complex64)

    def tile(self, values: NDArray[np.complex64]) -> Floats:
        """The pattern of carriers with these values, deviation 1. # complex [n] -> [64, 64]"""
        spectrum = np.zeros((TILE, TILE), np.complex128)
        rows, columns = self.carriers.T
        spectrum[rows, columns], spectrum[-rows, -columns] = values, values.conj()
        pattern = fft.ifft2(spectrum).real
        return np.asarray(pattern / pattern.std(), np.float32)

    @cached_property
    def passed(self) -> NDArray[np.float64]:
        """Share of each carrier that is left when the mean around each pixel is taken away. # [n]"""
        rows, columns = (np.sinc(_AROUND * k / TILE) / np.sinc(k / TILE) for k in self.carriers.T)
        return np.asarray(1 - rows * columns)


class Activity:
    """How much goes on in a picture around each pixel, which says what a watermark can be hidden in.

    Attributes:
        detail: brightness without its mean around each pixel. # float [h, w]
        deviation: of the detail around each pixel, grey levels. # float [h, w]
    """

    def __init__(self, brightness: Floats) -> None:
        self.detail = brightness - mean_around(brightness, _AROUND)
        around = mean_around(self.detail * self.detail, _WITHIN)
        self.deviation: Floats = np.sqrt(np.maximum(around, 0))

    @cached_property
    def masking(self) -> Floats:
        """How much can be hidden around each pixel, grey levels: an edge in a plain place hides little. # [h, w]"""
        around = mean_around(np.sqrt(np.abs(self.detail)), _WITHIN)
        return np.asarray(np.minimum(_NORMAL * around * around, self.deviation))

    @cached_property
    def weights(self) -> Floats:
        """How much a reader counts each pixel: the less, the more goes on around it. # [h, w]"""
        return np.asarray((self.deviation + np.float32(QUIET)) ** np.float32(-_LESS))

    @cached_property
    def signal(self) -> Floats:
        """The detail, clipped and weighted, in which a reader looks for carriers. # [h, w]"""
        most = _LOUDEST * (self.deviation + QUIET)
        return np.asarray(np.clip(self.detail, -most, most) * self.weights)


def tile_spectrum(signal: Floats) -> NDArray[np.complex64]:
    """The spectrum of the sum of a picture's tiles, where nothing was cut or scaled. # [h, w] -> complex [64, 64]"""
    height, width = signal.shape
    whole = np.pad(signal, ((0, -height % TILE), (0, -width % TILE)))
    spectrum: NDArray[np.complex64] = fft.fft2(whole.reshape(-(-height // TILE), TILE, -1, TILE).sum((0, 2)))
    return spectrum


def mean_around(values: Floats, size: int, beyond: Literal["symmetric", "edge"] = "symmetric") -> Floats:
    """The mean of the `size` x `size` values around each; `size` is odd. # [h, w]

    As `scipy.ndimage.uniform_filter`, and faster: the sum of 13 is that of 8, of 4 and of 1, and that of 8 is two of 4.

    Args:
        beyond: what lies around the plane: its mirror image, or its edge again.
    """
    sums = np.pad(values, size // 2, beyond)
    for _ in range(2):  # down, then across
        sums = _sums(sums, size).T
    return sums * np.float32(1 / size**2)


def _sums(values: NDArray[Any], size: int) -> NDArray[Any]:
    """Sums of `size` rows, one after another. # [h, w] -> [h - size + 1, w]"""
    count, start = len(values) - size + 1, 0
    total: NDArray[Any] | None = None
    for width in (1 << power for power in range(size.bit_length())):
        if width > 1:
            values = values[: -width // 2] + values[width // 2 :]
        if size & width:
            part = values[start : start + count]
            total, start = part if total is None else total + part, start + width
    assert total is not None
    return total


def scaled(brightness: Floats, shorter: int) -> Floats:
    """The same, shrunk so far that its shorter side has no more than so many pixels. # [h, w]"""
    height, width = brightness.shape
    share = shorter / min(height, width)
    return brightness if share >= 1 else resized(brightness, (round(height * share), round(width * share)))


def resized(plane: Floats, size: tuple[int, ...]) -> Floats:
    """A plane at another size (Lanczos). # [h, w] -> [height, width]"""
    height, width = size
    return np.asarray(Image.fromarray(plane).resize((width, height), Image.Resampling.LANCZOS))


def _phases(random: np.random.Generator, count: int) -> NDArray[np.complex64]:
    return np.asarray(np.exp(2j * np.pi * random.random(count)), np.complex64)
