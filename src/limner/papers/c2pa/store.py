"""The manifest store of a picture file: which bytes it takes, and its boxes in one piece.

Source: C2PA specification 2.2, section A.3 (embedding manifests into files).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from itertools import dropwhile, takewhile

from limner.pictures.containers import Piece, boxes, gif_blocks, jpeg_segments, png_chunks, riff_chunks

STORE_TYPE = bytes.fromhex("6332706100110010800000AA00389B71")
"""The type of the box around all manifests: `c2pa`, and what ends every box type of C2PA."""
UUID = bytes.fromhex("D8FEC3D61B0E483C92975828877EC481")
"""The kind of box that holds the manifests in AVIF and HEIF."""
GIF_MARK = b"\x21\xff\x0bC2PA_GIF"
_PURPOSE = bytes(4) + b"manifest\0" + bytes(8)
_MISSING = "no manifest where it should be"


class ManifestFormError(Exception):
    """What about a manifest is not as limner writes it."""


def require(holds: bool, fault: str) -> None:
    """Raise `ManifestFormError` with these words where something does not hold."""
    if not holds:
        raise ManifestFormError(fault)


def manifest_store(data: bytes, kind: str | None) -> bytes | None:
    """The manifest store of a PNG, JPEG, WebP or AVIF, in one piece; None where there is none that fits together."""
    try:
        return embedded_store(data, kind)
    except ManifestFormError:
        return None


def embedded_store(data: bytes, kind: str | None) -> bytes | None:
    """The manifest store of a PNG, JPEG, WebP or AVIF, in one piece; None in another format.

    Args:
        data: the file's bytes, of the media type `kind`.

    Raises:
        ManifestFormError: there is none, or it is embedded in another way than limner's.
    """
    if kind == "image/jpeg":
        return _in_jpeg(data)
    if kind not in ("image/png", "image/webp", "image/avif", "image/heif"):
        return None
    piece = next(_pieces(data, kind), None)
    if piece is None:
        raise ManifestFormError(_MISSING)
    body = data[piece.body : piece.end]
    if kind == "image/png":
        checksum = zlib.crc32(piece.name + body).to_bytes(4, "big")
        require(data[piece.end : piece.end + 4] == checksum, "a wrong checksum on the manifest's chunk")
    elif kind == "image/webp":
        require(not any(data[piece.end : piece.stop]), "padding that is not empty")
    else:
        length = (piece.stop - piece.start).to_bytes(4, "big")
        plain = data[piece.start : piece.start + 4] == length and body.startswith(UUID + _PURPOSE)
        require(plain, "a manifest's box in another form")
        body = body[len(UUID + _PURPOSE) :]
    return body


def own_ranges(data: bytes, kind: str | None) -> list[tuple[int, int]]:
    """Where a file's manifest lies, with what the format puts around it: (start, end) of each piece."""
    if kind == "image/gif":
        start = data.find(GIF_MARK)
        blocks = list(gif_blocks(data, start + len(GIF_MARK) + 3)) if start >= 0 else []
        return [(start, blocks[-1].stop)] if blocks else []
    if kind in ("image/png", "image/jpeg", "image/webp"):
        return [(piece.start, piece.stop) for piece in _pieces(data, kind)]
    start = data.find(b"jumd" + STORE_TYPE) - 12  # the box of the store, wherever a format keeps it
    return [(start, start + int.from_bytes(data[start : start + 4], "big"))] if start >= 0 else []


def is_app11(segment: Piece) -> bool:
    """Whether a JPEG's segment is of the kind that holds manifests."""
    return segment.name == b"\xeb"


def _pieces(data: bytes, kind: str) -> Iterator[Piece]:
    if kind == "image/png":
        return (chunk for chunk in png_chunks(data) if chunk.name == b"caBX")
    if kind == "image/jpeg":
        return (one for one in jpeg_segments(data) if is_app11(one) and data.startswith(b"JP", one.body))
    if kind == "image/webp":
        return (chunk for chunk in riff_chunks(data) if chunk.name == b"C2PA")
    return (box for box in boxes(data) if box.name == b"uuid" and data.startswith(UUID, box.body))


def _in_jpeg(data: bytes) -> bytes:
    """APP11 segments, each with `JP`, an instance number, its place in the row, and the box's header once more."""
    after = dropwhile(lambda one: not is_app11(one), jpeg_segments(data))
    bodies = [data[one.body : one.end] for one in takewhile(is_app11, after)]
    require(bool(bodies), _MISSING)
    head = bodies[0][8:16]
    for place, body in enumerate(bodies, start=1):
        numbered = body[:8] == b"JP\x02\x11" + place.to_bytes(4, "big")
        require(numbered and body[8:16] == head, "segments of the manifest that do not fit together")
    return b"".join([bodies[0][8:], *(body[16:] for body in bodies[1:])])
