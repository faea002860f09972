"""Pictures from outside that are no honest test: the same drawing in another colour, or with another mouth.

An alarm on these would be right. They are found by a rule that no descriptor takes part in: pictures are laid over each
other as they are and mirrored, shifted by up to 2 px of 128, a little larger or smaller, cell by cell, and whoever
shares too many of its drawn cells with one training picture is left out. Brightness and contrast of a cell do not
count, so that neither colour nor tone of skin hides a twin.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["SHARED", "Twin", "twins"]

Pixels = NDArray[np.uint8]
SHARED = 0.25
"""From this share of its drawn cells on, most pictures show a part of the training picture that has the same ones: seen
on sheets of pairs, before anything was measured."""
_SIDE, _CELL = 64, 8
_DRAWN = 6.0
"""Grey levels that a cell deviates by where something is drawn in it."""
_SAME = 0.9
"""Correlation of two cells that show the same."""
_SCALES = 0.85, 1 / 0.85
_SHIFTS = (1, 1), (0, 1), (2, 1), (1, 0), (1, 2)
_MARGIN = 8
_CHUNK = 128

Small = NDArray[np.float32]
"""Grey pictures. # float32 [n, 64, 64]"""


@dataclass(frozen=True)
class Twin:
    """How much of its drawn cells a picture shares with the training picture that shares most."""

    share: float
    other: int


@dataclass(frozen=True)
class _Cells:
    """Pictures cut into cells, each without its mean and contrast.

    Attributes:
        values: # float32 [64, n, 64], unit rows; zero where nothing is drawn
        count: cells of each in which something is drawn. # int64 [n]
    """

    values: NDArray[np.float32]
    count: NDArray[np.int64]


def twins(outside: Iterable[Pixels], training: Iterable[Pixels]) -> list[Twin]:
    """For each picture from outside, the training picture that shares most of its drawn cells."""
    asked, known = _small(outside), _cells(_small(training))
    ways = [_cells(posed) for posed in _posed(asked)]
    found = []
    for start in range(0, len(asked), _CHUNK):
        part = slice(start, start + _CHUNK)
        shares = np.max([_shares(way, part, known) for way in ways], axis=0)
        found += [Twin(float(row.max()), int(row.argmax())) for row in shares]
    return found


def _small(pictures: Iterable[Pixels]) -> Small:
    box = Image.Resampling.BOX
    greys = (Image.fromarray(picture).convert("L").resize((_SIDE, _SIDE), box) for picture in pictures)
    return np.stack([np.asarray(grey, np.float32) for grey in greys])


def _posed(pictures: Small) -> list[Small]:
    """As they are, mirrored, shifted by a pixel, or scaled; what comes in from aside repeats the edge."""
    padded = np.pad(pictures, ((0, 0), (1, 1), (1, 1)), mode="edge")
    moved = [padded[:, down : down + _SIDE, across : across + _SIDE] for down, across in _SHIFTS]
    wide = np.pad(pictures, ((0, 0), (_MARGIN, _MARGIN), (_MARGIN, _MARGIN)), mode="edge")
    for scale in _SCALES:
        near = _MARGIN + (_SIDE - _SIDE / scale) / 2
        far = 2 * _MARGIN + _SIDE - near
        images = (Image.fromarray(one) for one in wide)
        how, size = Image.Resampling.BILINEAR, (_SIDE, _SIDE)
        moved.append(np.stack([np.asarray(one.resize(size, how, box=(near, near, far, far))) for one in images]))
    return [*moved, pictures[:, :, ::-1]]


def _cells(small: Small) -> _Cells:
    side = _SIDE // _CELL
    cut = small.reshape(-1, side, _CELL, side, _CELL).transpose(1, 3, 0, 2, 4).reshape(side * side, -1, _CELL * _CELL)
    plain = cut - cut.mean(-1, keepdims=True)
    drawn = plain.std(-1) > _DRAWN
    values = plain / np.maximum(np.linalg.norm(plain, axis=-1, keepdims=True), 1e-6)
    return _Cells(np.where(drawn[..., None], values, 0).astype(np.float32), drawn.sum(0))


def _shares(asked: _Cells, part: slice, known: _Cells) -> NDArray[np.float32]:
    """Cells that are the same, by the drawn ones of the fuller picture: what is added counts like what is missing.

    # -> float32 [n, m]
    """
    same = np.zeros((asked.values[:, part].shape[1], known.values.shape[1]), np.float32)
    for own, theirs in zip(asked.values[:, part], known.values, strict=True):
        same += np.abs(own @ theirs.T) >= _SAME
    most = np.maximum(asked.count[part, None], known.count[None])
    found: NDArray[np.float32] = np.divide(same, np.maximum(most, 1), dtype=np.float32, casting="same_kind")
    return found
