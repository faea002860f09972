"""Whom a file's own fields name: EXIF, IPTC-IIM (also in TIFF), and the texts of a PNG."""

from __future__ import annotations

from collections.abc import Iterator

from PIL import Image, IptcImagePlugin, JpegImagePlugin, TiffImagePlugin

from limner.text import one_line

_ARTIST, _COPYRIGHT = 0x013B, 0x8298
_BY_LINE, _NOTICE, _CODED = (2, 80), (2, 116), (1, 90)
_PNG_CREATORS = ("author", "artist", "creator")
_PNG_NOTICES = ("copyright", "license", "licence")
_UTF8 = b"\x1b%G"


def names_in(image: Image.Image) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Creators and copyright notices, each text once, one line; damaged fields name nobody."""
    creators: list[str] = []
    notices: list[str] = []
    for field, text in (*_exif(image), *_iptc(image), *_texts(image)):
        (creators if field == "creator" else notices).append(text)
    return tuple(dict.fromkeys(creators)), tuple(dict.fromkeys(notices))


def _exif(image: Image.Image) -> Iterator[tuple[str, str]]:
    try:
        exif = image.getexif()
        values = {"creator": exif.get(_ARTIST), "notice": exif.get(_COPYRIGHT)}
    except Exception:  # damaged EXIF names nobody
        return
    for field, value in values.items():
        if text := _plain(value):
            yield field, text


def _iptc(image: Image.Image) -> Iterator[tuple[str, str]]:
    if not isinstance(image, JpegImagePlugin.JpegImageFile | TiffImagePlugin.TiffImageFile):
        return
    try:
        found = IptcImagePlugin.getiptcinfo(image) or {}
    except Exception:  # decoders raise nearly every type there is on hostile bytes
        return
    utf8 = found.get(_CODED) == _UTF8
    for field, key in (("creator", _BY_LINE), ("notice", _NOTICE)):
        value = found.get(key)
        values = value if isinstance(value, list) else [value]
        text = ", ".join(one for raw in values if isinstance(raw, bytes) and (one := _decoded(raw, utf8)))
        if text:
            yield field, text


def _decoded(raw: bytes, utf8: bool) -> str:
    try:
        return one_line(raw.decode("utf-8"))
    except UnicodeDecodeError:
        return one_line(raw.decode("utf-8" if utf8 else "latin-1", "replace"))


def _texts(image: Image.Image) -> Iterator[tuple[str, str]]:
    for key, value in getattr(image, "text", {}).items() if image.format == "PNG" else ():
        low = str(key).lower()
        if (low in _PNG_CREATORS or low in _PNG_NOTICES) and (text := _plain(value)):
            yield ("creator" if low in _PNG_CREATORS else "notice"), text


def _plain(value: object) -> str:
    """Text from a field: one line, printable, 500 characters at most."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return one_line(value) if isinstance(value, str) else ""
