"""What of a signed file no hash of its manifest covers: bytes that can be changed while every signature holds.

C2PA lets a manifest leave bytes out of its hash, its own at least. A manifest can leave out more, even the picture;
then it proves nothing of the picture. In AVIF and HEIF some boxes are always left out, and a picture may lie in them.

Sources: C2PA specification 2.2, sections 9.2 (hard bindings), 18.5 (data hash), 18.6 (box hash), 18.7 (BMFF hash);
ISO/IEC 14496-12, sections 8.7.5 (chunk offsets) and 8.11.3 (item locations); RFC 9052, section 3 (COSE headers).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from limner.papers.c2pa.claims import mapping, mappings
from limner.papers.c2pa.store import UUID, own_ranges
from limner.papers.c2pa.structure import loose_headers, manifests_in
from limner.pictures.containers import Piece, boxes

_LEFT_OUT = {b"ftyp": "the file's type", b"mfra": "mfra boxes", b"free": "free boxes", b"skip": "skip boxes"}
_MOST_BOXES = 10_000
Span = tuple[int, int]


class _CutOffError(Exception):
    """A box or an item's place is not what its header promises."""


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
        stamp_holds: whether its time-stamp was found right, so that who gave it vouches for its bytes.
        knows_type: whether the manifest holds a digest of the file's type of its own, as limner's do.
    """
    found = Coverage()
    hashes = {
        str(label): value
        for label, value in mapping(manifest.get("assertions")).items()
        if str(label).startswith(("c2pa.hash.data", "c2pa.hash.bmff", "c2pa.hash.boxes")) and isinstance(value, dict)
    }
    if not hashes:
        found.fault = "its manifest holds no hash of the file"
    for label, stated in hashes.items():
        if label.startswith("c2pa.hash.bmff"):
            _of_boxes(data, stated, found, knows_type=knows_type)
        elif label.startswith("c2pa.hash.data"):
            _of_bytes(data, kind, stated, found)
        else:
            _of_named(stated, found)
    own = manifests_in(data, kind)
    for name, count in loose_headers(own[-1][1]).items() if own else ():
        if not (stamp_holds and name.startswith("sigTst")):
            found.add(f"the signature's part {name}", count)
    return found


def _of_bytes(data: bytes, kind: str | None, stated: Mapping[str, Any], found: Coverage) -> None:
    """C2PA's data hash: all bytes but ranges that are named."""
    out: list[Span] = []
    for one in mappings(stated.get("exclusions")):
        start, length = one.get("start"), one.get("length")
        if isinstance(start, int) and isinstance(length, int) and length > 0:
            out.append((start, min(start + length, len(data))))
    if left_out := _outside(out, own_ranges(data, kind)):
        found.fault = f"its hash leaves out {left_out:,} bytes that are not its own"


def _outside(spans: list[Span], covered: list[Span]) -> int:
    """How many places of `spans` lie in none of `covered`."""
    return _length([*spans, *covered]) - _length(covered)


def _length(spans: list[Span]) -> int:
    total, reached = 0, min((start for start, _ in spans), default=0)
    for start, end in sorted(spans):
        total += max(0, end - max(start, reached))
        reached = max(reached, end)
    return total


def _of_named(stated: Mapping[str, Any], found: Coverage) -> None:
    """C2PA's hash of named boxes: each is covered but what it marks as left out."""
    for one in mappings(stated.get("boxes")):
        names = one.get("names")
        named = ", ".join(map(str, names)) if isinstance(names, list) else "?"
        if one.get("excluded") and named != "C2PA":
            found.fault = f"its hash leaves out {named[:60]}"


def _of_boxes(data: bytes, stated: Mapping[str, Any], found: Coverage, *, knows_type: bool) -> None:
    """The hash of ISO's base media format: all boxes but those that are named by their path."""
    rules = mappings(stated.get("exclusions"))
    try:
        outer = _whole_boxes(data, 0, len(data))
    except _CutOffError:
        found.fault = "its boxes cannot be distinguished"
        return
    out = [box for box in outer if any(_names(rule, data, box) for rule in rules)]
    _add_boxes(data, out, found, knows_type=knows_type)
    for rule in rules:
        path = str(rule.get("xpath", ""))
        if path.count("/") > 1:
            found.fault = f"its hash leaves out {path[:60]}"
        elif rule.get("subset"):
            found.fault = f"its hash leaves out parts of {path[:60]}"
    if found.fault:
        return
    try:
        places = list(_picture_places(data, outer))
    except (_CutOffError, IndexError):
        found.fault = "where its picture lies cannot be determined"
        return
    left_out = set(out)
    if _outside(places, [(box.start, box.stop) for box in outer if box not in left_out]):
        found.fault = "parts of the picture lie where its hash does not reach"


def _add_boxes(data: bytes, out: list[Piece], found: Coverage, *, knows_type: bool) -> None:
    """Count the boxes that a hash leaves out, but the one that holds the manifest itself."""
    manifests = [box for box in out if box.name == b"uuid" and data.startswith(UUID, box.start + 8)]
    for box in out:
        if box in manifests[:1]:
            continue
        if box.name == b"uuid" and data.startswith(UUID, box.start + 8):
            found.add("further boxes for manifests", box.stop - box.start)
        elif box.name not in _LEFT_OUT:
            found.fault = f"its hash leaves out the box {box.name.decode('latin-1')}"
        elif not (box.name == b"ftyp" and knows_type):
            found.add(_LEFT_OUT[box.name], box.stop - box.start)


def _names(rule: Mapping[str, Any], data: bytes, box: Piece) -> bool:
    """Whether an exclusion names this top-level box."""
    if rule.get("xpath") != f"/{box.name.decode('latin-1')}":
        return False
    length = rule.get("length")
    if isinstance(length, int) and length != box.stop - box.start:
        return False
    for one in mappings(rule.get("data")):
        at, value = one.get("offset"), one.get("value")
        if not isinstance(at, int):
            return False
        wanted = bytes(v for v in value if isinstance(v, int) and 0 <= v < 256) if isinstance(value, list) else b"?"
        if data[box.start + at : box.start + at + len(wanted)] != wanted:
            return False
    return True


def _whole_boxes(data: bytes, start: int, end: int) -> list[Piece]:
    """The boxes between two places; what is too short for a header at their end is left out.

    Raises:
        _CutOffError: one is longer than what holds it, or there are more than any picture has.
    """
    found = [box for box in islice(boxes(data, start, end), _MOST_BOXES + 1) if box.name]
    if len(found) > _MOST_BOXES or not all(box.whole for box in found):
        raise _CutOffError
    return found


def _picture_places(data: bytes, outer: list[Piece]) -> Iterator[Span]:
    """Start and end of everything in the file that its items and tracks are read from; of a track, where it starts."""
    for box in outer:
        if box.name == b"meta":
            for inner in _whole_boxes(data, box.start + 12, box.stop):
                if inner.name == b"iloc":
                    yield from _item_places(data, inner.start + 8, inner.stop)
        elif box.name == b"moov":
            yield from _chunk_places(data, box, 0)


def _chunk_places(data: bytes, outer: Piece, depth: int) -> Iterator[Span]:
    for box in _whole_boxes(data, outer.start + 8, outer.stop):
        if box.name in (b"trak", b"mdia", b"minf", b"stbl") and depth < 8:
            yield from _chunk_places(data, box, depth + 1)
        elif box.name in (b"stco", b"co64"):
            first, width = box.start + 16, 4 if box.name == b"stco" else 8
            count = int.from_bytes(data[first - 4 : first], "big")
            for at in range(first, min(first + width * count, box.stop), width):
                start = int.from_bytes(data[at : at + width], "big")
                yield start, start + 1


def _item_places(data: bytes, at: int, end: int) -> Iterator[Span]:
    version = data[at]
    sizes = int.from_bytes(data[at + 4 : at + 6], "big")
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version in (1, 2) else 0
    wide = 4 if version == 2 else 2
    at += 6

    def number(width: int) -> int:
        nonlocal at
        if at + width > end:
            raise _CutOffError
        value = int.from_bytes(data[at : at + width], "big")
        at += width
        return value

    for _ in range(number(wide)):
        number(wide)
        method = number(2) & 15 if version in (1, 2) else 0
        number(2)
        base = number(base_size)
        extents = number(2)
        # Extents of no width at all are one and the same, however many a hostile file states.
        for _ in range(extents if index_size + offset_size + length_size else min(extents, 1)):
            number(index_size)
            offset, length = number(offset_size), number(length_size)
            if method == 0:
                yield base + offset, base + offset + (length or 1)  # a length of 0 leaves the end open
