"""Looking at a stranger's manifest before the C2PA library does.

Measured with c2pa-python 0.38.1: a text in a manifest that claims to be 2 GB long makes the library ask for 2 GB and
take five seconds, though the box around it holds 100 bytes. Here such a manifest is refused first.
"""

from __future__ import annotations

from collections.abc import Iterator

from limner.papers.c2pa.store import GIF_MARK, is_app11
from limner.pictures.containers import gif_blocks, jpeg_segments

_MARKER = b"cbor"
_MOST_EXTENSIONS = 16
_MOST_READ = 1 << 20


def claims_too_much(data: bytes, kind: str | None) -> bool:
    """Whether a value in a manifest of the picture `data` says that it is longer than the box that holds it.

    True also where more boxes overlap than in any file that was not made to keep a reader busy.
    """
    if kind == "image/gif" and data.count(GIF_MARK) > _MOST_EXTENSIONS:
        return True
    for store in _stores(data, kind):
        left = 4 * len(store) + _MOST_READ
        for body in _bodies(store):
            left -= len(body)
            if left < 0 or not _fits(body):
                return True
    return False


def _stores(data: bytes, kind: str | None) -> Iterator[bytes]:
    """Bytes in which each box of a manifest lies in one piece; formats that cut it up are put together."""
    if kind == "image/jpeg":
        bodies = [data[one.body : one.end] for one in jpeg_segments(data) if is_app11(one)]
        yield b"".join(body[8 if place == 0 else 16 :] for place, body in enumerate(bodies))
    elif kind == "image/gif":
        at = data.find(GIF_MARK)
        while at >= 0:
            yield b"".join(data[one.body : one.end] for one in gif_blocks(data, at + len(GIF_MARK) + 3))
            at = data.find(GIF_MARK, at + 1)
    else:
        yield data


def _bodies(store: bytes) -> Iterator[memoryview]:
    """What lies in each box of the kind `cbor`; a box that does not fit the store is no box."""
    view, at = memoryview(store), store.find(_MARKER)
    while at >= 0:
        length = int.from_bytes(store[at - 4 : at], "big") if at >= 4 else 0
        start, end = at + 4, at - 4 + length
        if length == 1:
            start, end = at + 12, at - 4 + int.from_bytes(store[at + 4 : at + 12], "big")
        elif length == 0:
            end = len(store)
        if start <= end <= len(store):
            yield view[start:end]
        at = store.find(_MARKER, at + 1)


def _fits(body: memoryview) -> bool:
    """Whether no length in this CBOR (RFC 8949) reaches beyond its end; nesting need not be followed for that."""
    at, end = 0, len(body)
    while at < end:
        major, short = body[at] >> 5, body[at] & 31
        width = {24: 1, 25: 2, 26: 4, 27: 8}.get(short, 0)
        count = int.from_bytes(body[at + 1 : at + 1 + width], "big") if width else short
        at += 1 + width
        if short == 31:  # of indefinite length: its pieces follow, each with its own
            continue
        if major in (2, 3):
            at += count
        elif major in (4, 5) and count > end - at:
            return False
    return at == end
