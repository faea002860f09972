"""A picture file taken apart just so far that one can say which part of it was changed.

Pixels are not decoded: decoders differ in their last bits, the compressed bytes do not.
"""

from __future__ import annotations

import contextlib
import hashlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

from limner.papers.c2pa.store import STORE_TYPE
from limner.pictures.containers import boxes, jpeg_segments, png_chunks, riff_chunks
from limner.pictures.structure import MEDIA_TYPES, sniff

__all__ = ["Parts", "kind_of", "take_apart"]

_XMP_LIMIT = 4 << 20
_PNG_KEYWORD = b"XML:com.adobe.xmp\0"
_JPEG_KEYWORD = b"http://ns.adobe.com/xap/1.0/\0"
_XMP_START, _XMP_END = b"<x:xmpmeta", b"</x:xmpmeta>"
# What every C2PA manifest holds: the type of its outermost box, and two labels. A damaged one has two of them.
_MANIFEST_MARKS = (STORE_TYPE, b"\x03c2pa.assertions\0", b"\x03c2pa.signature\0")


@dataclass
class Parts:
    """What lies in a picture file.

    Attributes:
        kind: MIME type by the file's first bytes, whatever its name says; None for an unknown one.
        image: the compressed picture data, in pieces.
        xmp: the XMP packet.
        brands: of an AVIF, the box that says what kind of file it is; C2PA's hash leaves it out.
        has_manifest: whether bytes of a C2PA manifest lie in it, readable or not.
    """

    kind: str | None
    image: list[memoryview] = field(default_factory=list)
    xmp: bytes | None = None
    brands: bytes | None = None
    has_manifest: bool = False

    def digests(self) -> dict[str, str]:
        """sha256 by part, as a manifest holds them."""
        image = hashlib.sha256()
        for piece in self.image:
            image.update(piece)
        found = {"image": f"sha256:{image.hexdigest()}"}
        if self.xmp is not None:
            found["xmp"] = f"sha256:{hashlib.sha256(self.xmp).hexdigest()}"
        if self.brands is not None:
            found["brands"] = f"sha256:{hashlib.sha256(self.brands).hexdigest()}"
        return found


def kind_of(data: bytes) -> str | None:
    """MIME type by the first bytes; None for what is no picture that could carry papers."""
    format = sniff(data[:256])
    if format is None and data[4:8] == b"ftyp":  # of other brands, such as a film: read as what it is built like
        format = "heif"
    return MEDIA_TYPES[format] if format and format != "jxl" else None


def take_apart(data: bytes) -> Parts:
    """Find the parts of the picture in `data`; of a damaged file, those before the damage. Never raises."""
    kind = kind_of(data)
    parts = Parts(kind, has_manifest=sum(mark in data for mark in _MANIFEST_MARKS) >= 2)
    walk = _WALKS.get(kind or "")
    if walk:
        with contextlib.suppress(IndexError, zlib.error):  # a damaged text of a PNG
            walk(data, parts)
    if parts.xmp is None:
        parts.xmp = _xmp_anywhere(data)
    if kind in ("image/avif", "image/heif"):
        parts.image = _without(parts.image, parts.xmp)
    return parts


def _xmp_anywhere(data: bytes) -> bytes | None:
    """XMP was made to be found by programs that do not know the format around it."""
    start = data.find(_XMP_START)
    end = data.find(_XMP_END, start) + len(_XMP_END)
    return data[start:end] if 0 <= start < end - len(_XMP_END) else None


def _png(data: bytes, parts: Parts) -> None:
    view = memoryview(data)
    for chunk in png_chunks(data):
        if chunk.name in (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"fdAT"):
            parts.image.append(view[chunk.body : chunk.end])
        elif chunk.name == b"iTXt" and data.startswith(_PNG_KEYWORD, chunk.body) and parts.xmp is None:
            parts.xmp = _png_text(data[chunk.body + len(_PNG_KEYWORD) : chunk.end])


def _png_text(body: bytes) -> bytes:
    compressed = body[0]
    text = body[2:].split(b"\0", 2)[2]
    if not compressed:
        return text
    return zlib.decompressobj().decompress(text, _XMP_LIMIT)


def _jpeg(data: bytes, parts: Parts) -> None:
    view = memoryview(data)
    for segment in jpeg_segments(data):
        if segment.name == b"\xe1" and data.startswith(_JPEG_KEYWORD, segment.body):
            parts.xmp = parts.xmp or data[segment.body + len(_JPEG_KEYWORD) : segment.end]
        elif segment.name == b"\xda":
            parts.image.append(view[segment.start :])
        elif segment.name < b"\xe0":  # tables and frame headers, without which the rest says nothing
            parts.image.append(view[segment.body : segment.end])


def _webp(data: bytes, parts: Parts) -> None:
    view = memoryview(data)
    for chunk in riff_chunks(data):
        if chunk.name in (b"VP8 ", b"VP8L", b"ALPH", b"ANMF", b"ANIM"):
            parts.image.append(view[chunk.body : chunk.end])
        elif chunk.name == b"XMP ":
            parts.xmp = parts.xmp or data[chunk.body : chunk.end]


def _bmff(data: bytes, parts: Parts) -> None:
    view = memoryview(data)
    for box in boxes(data):
        if box.name == b"ftyp" and parts.brands is None:
            parts.brands = data[box.start : box.stop]
        elif box.name == b"mdat":
            parts.image.append(view[box.body : box.end])


def _without(pieces: list[memoryview], inner: bytes | None) -> list[memoryview]:
    """AVIF keeps XMP among the picture's data: cut it out, so that each has a digest of its own."""
    left = []
    for piece in pieces:
        at = bytes(piece).find(inner) if inner else -1
        left += [piece] if at < 0 else [piece[:at], piece[at + len(inner or b"") :]]
    return left


_WALKS: dict[str, Callable[[bytes, Parts], None]] = {
    "image/png": _png,
    "image/jpeg": _jpeg,
    "image/webp": _webp,
    "image/avif": _bmff,
    "image/heif": _bmff,
}
