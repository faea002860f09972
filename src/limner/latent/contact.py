"""The contact sheet that an artist chooses from: numbered pictures, those that were kept marked."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

_SIDE, _GAP, _TITLE, _LINE = 192, 24, 56, 36
_PAPER, _INK, _FAINT = (252, 251, 248), (60, 58, 54), (168, 164, 156)


def draw_contact(shown: NDArray[np.uint8], kept: Sequence[bool], title: str) -> NDArray[np.uint8]:
    """Draw pictures in rows, each with its number below it, from 1. # uint8 [n, h, w, 3] -> [height, width, 3]

    Small pictures are enlarged by a whole number to about 192 px.

    Args:
        kept: which of them get a frame and a filled number.
    """
    count, height, width = shown.shape[:3]
    scale = max(1, round(_SIDE / max(height, width)))
    tall, wide = height * scale, width * scale
    columns = math.ceil(math.sqrt(count * 4 / 3))
    rows = -(-count // columns)
    sheet = Image.new("RGB", (columns * (wide + _GAP) + _GAP, _TITLE + rows * (tall + _LINE + _GAP)), _PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((_GAP, _TITLE // 2), title, fill=_INK, font=ImageFont.load_default(18), anchor="lm")
    for i, picture in enumerate(shown):
        left, top = _GAP + i % columns * (wide + _GAP), _TITLE + i // columns * (tall + _LINE + _GAP)
        tile = Image.fromarray(picture).resize((wide, tall), Image.Resampling.BICUBIC)
        sheet.paste(tile, (left, top))
        # Many pictures are white to the edge: a thin line says where they end.
        draw.rectangle([left - 1, top - 1, left + wide, top + tall], outline=_FAINT)
        _number(draw, (left, top, wide, tall), i + 1, kept[i])
    return np.asarray(sheet)


def _number(draw: ImageDraw.ImageDraw, place: tuple[int, int, int, int], number: int, kept: bool) -> None:
    left, top, wide, tall = place
    middle, font = (left + 20, top + tall + _LINE // 2 + 3), ImageFont.load_default(20)
    if kept:
        draw.rectangle([left - 5, top - 5, left + wide + 4, top + tall + 4], outline=_INK, width=4)
        draw.rounded_rectangle([left, middle[1] - 14, left + 40, middle[1] + 13], 6, fill=_INK)
        draw.text((left + 50, middle[1]), "kept", fill=_INK, font=ImageFont.load_default(16), anchor="lm")
    draw.text(middle, str(number), fill=_PAPER if kept else _INK, font=font, anchor="mm")
