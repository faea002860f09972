"""What is done to a marked picture before its mark is read again, in lists from mild to hard.

Only NumPy and Pillow here, so that every program's own Python runs the very same attacks.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter

__all__ = ["LISTS", "PAIRS", "REMOVALS", "TWO", "attacked"]

Pixels = NDArray[np.uint8]
"""One picture, sRGB. # uint8 [h, w, 3]"""
Attack = Callable[[Image.Image, np.random.Generator], Image.Image]

_LANCZOS, _BICUBIC, _BILINEAR = (getattr(Image.Resampling, name) for name in ("LANCZOS", "BICUBIC", "BILINEAR"))


def _nothing(image: Image.Image, random: np.random.Generator) -> Image.Image:
    return image


def _coded(format: str, **options: Any) -> Attack:
    def attack(image: Image.Image, random: np.random.Generator) -> Image.Image:
        stream = io.BytesIO()
        image.save(stream, format, **options)
        with Image.open(stream) as opened:
            return opened.convert("RGB")

    return attack


def _noisy(sigma: float) -> Attack:
    def attack(image: Image.Image, random: np.random.Generator) -> Image.Image:
        noise = random.normal(0, sigma, (image.height, image.width, 3))
        return _image(np.asarray(image) + noise)

    return attack


def _blurred(radius: float) -> Attack:
    return lambda image, random: image.filter(ImageFilter.GaussianBlur(radius))


def _scaled(share: float, by: Image.Resampling) -> Attack:
    return lambda image, random: image.resize((round(image.width * share), round(image.height * share)), by)


def _halved(image: Image.Image, random: np.random.Generator) -> Image.Image:
    return image.resize((image.width // 2, image.height // 2), _LANCZOS).resize(image.size, _BICUBIC)


def _brighter(share: float) -> Attack:
    return lambda image, random: ImageEnhance.Brightness(image).enhance(share)


def _contrasted(share: float) -> Attack:
    return lambda image, random: ImageEnhance.Contrast(image).enhance(share)


def _cropped(share: float) -> Attack:
    """So much of each side is left; off centre, so that no block of pixels stays where it was."""

    def attack(image: Image.Image, random: np.random.Generator) -> Image.Image:
        return _part(image, round(image.width * share), round(image.height * share))

    return attack


def _part(image: Image.Image, width: int, height: int) -> Image.Image:
    left = (image.width - width) // 2 + (image.width - width) // 7
    top = (image.height - height) // 2 - (image.height - height) // 9
    return image.crop((left, top, left + width, top + height))


def _turned(degrees: float) -> Attack:
    return lambda image, random: image.rotate(degrees, _BICUBIC)


def _mirrored(image: Image.Image, random: np.random.Generator) -> Image.Image:
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def _grey(image: Image.Image, random: np.random.Generator) -> Image.Image:
    return image.convert("L").convert("RGB")


def _screenshot(image: Image.Image, random: np.random.Generator) -> Image.Image:
    """Shown at 1.3 times its size, its gamma a little off, a few pixels cut off each side, saved as JPEG 85."""
    shown = image.resize((round(image.width * 1.3), round(image.height * 1.3)), _BILINEAR)
    off = _image(255 * (np.asarray(shown) / 255) ** 1.05)
    return _coded("JPEG", quality=85)(off.crop((2, 3, off.width - 3, off.height - 2)), random)


def _printed(image: Image.Image, random: np.random.Generator) -> Image.Image:
    darker = _image(255 * (np.asarray(image) / 255) ** 1.3)
    return ImageEnhance.Color(darker).enhance(0.6)


def _leaned(share: float) -> Attack:
    """Each corner moved by up to so much of the side, as if photographed from aside."""

    def attack(image: Image.Image, random: np.random.Generator) -> Image.Image:
        corners = np.array([(0, 0), (0, image.height), (image.width, image.height), (image.width, 0)], float)
        moved = corners + random.uniform(-share, share, (4, 2)) * image.size
        rows, told = [], []
        for (x, y), (u, v) in zip(corners, moved, strict=True):
            rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
            told += [u, v]
        lens = np.linalg.solve(np.array(rows), np.array(told))
        return image.transform(image.size, Image.Transform.PERSPECTIVE, tuple(lens), _BICUBIC)

    return attack


def _in_turn(*attacks: Attack) -> Attack:
    def attack(image: Image.Image, random: np.random.Generator) -> Image.Image:
        for one in attacks:
            image = one(image, random)
        return image

    return attack


def _image(values: NDArray[np.floating]) -> Image.Image:
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


_FIRST: dict[str, Attack] = {
    "none": _nothing,
    "PNG": _coded("PNG", compress_level=1),
    "JPEG 90": _coded("JPEG", quality=90),
    "JPEG 70": _coded("JPEG", quality=70),
    "WebP 80": _coded("WEBP", quality=80),
    "noise 5": _noisy(5),
    "blur 1": _blurred(1),
    "half and back": _halved,
    "brightness +20 %": _brighter(1.2),
    "brightness -20 %": _brighter(0.8),
}
_SECOND: dict[str, Attack] = {
    "JPEG 50": _coded("JPEG", quality=50),
    "x0.75": _scaled(0.75, _LANCZOS),
    "x1.5": _scaled(1.5, _BICUBIC),
    "crop 10 %": _cropped(0.9),
    "crop 25 %": _cropped(0.75),
    "flip": _mirrored,
    "screenshot": _screenshot,
}
_THIRD: dict[str, Attack] = {
    "JPEG 30": _coded("JPEG", quality=30),
    "crop 50 %": _cropped(0.5),
    "rotation 2": _turned(2),
    "contrast +30 %": _contrasted(1.3),
    "greyscale": _grey,
}
_REMOVALS: dict[str, Attack] = {
    "noise 10": _noisy(10),
    "noise 20": _noisy(20),
    "noise 30": _noisy(30),
    "JPEG 20": _coded("JPEG", quality=20),
    "JPEG 10": _coded("JPEG", quality=10),
    "blur 2": _blurred(2),
    "median 3": lambda image, random: image.filter(ImageFilter.MedianFilter(3)),
    "print-like colours": _printed,
    "rotation 5": _turned(5),
    "rotation 10": _turned(10),
    "flip and rotation 2": _in_turn(_mirrored, _turned(2)),
    "perspective 2 %": _leaned(0.02),
    "x0.5": _scaled(0.5, _LANCZOS),
    "x0.4": _scaled(0.4, _LANCZOS),
    "x3": _scaled(3, _BICUBIC),
    "crop to 96 px": lambda image, random: _part(image, 96, 96),
}
_ALL = _FIRST | _SECOND | _THIRD | _REMOVALS

TWO = "two in a row"
"""Two different ones of the first list that change something; which two, each picture is dealt."""
LISTS = {"first": tuple(_FIRST), "second": tuple(_SECOND), "third": (*_THIRD, TWO)}
"""What happens to every picture, to many, and what a mark should mostly live through."""
REMOVALS = tuple(_REMOVALS)
"""What somebody does who wants a mark gone, and geometry beyond the lists."""
PAIRS = tuple(itertools.permutations([name for name in _FIRST if name not in ("none", "PNG")], 2))
"""All ordered pairs for `TWO`: 56."""


def attacked(pixels: Pixels, name: str, index: int) -> Pixels:
    """A picture after one attack.

    Args:
        name: of the attack, or `TWO`.
        index: number of the picture; chance and pairs hang on it alone, so that all programs meet the same.

    Raises:
        KeyError: no such attack.
    """
    random = np.random.default_rng([index, *name.encode()])
    image = Image.fromarray(pixels)
    if name == TWO:
        order = np.random.default_rng(0).permutation(len(PAIRS))
        first, second = PAIRS[order[index % len(PAIRS)]]
        return np.asarray(_in_turn(_ALL[first], _ALL[second])(image, random))
    return np.asarray(_ALL[name](image, random))
