"""The watermark of a work: put in before it is written, and named in its papers only where the file still says it."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from limner import pictures
from limner.papers.watermark import FULL, MODEL_KEY, PUBLIC_KEY, SMALLEST, Embedder, Prepared, Reader, Reading

ALGORITHM = "org.limner.watermark.1"
"""Its name among the soft bindings of a manifest; the value is the work's number, 6 bytes, the highest first."""
_MODEL_SIZES = (FULL, 256, 128)
"""Models paint at 128 or 256 pixels, and their pictures may be enlarged afterwards."""

_embedder, _reader = cache(Embedder), cache(Reader)


def carries_mark(pixels: NDArray[np.uint8]) -> bool:
    """Whether a picture is large enough for a watermark. # uint8 [h, w, 3]"""
    return int(min(pixels.shape[:2])) >= SMALLEST


def marked(pixels: NDArray[np.uint8], work: int, key: bytes = PUBLIC_KEY) -> NDArray[np.uint8]:
    """The picture with its work's number in it; itself where it is too small to carry one.

    Args:
        pixels: uint8, [height, width, 3], sRGB.
        work: as `registry.work_identifier` gives it.
        key: whoever reads needs it.
    """
    return _embedder(key).embed(pixels, work) if carries_mark(pixels) else pixels


def still_says(encoded: bytes, work: int, key: bytes = PUBLIC_KEY) -> bool:
    """Whether the work's number can still be read from a file, compressed as it is."""
    return read_mark(pictures.decode(encoded, "work").pixels, key).message == work


def value_of(work: int) -> bytes:
    """A work's number as a soft binding holds it."""
    return work.to_bytes(6, "big")


def read_mark(picture: NDArray[np.uint8] | Prepared, key: bytes = PUBLIC_KEY) -> Reading:
    """What a picture's watermark says. # uint8 [h, w, 3]"""
    return _reader(key).read(picture)


def read_model_watermark(picture: NDArray[np.uint8] | Prepared) -> Reading:
    """What the watermark says that a model adds to whatever it paints. # uint8 [h, w, 3]"""
    return _reader(MODEL_KEY, _MODEL_SIZES).read(picture)
