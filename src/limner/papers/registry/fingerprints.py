"""Fingerprints: what of a picture survives saving again, resizing, mirroring and cropping, and finds it once more.

Two hashes of 256 bits, both made from a thumbnail of 64 x 64 pixels:

- the look: PDQ, of the picture and of its mirror image; finds copies that show the whole picture;
- the layout: signs of mixed low frequencies (luma and chroma) of the middle 70 % of each side. The middle is still
  there after a crop. Whoever searches does not know where it lies in their copy, so they try many windows (`trials`).
"""

from __future__ import annotations

import functools
import hashlib
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from limner.collection.likeness import LEAST_QUALITY, packed, squeezed

BITS = 256
SIDE = 64
"""Side of the thumbnail from which all fingerprints are made, px."""

MIDDLE = 0.7
"""Share of each side that the layout describes."""

_LUMA, _CHROMA, _POINTS = 8, 4, 32
_PLAIN = 4.0  # standard deviation in grey levels below which a picture shows too little to be distinguished
_KEPT = (1.0, 0.95, 0.9, 0.85)  # shares of a side that a crop may have kept
_STEP = 0.05  # between tried places, as a share of the work's side

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Fingerprints:
    """The fingerprints of one picture.

    Attributes:
        look, mirror: PDQ hashes of the picture and of its mirror image, 32 bytes; None where it is too plain for one.
        layout: hash of its middle, 32 bytes; None where it is too plain.
        thumbnail: uint8 [64, 64, 3], for a second look.
    """

    look: bytes | None
    mirror: bytes | None
    layout: bytes | None
    thumbnail: Bytes

    def kept(self) -> dict[str, Any]:
        """As the registry keeps them, with a packed thumbnail."""
        return {**vars(self), "thumbnail": pack_thumbnail(self.thumbnail)}


@dataclass(frozen=True)
class Trials:
    """Where in a copy the middle of an unknown work may lie, and the layout hash of each such place.

    Attributes:
        codes: uint8 [n, 32].
        windows: float32 [n, 4]: left, width, top, height as shares of the copy's sides.
        mirrored: bool [n]; there the copy is turned round before it is looked at.
    """

    codes: Bytes
    windows: Floats
    mirrored: NDArray[np.bool_]


def fingerprints_of(pixels: Bytes) -> Fingerprints:
    """All fingerprints of a picture; under a millisecond for pictures up to 512 px.

    Args:
        pixels: uint8, [height, width, 3], sRGB.
    """
    import pdqhash

    small = thumbnail_of(pixels)
    # The library gives eight hashes: as it is, three turns, two flips and two turned flips; the flip in place 5 is
    # the one from left to right.
    looks, quality = pdqhash.compute_dihedral(small)
    look, mirror = (packed(looks[i]) for i in (0, 5)) if quality >= LEAST_QUALITY else (None, None)
    return Fingerprints(look, mirror, None if _is_plain(small) else _layout(small), small)


def thumbnail_of(pixels: Bytes) -> Bytes:
    """The picture at 64 x 64 pixels, whatever its shape. # uint8 [h, w, 3] -> uint8 [64, 64, 3]"""
    return squeezed(pixels, SIDE, 512, smooth=True)


def pack_thumbnail(thumbnail: Bytes) -> bytes:
    """A thumbnail as JPEG of high quality, about 4 kB."""
    packed = io.BytesIO()
    Image.fromarray(thumbnail).save(packed, "JPEG", quality=95, subsampling=0)
    return packed.getvalue()


def unpack_thumbnail(packed: bytes) -> Bytes | None:
    """The thumbnail that was packed; None where it is damaged."""
    try:
        with Image.open(io.BytesIO(packed), formats=["JPEG"]) as image:
            return np.asarray(image) if (image.size, image.mode) == ((SIDE, SIDE), "RGB") else None
    except (OSError, ValueError, SyntaxError):
        return None


def trials(thumbnail: Bytes) -> Trials | None:
    """Every place that is tried for a copy with this thumbnail, mirrored too; None for one that is too plain."""
    if _is_plain(thumbnail):
        return None
    lefts, widths = _places()
    planes = planes_of(np.stack([thumbnail, thumbnail[:, ::-1]]))  # [2, 3, 64, 64]
    bases = np.stack([_basis(a, b) for a, b in zip(lefts, widths, strict=True)])  # [p, 8, 64]
    rows = np.einsum("pkh,mchw->mpckw", bases, planes, optimize=True)
    found = np.einsum("mpckw,qlw->mpqckl", rows, bases, optimize=True)  # [2, p, p, 3, 8, 8]
    places = len(lefts)
    codes = _signs(found.reshape(-1, 3, _LUMA, _LUMA))
    top, left = (axis.ravel() for axis in np.meshgrid(np.arange(places), np.arange(places), indexing="ij"))
    windows = np.stack([lefts[left], widths[left], lefts[top], widths[top]], 1)
    return Trials(codes, np.tile(windows, (2, 1)), np.repeat([False, True], places * places))


def _layout(thumbnail: Bytes) -> bytes:
    basis = _basis((1 - MIDDLE) / 2, MIDDLE)
    found = basis @ planes_of(thumbnail[None])[0] @ basis.T  # [3, 8, 8]
    return bytes(_signs(found[None])[0])


def _is_plain(thumbnail: Bytes) -> bool:
    return float(planes_of(thumbnail[None])[0].std(axis=(1, 2)).max()) < _PLAIN


def planes_of(pictures: Bytes) -> Floats:
    """Luma and two colour differences, in grey levels. # uint8 [n, h, w, 3] -> float32 [n, 3, h, w]"""
    mix = np.array([[0.299, 0.587, 0.114], [-0.169, -0.331, 0.5], [0.5, -0.419, -0.081]], np.float32)
    return np.ascontiguousarray(np.moveaxis(pictures.astype(np.float32) @ mix.T, -1, 1))


@functools.lru_cache(64)
def _basis(left: float, width: float) -> Floats:
    """Cosines over a window of an axis, read between its 64 pixels. # float32 [8, 64]"""
    points = (np.arange(_POINTS) + 0.5) / _POINTS
    cosines = np.cos(np.pi * np.arange(_LUMA)[:, None] * points).astype(np.float32)
    return np.asarray((cosines @ interpolation(left + width * points)) / np.float32(_POINTS))


def interpolation(at: NDArray[np.floating], size: int = SIDE) -> Floats:
    """Weights that read `size` pixels at places given as shares of the side. # [..., k] -> float32 [..., k, size]"""
    place = np.clip(at * size - 0.5, 0, size - 1)[..., None]
    return np.asarray(np.maximum(0, 1 - np.abs(place - np.arange(size, dtype=np.float32))), np.float32)


@functools.cache
def _places() -> tuple[Floats, Floats]:
    """Left ends and widths, in a copy, of the middle of a work of which the copy kept a part."""
    lefts, widths = [], []
    for kept in _KEPT:
        count = round((1 - kept) / _STEP) + 1
        for cut in np.linspace(0, 1 - kept, count):
            lefts.append(((1 - MIDDLE) / 2 - cut) / kept)
            widths.append(MIDDLE / kept)
    return np.array(lefts, np.float32), np.array(widths, np.float32)


@functools.cache
def _mixing() -> Floats:
    """Weights of the frequencies (fine ones are weaker by nature), mixed with fixed signs. # float32 [95, 256]"""
    luma, chroma = (_weights(size) for size in (_LUMA, _CHROMA))
    weights = np.concatenate([luma[1:], chroma, chroma])
    count = len(weights) * BITS
    bits = np.unpackbits(np.frombuffer(hashlib.shake_256(b"limner layout 1").digest(count // 8), np.uint8))
    return np.asarray(weights[:, None] * (2.0 * bits.reshape(len(weights), BITS) - 1), np.float32)


def _weights(size: int) -> NDArray[np.float64]:
    frequencies = np.hypot(*np.indices((size, size))).ravel()
    return np.asarray(np.where(frequencies == 0, 1.0, frequencies) ** 1.1)


def _signs(found: Floats) -> Bytes:
    """# float32 [n, 3, 8, 8] -> uint8 [n, 32]"""
    count = len(found)
    luma = found[:, 0].reshape(count, -1)[:, 1:]
    chroma = found[:, 1:, :_CHROMA, :_CHROMA].reshape(count, -1)
    return np.packbits(np.concatenate([luma, chroma], 1) @ _mixing() > 0, axis=1)
