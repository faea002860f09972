"""Synthetic pictures for tests: a coloured disc on a coloured ground, in two kinds that differ in their look."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from limner.collection import Collection, import_collection
from limner.workspace import Workspace

KINDS = ("matt", "striped")


def made_picture(number: int, side: int = 48) -> NDArray[np.uint8]:
    """Picture number `number`; even ones are matt, odd ones striped. # uint8 [side, side, 3]"""
    rng = np.random.default_rng(number)
    down, across = np.mgrid[:side, :side]
    centre, radius = rng.uniform(0.3, 0.7, 2) * side, rng.uniform(0.15, 0.35) * side
    picture = np.broadcast_to(rng.uniform(0, 255, 3), (side, side, 3)).copy()
    disc = (down - centre[0]) ** 2 + (across - centre[1]) ** 2 < radius**2
    picture[disc] = rng.uniform(0, 255, 3)
    if number % 2:
        picture[(down // 4) % 2 == 0] *= 0.5
    return picture.astype(np.uint8)


def made_folder(folder: Path, count: int = 60, creator: str = "Ada Example") -> Path:
    """A folder of made pictures with its table; returns the table."""
    folder.mkdir(parents=True, exist_ok=True)
    table = folder / "pictures.csv"
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "title", "creator", "licence", "kind"])
        for number in range(count):
            Image.fromarray(made_picture(number)).save(folder / f"{number:03d}.png")
            writer.writerow([f"{number:03d}.png", f"No. {number}", creator, "CC-BY-4.0", KINDS[number % 2]])
    return table


def made_collection(
    workspace: Workspace, folder: Path, count: int = 60, name: str = "made", creator: str = "Ada Example"
) -> Collection:
    """A collection of made pictures."""
    import_collection(made_folder(folder, count, creator), name, workspace, processes=1)
    return Collection.open(name, workspace)
