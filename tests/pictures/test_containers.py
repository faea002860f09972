"""Containers taken apart: pieces lie one behind the other, none leads out of its file, none keeps a reader busy."""

from __future__ import annotations

import random
import struct
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from limner import pictures
from limner.pictures.containers import Piece, boxes, gif_blocks, jpeg_segments, png_chunks, riff_chunks

READERS: dict[str, tuple[Callable[[bytes], Iterator[Piece]], int, set[bytes]]] = {
    "png": (png_chunks, 8, {b"IHDR", b"IDAT", b"IEND"}),
    "jpeg": (jpeg_segments, 2, {b"\xe0", b"\xdb", b"\xc0", b"\xda"}),
    "webp": (riff_chunks, 12, {b"VP8 ", b"XMP "}),
    "avif": (boxes, 0, {b"ftyp", b"meta", b"mdat"}),
}
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'></x:xmpmeta>"


def sample(kind: str) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    return pictures.encode(pixels, kind, xmp=XMP)


@pytest.mark.parametrize("kind", READERS)
def test_the_pieces_of_a_file_lie_one_behind_the_other(kind: str) -> None:
    read, first, names = READERS[kind]
    data = sample(kind)
    pieces = list(read(data))
    assert names <= {piece.name for piece in pieces}
    assert [piece.start for piece in pieces] == [first, *(piece.stop for piece in pieces[:-1])]
    assert pieces[-1].stop == len(data)
    assert all(piece.whole for piece in pieces)
    assert any(XMP in data[piece.body : piece.end] for piece in pieces)


@pytest.mark.parametrize("kind", READERS)
def test_no_piece_leads_out_of_a_damaged_file(kind: str) -> None:
    read, rng, data = READERS[kind][0], random.Random(0), sample(kind)
    for _ in range(300):
        damaged = bytearray(data[: rng.randrange(len(data))])
        for _ in range(min(20, len(damaged))):
            damaged[rng.randrange(min(len(damaged), 200))] = rng.choice((0, 1, 255, rng.randrange(256)))
        last = -1
        for piece in read(bytes(damaged)):
            assert last < piece.start <= piece.body <= piece.end <= piece.stop <= len(damaged)
            last = piece.start


@pytest.mark.parametrize(
    ("read", "data"),
    [
        (boxes, b"\0\0\0\x08free" * 50_000),
        (boxes, b"\0\0\0\1free" * 50_000),
        (png_chunks, bytes(8) + b"\0\0\0\0teSt" * 50_000),
        (riff_chunks, bytes(12) + b"teSt\0\0\0\0" * 50_000),
        (jpeg_segments, b"\xff\xd8" + b"\xff\xe1\0\2" * 100_000),
        (jpeg_segments, b"\xff\xd8" + b"\xff\xe1\0\0" * 100_000),
        (lambda data: gif_blocks(data, 0), b"\1x" * 100_000),
    ],
)
def test_many_pieces_take_little_time(read: Callable[[bytes], Iterator[Piece]], data: bytes) -> None:
    began = time.monotonic()
    assert sum(1 for _ in read(data)) <= 100_001
    assert time.monotonic() - began < 5


def test_a_box_is_as_long_as_it_says_or_not_whole() -> None:
    long = struct.pack(">I4sQ", 1, b"mdat", 16 + 5) + b"pixel"
    (box,) = boxes(long)
    assert (box.whole, long[box.body : box.end]) == (True, b"pixel")
    (open_end,) = boxes(b"\0\0\0\0mdatpixel")
    assert (open_end.whole, open_end.end) == (True, 13)
    for data in (long[:-1], b"\0\0\0\x07mdat", b"\0\0\0\x09mdat", b"\0\0\0\1mdat\0"):
        assert [box.whole for box in boxes(data)] == [False]
    assert [(box.name, box.whole) for box in boxes(b"\0\0\0\x08freexyz")] == [(b"free", True), (b"", False)]
