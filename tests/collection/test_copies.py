"""Mirrored, turned and cropped copies are found, stay on one side, and different pictures are not mixed up."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limner.collection import PAINTINGS, Collection, import_collection
from limner.collection.copies import copies, thumbnail, turned
from limner.pictures import read
from limner.workspace import Workspace

FEW = 24


def pixels(image: Image.Image) -> np.ndarray:
    data = io.BytesIO()
    image.save(data, "JPEG", quality=80)
    return np.asarray(Image.open(data).convert("RGB"))


def part(left: float, top: float, width: float, height: float) -> Callable[[Image.Image], Image.Image]:
    def cropped(image: Image.Image) -> Image.Image:
        w, h = image.size
        return image.crop((round(left * w), round(top * h), round((left + width) * w), round((top + height) * h)))

    return cropped


WAYS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "mirrored": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "turned": lambda image: image.transpose(Image.Transpose.ROTATE_90),
    "upside down": lambda image: image.transpose(Image.Transpose.ROTATE_180),
    "cropped by 3 %": part(0.03, 0.03, 0.94, 0.94),
    "cropped by 12 %": part(0.1, 0.02, 0.88, 0.88),
    "cropped by 20 %": part(0, 0.2, 0.8, 0.8),
    "cut at one side": part(0, 0, 0.8, 1),
    "mirrored and cropped": lambda image: part(0.1, 0.1, 0.85, 0.85)(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)),
}


@pytest.fixture(scope="module")
def paintings() -> list[Image.Image]:
    found = []
    for path in sorted(PAINTINGS.rglob("*.avif"))[:FEW]:
        image = Image.fromarray(read(path).pixels)
        image.thumbnail((320, 320))
        found.append(image)
    return found


@pytest.mark.parametrize("way", WAYS)
def test_copies_are_told(way: str, paintings: list[Image.Image]) -> None:
    all_pixels = [np.asarray(image) for image in paintings] + [pixels(WAYS[way](image)) for image in paintings]
    thumbnails = np.stack([thumbnail(one) for one in all_pixels])
    found = {(min(pair), max(pair)) for pair in copies(thumbnails, all_pixels.__getitem__)}
    assert found == {(i, i + FEW) for i in range(FEW)}


def test_different_pictures_are_no_copies(paintings: list[Image.Image]) -> None:
    all_pixels = [np.asarray(image) for image in paintings]
    assert list(copies(np.stack([thumbnail(one) for one in all_pixels]), all_pixels.__getitem__)) == []


def test_the_eight_ways_to_lay_a_picture_are_all_different() -> None:
    one = np.arange(12).reshape(3, 4)
    assert len({turned(one, way).tobytes() + bytes(turned(one, way).shape) for way in range(8)}) == 8


def test_no_copy_of_a_training_picture_is_held_out(
    paintings: list[Image.Image], tmp_path: Path, workspace: Workspace
) -> None:
    folder = tmp_path / "leak"
    folder.mkdir()
    for i, image in enumerate(paintings):
        image.save(folder / f"{i:03}-orig.png")
        image.save(folder / f"{i:03}-jpg.jpg", quality=75)
        WAYS["mirrored"](image).save(folder / f"{i:03}-mirror.png")
        WAYS["cropped by 20 %"](image).save(folder / f"{i:03}-crop.png")
    report = import_collection(folder, "leak", workspace, licence="CC0-1.0", creator="Ada Example")
    sides: dict[str, set[str]] = {}
    for row in Collection.open("leak", workspace).rows():
        sides.setdefault(row.file[:3], set()).add(row.split)
    assert len(sides) == FEW
    assert all(len(side) == 1 for side in sides.values())
    assert (report.near_groups, report.near_pictures, report.copies) == (FEW, 4 * FEW, 2 * FEW)
    assert report.holdout == 20
