"""What changed, as a picture: the work, the file that came back, and where they differ."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

from limner.papers.verify.showing import font
from limner.retouching.changes import Changes

Pixels = NDArray[np.uint8]

_PAPER, _INK, _SOFT, _MARK = (250, 249, 246), (29, 28, 26), (102, 98, 90), (224, 68, 30)
_EDGE, _GAP, _PANEL = 40, 24, 620


def marked_picture(after: Pixels, mask: NDArray[np.bool_]) -> Pixels:
    """The file in grey, what changed in it in its colours, with a line around. # uint8 [h, w, 3]"""
    grey = np.asarray(Image.fromarray(after).convert("L"), np.float32)
    pale = (0.45 * grey + 0.55 * 250)[..., None].repeat(3, 2)
    wide = max(1, round(max(mask.shape) / 400))
    line = ndimage.binary_dilation(mask, iterations=wide) & ~mask
    shown = np.where(mask[..., None], after, pale)
    shown[line] = _MARK
    return shown.round().astype(np.uint8)


def map_picture(changes: Changes) -> Pixels:
    """The work as it lies in the file, the file, and what changed, side by side. # uint8 [h, w, 3]"""
    height, width = changes.mask.shape
    scale = min(_PANEL / width, 1.6 * _PANEL / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    panels = (
        ("the work, where it lies in the file", changes.before),
        ("the file that came back", changes.after),
        (f"changed: {changes.changed:.1%} of the pixels", marked_picture(changes.after, changes.mask)),
    )
    sheet = Image.new("RGB", (2 * _EDGE + 3 * size[0] + 2 * _GAP, 2 * _EDGE + size[1] + 70), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for place, (words, pixels) in enumerate(panels):
        left = _EDGE + place * (size[0] + _GAP)
        method = Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BICUBIC
        sheet.paste(Image.fromarray(pixels).resize(size, method), (left, _EDGE))
        draw.text((left, _EDGE + size[1] + 14), _fitting(words, size[0]), _INK, font(17))
    said = f"Measured at {width}x{height} px; a pixel counts as changed from {changes.limit:.1f} levels of 255 on"
    draw.text((_EDGE, _EDGE + size[1] + 48), _fitting(said, sheet.width - 2 * _EDGE, 14), _SOFT, font(14))
    return np.asarray(sheet)


def _fitting(words: str, wide: int, size: int = 17) -> str:
    drawn = font(size)
    while words and drawn.getlength(words) > wide:
        words = words[:-2].rstrip() + "…" if len(words) > 2 else ""
    return words
