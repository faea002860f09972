"""The set: training pictures, 2,200 planted copies of them, honest new pictures, and kin that are left out of these.

Everything follows from the pictures and one seed.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.copies.alterations import KINDS, altered, sized
from bench.copies.packs import Pack, write_pack
from bench.copies.pictures import PLACE, Dealt, Outsider
from bench.copies.twins import SHARED, Twin, twins
from limner.workspace import replace_folder

__all__ = ["PARTS", "CopySet", "copy_set"]

Pixels = NDArray[np.uint8]
_SEED = 20261130
_SIDES = {"paintings": (128, 256, 512), "emoji": (128, 256)}
"""Shorter sides of works, px."""
_WINDOWS = {"paintings": 12, "emoji": 1}
"""Windows that are cut of each honest picture, beside the whole."""
_TRAINING_SIDE, _ALTERED_SIDE = 512, 768
"""Shorter sides of training pictures as they are described, and as copies are made of them, px at most."""
_REPEATED = 0.3
"""A window that overlaps a former one of its picture by more of the area of both is drawn again."""
PARTS = "training", "planted", "honest", "kin"


@dataclass(frozen=True)
class CopySet:
    """Packs of one kind of pictures.

    Attributes:
        training: facts: `title`, `digest`.
        planted: facts: `kind`, `source` (a number in `training`), `side`.
        honest: facts: `title`, `family`, `window`, `half` (0 chooses thresholds, 1 reports).
        kin: pictures from outside that show in part what a training picture shows; facts as `honest`, and `share`.
    """

    name: str
    training: Pack
    planted: Pack
    honest: Pack
    kin: Pack

    def parts(self) -> dict[str, Pack]:
        """All packs by name."""
        return {part: getattr(self, part) for part in PARTS}


def copy_set(given: Dealt) -> CopySet:
    """The set of these pictures; made in one step where it is missing."""
    folder = PLACE / f"{given.name}-{given.collection.digest.removeprefix('sha256:')[:12]}"
    if not all((folder / part).is_dir() for part in PARTS):
        near = _of_series(given)
        honest = [one for one, twin in zip(given.outsiders, near, strict=True) if twin.share < SHARED]
        kin = [(one, twin) for one, twin in zip(given.outsiders, near, strict=True) if twin.share >= SHARED]
        made = _training(given), _planted(given, honest), _honest(given.name, honest), _kin(given, kin)
        for part, pictures in zip(PARTS, made, strict=True):
            if not (folder / part).is_dir():
                with replace_folder(folder / part) as place:
                    write_pack(place, pictures)
    return CopySet(given.name, *(Pack(folder / part) for part in PARTS))


def _of_series(given: Dealt) -> list[Twin]:
    """For each outsider, what it or another of its series shares with a training picture at most."""
    found = twins((one.read() for one in given.outsiders), (given.read(row) for row in given.training))
    most: dict[str, Twin] = {}
    for one, twin in zip(given.outsiders, found, strict=True):
        if one.series not in most or twin.share > most[one.series].share:
            most[one.series] = twin
    return [most[one.series] for one in given.outsiders]


def _training(given: Dealt) -> Iterator[tuple[Pixels, dict[str, Any]]]:
    for row in given.training:
        yield _shrunk(given.read(row), _TRAINING_SIDE), {"title": row.title, "digest": row.pixel_sha256}


def _planted(given: Dealt, honest: Sequence[Outsider]) -> Iterator[tuple[Pixels, dict[str, Any]]]:
    sides = _SIDES[given.name]

    @lru_cache(maxsize=1000)
    def source_of(number: int) -> Pixels:
        return _shrunk(given.read(given.training[number]), _ALTERED_SIDE)

    @lru_cache(maxsize=1000)
    def other_of(number: int) -> Pixels:
        return _shrunk(honest[number].read(), _ALTERED_SIDE)

    for kind in KINDS.values():
        order = _random(given.name, kind.name).permutation(len(given.training))
        for number in range(kind.count):
            random = _random(given.name, kind.name, number)
            source = int(order[number % len(order)])
            other, side = int(random.integers(len(honest))), int(random.choice(sides))
            shown = altered(source_of(source), other_of(other), kind, side, random)
            facts = {"kind": kind.name, "source": source, "side": side, "other": honest[other].title}
            yield shown, facts


def _honest(name: str, honest: Sequence[Outsider]) -> Iterator[tuple[Pixels, dict[str, Any]]]:
    for number, one in enumerate(honest):
        random, image = _random(name, "honest", number), Image.fromarray(one.read())
        boxes: list[tuple[int, int, int, int]] = []
        for window in range(1 + _WINDOWS[name]):
            box = _window(image, boxes, random) if window else None
            cut = image.crop(box) if box else image
            facts = {"title": one.title, "family": one.family, "window": box, "half": _half(one.family)}
            yield np.asarray(sized(cut, int(random.choice(_SIDES[name])))), facts


def _kin(given: Dealt, kin: Sequence[tuple[Outsider, Twin]]) -> Iterator[tuple[Pixels, dict[str, Any]]]:
    for number, (one, twin) in enumerate(kin):
        side = int(_random(given.name, "kin", number).choice(_SIDES[given.name]))
        facts = {"title": one.title, "family": one.family, "share": twin.share, "source": twin.other}
        yield np.asarray(sized(Image.fromarray(one.read()), side)), facts


def _window(
    image: Image.Image, former: list[tuple[int, int, int, int]], random: np.random.Generator
) -> tuple[int, int, int, int]:
    """A window of 0.3 to 0.9 of the sides, unlike those before it where twenty draws find one."""
    box = (0, 0, *image.size)
    for _ in range(20):
        share, shape = random.uniform(0.3, 0.9), random.uniform(0.8, 1.25)
        width = min(image.width, round(image.width * share * shape**0.5))
        height = min(image.height, round(image.height * share / shape**0.5))
        left, top = int(random.integers(image.width - width + 1)), int(random.integers(image.height - height + 1))
        box = (left, top, left + width, top + height)
        if all(_overlap(box, other) <= _REPEATED for other in former):
            break
    former.append(box)
    return box


def _overlap(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> float:
    """Area that two boxes share, by the area of both together."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    common = max(0, width) * max(0, height)
    both = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return common / (both - common)


def _shrunk(pixels: Pixels, side: int) -> Pixels:
    image = Image.fromarray(pixels)
    return np.asarray(sized(image, side)) if min(image.size) > side else pixels


def _half(family: str) -> int:
    """On which side a family is counted."""
    return zlib.crc32(family.encode()) % 2


def _random(*names: str | int) -> np.random.Generator:
    return np.random.default_rng([_SEED, *(zlib.crc32(str(name).encode()) for name in names)])
