"""What the compiled loops share: patches, atlases of exemplars, and how a loop is compiled.

Conventions: a picture is uint8 [h, w * 3] (rows of red, green, blue). A field is int32 [h - 6, w - 6, 3]: for the patch
whose upper left corner lies there, exemplar, row and column of the patch that it is taken from; costs are float32 of
the same places.

Every loop gives the same bits whatever runs beside it: random numbers are hashed from what they are for, and a band of
rows reads the rows around it as they were before.

Numba keeps what it compiled beside the source, and looks only at the file of a function to see whether it changed. So a
compiled function calls none of another file; whoever changes a constant here deletes the `__pycache__` of this folder.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias, TypeVar, cast

import numba as nb
import numpy as np
from numpy.typing import NDArray

PATCH = 7
"""Side of a patch, px."""
CHANNELS = 3
AREA = PATCH * PATCH
BELL = 1.5
"""Standard deviation of the weights within a patch, px."""
FURTHEST = 72
"""Largest difference in mean colour that a patch is shifted by, levels of 255."""

Bytes: TypeAlias = NDArray[np.uint8]
Ints: TypeAlias = NDArray[np.int32]
Floats: TypeAlias = NDArray[np.float32]
Mask: TypeAlias = NDArray[np.bool_]

_Function = TypeVar("_Function", bound=Callable[..., object])


class Atlas(NamedTuple):
    """Exemplars at one size, padded to the largest.

    Attributes:
        pixels: uint8 [n, h, w * 3].
        means: mean colour of each patch. # uint8 [n, h - 6, w - 6, 3]
        sizes: height and width of each. # int32 [n, 2]
    """

    pixels: Bytes
    means: Bytes
    sizes: Ints


class Matching(NamedTuple):
    """A picture, the exemplars that its patches are looked for in, and what a patch of them costs.

    Attributes:
        picture: uint8 [h, w * 3].
        means: mean colour of each of its patches. # uint8 [h - 6, w - 6, 3]
        penalties: what is added to the costs of each exemplar's patches. # float32 [n]
        tone_shift: share of a difference in mean colour that a patch is shifted by, and that does not cost.
    """

    picture: Bytes
    means: Bytes
    atlas: Atlas
    penalties: Floats
    tone_shift: np.float32


def compiled(function: _Function) -> _Function:
    """Compiled when it is first called, and kept for the next time; runs without the interpreter's lock."""
    return cast(_Function, nb.njit(nogil=True, cache=True, fastmath=True, boundscheck=False)(function))


def inlined(function: _Function) -> _Function:
    """Compiled into the loops that call it: passing on all the arrays of a `Matching` takes a fifth of the time."""
    options = nb.njit(nogil=True, cache=True, fastmath=True, boundscheck=False, forceinline=True)
    return cast(_Function, options(function))


@compiled
def patch_means(picture: Bytes) -> Bytes:
    """Mean colour of each patch, rounded. # uint8 [h, w * 3] -> uint8 [h - 6, w - 6, 3]"""
    ny, nx = picture.shape[0] - PATCH + 1, picture.shape[1] // CHANNELS - PATCH + 1
    out = np.empty((ny, nx, CHANNELS), np.uint8)
    columns = np.zeros(picture.shape[1], np.int32)
    for i in range(ny):
        for k in range(picture.shape[1]):
            if i == 0:
                for dy in range(PATCH):
                    columns[k] += picture[dy, k]
            else:
                columns[k] += np.int32(picture[i + PATCH - 1, k]) - np.int32(picture[i - 1, k])
        for c in range(CHANNELS):
            total = np.int64(0)
            for dx in range(PATCH - 1):
                total += columns[dx * CHANNELS + c]
            for j in range(nx):
                total += columns[(j + PATCH - 1) * CHANNELS + c]
                out[i, j, c] = (total + AREA // 2) // AREA
                total -= columns[j * CHANNELS + c]
    return out
