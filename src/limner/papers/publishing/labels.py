"""The visible label: words or a mark in the corner of a picture that say that it was generated.

The mark is drawn here: two letters in a rounded square, as the Code of Practice on marking and labelling of
AI-generated content describes its icon. It is no official artwork.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from limner.errors import PapersError, UsageError
from limner.papers.verify.showing import font

LabelKind = Literal["eu", "text"]
_Box = tuple[int, int, int, int]

_WORDS = {
    "de": "KI-generiert",
    "en": "AI-generated",
    "es": "Generado por IA",
    "fr": "Généré par IA",
    "it": "Generato dall’IA",
    "nl": "Door AI gegenereerd",
    "pl": "Wygenerowane przez AI",
    "pt": "Gerado por IA",
    "zh": "人工智能生成",
}
_LETTERS = {"de": "KI", "es": "IA", "fr": "IA", "it": "IA", "pt": "IA"}
LANGUAGES = tuple(sorted(_WORDS))
"""Languages of the label, by ISO 639-1."""

_TEXT_SHARE, _MARK_SHARE = 0.04, 0.085
"""Height of the letters of the words, and side of the mark, as shares of the picture's shorter side."""
_LEAST_TEXT, _LEAST_MARK = 11, 15
"""The same in pixels, below which they cannot be read."""
_WIDEST, _TALLEST = 0.75, 0.4
"""Shares of the picture that a label may take at most."""
_FINER = 4
"""Shapes are drawn so many times larger and then made smaller, for smooth edges."""
_CONTRAST = 4.5
"""WCAG 2.2, 1.4.3: contrast of text that anybody can read."""
_BRIGHT, _DARK = 255.0, 16.0


@dataclass(frozen=True)
class LabelRequest:
    """The label that the artist wants.

    Attributes:
        kind: `text` for words, `eu` for the mark.
    """

    kind: LabelKind
    language: str = "en"

    def __post_init__(self) -> None:
        if self.kind not in get_args(LabelKind):
            raise UsageError(
                f"--label {self.kind}", "is no label", f"use one of: {', '.join(get_args(LabelKind))}, none"
            )
        if self.language not in _WORDS:
            raise UsageError(
                f"--language {self.language}", "is no language of the label", f"use one of: {', '.join(LANGUAGES)}"
            )

    @property
    def words(self) -> str:
        """What is written in the picture."""
        return _WORDS[self.language] if self.kind == "text" else _LETTERS.get(self.language, "AI")


@dataclass(frozen=True)
class VisibleLabel:
    """A label as it was drawn.

    Attributes:
        kind, language, words: what it is and says.
        corner: `bottom right` and the like.
        box: left, top, width, height in the picture, px.
        contrast: of its letters against what lies right around them, 1 to 21 (WCAG 2.2), where it is least.
    """

    kind: LabelKind
    language: str
    words: str
    corner: str
    box: _Box
    contrast: float

    def to_dict(self) -> dict[str, Any]:
        """As papers and ledger hold it."""
        return {**asdict(self), "box": list(self.box)}


def draw_label(pixels: NDArray[np.uint8], request: LabelRequest) -> tuple[NDArray[np.uint8], VisibleLabel]:
    """The picture with a label in the corner where it hides least; `pixels` itself is left as it is.

    Args:
        pixels: uint8, [height, width, 3], sRGB.


    Raises:
        UsageError: the picture is too small for a label that can be read.
    """
    height, width = pixels.shape[:2]
    plate, ink = _mark(request, width, height) if request.kind == "eu" else _text(request, width, height)
    margin = max(2, round(0.02 * min(height, width)))
    corner, (left, top, across, down) = _place(pixels, (plate.shape[1], plate.shape[0]), margin)
    below = pixels[top : top + down, left : left + across].astype(np.float32)
    drawn, contrast = _laid_over(below, plate, ink)
    labelled = pixels.copy()
    labelled[top : top + down, left : left + across] = drawn.round().astype(np.uint8)
    box = (left, top, across, down)
    return labelled, VisibleLabel(request.kind, request.language, request.words, corner, box, round(contrast, 1))


def _text(request: LabelRequest, width: int, height: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where the plate and where the ink of the words lie, 0 to 1. # [h, w] each"""
    size = max(_LEAST_TEXT, round(_TEXT_SHARE * min(width, height)))
    while True:
        box = _font(request.language, size * _FINER).getbbox(request.words)
        across = round((box[2] - box[0]) / _FINER + 1.2 * size)
        if across <= _WIDEST * width or size == _LEAST_TEXT:
            break
        size -= 1
    down = round(1.8 * size)
    _check_fits(request, across, down, width, height)
    return _drawn(request, (across, down), size, radius=0.35 * down)


def _mark(request: LabelRequest, width: int, height: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where the plate and where the ink of the mark lie, 0 to 1. # [h, w] each"""
    side = max(_LEAST_MARK, round(_MARK_SHARE * min(width, height)))
    _check_fits(request, side, side, width, height)
    plate, ink = _drawn(request, (side, side), round(0.6 * side), radius=0.24 * side)
    if side >= 2 * _LEAST_MARK:  # a ring around fewer pixels would only blur the letters
        ring = Image.new("L", (side * _FINER, side * _FINER))
        inset, line = 0.07 * side * _FINER, max(1, round(0.035 * side * _FINER))
        far = side * _FINER - 1 - inset
        ImageDraw.Draw(ring).rounded_rectangle((inset, inset, far, far), 0.18 * side * _FINER, outline=255, width=line)
        ink = np.maximum(ink, _smaller(ring))
    return plate, ink


def _check_fits(request: LabelRequest, across: int, down: int, width: int, height: int) -> None:
    if across > _WIDEST * width or down > _TALLEST * height:
        small = "the mark needs less room: --label eu" if request.kind == "text" else "print it larger: limner enlarge"
        raise UsageError(f"{width}x{height}", f'is too small for the label "{request.words}" to be read', small)


def _drawn(
    request: LabelRequest, shape: tuple[int, int], size: int, radius: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A rounded plate of `shape` (width, height), and letters of `size` in its middle."""
    fine = (shape[0] * _FINER, shape[1] * _FINER)
    plate, ink = Image.new("L", fine), Image.new("L", fine)
    ImageDraw.Draw(plate).rounded_rectangle((0, 0, fine[0] - 1, fine[1] - 1), radius * _FINER, fill=255)
    letters = _font(request.language if request.kind == "text" else "en", size * _FINER)
    left, top, right, bottom = letters.getbbox(request.words)
    at = ((fine[0] - left - right) / 2, (fine[1] - top - bottom) / 2)
    ImageDraw.Draw(ink).text(at, request.words, fill=255, font=letters)
    return _smaller(plate), _smaller(ink)


def _smaller(mask: Image.Image) -> NDArray[np.float32]:
    return (np.asarray(mask.reduce(_FINER)) / 255).astype(np.float32)


def _place(pixels: NDArray[np.uint8], shape: tuple[int, int], margin: int) -> tuple[str, _Box]:
    height, width = pixels.shape[:2]
    across, down = shape
    right, bottom = max(0, width - across - margin), max(0, height - down - margin)
    left, top = min(margin, right), min(margin, bottom)
    corners = {
        "bottom right": (right, bottom),
        "bottom left": (left, bottom),
        "top right": (right, top),
        "top left": (left, top),
    }
    found = {name: _detail(pixels, (x, y, across, down), margin) for name, (x, y) in corners.items()}
    best = min(found, key=lambda name: round(found[name], 1))
    return best, (*corners[best], across, down)


def _detail(pixels: NDArray[np.uint8], box: _Box, margin: int) -> float:
    """Mean difference of neighbouring pixels in and around a box, 0 to 255."""
    left, top, across, down = box
    part = pixels[max(0, top - margin) : top + down + margin, max(0, left - margin) : left + across + margin]
    grey = part.astype(np.float32).mean(2)
    return float(np.abs(np.diff(grey, axis=0)).mean() + np.abs(np.diff(grey, axis=1)).mean())


def _laid_over(
    below: NDArray[np.float32], plate: NDArray[np.float32], ink: NDArray[np.float32]
) -> tuple[NDArray[np.float32], float]:
    """Plate and ink over what is below, and their contrast; the plate is as thin as can be read. # [h, w, 3]

    Over what is dark the plate is dark and the letters bright, and the other way round: so it stands out least.
    """
    dark = float(below.mean()) < 140
    paper, letter = (_DARK, _BRIGHT) if dark else (_BRIGHT, _DARK)
    for strength in (0.6, 0.7, 0.8, 0.9, 1.0):
        over = below + plate[..., None] * strength * (paper - below)
        contrast = _contrast(over[plate > 0.99], letter)
        if contrast >= _CONTRAST:
            break
    return over + ink[..., None] * (letter - over), contrast


def _contrast(colours: NDArray[np.float32], letter: float) -> float:
    """The least contrast of a grey letter against any of these colours (WCAG 2.2, relative luminance). # [n, 3]"""
    light = _luminance(colours)
    own = float(_luminance(np.full((1, 3), letter, np.float32))[0])
    worst = float(light.max() if own > light.mean() else light.min())
    return (max(own, worst) + 0.05) / (min(own, worst) + 0.05)


def _luminance(colours: NDArray[np.float32]) -> NDArray[np.float32]:
    unit = colours / 255
    linear = np.where(unit <= 0.04045, unit / 12.92, ((unit + 0.055) / 1.055) ** 2.4)
    light: NDArray[np.float32] = (linear * (0.2126, 0.7152, 0.0722)).sum(1).astype(np.float32)
    return light


@lru_cache(maxsize=32)
def _font(language: str, size: int) -> ImageFont.FreeTypeFont:
    """The font of a language at a size in px: DejaVu Sans Bold, which matplotlib brings; for Chinese our own cut."""
    path = Path(__file__).parent / "fonts" / "label-chinese.ttf"
    try:
        if language != "zh":
            return font(size, bold=True)
        return ImageFont.truetype(path, size)
    except OSError as error:
        name = path if language == "zh" else "DejaVuSans-Bold.ttf"
        raise PapersError(name, "cannot be read as a font", "install limner again") from error
