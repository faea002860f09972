"""Which exemplars finish a composition: those whose patches together come nearest to all of its places."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from limner.synthesis import kernels
from limner.synthesis.exemplars import Exemplars, fitted

__all__ = ["Chooser"]

_DIMENSIONS = 32
_SAMPLE = 6000
_HEIGHT = 3.0
"""Weight of how high up a patch lies, in levels from 0 to 1 of one number."""
_AT_ONCE = 64
_CROWD = 0.02
"""How much dearer each further exemplar makes what is taken already, as a share: so that many take part."""


class Chooser:
    """Chooses among exemplars, each as it is and mirrored.

    Args:
        side: shorter side at which patches are compared, px.
    """

    def __init__(self, exemplars: Exemplars, side: int) -> None:
        self._side, self._count = side, len(exemplars)
        patches = []
        for index in range(len(exemplars)):
            small = fitted(exemplars.look(index), side)
            patches += [_patches(small, side), _patches(small[:, ::-1], side)]
        self._starts = np.concatenate([[0], np.cumsum([len(one) for one in patches])[:-1]])
        keys = np.concatenate(patches)
        self._mean = keys.mean(axis=0)
        some = keys[np.random.default_rng(0).choice(len(keys), min(_SAMPLE, len(keys)), replace=False)] - self._mean
        with threadpool_limits(1):
            _, vectors = np.linalg.eigh((some.T @ some).astype(np.float64))
            self._axes = np.ascontiguousarray(vectors[:, ::-1][:, :_DIMENSIONS].astype(np.float32))
            self._keys = np.ascontiguousarray((keys - self._mean) @ self._axes)
        self._squares = np.square(self._keys).sum(axis=1)

    def distances(self, composition: NDArray[np.uint8]) -> NDArray[np.float32]:
        """How far each patch of a composition is from the nearest of each exemplar. # -> [patches, 2 * exemplars]"""
        asked = _patches(fitted(composition, self._side), self._side, every=1)
        with threadpool_limits(1):
            queries = (asked - self._mean) @ self._axes
            out = np.empty((len(queries), len(self._starts)), np.float32)
            for first in range(0, len(queries), _AT_ONCE):
                rows = queries[first : first + _AT_ONCE]
                apart = self._squares[None] - 2 * (rows @ self._keys.T)
                out[first : first + _AT_ONCE] = np.minimum.reduceat(apart, self._starts, axis=1)
        found: NDArray[np.float32] = np.sqrt(np.maximum(out + np.square(queries).sum(axis=1)[:, None], 0))
        return found

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


def _patches(pixels: NDArray[np.uint8], side: int, every: int | None = None) -> NDArray[np.float32]:
    """Patches as rows of numbers, their height in the picture behind. # uint8 [h, w, 3] -> float32 [patches, 148]"""
    every = every or (2 if side > 22 else 1)
    size = kernels.PATCH
    found = np.lib.stride_tricks.sliding_window_view(pixels, (size, size), axis=(0, 1))[::every, ::every]
    down, across = found.shape[:2]
    high = np.repeat(np.linspace(0, _HEIGHT, down, dtype=np.float32), across)
    rows = found.reshape(down * across, -1).astype(np.float32) / 255
    return np.concatenate([rows, high[:, None]], axis=1)
