"""How a copy is altered before anybody looks for it: the kinds of the planted set, each drawn from a seed.

Only NumPy and Pillow here. Every altered picture ends at the size of a work, its shorter side 128 to 512 px.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter

__all__ = ["KINDS", "PAIR", "Class", "Kind", "altered", "sized"]

Pixels = NDArray[np.uint8]
Random = np.random.Generator
_BICUBIC, _LANCZOS = Image.Resampling.BICUBIC, Image.Resampling.LANCZOS


class Class(StrEnum):
    """Whether all of the copied picture is to be seen."""

    WHOLE = "whole"
    PARTIAL = "partial"
    EXTRA = "extra"


Alteration = Callable[[Image.Image, Image.Image, Random], Image.Image]
"""The copied picture, another, honest one, chance -> what is shown."""


@dataclass(frozen=True)
class Kind:
    """One kind of alteration.

    Attributes:
        count: of 2,000 planted copies so many are of this kind.
    """

    name: str
    of: Class
    count: int
    alter: Alteration


def _flipped(image: Image.Image, other: Image.Image, random: Random) -> Image.Image:
    """Left to right in three of four, top to bottom in one."""
    upside_down = random.random() < 0.25
    return image.transpose(Image.Transpose.FLIP_TOP_BOTTOM if upside_down else Image.Transpose.FLIP_LEFT_RIGHT)


def _quarter(image: Image.Image, other: Image.Image, random: Random) -> Image.Image:
    ways = (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)
    return image.transpose(ways[random.integers(3)])


def _degrees(random: Random) -> float:
    return float(random.uniform(2, 10) * random.choice([-1, 1]))


def _turned_filled(image: Image.Image, other: Image.Image, random: Random) -> Image.Image:
    """Turned on a canvas of its own size; corners take one plain colour: white, black, grey or the edge's mean."""
    edge = np.concatenate([np.asarray(image)[[0, -1]].reshape(-1, 3), np.asarray(image)[:, [0, -1]].reshape(-1, 3)])
    mean = tuple(int(value) for value in edge.mean(0))
    fill = ((255, 255, 255), (0, 0, 0), (128, 128, 128), mean)[random.integers(4)]
    return image.rotate(_degrees(random), _BICUBIC, fillcolor=fill)


def _turned_cropped(image: Image.Image, other: Image.Image, random: Random) -> Image.Image:
    """Turned, and cut to the largest upright rectangle without corners."""
    degrees = _degrees(random)
    width, height = _inner(image.width, image.height, math.radians(abs(degrees)))
    turned = image.rotate(degrees, _BICUBIC, expand=True)
    left, top = (turned.width - width) // 2, (turned.height - height) // 2
    return turned.crop((left, top, left + width, top + height))


def _inner(width: float, height: float, angle: float) -> tuple[int, int]:
    """The largest upright rectangle within one of these sides that is turned by a small angle, in pixels."""
    long, short = max(width, height), min(width, height)
    sine, cosine = math.sin(angle), math.cos(angle)
    if short <= 2 * sine * cosine * long:
        half = short / 2
        wide, high = (half / sine, half / cosine) if width >= height else (half / cosine, half / sine)
    else:
        double = cosine * cosine - sine * sine
        wide, high = (width * cosine - height * sine) / double, (height * cosine - width * sine) / double
    return int(wide) - 1, int(high) - 1


def _recoloured(image: Image.Image, other: Image.Image, random: Random) -> Image.Image:
    """Hue by 10 to 40 degrees, saturation by 0.5 to 1.6, brightness by 0.7 to 1.3, contrast by 0.7 to 1.4."""
    hue = int(random.uniform(10, 40) * random.choice([-1, 1]) / 360 * 256)
    hsv = np.asarray(image.convert("HSV")).copy()
    hsv[..., 0] = (hsv[..., 0].astype(int) + hue) % 256
    image = Image.fromarray(hsv, "HSV").convert("RGB")
    image = ImageEnhance.Color(image).enhance(random.uniform(0.5, 1.6))
    image = ImageEnhance.Brightness(image).enhance(random.uniform(0.7, 1.3))
    return ImageEnhance.Contrast(image).enhance(random.uniform(0.7, 1.4))


def _coded(image: Image.Image, other: Image.Image, random: Random) -> Image.Image:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=30)
    with Image.open(stream) as opened:
        return opened.convert("RGB")


def _blurred(image: Image.Image, other: Image.Image, random: Random) -> Image.Image:
    """A Gaussian of 0.5 to 2 % of the shorter side."""
    return image.filter(ImageFilter.GaussianBlur(min(image.size) * random.uniform(0.005, 0.02)))


def _cropped(least: float, most: float) -> Alteration:
    """So much of the area is cut away, at any place, in nearly the same shape."""

    def alter(image: Image.Image, other: Image.Image, random: Random) -> Image.Image:
        kept, shape = 1 - random.uniform(least, most), random.uniform(0.85, 1 / 0.85)
        across = min(1.0, math.sqrt(kept * shape))
        down = min(1.0, kept / across)
        width, height = round(image.width * min(1.0, kept / down)), round(image.height * down)
        left, top = random.integers(image.width - width + 1), random.integers(image.height - height + 1)
        return image.crop((int(left), int(top), int(left) + width, int(top) + height))

    return alter


def _occluded(image: Image.Image, other: Image.Image, random: Random) -> Image.Image:
    """A rectangle of 30 % of the area, at any place: a plain colour, or a piece of the other picture, in turns."""
    across = math.sqrt(0.3) * random.uniform(0.75, 1 / 0.75)
    width, height = round(image.width * across), round(image.height * 0.3 / across)
    left, top = int(random.integers(image.width - width + 1)), int(random.integers(image.height - height + 1))
    cover: Image.Image = Image.new("RGB", (width, height), tuple(int(value) for value in random.integers(0, 256, 3)))
    if random.random() < 0.5:
        cover = _filling(other, (width, height))
    shown = image.copy()
    shown.paste(cover, (left, top))
    return shown


def _filling(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The middle of a picture in another shape."""
    share = max(size[0] / image.width, size[1] / image.height)
    wide, high = min(image.width, size[0] / share), min(image.height, size[1] / share)
    left, top = (image.width - wide) / 2, (image.height - high) / 2
    return image.resize(size, _LANCZOS, box=(left, top, left + wide, top + high))


def _pasted(least: float, most: float) -> Alteration:
    """Into the other picture, at any place within it, the longer side so large by the other's own side."""

    def alter(image: Image.Image, other: Image.Image, random: Random) -> Image.Image:
        share = random.uniform(least, most)
        scale = share * min(other.width / image.width, other.height / image.height)
        width, height = max(1, round(image.width * scale)), max(1, round(image.height * scale))
        left, top = random.integers(other.width - width + 1), random.integers(other.height - height + 1)
        shown = other.copy()
        shown.paste(image.resize((width, height), _LANCZOS), (int(left), int(top)))
        return shown

    return alter


_SIMPLE = (
    Kind("flip", Class.WHOLE, 200, _flipped),
    Kind("quarter turn", Class.WHOLE, 200, _quarter),
    Kind("rotation 2-10, corners filled", Class.WHOLE, 150, _turned_filled),
    Kind("rotation 2-10, corners cut off", Class.WHOLE, 150, _turned_cropped),
    Kind("colour", Class.WHOLE, 200, _recoloured),
    Kind("JPEG 30", Class.WHOLE, 150, _coded),
    Kind("blur", Class.WHOLE, 150, _blurred),
    Kind("crop 10-30 %", Class.PARTIAL, 150, _cropped(0.1, 0.3)),
    Kind("crop 30-50 %", Class.PARTIAL, 150, _cropped(0.3, 0.5)),
    Kind("occlusion 30 %", Class.PARTIAL, 200, _occluded),
    Kind("pasted at 25-50 %", Class.PARTIAL, 100, _pasted(0.25, 0.5)),
    Kind("pasted at 50-75 %", Class.PARTIAL, 100, _pasted(0.5, 0.75)),
    Kind("pasted at 75-100 %", Class.PARTIAL, 100, _pasted(0.75, 1.0)),
)
PAIR = "two in a row"
"""Two different kinds, one after the other; beside the 2,000."""


def _in_turn(image: Image.Image, other: Image.Image, random: Random) -> Image.Image:
    """What pastes or cuts comes last, as one who copies would do it."""
    first, second = sorted(random.choice(len(_SIMPLE), 2, replace=False))
    return _SIMPLE[second].alter(_SIMPLE[first].alter(image, other, random), other, random)


KINDS = {kind.name: kind for kind in (*_SIMPLE, Kind(PAIR, Class.EXTRA, 200, _in_turn))}


def altered(pixels: Pixels, other: Pixels, kind: Kind, side: int, random: Random) -> Pixels:
    """A copy as it is shown.

    JPEG comes last, at the size of the work, so that its blocks are not shrunk away.

    Args:
        other: an honest picture, for kinds that need one.
        side: px, of the shorter side of what is shown.
    """
    image, second = Image.fromarray(pixels), Image.fromarray(other)
    if kind.alter is _coded:
        return np.asarray(_coded(sized(image, side), second, random))
    return np.asarray(sized(kind.alter(image, second, random), side))


def sized(image: Image.Image, side: int) -> Image.Image:
    """The picture with this shorter side, px."""
    share = side / min(image.size)
    size = max(side, round(image.width * share)), max(side, round(image.height * share))
    return image if size == image.size else image.resize(size, _LANCZOS if share < 1 else _BICUBIC)
