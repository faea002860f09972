"""What of a signed file no hash of its manifest covers: bytes that can be changed while every signature holds.

C2PA lets a manifest leave bytes out of its hash, its own at least. A manifest can leave out more, even the picture;
then it proves nothing of the picture. In AVIF and HEIF some boxes are always left out, and a picture may lie in them.

Sources: C2PA specification 2.2, sections 9.2 (hard bindings), 18.5 (data hash), 18.6 (box hash), 18.7 (BMFF hash);
ISO/IEC 14496-12, sections 8.7.5 (chunk offsets) and 8.11.3 (item locations); RFC 9052, section 3 (COSE headers).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from limner.papers.c2pa.structure import loose_headers, manifests_in, own_ranges

__all__ = ["Coverage", "coverage_of"]

_UUID = bytes.fromhex("D8FEC3D61B0E483C92975828877EC481")
_BMFF = ("image/avif", "image/heif")
_LEFT_OUT = {"ftyp": "the file's type", "mfra": "mfra boxes", "free": "free boxes", "skip": "skip boxes"}
_MOST_BOXES = 10_000
Span = tuple[int, int]


@dataclass
class Coverage:
    """What no hash covers.

    Attributes:
        loose: bytes by the name of what they are in; empty where everything is covered.
        fault: why the picture itself is not covered, in words; empty where it is.
    """

    loose: dict[str, int] = field(default_factory=dict)
    fault: str = ""

    def add(self, name: str, count: int) -> None:
        """Count so many bytes under a name."""
        if count > 0:
            self.loose[name] = self.loose.get(name, 0) + count


def coverage_of(
    data: bytes, kind: str | None, manifest: Mapping[str, Any], *, stamp_holds: bool, knows_type: bool = False
) -> Coverage:
    """What of a file its active manifest leaves out, given that the library finds its hashes right.

    Args:
        data: the file's bytes, of the media type `kind`.
        manifest: the active one, as `read_store` gives it.
        stamp_holds: whether its time-stamp was found right, so that who gave it vouches for its bytes.
        knows_type: whether the manifest holds a digest of the file's type of its own, as limner's do.
    """
    found = Coverage()
    assertions = manifest.get("assertions")
    hashes = {
        str(label): value
        for label, value in (assertions.items() if isinstance(assertions, dict) else ())
        if str(label).startswith(("c2pa.hash.data", "c2pa.hash.bmff", "c2pa.hash.boxes")) and isinstance(value, dict)
    }
    if not hashes:
        found.fault = "its manifest holds no hash of the file"
    for label, told in hashes.items():
        if label.startswith("c2pa.hash.bmff"):
            _of_boxes(data, told, found, knows_type=knows_type)
        elif label.startswith("c2pa.hash.data"):
            _of_bytes(data, kind, told, found)
        else:
            _of_named(told, found)
    own = manifests_in(data, kind)
    for name, count in loose_headers(own[-1][1]).items() if own else ():
        if not (stamp_holds and name.startswith("sigTst")):
            found.add(f"the signature's part {name}", count)
    return found


def _of_bytes(data: bytes, kind: str | None, told: Mapping[str, Any], found: Coverage) -> None:
    """C2PA's data hash: all bytes but ranges that are named."""
    own = own_ranges(data, kind)
    out = 0
    for one in _mappings(told.get("exclusions")):
        start, length = one.get("start"), one.get("length")
        if isinstance(start, int) and isinstance(length, int) and length > 0:
            out += _uncovered((start, min(start + length, len(data))), own)
    if out:
        found.fault = f"its hash leaves out {out:,} bytes that are not its own"


def _uncovered(span: Span, own: list[Span]) -> int:
    inside = sum(max(0, min(span[1], end) - max(span[0], start)) for start, end in own)
    return max(0, span[1] - span[0] - inside)


def _of_named(told: Mapping[str, Any], found: Coverage) -> None:
    """C2PA's hash of named boxes: each is covered but what it marks as left out."""
    for one in _mappings(told.get("boxes")):
        names = one.get("names")
        named = ", ".join(map(str, names)) if isinstance(names, list) else "?"
        if one.get("excluded") and named != "C2PA":
            found.fault = f"its hash leaves out {named[:60]}"


def _of_boxes(data: bytes, told: Mapping[str, Any], found: Coverage, *, knows_type: bool) -> None:
    """The hash of ISO's base media format: all boxes but those that are named by their path."""
    try:
        boxes = list(_boxes(data, 0, len(data)))
    except struct.error:
        found.fault = "its boxes cannot be told apart"
        return
    rules = _mappings(told.get("exclusions"))
    out: list[Span] = []
    manifests = 0
    for name, start, end in boxes:
        if not any(_names(rule, data, name, start, end) for rule in rules):
            continue
        out.append((start, end))
        own = name == "uuid" and data[start + 8 : start + 24] == _UUID
        manifests += own
        if own and manifests == 1:
            continue
        if own:
            found.add("further boxes for manifests", end - start)
        elif name in _LEFT_OUT:
            if not (name == "ftyp" and knows_type):
                found.add(_LEFT_OUT[name], end - start)
        else:
            found.fault = f"its hash leaves out the box {name}"
    for rule in rules:
        path = str(rule.get("xpath", ""))
        if path.count("/") > 1:
            found.fault = f"its hash leaves out {path[:60]}"
        elif rule.get("subset"):
            found.fault = f"its hash leaves out parts of {path[:60]}"
    if found.fault:
        return
    try:
        places = list(_picture_places(data, boxes))
    except (struct.error, IndexError, RecursionError):
        found.fault = "where its picture lies cannot be told"
        return
    covered = [(start, end) for _, start, end in boxes if (start, end) not in out]
    for start, length in places:
        whole = (start, start + length) if length else (start, start + 1)
        if _uncovered(whole, covered):
            found.fault = "parts of the picture lie where its hash does not reach"
            return


def _names(rule: Mapping[str, Any], data: bytes, name: str, start: int, end: int) -> bool:
    """Whether an exclusion names this top-level box."""
    if rule.get("xpath") != f"/{name}":
        return False
    length = rule.get("length")
    if isinstance(length, int) and length != end - start:
        return False
    for one in _mappings(rule.get("data")):
        at, value = one.get("offset"), one.get("value")
        if not isinstance(at, int):
            return False
        wanted = bytes(v for v in value if isinstance(v, int) and 0 <= v < 256) if isinstance(value, list) else b"?"
        if data[start + at : start + at + len(wanted)] != wanted:
            return False
    return True


def _boxes(data: bytes, start: int, end: int) -> Iterator[tuple[str, int, int]]:
    """Name, start and end of each box between two places."""
    at = start
    for _ in range(_MOST_BOXES):
        if at + 8 > end:
            return
        length, name = struct.unpack_from(">I4s", data, at)
        if length == 1:
            (length,) = struct.unpack_from(">Q", data, at + 8)
        stop = end if length == 0 else at + length
        if stop < at + 8 or stop > end:
            raise struct.error("a box that is longer than what holds it")
        yield name.decode("latin-1"), at, stop
        at = stop


def _picture_places(data: bytes, boxes: list[tuple[str, int, int]]) -> Iterator[Span]:
    """Start and length of everything in the file that its items and tracks are read from; length 0 where unknown."""
    for name, start, end in boxes:
        if name == "meta":
            for inner, first, last in _boxes(data, start + 12, end):
                if inner == "iloc":
                    yield from _item_places(data, first + 8, last)
        elif name == "moov":
            yield from _chunk_places(data, start + 8, end, 0)


def _chunk_places(data: bytes, start: int, end: int, depth: int) -> Iterator[Span]:
    for name, first, last in _boxes(data, start, end):
        if name in ("trak", "mdia", "minf", "stbl") and depth < 8:
            yield from _chunk_places(data, first + 8, last, depth + 1)
        elif name in ("stco", "co64"):
            (count,) = struct.unpack_from(">I", data, first + 12)
            width = 4 if name == "stco" else 8
            for at in range(first + 16, min(first + 16 + width * count, last), width):
                yield int.from_bytes(data[at : at + width], "big"), 0


def _item_places(data: bytes, at: int, end: int) -> Iterator[Span]:
    version = data[at]
    sizes = struct.unpack_from(">H", data, at + 4)[0]
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version in (1, 2) else 0
    wide = 4 if version == 2 else 2
    at += 6

    def number(width: int) -> int:
        nonlocal at
        if at + width > end:
            raise struct.error("an item's place that is cut off")
        value = int.from_bytes(data[at : at + width], "big")
        at += width
        return value

    for _ in range(number(wide)):
        number(wide)
        method = number(2) & 15 if version in (1, 2) else 0
        number(2)
        base = number(base_size)
        for _ in range(number(2)):
            number(index_size)
            offset, length = number(offset_size), number(length_size)
            if method == 0:
                yield base + offset, length


def _mappings(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
