"""A picture of what was checked: each file small, its layers beside it, and the verdict in words."""

from __future__ import annotations

import datetime as dt
import importlib.util
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from limner import __version__, pictures
from limner.digests import digest_of
from limner.errors import PictureError, UsageError
from limner.papers.verify.verdict import Verdict

MOST = 20
"""Files on one picture."""

_WIDTH, _EDGE, _SIDE, _GAP = 1400, 48, 360, 40
_TEXT = _WIDTH - 2 * _EDGE - _SIDE - _GAP
_PAPER, _INK, _FAINT, _RULE = (250, 249, 246), (29, 28, 26), (102, 98, 90), (226, 222, 213)
_COLOURS = {
    "valid": (44, 106, 63),
    "tampered": (165, 53, 31),
    "invalid": (165, 53, 31),
    "unreadable": (138, 90, 18),
    "alike": (138, 90, 18),
}
_MARKS = {"valid": "✓", "tampered": "✗", "invalid": "✗", "unreadable": "?"}


def draw_verdicts(verdicts: Sequence[Verdict], path: Path) -> None:
    """Draw up to 20 verdicts, one below the other, as a PNG.

    Raises:
        UsageError: there are none or too many, it is no PNG, or the place cannot be written to.
    """
    if not 0 < len(verdicts) <= MOST:
        raise UsageError(f"{len(verdicts):,} files", "do not fit on one picture", f"give 1 to {MOST} with --picture")
    if path.suffix.lower() != ".png":
        raise UsageError(path, "is no name of a PNG", "give one that ends in .png")
    panels = [_panel(one) for one in verdicts]
    image = Image.new("RGB", (_WIDTH, sum(panel.height for panel in panels) + 2 * _EDGE + 24), _PAPER)
    draw, top = ImageDraw.Draw(image), _EDGE
    for panel in panels:
        image.paste(panel, (0, top))
        top += panel.height
    said = f"Checked by limner {__version__} on {dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC. "
    said += "This picture proves nothing by itself: check the files."
    draw.text((_EDGE, top), said, _FAINT, font(17))
    pictures.write(np.asarray(image), path)


def _panel(verdict: Verdict) -> Image.Image:
    """One file: its picture on the left, words on the right, a line below."""
    image = Image.new("RGB", (_WIDTH, 6000), _PAPER)
    draw, left = ImageDraw.Draw(image), _EDGE + _SIDE + _GAP
    data = _bytes(Path(verdict.path))
    foot = _thumbnail(image, draw, data, Path(verdict.path))
    top = _text(draw, (left, 0), Path(verdict.path).name, 17, _FAINT)
    colour = _COLOURS["unreadable"] if verdict.contested else _COLOURS.get(verdict.state, _FAINT)
    mark = "!" if verdict.contested else _MARKS.get(verdict.state, "–")
    top = _text(draw, (left, top + 6), f"{mark} {verdict.summary}", 27, colour, bold=True)
    for layer in verdict.layers:
        draw.text((left, top + 22), shown(layer.name), _INK, font(19, bold=True))
        beside = left + font(19, bold=True).getlength(shown(layer.name)) + 14
        draw.text((beside, top + 22), shown(layer.state), _COLOURS.get(layer.state, _FAINT), font(19))
        top = _text(draw, (left, top + 50), layer.holds, 19, _INK)
        top = _text(draw, (left, top + 2), layer.proves, 19, _FAINT)
    if data:
        top = _text(draw, (left, top + 22), digest_of(data), 15, _FAINT)
    height = max(top, foot) + 36
    draw.line((_EDGE, height - 1, _WIDTH - _EDGE, height - 1), _RULE)
    return image.crop((0, 0, _WIDTH, height + 36))


def _bytes(path: Path) -> bytes:
    try:
        return bytes(pictures.open_file(path))
    except PictureError:
        return b""


def _thumbnail(image: Image.Image, draw: ImageDraw.ImageDraw, data: bytes, path: Path) -> int:
    """Paste the picture, or an empty frame where there is none; returns where it ends."""
    try:
        seen = Image.fromarray(pictures.decode(data, path).pixels)
    except PictureError:
        draw.rectangle((_EDGE, 0, _EDGE + _SIDE - 1, _SIDE // 2), outline=_RULE, width=2)
        draw.text((_EDGE + _SIDE // 2, _SIDE // 4), "cannot be shown", _FAINT, font(19), anchor="mm")
        return _SIDE // 2
    scale = _SIDE / max(seen.size)
    size = (max(1, round(seen.width * scale)), max(1, round(seen.height * scale)))
    image.paste(seen.resize(size, Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.NEAREST), (_EDGE, 0))
    return size[1]


def _text(
    draw: ImageDraw.ImageDraw,
    place: tuple[float, float],
    words: str,
    size: int,
    colour: tuple[int, int, int],
    *,
    bold: bool = False,
) -> int:
    """Draw words in lines that fit; returns where they end."""
    drawn, top = font(size, bold=bold), place[1]
    for line in _lines(shown(words), drawn):
        draw.text((place[0], top), line, colour, drawn)
        top += round(size * 1.38)
    return int(top)


def _lines(words: str, drawn: ImageFont.FreeTypeFont) -> list[str]:
    lines = [""]
    for word in words.split():
        while drawn.getlength(word) > _TEXT:  # a long word, as digests and strangers' names are
            fits = next(i for i in range(len(word), 0, -1) if drawn.getlength(word[:i]) <= _TEXT)
            lines += [word[:fits], ""]
            word = word[fits:]
        longer = f"{lines[-1]} {word}".strip()
        if drawn.getlength(longer) <= _TEXT:
            lines[-1] = longer
        else:
            lines.append(word)
    return [line for line in lines if line][:24]


def shown(text: str) -> str:
    """Text as far as the font can draw it; any other character becomes U+FFFD, never an empty box."""
    return "".join(one if one.isprintable() and _known(one) else "\ufffd" for one in text[:4000])


@cache
def font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """The font of what limner draws, so many px high."""
    # It comes with matplotlib, and is found without importing that, which takes half a second.
    found = importlib.util.find_spec("matplotlib")
    folder = Path(str(found and found.origin)).parent / "mpl-data" / "fonts" / "ttf"
    return ImageFont.truetype(folder / ("DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"), size)


@cache
def _known(character: str) -> bool:
    """Whether the font has this character: it draws it differently from one that no font has."""
    drawn = font(19)
    return bytes(drawn.getmask(character)) != bytes(drawn.getmask("\U0010ffff"))
