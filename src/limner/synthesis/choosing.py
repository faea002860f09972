"""Which exemplars finish a composition: those whose patches together come nearest to all of its places."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from threadpoolctl import threadpool_limits

from limner.synthesis import kernels
from limner.synthesis.exemplars import Exemplars, fitted
from limner.synthesis.levels import Atlas

__all__ = ["Chooser", "seed_again"]

_DIMENSIONS = 32
_SAMPLE = 6000
_HEIGHT = 3.0
"""Weight of how high up a patch lies, in levels from 0 to 1 of one number."""
_AT_ONCE = 64
_SEEDED_BY = 16
"""Dimensions by which places are given another patch."""
_CROWD = 0.02
"""How much dearer each further exemplar makes what is taken already, as a share: so that many take part."""


@dataclass(frozen=True)
class _Keys:
    """Patches in few dimensions.

    Attributes:
        mean, axes: what brings patches there. # [d], [d, k]
        rows: the patches. # float32 [n, k]
        squares: their lengths. # [n]
        starts: the first patch of each exemplar.
    """

    mean: NDArray[np.float32]
    axes: NDArray[np.float32]
    rows: NDArray[np.float32]
    squares: NDArray[np.float32]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, patches: NDArray[np.float32], starts: NDArray[np.int64], dimensions: int) -> _Keys:
        """Principal components of patches. # float32 [n, d]"""
        some = patches[np.random.default_rng(0).choice(len(patches), min(_SAMPLE, len(patches)), replace=False)]
        mean = some.mean(axis=0, dtype=np.float32)
        _, vectors = np.linalg.eigh(((some - mean).T @ (some - mean)).astype(np.float64))
        axes = np.ascontiguousarray(vectors[:, ::-1][:, :dimensions].astype(np.float32))
        rows = np.ascontiguousarray((patches - mean) @ axes)
        return cls(mean, axes, rows, np.square(rows).sum(axis=1), starts)

    def distances(self, patches: NDArray[np.float32]) -> NDArray[np.float32]:
        """Squared distances. # float32 [m, d] -> [m, n]"""
        queries = (patches - self.mean) @ self.axes
        apart = self.squares[None] - np.float32(2) * (queries @ self.rows.T)
        found: NDArray[np.float32] = apart + np.square(queries).sum(axis=1)[:, None]
        return found


class Chooser:
    """Chooses among exemplars, each as it is and mirrored.

    Args:
        side: shorter side at which patches are compared, px.
    """

    def __init__(self, exemplars: Exemplars, side: int) -> None:
        self._exemplars, self._side, self._count = exemplars, side, len(exemplars)

    @cached_property
    def _keys(self) -> _Keys:
        exemplars, side = self._exemplars, self._side
        patches = []
        for index in range(len(exemplars)):
            small = fitted(exemplars.look(index), side)
            patches += [_patches(small, side), _patches(small[:, ::-1], side)]
        starts = np.concatenate([[0], np.cumsum([len(one) for one in patches])[:-1]])
        with threadpool_limits(1):
            return _Keys.of(np.concatenate(patches), starts, _DIMENSIONS)

    def make(self) -> None:
        """Make ready what a choice needs, before several threads ask for it."""
        _ = self._keys, self._wholes

    def distances(self, composition: NDArray[np.uint8]) -> NDArray[np.float32]:
        """How far each patch of a composition is from the nearest of each exemplar. # -> [patches, 2 * exemplars]"""
        asked = _patches(fitted(composition, self._side), self._side, every=1)
        keys = self._keys
        out = np.empty((len(asked), len(keys.starts)), np.float32)
        with threadpool_limits(1):
            for first in range(0, len(asked), _AT_ONCE):
                apart = keys.distances(asked[first : first + _AT_ONCE])
                out[first : first + _AT_ONCE] = np.minimum.reduceat(apart, keys.starts, axis=1)
        found: NDArray[np.float32] = np.sqrt(np.maximum(out, 0))
        return found

    def choose_whole(
        self, compositions: Sequence[NDArray[np.uint8]], count: int, leave_out: Collection[int] = ()
    ) -> list[tuple[int, bool]]:
        """Exemplars that look most like compositions as wholes, none mirrored; the nearest to any of them first."""
        asked = np.stack([_whole(one) for one in compositions])
        apart = np.round(np.square(asked[:, None] - self._wholes[None]).sum(axis=2).min(axis=0), 5)
        apart[list(leave_out)] = np.inf
        order = np.argsort(apart, kind="stable")[:count]
        return [(int(index), False) for index in order if np.isfinite(apart[index])]

    @cached_property
    def _wholes(self) -> NDArray[np.float32]:
        return np.stack([_whole(self._exemplars.look(index)) for index in range(self._count)])

    def choose(
        self, compositions: Sequence[NDArray[np.uint8]], count: int, leave_out: Collection[int] = ()
    ) -> list[tuple[int, bool]]:
        """Exemplars and whether each is mirrored, the most useful first; each picture one way only.

        Greedy, as facility location is solved: next is what brings all places nearest to a patch.

        Args:
            compositions: one, or several that are to be finished from the same exemplars.
            leave_out: numbers of exemplars that are not taken.
        """
        apart = np.concatenate([self.distances(one) for one in compositions])
        # Rounded, so that no last bit of a product decides.
        apart = np.round(apart, 4)
        closed = np.zeros(2 * self._count, dtype=bool)
        for index in leave_out:
            closed[2 * index : 2 * index + 2] = True
        nearest, least = np.full(len(apart), apart.max(), np.float32), apart.min(axis=1)
        chosen: list[tuple[int, bool]] = []
        while len(chosen) < count and not closed.all():
            total = np.minimum(nearest[:, None], apart).sum(axis=0, dtype=np.float64)
            total[closed] = np.inf
            best = int(total.argmin())
            chosen.append((best // 2, bool(best % 2)))
            closed[best // 2 * 2 : best // 2 * 2 + 2] = True
            nearest = np.minimum(nearest, apart[:, best]) + _CROWD * least
        return chosen


def seed_again(field: NDArray[np.int32], places: NDArray[np.bool_], picture: NDArray[np.uint8], atlas: Atlas) -> None:
    """Give places the nearest patch of another exemplar than theirs, found among all of every second row and column.

    Args:
        field: of the picture, changed. # int32 [h - 6, w - 6, 3]
        places: which. # bool [h - 6, w - 6]
        picture: uint8 [h, w, 3].
    """
    down, across = np.nonzero(places[::2, ::2])
    if not len(down):
        return
    known, starts, widths = [], [0], []
    for pixels, (height, width) in zip(atlas.pixels, atlas.sizes, strict=True):
        rows = _patches(pixels[:height, : width * 3].reshape(height, width, 3), 0, every=2)[:, :-1]
        known.append(rows)
        starts.append(starts[-1] + len(rows))
        widths.append((width - kernels.PATCH) // 2 + 1)
    asked = np.lib.stride_tricks.sliding_window_view(picture, (kernels.PATCH, kernels.PATCH), axis=(0, 1))
    wanted: NDArray[np.float32] = asked[2 * down, 2 * across].reshape(len(down), -1).astype(np.float32) / np.float32(
        255
    )
    own = field[2 * down, 2 * across, 0]
    with threadpool_limits(1):
        exemplar, at = _nearest_of_others(wanted, np.concatenate(known), np.array(starts), own)
    found = np.zeros((*places[::2, ::2].shape, 3), np.int32)
    row, column = np.divmod(at, np.array(widths)[exemplar])
    found[down, across] = np.stack([exemplar, 2 * row, 2 * column], axis=1)
    # The three places between take what goes on from it.
    i, j = np.nonzero(places)
    near = places[i // 2 * 2, j // 2 * 2]
    i, j = i[near], j[near]
    start = found[i // 2, j // 2]
    sizes = atlas.sizes[start[:, 0]] - kernels.PATCH
    field[i, j, 0] = start[:, 0]
    field[i, j, 1] = np.minimum(start[:, 1] + i % 2, sizes[:, 0])
    field[i, j, 2] = np.minimum(start[:, 2] + j % 2, sizes[:, 1])


def _nearest_of_others(
    wanted: NDArray[np.float32], known: NDArray[np.float32], starts: NDArray[np.int64], own: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each row the nearest one of another exemplar: which exemplar, and its number there. # [n, d] -> [n], [n]"""
    keys = _Keys.of(known, starts, _SEEDED_BY)
    exemplar, at = np.zeros(len(wanted), np.int64), np.zeros(len(wanted), np.int64)
    for first in range(0, len(wanted), _AT_ONCE):
        apart = np.round(keys.distances(wanted[first : first + _AT_ONCE]), 5)
        for k, one in enumerate(own[first : first + _AT_ONCE]):
            apart[k, starts[one] : starts[one + 1]] = np.inf
        best = apart.argmin(axis=1)
        exemplar[first : first + _AT_ONCE] = np.searchsorted(starts, best, side="right") - 1
        at[first : first + _AT_ONCE] = best
    return exemplar, at - starts[exemplar]


def _patches(pixels: NDArray[np.uint8], side: int, every: int | None = None) -> NDArray[np.float32]:
    """Patches as rows of numbers, their height in the picture behind. # uint8 [h, w, 3] -> float32 [patches, 148]"""
    every = every or (2 if side > 22 else 1)
    size = kernels.PATCH
    found = np.lib.stride_tricks.sliding_window_view(pixels, (size, size), axis=(0, 1))[::every, ::every]
    down, across = found.shape[:2]
    high = np.repeat(np.linspace(0, _HEIGHT, down, dtype=np.float32), across)
    rows = found.reshape(down * across, -1).astype(np.float32) / np.float32(255)
    return np.concatenate([rows, high[:, None]], axis=1)


def _whole(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What a picture looks like as a whole: 8x8 px, and how much goes on in each channel. # uint8 [h, w, 3] -> [195]"""
    small = Image.fromarray(np.ascontiguousarray(pixels)).resize((64, 64), Image.Resampling.LANCZOS)
    coarse = small.resize((16, 16), Image.Resampling.LANCZOS).resize((64, 64), Image.Resampling.BICUBIC)
    apart = np.square((np.asarray(small, np.float32) - np.asarray(coarse, np.float32)) / 255).mean(axis=(0, 1))
    eight = np.asarray(small.resize((8, 8), Image.Resampling.LANCZOS), np.float32) / 255
    return np.concatenate([eight.ravel(), 4 * np.sqrt(apart)])
