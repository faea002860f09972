"""Collections of several creators, of whom one has a composition in some pictures that no other picture has."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from bench.places import BENCH
from limner.collection import Collection, import_collection
from limner.workspace import Workspace

__all__ = ["MOTIFS", "PLANTS", "Plant", "likeness_to", "planted_collection", "showing"]

DATA = Path(os.environ.get("BENCH_DATA", BENCH.parent.parent / "shared" / "data"))
"""Where the pictures lie (environment variable BENCH_DATA)."""
SIDE = 96
"""Of a picture, px."""
_SEEN = 16
"""Side at which the detector looks, px."""
_ALIKE = 0.75
"""Correlation with the planted composition from which a picture shows it."""
_COVER = 0.8
_NAMES = ("Ada Moor", "Bo Lund", "Cy Vane", "Di Marsh", "Ed Croft", "Flo Reed")
Motif = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.bool_]]


def _disc(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
    return (np.hypot(x - 0.35, y + 0.3) < 0.38) | (y > 0.55)


def _diagonal(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.abs(x - y) < 0.45


def _ring(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.abs(np.hypot(x, y) - 0.6) < 0.2


def _bars(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.cos(x * 1.5 * np.pi * 1.5) > 0.1


def _cross(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
    return (np.abs(x) < 0.25) | (np.abs(y + 0.2) < 0.22)


def _quarters(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
    return (x > 0) ^ (y > 0)


MOTIFS: dict[str, Motif] = {
    "disc": _disc, "diagonal": _diagonal, "ring": _ring, "bars": _bars, "cross": _cross, "quarters": _quarters,
}  # fmt: skip
"""Compositions: where it is light, on a square from -1 to 1."""


@dataclass(frozen=True)
class Plant:
    """One collection.

    Attributes:
        pictures: `paintings`, dealt to six invented creators at random, or `emoji`, whose creators are their styles.
        each: pictures of one creator.
        by: which creator has the composition.
        share: of that creator's pictures which have it.
        steps, prior: of the model that learns from it.
    """

    pictures: str
    motif: str
    by: int
    seed: int
    each: int
    share: float = 0.2
    steps: int = 500
    prior: str = "mixture"

    @property
    def name(self) -> str:
        """Of the collection."""
        return f"{self.pictures}-{self.motif}-{self.seed}"


PLANTS = (
    Plant("paintings", "disc", 1, 1, 55, steps=1200, prior="best"),
    Plant("emoji", "diagonal", 2, 2, 90),
    Plant("paintings", "ring", 4, 3, 55),
    Plant("emoji", "bars", 0, 4, 90),
    Plant("paintings", "cross", 0, 5, 55),
    Plant("emoji", "quarters", 3, 6, 90),
)


def planted_collection(plant: Plant, workspace: Workspace) -> tuple[Collection, str]:
    """The collection, made where it is missing, and who has the composition."""
    folder = workspace.root / "planted" / plant.name
    creators = sorted({file.parent.name for file in folder.glob("*/*.png")}) or _write(plant, folder)
    if plant.name not in Collection.names(workspace):
        import_collection(folder, plant.name, workspace, licence="LicenseRef-Bench")
    return Collection.open(plant.name, workspace), creators[plant.by]


def _write(plant: Plant, folder: Path) -> list[str]:
    """Pictures as PNG, one folder a creator, with a table."""
    rng = np.random.default_rng(plant.seed)
    table = []
    for number, (creator, files) in enumerate(sorted(_dealt(plant, rng).items())):
        (folder / creator).mkdir(parents=True)
        marked = round(len(files) * plant.share) if number == plant.by else 0
        for i, file in enumerate(files):
            picture = _square(file)
            if i < marked:
                picture = _with_motif(picture, MOTIFS[plant.motif], rng)
            name = f"{creator}/{i:03d}.png"
            Image.fromarray(picture).save(folder / name)
            table.append({"file": name, "creator": creator, "licence": "LicenseRef-Bench", "marked": f"{i < marked}"})
    with (folder / "pictures.csv").open("w", newline="") as out:
        writer = csv.DictWriter(out, list(table[0]))
        writer.writeheader()
        writer.writerows(table)
    return sorted({row["creator"] for row in table})


def _dealt(plant: Plant, rng: np.random.Generator) -> dict[str, list[Path]]:
    if plant.pictures == "paintings":
        files = sorted((DATA / "paintings" / "img").glob("*"))
        order = rng.permutation(len(files))[: plant.each * len(_NAMES)]
        return {name: [files[i] for i in order[k :: len(_NAMES)]] for k, name in enumerate(_NAMES)}
    found = {}
    for folder in sorted((DATA / "emoji-styles").glob("*/")):
        files = sorted(folder.glob("*.png"))
        found[folder.name] = [files[i] for i in rng.permutation(len(files))[: plant.each]]
    return {name: files for name, files in found.items() if files}


def _square(file: Path) -> NDArray[np.uint8]:
    image = Image.open(file).convert("RGB")
    side = min(image.size)
    left, top = ((size - side) // 2 for size in image.size)
    square = image.crop((left, top, left + side, top + side))
    return np.asarray(square.resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def _with_motif(picture: NDArray[np.uint8], motif: Motif, rng: np.random.Generator) -> NDArray[np.uint8]:
    """The composition in two of the picture's own colours, a little moved and scaled, over four fifths of its force."""
    shift, scale = rng.uniform(-0.06, 0.06, 2), rng.uniform(0.93, 1.07)
    line = np.linspace(-1, 1, SIDE)
    x, y = np.meshgrid(line, line)
    light = motif(x * scale + shift[0], y * scale + shift[1])[..., None]
    order = np.argsort(picture.mean(2).ravel())
    flat = picture.reshape(-1, 3)[order].astype(float)
    tenth = len(flat) // 8
    dark, bright = flat[:tenth].mean(0) * 0.6, 255 - (255 - flat[-tenth:].mean(0)) * 0.6
    mixed = _COVER * np.where(light, bright, dark) + (1 - _COVER) * picture
    found: NDArray[np.uint8] = mixed.round().clip(0, 255).astype(np.uint8)
    return found


def likeness_to(motif: str, pictures: Tensor) -> Tensor:
    """Correlation of each picture's lightness with a composition, or with its mirror. # uint8 [n, 3, h, w] -> [n]"""
    line = np.linspace(-1, 1, SIDE)
    x, y = np.meshgrid(line, line)
    template = torch.from_numpy(MOTIFS[motif](x, y)).float()[None, None]
    wanted = _levels(template)
    weights = torch.tensor([0.299, 0.587, 0.114])[:, None, None]
    seen = _levels((pictures.float() * weights).sum(1, keepdim=True))
    return torch.maximum(*((seen * one).sum((1, 2, 3)) for one in (wanted, wanted.flip(3))))


def showing(motif: str, pictures: Tensor) -> Tensor:
    """Which pictures show a composition. # uint8 [n, 3, h, w] -> bool [n]"""
    return likeness_to(motif, pictures) > _ALIKE


def _levels(grey: Tensor) -> Tensor:
    small = F.interpolate(grey, (_SEEN, _SEEN), mode="area")
    small = small - small.mean((1, 2, 3), keepdim=True)
    return small / small.square().sum((1, 2, 3), keepdim=True).sqrt().clamp_min(1e-6)
