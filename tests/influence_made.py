"""Pictures of three creators, of whom one composes otherwise; a model that says it learned from them."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from limner.collection import Collection, Row, import_collection
from limner.collection.cache import PictureCache
from limner.collection.views import Augmentation
from limner.influence.sources import Learned
from limner.models.bundle import load_model, save_model
from limner.models.card import CollectionNote
from limner.rights import summary
from limner.workspace import Workspace
from models_made import made_model

CREATORS = ("Ada", "Bo", "Cy")


def banded(number: int, side: int = 32) -> NDArray[np.uint8]:
    """A light band across, as only Bo paints it. # uint8 [side, side, 3]"""
    rng = np.random.default_rng(number)
    picture = rng.normal(60, 12, (side, side, 3))
    picture[side // 3 : 2 * side // 3] += 120
    return picture.clip(0, 255).astype(np.uint8)


def spotted(number: int, side: int = 32) -> NDArray[np.uint8]:
    """A dark spot somewhere on light ground. # uint8 [side, side, 3]"""
    rng = np.random.default_rng(number)
    picture = rng.normal(190, 12, (side, side, 3))
    top, left = rng.integers(0, side // 2, 2)
    picture[top : top + side // 2, left : left + side // 2] -= 120
    return picture.clip(0, 255).astype(np.uint8)


def made_creators(workspace: Workspace, folder: Path, each: int = 13) -> Collection:
    """Bo's pictures are banded; Ada's and Cy's are spotted alike."""
    folder.mkdir(parents=True)
    with (folder / "pictures.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "title", "creator", "licence", "kind"])
        for number in range(3 * each):
            creator = CREATORS[number % 3]
            Image.fromarray(banded(number) if creator == "Bo" else spotted(number)).save(folder / f"{number:03d}.png")
            writer.writerow([f"{number:03d}.png", f"No. {number}", creator, "CC-BY-4.0", "only"])
    import_collection(folder, "three", workspace, processes=1)
    return Collection.open("three", workspace)


def made_learned(folder: Path, each: int = 12) -> Learned:
    """The same pictures as a model saw them, without a collection."""
    pixels = [banded(number) if number % 3 == 1 else spotted(number) for number in range(3 * each)]
    folder.mkdir(parents=True)
    (folder / "pixels.bin").write_bytes(b"".join(one.tobytes() for one in pixels))
    np.save(folder / "shapes.npy", np.array([one.shape[:2] for one in pixels], dtype=np.int64))
    return learned_at(folder)


def learned_at(folder: Path) -> Learned:
    """What `made_learned` left there."""
    rows = tuple(
        Row(f"{i}.png", f"{i:064x}", f"{i:064x}", 32, 32, "png", "", creator=CREATORS[i % 3], licence="CC0-1.0")
        for i in range(len(PictureCache(folder)))
    )
    return Learned(rows, "ab" * 32, PictureCache(folder), (32, 32), Augmentation())


def made_learner(workspace: Workspace, collection: Collection, name: str = "m") -> Path:
    """A model file whose card names the collection."""
    path = workspace.make(workspace.models) / f"{name}.safetensors"
    made_model(path, labels=())
    made = load_model(path)
    rows = collection.rows(split="train")
    note = CollectionNote(
        name=collection.name,
        digest=collection.digest,
        holdout_digest=collection.holdout_digest,
        pictures=len(rows),
        held_out=len(collection.rows(split="holdout")),
    )
    save_model(path, made.generator, made.card.model_copy(update={"collection": note, "rights": summary(rows)}))
    return path
