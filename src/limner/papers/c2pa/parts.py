"""A picture file taken apart just so far that one can say which part of it was changed.

Pixels are not decoded: decoders differ in their last bits, the compressed bytes do not.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

from limner.digests import digest_of
from limner.papers.c2pa.store import STORE_TYPE
from limner.pictures.containers import Piece, boxes, jpeg_segments, png_chunks, riff_chunks
from limner.pictures.structure import MEDIA_TYPES, sniff
from limner.pictures.xmp import LARGEST_PACKET

_XMP_START, _XMP_END = b"<x:xmpmeta", b"</x:xmpmeta>"
# What every C2PA manifest holds: the type of its outermost box, and two labels. A damaged one has two of them.
_MANIFEST_MARKS = (STORE_TYPE, b"\x03c2pa.assertions\0", b"\x03c2pa.signature\0")
_SCAN = b"\xda"


class _Layout(NamedTuple):
    """Which pieces of a format hold the picture, and which XMP, behind a keyword."""

    pieces: Callable[[bytes], Iterable[Piece]]
    image: frozenset[bytes] = frozenset()
    xmp: bytes | None = None
    keyword: bytes = b""


_UNKNOWN = _Layout(lambda data: ())
_BOXES = _Layout(boxes, frozenset((b"mdat",)))
_LAYOUTS = {
    "image/png": _Layout(
        png_chunks, frozenset((b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"fdAT")), b"iTXt", b"XML:com.adobe.xmp\0"
    ),
    # Tables and frame headers too, without which the scans say nothing.
    "image/jpeg": _Layout(
        jpeg_segments, frozenset(bytes((name,)) for name in range(0xE0)), b"\xe1", b"http://ns.adobe.com/xap/1.0/\0"
    ),
    "image/webp": _Layout(riff_chunks, frozenset((b"VP8 ", b"VP8L", b"ALPH", b"ANMF", b"ANIM")), b"XMP "),
    "image/avif": _BOXES,
    "image/heif": _BOXES,
}


@dataclass
class Parts:
    """What lies in a picture file.

    Attributes:
        kind: MIME type by the file's first bytes, whatever its name says; None for an unknown one.
        image: the compressed picture data, in pieces.
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
        image = sha256()
        for piece in self.image:
            image.update(piece)
        found = {"image": f"sha256:{image.hexdigest()}"}
        others = {"xmp": self.xmp, "brands": self.brands}
        return found | {name: digest_of(part) for name, part in others.items() if part is not None}


def kind_of(data: bytes) -> str | None:
    """MIME type by the first bytes; None for what is no picture that could carry papers."""
    format = sniff(data[:256])
    if format is None and data[4:8] == b"ftyp":  # of other brands, such as a film: read as what it is built like
        format = "heif"
    return MEDIA_TYPES[format] if format and format != "jxl" else None


def take_apart(data: bytes) -> Parts:
    """Find the parts of the picture in `data`; of a damaged file, those before the damage. Never raises."""
    kind, view = kind_of(data), memoryview(data)
    parts = Parts(kind, has_manifest=sum(mark in data for mark in _MANIFEST_MARKS) >= 2)
    layout = _LAYOUTS.get(kind or "", _UNKNOWN)
    for piece in layout.pieces(data):
        if piece.name in layout.image:
            start = piece.start if piece.name == _SCAN else piece.body
            parts.image.append(view[start : piece.end])
        elif piece.name == layout.xmp and data.startswith(layout.keyword, piece.body):
            body = data[piece.body + len(layout.keyword) : piece.end]
            parts.xmp = parts.xmp or (_png_text(body) if kind == "image/png" else body)
        elif piece.name == b"ftyp" and layout is _BOXES:
            parts.brands = parts.brands or data[piece.start : piece.stop]
    if parts.xmp is None:
        parts.xmp = _xmp_anywhere(data)
    if layout is _BOXES:
        parts.image = _without(parts.image, parts.xmp)
    return parts


def _xmp_anywhere(data: bytes) -> bytes | None:
    """XMP was made to be found by programs that do not know the format around it."""
    start = data.find(_XMP_START)
    end = data.find(_XMP_END, start) + len(_XMP_END)
    return data[start:end] if 0 <= start < end - len(_XMP_END) else None


def _png_text(body: bytes) -> bytes | None:
    """The text of an iTXt chunk behind its keyword; None where it is damaged."""
    try:
        text = body[2:].split(b"\0", 2)[2]
        return zlib.decompressobj().decompress(text, LARGEST_PACKET) if body[0] else text
    except (IndexError, zlib.error):
        return None


def _without(pieces: list[memoryview], inner: bytes | None) -> list[memoryview]:
    """AVIF keeps XMP among the picture's data: cut it out, so that each has a digest of its own."""
    left = []
    for piece in pieces:
        at = bytes(piece).find(inner) if inner else -1
        left += [piece] if at < 0 else [piece[:at], piece[at + len(inner or b"") :]]
    return left
