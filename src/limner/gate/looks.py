"""How alike pictures look on the whole: EfficientNet-Lite2's features, reduced, searched by faiss."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

_SIDE = 128
_NUMBERS = 128
"""Numbers that are kept of each picture's features."""
_MANY = 100_000


class LooksIndex:
    """Features of training pictures: less their mean, on their main directions, of unit length.

    Attributes:
        rows: of all pictures. # float32 [n, d]
    """

    def __init__(self, rows: NDArray[np.float32], mean: NDArray[np.float32], directions: NDArray[np.float32]) -> None:
        import faiss

        self.rows, self._mean, self._directions = rows, mean, directions
        count, width = rows.shape
        index: Any = faiss.IndexFlatIP(width)
        if count > _MANY:
            lists = int(2 * np.sqrt(count))
            kind = faiss.ScalarQuantizer.QT_8bit
            index = faiss.IndexIVFScalarQuantizer(index, width, lists, kind, faiss.METRIC_INNER_PRODUCT)
            index.train(rows[:: max(1, count // (40 * lists))])
            index.nprobe = 8
        index.add(rows)
        self._faiss = index

    @classmethod
    def of(cls, pictures: Iterable[NDArray[np.uint8]], progress: Callable[[int], object] | None = None) -> LooksIndex:
        """Index pictures; `progress` is called with how many are done. # each uint8 [h, w, 3]"""
        parts, batch = [], list[NDArray[np.uint8]]()
        done = 0
        for one in pictures:
            batch.append(_small(one))
            if len(batch) == 32:
                parts.append(_lite2(batch))
                done, batch = done + 32, []
                if progress:
                    progress(done)
        if batch:
            parts.append(_lite2(batch))
        raw = np.concatenate(parts)
        mean = raw.mean(0)
        _, _, directions = np.linalg.svd(raw - mean, full_matrices=False)
        kept = directions[: min(_NUMBERS, max(1, len(raw) - 1))].astype(np.float32)
        return cls(_unit((raw - mean) @ kept.T), mean.astype(np.float32), kept)

    def features(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Rows of other pictures, as `rows`. # each uint8 [h, w, 3] -> float32 [n, d]"""
        raw = _lite2([_small(one) for one in pictures])
        return _unit((raw - self._mean) @ self._directions.T)

    def nearest(self, rows: NDArray[np.float32], count: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Cosines and numbers of the pictures that look most alike. # [n, d] -> [n, count] twice"""
        cosines, numbers = self._faiss.search(rows, min(count, len(self.rows)))
        return cosines, numbers

    def alike(self, row: NDArray[np.float32], number: int) -> float:
        """The cosine with one picture. # [d]"""
        return float(row @ self.rows[number])

    def save(self, folder: Path) -> None:
        """Write what `load` reads."""
        np.savez(folder / "looks.npz", rows=self.rows, mean=self._mean, directions=self._directions)

    @classmethod
    def load(cls, folder: Path) -> LooksIndex:
        """Read what `save` wrote."""
        known = np.load(folder / "looks.npz", allow_pickle=False)
        return cls(known["rows"], known["mean"], known["directions"])


def _small(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    how = cv2.INTER_AREA if min(pixels.shape[:2]) > _SIDE else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(np.ascontiguousarray(pixels), (_SIDE, _SIDE), interpolation=how), np.uint8)


@cache
def _network() -> Any:
    from limner.models.features import Lite2Features

    return Lite2Features()


def _lite2(pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
    import torch

    stacked = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
    return np.asarray(_network()(stacked).numpy(), np.float32)


def _unit(rows: NDArray[Any]) -> NDArray[np.float32]:
    lengths = np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    return np.ascontiguousarray(rows / lengths, np.float32)
