"""A family of works as one picture: ancestors above, the work in the middle, descendants below."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageOps

from limner import pictures
from limner.errors import PictureError
from limner.works.acts import DRAW
from limner.works.family import Kin
from limner.works.origins import file_digest

Paint = Callable[[str], "NDArray[np.uint8] | None"]

_SIDE, _GAP, _ROW = 128, 24, 72
_PAPER, _INK, _FAINT = (252, 251, 248), (60, 58, 54), (168, 164, 156)
_MOST = 16


def draw_family(above: Kin, below: Kin, path: Path, paint: Paint = lambda digest: None) -> None:
    """Draw a work's ancestors above it and its descendants below it, as a PNG.

    Args:
        above, below: the work itself, with its ancestors and its descendants.
        paint: paints a picture of a seed from its latent's digest; None where it cannot.
    """
    up, down = _generations(above), _generations(below)
    rows = [*reversed(up[1:]), up[0], *down[1:]]
    width = max(len(row) for row in rows) * (_SIDE + _GAP) + _GAP
    height = len(rows) * (_SIDE + _ROW) + _GAP
    sheet = Image.new("RGB", (max(width, 360), height), _PAPER)
    draw = ImageDraw.Draw(sheet)
    places: dict[int, tuple[int, int]] = {}
    for number, row in enumerate(rows):
        top = _GAP + number * (_SIDE + _ROW)
        left = (sheet.width - len(row) * (_SIDE + _GAP) + _GAP) // 2
        for i, (kin, _) in enumerate(row):
            places[id(kin)] = (left + i * (_SIDE + _GAP), top)
    # The work stands in both families.
    places[id(below)] = places[id(above)]
    for row in rows:
        for kin, parent in row:
            if parent is not None:
                _line(draw, places[id(kin)], places[id(parent)])
    for row in rows:
        for kin, _ in row:
            shown = paint(kin.digest) if kin.made == DRAW else _seen(kin)
            _one(sheet, kin, shown, places[id(kin)], own=kin is above)
    pictures.write(np.asarray(sheet), path)


def _generations(kin: Kin) -> list[list[tuple[Kin, Kin | None]]]:
    """By distance from the work, each with whom it hangs on; at most 16 a row."""
    rows: list[list[tuple[Kin, Kin | None]]] = [[(kin, None)]]
    while following := [(one, parent) for parent, _ in rows[-1] for one in parent.kin]:
        rows.append([*following[:_MOST]])
    return rows


def _line(draw: ImageDraw.ImageDraw, one: tuple[int, int], other: tuple[int, int]) -> None:
    upper, lower = sorted((one, other), key=lambda place: place[1])
    start, end = (upper[0] + _SIDE // 2, upper[1] + _SIDE + 22), (lower[0] + _SIDE // 2, lower[1] - 4)
    middle = (start[1] + end[1]) // 2
    draw.line([start, (start[0], middle), (end[0], middle), end], fill=_FAINT, width=2)


def _one(sheet: Image.Image, kin: Kin, shown: NDArray[np.uint8] | None, place: tuple[int, int], *, own: bool) -> None:
    (left, top), draw = place, ImageDraw.Draw(sheet)
    if shown is None:
        draw.rectangle([left, top, left + _SIDE, top + _SIDE], outline=_FAINT)
        draw.text((left + 8, top + _SIDE // 2 - 6), "picture not here", fill=_FAINT)
    else:
        method = Image.Resampling.NEAREST if max(shown.shape[:2]) < _SIDE else Image.Resampling.LANCZOS
        sheet.paste(ImageOps.pad(Image.fromarray(shown), (_SIDE, _SIDE), method, _PAPER), place)
    if own:
        draw.rectangle([left - 4, top - 4, left + _SIDE + 3, top + _SIDE + 3], outline=_INK, width=2)
    said = kin.name if kin.made == DRAW else kin.made or "picture"
    steps = kin.how.get("along") or kin.how.get("blocks") or kin.how.get("weights")
    if isinstance(steps, dict):
        said += " " + " ".join(f"{name} {size:+g}" for name, size in steps.items())
    elif steps:
        said += f" {steps}"
    draw.text((left, top + _SIDE + 6), said[:22], fill=_INK)


def _seen(kin: Kin) -> NDArray[np.uint8] | None:
    # What lies there now may be another picture than the one that was published.
    if kin.path is None or not kin.path.is_file() or file_digest(kin.path) != kin.digest:
        return None
    try:
        return pictures.read(kin.path).pixels
    except PictureError:
        return None
