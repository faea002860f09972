"""How alike pictures look by their perceptual hash (PDQ), turned and mirrored in all eight ways."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from limner.collection.likeness import LEAST_QUALITY, hash_look, squeezed

_BITS = 256
_UNLIKE = 128
"""Bits in which the hashes of two pictures at random differ."""


def hash_of(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The hash; zeros for a picture that is too plain to have one. # uint8 [h, w, 3] -> uint8 [32]"""
    return np.frombuffer(bytes.fromhex(hash_look(pixels)) or bytes(32), np.uint8)


def nearest_hash(
    pixels: NDArray[np.uint8], known: NDArray[np.uint8], without: NDArray[np.bool_] | None = None
) -> tuple[int, float]:
    """The picture whose hash is nearest in any of the eight ways, and how alike: 1 the same, 0 as two at random.

    Args:
        known: hashes of the pictures. # uint8 [m, 32]
        without: pictures that are passed over. # bool [m]
    """
    import pdqhash

    ways, quality = pdqhash.compute_dihedral(squeezed(pixels, 64, 512))
    if quality < LEAST_QUALITY or not len(known):
        return 0, 0.0
    asked = np.packbits(np.asarray(ways, np.uint8), axis=1)
    apart = np.full(len(known), _BITS, np.int64)
    for one in asked:
        apart = np.minimum(apart, np.bitwise_count(known ^ one).sum(1, dtype=np.int64))
    apart[~known.any(1)] = _BITS
    if without is not None:
        apart[without] = _BITS
    best = int(apart.argmin())
    return best, max(0.0, 1 - float(apart[best]) / _UNLIKE)
