"""Container formats taken apart: PNG's chunks, JPEG's segments, WebP's chunks, ISO's boxes, GIF's blocks.

Every reader walks one level, once, from header to header, and looks at nothing else: linear in time, no recursion. A
length that a file states never leads out of what holds it: such a piece ends there and is not `whole`.

Sources: PNG (third edition), 5.3; ISO/IEC 10918-1, annex B; WebP container specification (RFC 9649), 2.3; ISO/IEC
14496-12, 4.2 (boxes, which JUMBF, ISO/IEC 19566-5, has as well); GIF89a, 15 (data sub-blocks).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from limner.pictures.files import Data

_START_OF_SCAN = b"\xda"


class Piece(NamedTuple):
    """A chunk, segment or box; places count from the start of the data that it was read from.

    Attributes:
        start: where its header begins.
        body: where its contents begin.
        end: where its contents end.
        stop: where it ends with its checksum and padding.
        whole: whether the data holds all that its header promises.
    """

    name: bytes
    start: int
    body: int
    end: int
    stop: int
    whole: bool


def png_chunks(data: Data) -> Iterator[Piece]:
    """The chunks of a PNG."""
    return _chunks(data, 8, "big", trailer=4)


def riff_chunks(data: Data) -> Iterator[Piece]:
    """The chunks of a WebP, each padded to an even length."""
    return _chunks(data, 12, "little", trailer=0)


def _chunks(data: Data, at: int, order: Literal["big", "little"], trailer: int) -> Iterator[Piece]:
    size = len(data)
    while at + 8 <= size:
        first, second = bytes(data[at : at + 4]), bytes(data[at + 4 : at + 8])
        name, stated = (second, first) if order == "big" else (first, second)
        length = int.from_bytes(stated, order)
        stop = at + 8 + length + (trailer or length % 2)
        yield Piece(name, at, at + 8, min(at + 8 + length, size), min(stop, size), stop <= size)
        at = stop


def jpeg_segments(data: Data) -> Iterator[Piece]:
    """The segments of a JPEG up to its first scan, which is the last piece and reaches to the end of the data."""
    at, size = 2, len(data)
    while at + 4 <= size and data[at] == 0xFF:
        name, length = bytes(data[at + 1 : at + 2]), int.from_bytes(data[at + 2 : at + 4], "big")
        stop = size if name == _START_OF_SCAN else max(at + 2 + length, at + 4)
        yield Piece(name, at, at + 4, min(stop, size), min(stop, size), length >= 2 and stop <= size)
        if length < 2:
            return
        at = stop


def boxes(data: Data, start: int = 0, end: int | None = None) -> Iterator[Piece]:
    """The boxes between two places of a file of ISO's base media format, or of a JUMBF box."""
    at, limit = start, len(data) if end is None else end
    while at + 8 <= limit:
        length, name, header = int.from_bytes(data[at : at + 4], "big"), bytes(data[at + 4 : at + 8]), 8
        if length == 1:
            length, header = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        stop = limit if length == 0 else at + length
        whole = at + header <= stop <= limit
        if not whole:
            stop = limit
        yield Piece(name, at, min(at + header, stop), stop, stop, whole)
        at = stop
    if at < limit:
        yield Piece(b"", at, limit, limit, limit, whole=False)


def gif_blocks(data: Data, at: int) -> Iterator[Piece]:
    """The data sub-blocks from `at` on; the last, without a name and contents, is the one that ends them."""
    while at < len(data):
        stop = at + 1 + data[at]
        yield Piece(b"", at, at + 1, min(stop, len(data)), min(stop, len(data)), stop <= len(data))
        if data[at] == 0:
            return
        at = stop
