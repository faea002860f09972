"""The bytes of a signed picture that no hash of its manifest covers, checked one by one.

C2PA leaves out of its hashes the padding after a signature (about 1,000 bytes), the frames of the manifest's boxes and,
in AVIF, the file's type. limner writes them in one way only, so in its own works another way is a change. Other
programs may write them otherwise: their files are not held to this, nor are the manifests of earlier pictures that a
work keeps, which `chain` compares with their hashes as a whole.

Sources: C2PA specification 2.2, sections 11 (JUMBF) and A.3 (embedding); ISO/IEC 19566-5 (boxes); RFC 9052 (COSE).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from hashlib import sha256

__all__ = [
    "fault_in_manifest",
    "loose_headers",
    "manifest_store",
    "manifests_in",
    "own_ranges",
    "signer_of_store",
    "signers_of",
]

_STORE = b"c2pa"
_TAIL = bytes.fromhex("00110010800000AA00389B71")  # of every box type of C2PA, after its four letters
# Kinds of boxes with the label that each must bear; others bear the name of what they hold, which hashes cover.
_KINDS = {
    _STORE: b"c2pa",
    b"c2ma": b"urn:c2pa:",
    b"c2as": b"c2pa.assertions",
    b"c2cl": b"c2pa.claim.v2",
    b"c2cs": b"c2pa.signature",
    b"cbor": b"",
    b"json": b"",
}
_MANIFESTS = (b"c2ma", b"c2um", b"c2cm")
_BOXES = {b"jumb", b"jumd", b"cbor", b"json"}
_UUID = bytes.fromhex("D8FEC3D61B0E483C92975828877EC481")
_HEADERS = {"pad", "pad2", "sigTst", "sigTst2", "rVals"}
_LABELLED, _SALTED = 0x03, 0x13
_SEGMENT = 0xFFEB


class _FaultError(Exception):
    """What is not as limner writes it."""


def fault_in_manifest(data: bytes, kind: str | None) -> str:
    """What is not as limner writes it in the manifest of a PNG, JPEG, WebP or AVIF; empty where all is."""
    find = _FINDERS.get(kind or "")
    if find is None:
        return ""
    try:
        _check_boxes(find(data), 0)
    except _FaultError as fault:
        return str(fault)
    except (struct.error, IndexError, UnicodeDecodeError):
        return "a box that is cut off"
    return ""


def manifest_store(data: bytes, kind: str | None) -> bytes | None:
    """The manifest store of a PNG, JPEG, WebP or AVIF, in one piece; None where there is none that fits together."""
    find = _FINDERS.get(kind or "")
    try:
        return find(data) if find else None
    except (_FaultError, struct.error, IndexError):
        return None


def manifests_in(data: bytes, kind: str | None) -> list[tuple[str, bytes]]:
    """Label and contents of each manifest in a PNG, JPEG, WebP or AVIF, the active one last; empty where none fits."""
    try:
        ((_, store),) = _boxes(manifest_store(data, kind) or b"")
        return [(_label(body), body) for _, body in list(_boxes(store))[1:]]
    except (_FaultError, struct.error, IndexError, UnicodeDecodeError, ValueError):
        return []


def loose_headers(manifest: bytes) -> dict[str, int]:
    """How many bytes lie in each unprotected header of a manifest's signature; padding of zeros is not counted.

    Args:
        manifest: the contents of its box, as `manifests_in` gives them.
    """
    found: dict[str, int] = {}
    try:
        _, unprotected = _cose(manifest)
    except (_FaultError, struct.error, IndexError, UnicodeDecodeError):
        return found
    for name, value, length in unprotected:
        if not (name in ("pad", "pad2") and isinstance(value, bytes) and not any(value)):
            found[str(name)[:40]] = found.get(str(name)[:40], 0) + length
    return found


def signers_of(manifest: bytes) -> list[bytes]:
    """The certificates (DER) that a manifest's signature carries under protection, the signer's first.

    Args:
        manifest: as for `loose_headers`.
    """
    try:
        protected, _ = _cose(manifest)
        at = 1
        for _ in range(protected[0] & 31):
            is_chain = protected[at : at + 2] == _CHAIN or protected[at + 1 : at + 8] == b"x5chain"
            _, at = _item(protected, at)
            if not is_chain:
                _, at = _item(protected, at)
                continue
            count, at = (protected[at] & 31, at + 1) if protected[at] >> 5 == 4 else (1, at)
            chain = []
            for _ in range(count):
                value, at = _cbor(protected, at)
                chain.append(value if isinstance(value, bytes) else b"")
            return chain
    except (_FaultError, struct.error, IndexError, UnicodeDecodeError):
        return []  # a signature that is not read names nobody
    return []


_CHAIN = bytes((0x18, 33))  # the name of the certificates' header (RFC 9360), in CBOR


def _item(data: bytes, at: int) -> tuple[object, int]:
    """Like `_cbor`, for numbers too."""
    if data[at] >> 5 in (0, 1):
        return ..., at + 1 + {24: 1, 25: 2, 26: 4, 27: 8}.get(data[at] & 31, 0)
    return _cbor(data, at)


def _cose(manifest: bytes) -> tuple[bytes, list[tuple[object, object, int]]]:
    """The protected header of a manifest's signature, and (name, value, bytes) of each unprotected one."""
    for name, body in _boxes(manifest):
        if name != b"jumb":
            continue
        inner = list(_boxes(body))
        if len(inner) < 2 or inner[0][1][:4] != b"c2cs":
            continue
        data = inner[1][1]
        _require(data[:1] == b"\xd2" and data[1] == 0x84, "a signature in another form")
        protected, at = _cbor(data, 2)
        if not isinstance(protected, bytes) or data[at] >> 5 != 5:
            raise _FaultError("a signature in another form")
        pairs, at = data[at] & 31, at + 1
        found: list[tuple[object, object, int]] = []
        for _ in range(pairs):
            start = at
            key, at = _item(data, at)
            value, at = _item(data, at)
            found.append((key if isinstance(key, str) else "without a name", value, at - start))
        return protected, found
    raise _FaultError("no signature")


def signer_of_store(store: bytes) -> str:
    """sha256 (hexadecimal) of the certificate that signed the active manifest of a store; empty where none is read."""
    try:
        ((_, inside),) = _boxes(store)
        manifest = list(_boxes(inside))[-1][1]
    except (_FaultError, struct.error, IndexError, ValueError):
        return ""
    leaf = next(iter(signers_of(manifest)), b"")
    return sha256(leaf).hexdigest() if leaf else ""


def _label(body: bytes) -> str:
    """The label of the box that lies in `body`: after its description's header, type and toggles."""
    return body[8 + 17 :].partition(b"\0")[0].decode()


def _require(holds: bool, fault: str) -> None:
    if not holds:
        raise _FaultError(fault)


def _check_boxes(data: bytes, depth: int) -> None:
    """Every box as long as it says, of a known kind, and nothing between them."""
    _require(depth < 8, "boxes in boxes without end")
    boxes = list(_boxes(data))
    for place, (name, body) in enumerate(boxes):
        if depth == 1 and place < len(boxes) - 1:
            _require(name == b"jumb" and body[4:8] == b"jumd" and body[8:12] in _MANIFESTS, "a box in another's place")
            continue
        _require(name in _BOXES, "a box of another kind")
        if name != b"jumb":
            continue
        inner = list(_boxes(body))
        _require(bool(inner) and inner[0][0] == b"jumd", "a box without description")
        kind = _described_kind(inner[0][1])
        _require((kind == _STORE) == (depth == 0), "a box in another's place")
        first = 8 + len(inner[0][1])
        _check_boxes(body[first:], depth + 1)
        if kind == b"c2cs":
            _check_signature(inner[1][1])


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        _require(8 <= length <= len(data) - at, "a box that is longer than what holds it")
        yield name, data[at + 8 : at + length]
        at += length


def _described_kind(body: bytes) -> bytes:
    """The four letters of a box's type, from its description: type, toggles, label, and perhaps a salt."""
    kind, toggles = body[:4], body[16]
    _require(kind in _KINDS and body[4:16] == _TAIL, "a box of another type")
    _require(toggles in (_LABELLED, _SALTED), "a box described in another way")
    label, ended, rest = body[17:].partition(b"\0")
    _require(bool(ended) and label.startswith(_KINDS[kind]), "a box with another label")
    _require(kind in (b"c2ma", b"cbor", b"json") or label == _KINDS[kind], "a box with another label")
    salts = list(_boxes(rest))
    _require([name for name, _ in salts] == ([b"c2sh"] if toggles == _SALTED else []), "a salt that is none")
    return kind


def _check_signature(data: bytes) -> None:
    """COSE_Sign1 = tag 18, [protected, unprotected, nil, signature]; only the protected part is under the signature."""
    _require(data[:2] == b"\xd2\x84", "a signature in another form")
    protected, at = _cbor(data, 2)
    _require(isinstance(protected, bytes), "a signature in another form")
    _require(data[at] >> 5 == 5 and data[at] & 31 < 24, "a signature in another form")
    pairs, at = data[at] & 31, at + 1
    for _ in range(pairs):
        name, at = _cbor(data, at)
        _require(name in _HEADERS, "an unknown part beside the signature")
        start = at
        value, at = _cbor(data, at)
        if name in ("pad", "pad2"):
            _require(isinstance(value, bytes) and not any(value), "padding that is not empty")
        _require(at > start, "a signature in another form")
    nothing, at = _cbor(data, at)
    signature, at = _cbor(data, at)
    _require(nothing is None and isinstance(signature, bytes) and at == len(data), "a signature in another form")


def _cbor(data: bytes, at: int) -> tuple[object, int]:
    """The CBOR item at `at`, and where the next begins: bytes, text and null are read, anything else is skipped."""
    major, short = data[at] >> 5, data[at] & 31
    at += 1
    if major == 7:
        _require(short == 22, "a signature in another form")
        return None, at
    width = {24: 1, 25: 2, 26: 4, 27: 8}.get(short, 0)
    _require(short < 24 or width > 0, "a signature in another form")
    count = int.from_bytes(data[at : at + width], "big") if width else short
    at += width
    if major in (2, 3):
        _require(count <= len(data) - at, "a signature that is cut off")
        body = data[at : at + count]
        return (body if major == 2 else body.decode()), at + count
    for _ in range(count * (major - 3) if major in (4, 5) else 0):
        _, at = _cbor(data, at)
    return ..., at


def _in_png(data: bytes) -> bytes:
    at = 8
    while at + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + length]
        if name == b"caBX":
            (checksum,) = struct.unpack_from(">I", data, at + 8 + length)
            _require(checksum == zlib.crc32(name + body), "a wrong checksum on the manifest's chunk")
            return body
        at += 12 + length
    raise _FaultError("no manifest where it should be")


def _in_jpeg(data: bytes) -> bytes:
    """APP11 segments, each with `JP`, an instance number, its place in the row, and the box's header once more."""
    store, at, row = b"", 2, 0
    head = b""
    while at + 4 <= len(data):
        marker, length = struct.unpack_from(">HH", data, at)
        if marker == _SEGMENT:
            row += 1
            common, instance, place = struct.unpack_from(">2sHI", data, at + 4)
            head = head or data[at + 6 : at + 8] + data[at + 12 : at + 20]
            _require(common == b"JP" and place == row, "segments of the manifest that do not fit together")
            _require(data[at + 12 : at + 20] == head[2:] and instance == 0x0211, "segments of different manifests")
            store += data[at + (12 if row == 1 else 20) : at + 2 + length]
        elif row or marker == 0xFFDA:
            break
        at += 2 + length
    _require(row > 0, "no manifest where it should be")
    return store


def _in_webp(data: bytes) -> bytes:
    at = 12
    while at + 8 <= len(data):
        name, length = struct.unpack_from("<4sI", data, at)
        if name == b"C2PA":
            _require(data[at + 8 + length : at + 8 + length + length % 2] in (b"", b"\0"), "padding that is not empty")
            return data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2
    raise _FaultError("no manifest where it should be")


def _in_avif(data: bytes) -> bytes:
    for name, body in _boxes(data):
        if name == b"uuid" and body.startswith(_UUID):
            purpose = bytes(4) + b"manifest\0" + bytes(8)
            _require(body[16:].startswith(purpose), "a manifest's box in another form")
            return body[16 + len(purpose) :]
    raise _FaultError("no manifest where it should be")


def own_ranges(data: bytes, kind: str | None) -> list[tuple[int, int]]:
    """Where a file's manifest lies, with what the format puts around it: (start, end) of each piece."""
    find = _RANGES.get(kind or "", _range_anywhere)
    try:
        return list(find(data))
    except (struct.error, IndexError):
        return []


def _png_ranges(data: bytes) -> Iterator[tuple[int, int]]:
    at = 8
    while at + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        if name == b"caBX":
            yield at, at + 12 + length
        at += 12 + length


def _jpeg_ranges(data: bytes) -> Iterator[tuple[int, int]]:
    at = 2
    while at + 4 <= len(data):
        marker, length = struct.unpack_from(">HH", data, at)
        if marker == _SEGMENT and data[at + 4 : at + 6] == b"JP":
            yield at, at + 2 + length
        elif marker == 0xFFDA or marker >> 8 != 0xFF:
            return
        at += 2 + length


def _webp_ranges(data: bytes) -> Iterator[tuple[int, int]]:
    at = 12
    while at + 8 <= len(data):
        name, length = struct.unpack_from("<4sI", data, at)
        if name == b"C2PA":
            yield at, at + 8 + length + length % 2
        at += 8 + length + length % 2


def _gif_ranges(data: bytes) -> Iterator[tuple[int, int]]:
    """The application extension `C2PA_GIF`, up to the block that ends it."""
    start = data.find(b"\x21\xff\x0bC2PA_GIF")
    if start >= 0:
        at = start + 14
        while data[at]:
            at += 1 + data[at]
        yield start, at + 1


def _range_anywhere(data: bytes) -> Iterator[tuple[int, int]]:
    """The box of the manifest store, wherever a format keeps it."""
    mark = data.find(b"jumd" + _STORE + _TAIL)
    if mark >= 12:
        start = mark - 12
        yield start, start + int.from_bytes(data[start : start + 4], "big")


_RANGES: dict[str, Callable[[bytes], Iterator[tuple[int, int]]]] = {
    "image/png": _png_ranges,
    "image/jpeg": _jpeg_ranges,
    "image/webp": _webp_ranges,
    "image/gif": _gif_ranges,
}
_FINDERS: dict[str, Callable[[bytes], bytes]] = {
    "image/png": _in_png,
    "image/jpeg": _in_jpeg,
    "image/webp": _in_webp,
    "image/avif": _in_avif,
    "image/heif": _in_avif,
}
