"""The second look: whether a thumbnail shows a registered work, or a part of it, once both are aligned.

Hashes find what may be the same; two emoji that differ in a mouth have nearly the same hash. So each candidate is
aligned with the copy (moved, stretched, made brighter), and then the worst small part decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from limner.papers.registry.alignment import Places, aligned
from limner.papers.registry.fingerprints import MIDDLE, SIDE, Bytes, Floats, planes_of

ALL = np.array([(1 - MIDDLE) / 2, MIDDLE, (1 - MIDDLE) / 2, MIDDLE], np.float32)
"""The window (left, width, top, height) in which the middle of a work lies in a copy that shows all of it."""

EVEN, PART, COLOUR = 3.5, 9.5, 6.5
"""Up to how many per cent of the work's contrast its copy may differ; measured by `python -m bench registry`."""

NEARLY = 2.0
_CELL = 8  # side of the cells whose means are compared, px of the thumbnail: saving again changes finer detail first
_LEAST = 0.5  # share of the work that a copy must show
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_FLOOR = 4.0  # grey levels; a picture with less contrast than this is held to as much
T = TypeVar("T")


@dataclass(frozen=True)
class Likeness:
    """How well a copy lies on a work; differences are of means over 8 x 8 of 64 x 64 pixels.

    Attributes:
        share: of the work's area that the copy shows, 0 to 1.
        even: root mean square difference in luma, per cent of the work's contrast.
        part: the largest difference in luma, per cent of the same.
        colour: the largest difference in colour, over 16 x 16 pixels, per cent of the contrast of luma and colour.
        mirrored: whether the copy is a mirror image.
    """

    share: float
    even: float
    part: float
    colour: float
    mirrored: bool = False

    @property
    def score(self) -> float:
        """0 for the same picture; up to 1 it may be called the same."""
        return max(self.even / EVEN, self.part / PART, self.colour / COLOUR)

    @property
    def same(self) -> bool:
        """Whether this may be called the same picture: likeness, which is no proof."""
        return self.share >= _LEAST and self.score <= 1


def rough(
    works: Mapping[int, Bytes], copy: Bytes, which: Sequence[int], windows: Floats, mirrored: NDArray[np.bool_]
) -> Floats:
    """How alike works and a copy are where windows put them, unrefined: correlation of luma, -1 to 1. # [n]

    Args:
        works: uint8 [64, 64, 3], thumbnails by number.
        copy: uint8 [64, 64, 3].
        which: numbers of the works that are compared with it. # [n]
        windows: float32 [n, 4], as `ALL`.
        mirrored: whether the copy is turned round first. # [n]
    """
    # Many works lie in the same few windows.
    kinds, kind = np.unique(np.column_stack([windows, mirrored]), axis=0, return_inverse=True)
    lumas = planes_of(np.stack([copy, copy[:, ::-1]]))[:, 0]
    seen, there = Places.of(kinds[:, :4]).read(lumas[kinds[:, 4].astype(np.int64)], SIDE // 2)
    order = {number: place for place, number in enumerate(works)}
    small = _halved(np.stack(list(works.values())))[[order[number] for number in which]]
    one, other, inside = small, seen[kind.ravel()], there[kind.ravel()].astype(np.float32)
    count = np.maximum(inside.sum((1, 2)), 1)

    def centred(x: Floats) -> Floats:
        return np.asarray((x - (np.einsum("nij,nij->n", x, inside) / count)[:, None, None]) * inside)

    one, other = centred(one), centred(other)
    power = np.einsum("nij,nij->n", one, one) * np.einsum("nij,nij->n", other, other)
    return np.asarray(np.einsum("nij,nij->n", one, other) / np.sqrt(np.maximum(power, 1e-6)))


def _halved(thumbnails: Bytes) -> Floats:
    """Luma at half the size. # uint8 [n, 64, 64, 3] -> float32 [n, 32, 32]"""
    quarters = thumbnails.reshape(len(thumbnails), SIDE // 2, 2, SIDE // 2, 2, 3)
    return np.asarray(quarters.sum((2, 4), dtype=np.uint16).astype(np.float32) @ (_LUMA / 4))


def compare(works: Sequence[Bytes], copy: Bytes, windows: Sequence[Floats], mirrored: Sequence[bool]) -> list[Likeness]:
    """Align works with a copy, beginning where windows put them, and say how far they still differ.

    Args:
        works, copy: uint8 [64, 64, 3], thumbnails.
        windows: of each work, as `ALL`.
        mirrored: whether the copy is turned round first.
    """
    wanted, given = planes_of(np.stack(works)), planes_of(np.stack([copy, copy[:, ::-1]]))
    turned = np.array(mirrored, np.int64)
    places = aligned(wanted[:, 0], given[:, 0], turned, np.stack(windows))
    seen, inside = places.read(given[turned], SIDE)  # [c, 3, 64, 64], [c, 64, 64]
    seen[:, 0] = places.gain[:, None, None] * seen[:, 0] + places.offset[:, None, None]
    return [_judged(*one) for one in zip(wanted, wanted - seen, inside, mirrored, strict=True)]


def _judged(work: Floats, missing: Floats, inside: NDArray[np.bool_], mirrored: bool) -> Likeness:
    """# [3, 64, 64], [3, 64, 64], [64, 64]"""
    if not inside.any():
        return Likeness(0.0, 100.0, 100.0, 100.0, mirrored)
    luma, colour = _cells(missing[:1], inside, _CELL), _cells(missing[1:], inside, 2 * _CELL)
    if not luma.size or not colour.size:
        return Likeness(float(inside.mean()), 100.0, 100.0, 100.0, mirrored)
    light, tint = (float(work[planes][:, inside].std(axis=1).max()) for planes in (slice(1), slice(1, 3)))
    contrast = light + _FLOOR
    return Likeness(
        share=float(inside.mean()),
        even=100 * float(np.sqrt((luma**2).mean())) / contrast,
        part=100 * float(np.abs(luma).max()) / contrast,
        colour=100 * float(np.sqrt((colour**2).sum(0).max())) / (contrast + tint + _FLOOR),
        mirrored=mirrored,
    )


def _cells(planes: Floats, inside: NDArray[np.bool_], side: int) -> Floats:
    """Means over cells of which at least half is inside. # [p, 64, 64] -> [p, cells]"""
    count = SIDE // side
    sums = (planes * inside).reshape(len(planes), count, side, count, side).sum((2, 4))
    weights = inside.reshape(count, side, count, side).sum((1, 3))
    enough = weights >= side * side // 2
    return np.asarray(sums[:, enough] / weights[enough])


def alike(compared: list[tuple[Likeness, T]]) -> list[tuple[Likeness, T]]:
    """Of works aligned with one copy those that it may be called the same as, the best first.

    Works that lie nearly as well as the best come with it: between them the picture does not decide.
    """
    good = sorted(((seen, one) for seen, one in compared if seen.same), key=lambda pair: pair[0].score)
    return [pair for pair in good if pair[0].score <= good[0][0].score * NEARLY + 0.1]
