"""The pictures that watermarks are measured on: paintings that ship with limner, photographs that the user fetched."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.places import BENCH
from limner import pictures
from limner.collection import PAINTINGS

__all__ = ["CREDIT", "Samples", "photographs", "samples"]

_LIST = BENCH / "photographs.txt"
_LOOKED_AT = 60
"""Paintings that were looked at while the mark's constants were chosen; they measure nothing."""
_SMALLER, _LARGER = 256, 512
_DETAIL = 900
"""Shorter side, px, of a photograph of which a detail is cut."""
CREDIT = (
    "Paintings: public domain, they ship with limner. Photographs: from the Debian packages lomiri-wallpapers-16.04, "
    "lomiri-wallpapers-20.04 (CC-BY-4.0, CC-BY-SA-3.0, CC-BY-SA-4.0, CC0-1.0), mate-backgrounds (GPL-2+) and "
    "plasma-workspace-wallpapers (LGPL-3.0), two views of each; their names are in `photographs.txt`, none is shown."
)


@dataclass(frozen=True)
class Samples:
    """Pictures of one size.

    Attributes:
        pixels: uint8 [n, size, size, 3].
        sets: what each is, `paintings` or `photographs`; they take turns, so that any first part holds both.
    """

    pixels: NDArray[np.uint8]
    sets: list[str]


def photographs(folder: Path) -> list[Path]:
    """Photographs in a folder: those of the Debian packages where they are there, otherwise every JPEG and PNG."""
    listed = [line for line in _LIST.read_text().splitlines() if line and not line.startswith("#")]
    known = [folder / name for name in listed if (folder / name).is_file()]
    return known or sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))


def samples(size: int, folder: Path | None, most: int) -> Samples:
    """Paintings and, where a folder is given, photographs.

    Paintings are squares of 256 px as they are, enlarged (Lanczos) for 512. A photograph gives two views: the largest
    square at its end, shrunk, and a detail.

    Args:
        size: 256 or 512.
        folder: of photographs.
        most: of either set.

    Raises:
        ValueError: another size.
    """
    if size not in (_SMALLER, _LARGER):
        raise ValueError(f"{size} px: samples are made at {_SMALLER} and {_LARGER} px")
    paths = sorted((PAINTINGS / "img").iterdir())
    random.Random(1).shuffle(paths)
    painted = [_sized(_square(path), size) for path in paths[_LOOKED_AT:][:most]]
    views = [view for path in photographs(folder) for view in _views(path, size)][:most] if folder else []
    turns = [("paintings", pixels) for pixels in painted], [("photographs", pixels) for pixels in views]
    longest = max(len(turn) for turn in turns)
    mixed = [turn[i] for i in range(longest) for turn in turns if i < len(turn)]
    return Samples(np.stack([pixels for _, pixels in mixed]), [name for name, _ in mixed])


def _square(path: Path) -> Image.Image:
    """The middle of a painting. # 256 x 256"""
    image = Image.fromarray(pictures.read(path).pixels)
    left, top = (image.width - _SMALLER) // 2, (image.height - _SMALLER) // 2
    return image.crop((left, top, left + _SMALLER, top + _SMALLER))


def _sized(image: Image.Image, size: int) -> NDArray[np.uint8]:
    return np.asarray(image if image.width == size else image.resize((size, size), Image.Resampling.LANCZOS))


def _views(path: Path, size: int) -> list[NDArray[np.uint8]]:
    image = Image.fromarray(pictures.read(path).pixels)
    side = min(image.size)
    whole = image.crop((image.width - side, image.height - side, image.width, image.height))
    share = _DETAIL / side
    close = image.resize((round(image.width * share), round(image.height * share)), Image.Resampling.LANCZOS)
    left, top = (close.width - _LARGER) * 4 // 5, (close.height - _LARGER) * 3 // 5
    return [_sized(whole, size), _sized(close.crop((left, top, left + _LARGER, top + _LARGER)), size)]
