"""Pictures of any size in one file, with a line of facts about each; NumPy alone, so that every Python reads it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Pack", "write_pack"]

Pixels = NDArray[np.uint8]
"""One picture, sRGB. # uint8 [h, w, 3]"""
Facts = dict[str, Any]


class Pack:
    """Pictures of a folder that `write_pack` filled, in their order.

    Attributes:
        shapes: height and width of each. # int64 [n, 2]
        facts: what is known of each.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shapes: NDArray[np.int64] = np.load(folder / "shapes.npy")
        self.facts: list[Facts] = json.loads((folder / "facts.json").read_text())
        self._starts = np.concatenate([[0], np.cumsum(self.shapes.prod(1) * 3)])
        # An empty file cannot be mapped.
        empty = np.zeros(0, np.uint8)
        self._bytes: Pixels = np.memmap(folder / "pixels.bin", np.uint8, mode="r") if len(self.shapes) else empty

    def __len__(self) -> int:
        return len(self.shapes)

    def __getitem__(self, index: int) -> Pixels:
        height, width = self.shapes[index]
        return self._bytes[self._starts[index] : self._starts[index + 1]].reshape(height, width, 3)

    def __iter__(self) -> Iterator[Pixels]:
        return (self[index] for index in range(len(self)))


def write_pack(folder: Path, pictures: Iterable[tuple[Pixels, Facts]]) -> Pack:
    """Fill an empty folder; a killed run leaves it without `facts.json`, the last to be written."""
    shapes, facts = [], []
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "pixels.bin").open("wb") as file:
        for pixels, fact in pictures:
            file.write(np.ascontiguousarray(pixels).tobytes())
            shapes.append(pixels.shape[:2])
            facts.append(fact)
    np.save(folder / "shapes.npy", np.array(shapes, np.int64).reshape(-1, 2))
    (folder / "facts.json").write_text(json.dumps(facts, ensure_ascii=False))
    return Pack(folder)
