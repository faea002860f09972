"""Pictures decoded once and kept as bytes at training size, in one memory-mapped file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from limner.collection.rows import Row
from limner.collection.store import Collection
from limner.pictures import read
from limner.workspace import Workspace, replace_folder

_LAYOUT = 1
_FINER = 1.6
"""How much finer than a training's size the largest crop of a picture is kept: smaller crops are enlarged less."""


def cache_side(rows: Sequence[Row], size: tuple[int, int]) -> int:
    """The side at which a training of this size keeps its pictures: what measures it finds the same cache.

    In half of the pictures at least, the largest crop of the size's shape is then `_FINER` times the size.

    Args:
        rows: of the training pictures, one or more.
        size: height and width in pixels.
    """
    shapes = np.array([(row.height, row.width) for row in rows], dtype=np.float64)
    # By how much each picture is reduced where its largest crop becomes the size, times its shorter side.
    sides = (np.array(size) / shapes).max(axis=1) * shapes.min(axis=1)
    return round(float(np.median(sides)) * _FINER)


class PictureCache:
    """The pictures of some rows, each with a shorter side of at most `side` pixels, in the rows' order."""

    def __init__(self, folder: Path) -> None:
        self.shapes: NDArray[np.int64] = np.load(folder / "shapes.npy")  # [n, 2]: height, width
        self._starts = np.concatenate([[0], np.cumsum(self.shapes[:, 0] * self.shapes[:, 1] * 3)])
        self._pixels: NDArray[np.uint8] = np.memmap(folder / "pixels.bin", np.uint8, mode="r")

    def __len__(self) -> int:
        return len(self.shapes)

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        """One picture. # uint8 [height, width, 3]"""
        height, width = self.shapes[index]
        pixels: NDArray[np.uint8] = self._pixels[self._starts[index] : self._starts[index + 1]]
        return pixels.reshape(height, width, 3)


def open_cache(
    collection: Collection,
    rows: Sequence[Row],
    side: int,
    workspace: Workspace,
    progress: Callable[[int, int], None] | None = None,
) -> PictureCache:
    """The cache of these rows; made in one step where it is missing.

    Args:
        side: shorter side in pixels that larger pictures are reduced to; smaller ones stay as they are.
        progress: called with (done, total).
    """
    names = json.dumps([_LAYOUT, side, [row.pixel_sha256 for row in rows]])
    folder = workspace.cache / "pixels" / hashlib.sha256(names.encode()).hexdigest()[:32]
    if not (folder / "pixels.bin").is_file():
        with replace_folder(folder) as part:
            _fill(part, [collection.picture_path(row) for row in rows], side, progress)
    return PictureCache(folder)


def _fill(folder: Path, paths: Sequence[Path], side: int, progress: Callable[[int, int], None] | None) -> None:
    shapes = []
    with (folder / "pixels.bin").open("wb") as out, ThreadPoolExecutor(2) as pool:
        # A bounded window of pictures is in memory at once.
        for start in range(0, len(paths), 64):
            for pixels in pool.map(lambda path: _reduced(path, side), paths[start : start + 64]):
                shapes.append(pixels.shape[:2])
                out.write(pixels.tobytes())
            if progress:
                progress(len(shapes), len(paths))
    np.save(folder / "shapes.npy", np.array(shapes, dtype=np.int64))


def _reduced(path: Path, side: int) -> NDArray[np.uint8]:
    pixels = read(path).pixels
    height, width = pixels.shape[:2]
    share = side / min(height, width)
    if share >= 1:
        return pixels
    size = max(side, round(width * share)), max(side, round(height * share))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0))
