"""The credits of a work as one picture: the work, the map of its sources in colours, and the sources themselves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps

from limner import pictures
from limner.collection import Collection
from limner.errors import CollectionError
from limner.papers.verify.showing import font, shown
from limner.synthesis import SourceMap, SourceShare
from limner.workspace import Workspace

_PAPER, _INK, _SOFT = (250, 249, 246), (28, 28, 30), (120, 118, 112)
_WIDE, _EDGE, _GAP, _COLUMNS, _SHOWN = 1600, 48, 24, 6, 12


def credits_picture(pixels: NDArray[np.uint8], sources: SourceMap, workspace: Workspace) -> NDArray[np.uint8]:
    """The work beside its map, below them the pictures that gave most, each with its colour and share.

    # uint8 [h, w, 3] -> uint8 [height, 1600, 3]
    """
    half = (_WIDE - 2 * _EDGE - _GAP) // 2
    tall = round(half * pixels.shape[0] / pixels.shape[1])
    shares = sources.shares()[:_SHOWN]
    colours = {one.digest: tuple(map(int, c)) for one, c in zip(sources.exemplars, sources.colours(), strict=True)}
    thumb = (_WIDE - 2 * _EDGE - (_COLUMNS - 1) * _GAP) // _COLUMNS
    rows = -(-len(shares) // _COLUMNS)
    row_tall = round(thumb * 0.75) + 84
    sheet = Image.new("RGB", (_WIDE, 2 * _EDGE + tall + _GAP + rows * row_tall), _PAPER)
    work = Image.fromarray(pixels).resize((half, tall), Image.Resampling.LANCZOS)
    drawn = Image.fromarray(sources.picture()).resize((half, tall), Image.Resampling.NEAREST)
    sheet.paste(work, (_EDGE, _EDGE))
    sheet.paste(Image.blend(work.convert("L").convert("RGB"), drawn, 0.62), (_EDGE + half + _GAP, _EDGE))
    pen = ImageDraw.Draw(sheet)
    for number, one in enumerate(shares):
        left = _EDGE + (number % _COLUMNS) * (thumb + _GAP)
        top = _EDGE + tall + _GAP + (number // _COLUMNS) * row_tall
        _source(sheet, pen, (left, top), thumb, one, colours[one.exemplar.digest], workspace)
    return np.array(sheet)


def _source(
    sheet: Image.Image,
    pen: ImageDraw.ImageDraw,
    at: tuple[int, int],
    wide: int,
    one: SourceShare,
    colour: tuple[int, ...],
    workspace: Workspace,
) -> None:
    left, top = at
    tall = round(wide * 0.75)
    found = _picture_of(one.exemplar.digest, workspace)
    if found is not None:
        sheet.paste(ImageOps.fit(Image.fromarray(found), (wide, tall)), at)
    pen.rectangle([left, top + tall, left + wide - 1, top + tall + 9], fill=colour)
    bold, plain = font(17, bold=True), font(15)
    pen.text((left, top + tall + 16), f"{one.share:.0%}  {_cut(one.exemplar.title, bold, wide - 54)}", _INK, bold)
    pen.text((left, top + tall + 40), _cut(one.exemplar.creator or "unknown", plain, wide), _SOFT, plain)


def _picture_of(digest: str, workspace: Workspace) -> NDArray[np.uint8] | None:
    """A picture of this workspace's collections by the digest of its pixels; None where none has it."""
    for name in Collection.names(workspace):
        try:
            collection = Collection.open(name, workspace)
            row = next((row for row in collection.rows() if row.pixel_sha256 == digest), None)
            if row is not None:
                return pictures.read(collection.picture_path(row)).pixels
        except CollectionError:
            continue
    return None


def _cut(text: str, drawn: ImageFont.FreeTypeFont, wide: int) -> str:
    text = shown(text)
    if drawn.getlength(text) <= wide:
        return text
    while text and drawn.getlength(text + "…") > wide:
        text = text[:-1]
    return text.rstrip() + "…"
