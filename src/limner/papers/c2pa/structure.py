"""The bytes of a signed picture that no hash of its manifest covers, checked one by one.

C2PA leaves out of its hashes the padding after a signature (about 1,000 bytes), the frames of the manifest's boxes and,
in AVIF, the file's type. limner writes them in one way only, so in its own works another way is a change. Other
programs may write them otherwise: their files are not bound to this, nor are the manifests of earlier pictures that a
work keeps, which `chain` compares with their hashes as a whole.

Sources: C2PA specification 2.2, section 11 (JUMBF); ISO/IEC 19566-5 (boxes); RFC 9052 and 9360 (COSE).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

import cbor2

from limner.papers.c2pa.store import STORE_TYPE, ManifestFormError, embedded_store, manifest_store, require
from limner.pictures.containers import boxes

_STORE, _TAIL = STORE_TYPE[:4], STORE_TYPE[4:]
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
_PADS = ("pad", "pad2")
_HEADERS = {*_PADS, "sigTst", "sigTst2", "rVals"}
_LABELLED, _SALTED = b"\x03", b"\x13"
_SIGN1 = 18
"""The CBOR tag of a COSE_Sign1."""
_CHAIN = (33, "x5chain")
"""What the header of the certificates is called (RFC 9360)."""
_LONGEST_SIGNATURE = 1 << 16
"""Bytes; a hostile map of this size, all keys of one hash, takes the CBOR library a second, one of four times the size
12. Signatures with a time-stamp have 5,000 to 30,000."""
_OTHER_FORM, _OTHER_LENGTH = "a signature in another form", "a box's length in another form"


def fault_in_manifest(data: bytes, kind: str | None) -> str:
    """What is not as limner writes it in the manifest of a PNG, JPEG, WebP or AVIF; empty where all is."""
    try:
        store = embedded_store(data, kind)
        if store is not None:
            _check_boxes(store, 0)
    except ManifestFormError as fault:
        return str(fault)
    return ""


def manifests_in(data: bytes, kind: str | None) -> list[tuple[str, bytes]]:
    """Label and contents of each manifest in a PNG, JPEG, WebP or AVIF, the active one last; empty where none fits."""
    try:
        return [(_label(body), body) for body in _manifests(manifest_store(data, kind) or b"")]
    except (ManifestFormError, UnicodeDecodeError):
        return []


def loose_headers(manifest: bytes) -> dict[str, int]:
    """How many bytes lie in each unprotected header of a manifest's signature; padding of zeros is not counted.

    Args:
        manifest: the contents of its box, as `manifests_in` gives them.
    """
    found: dict[str, int] = {}
    body = b""
    try:
        body = _signature_box(manifest)
        headers = _cose(body)[1].items()
        for name, value in headers:
            if not (name in _PADS and isinstance(value, bytes) and not any(value)):
                shown = name[:40] if isinstance(name, str) else "without a name"
                found[shown] = found.get(shown, 0) + len(cbor2.dumps(name)) + len(cbor2.dumps(value))
    except (ManifestFormError, cbor2.CBORError):
        return {"that cannot be read": len(body)} if body else {}
    return found


def signers_of(manifest: bytes) -> list[bytes]:
    """The certificates (DER) that a manifest's signature carries under protection, the signer's first."""
    try:
        headers = _decoded(_cose(_signature_box(manifest))[0])
    except ManifestFormError:
        return []  # a signature that is not read names nobody
    # The first header of either name, as the C2PA library takes it. True and 33.0 are no names, though equal to one.
    named = headers.items() if isinstance(headers, Mapping) else ()
    chain: object = next((value for name, value in named if type(name) in (int, str) and name in _CHAIN), [])
    certificates = chain if isinstance(chain, list) else [chain]
    return [one if isinstance(one, bytes) else b"" for one in certificates]


def signer_of_store(store: bytes) -> str:
    """sha256 (hexadecimal) of the certificate that signed the active manifest of a store; empty where none is read."""
    try:
        manifest = _manifests(store)[-1]
    except (ManifestFormError, IndexError):
        return ""
    leaf = next(iter(signers_of(manifest)), b"")
    return sha256(leaf).hexdigest() if leaf else ""


def _manifests(store: bytes) -> list[bytes]:
    """The contents of each manifest's box, without what describes the box around them."""
    outer = list(_boxes(store))
    require(len(outer) == 1, "more than one store of manifests")
    return [body for _, body in list(_boxes(outer[0][1]))[1:]]


def _label(body: bytes) -> str:
    """The label of the box that lies in `body`: after its description's header, type and toggles."""
    return body[8 + 17 :].partition(b"\0")[0].decode()


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and contents of each box, as limner writes them: with a length of four bytes, and nothing between."""
    for box in boxes(data):
        require(box.whole, "a box that is cut off, or longer than what holds it")
        require(data[box.start : box.body] == (box.stop - box.start).to_bytes(4, "big") + box.name, _OTHER_LENGTH)
        yield box.name, data[box.body : box.end]


def _check_boxes(data: bytes, depth: int) -> None:
    """Every box as long as it says, of a known kind, and nothing between them."""
    require(depth < 8, "boxes in boxes without end")
    found = list(_boxes(data))
    for place, (name, body) in enumerate(found):
        if depth == 1 and place < len(found) - 1:
            require(name == b"jumb" and body[4:8] == b"jumd" and body[8:12] in _MANIFESTS, "a box in another's place")
            continue
        require(name in _BOXES, "a box of another kind")
        if name != b"jumb":
            continue
        inner = list(_boxes(body))
        require(bool(inner) and inner[0][0] == b"jumd", "a box without description")
        kind = _described_kind(inner[0][1])
        require((kind == _STORE) == (depth == 0), "a box in another's place")
        _check_boxes(body[8 + len(inner[0][1]) :], depth + 1)
        if kind == b"c2cs":
            require(len(inner) > 1, "a box without contents")
            _check_signature(inner[1][1])


def _described_kind(body: bytes) -> bytes:
    """The four letters of a box's type, from its description: type, toggles, label, and perhaps a salt."""
    kind, toggles = body[:4], body[16:17]
    require(kind in _KINDS and body[4:16] == _TAIL, "a box of another type")
    require(toggles in (_LABELLED, _SALTED), "a box described in another way")
    label, ended, rest = body[17:].partition(b"\0")
    require(bool(ended) and label.startswith(_KINDS[kind]), "a box with another label")
    require(kind in (b"c2ma", b"cbor", b"json") or label == _KINDS[kind], "a box with another label")
    salts = list(_boxes(rest))
    require([name for name, _ in salts] == ([b"c2sh"] if toggles == _SALTED else []), "a salt that is none")
    return kind


def _check_signature(body: bytes) -> None:
    """Only the protected part is under the signature; the rest has one form, in CBOR's shortest writing."""
    protected, headers, signed, signature = _cose(body)
    require(set(headers) <= _HEADERS, "an unknown part beside the signature")
    pads = [headers[name] for name in _PADS if name in headers]
    require(all(isinstance(pad, bytes) and not any(pad) for pad in pads), "padding that is not empty")
    require(signed is None and isinstance(signature, bytes), _OTHER_FORM)
    try:
        shortest = cbor2.dumps(cbor2.CBORTag(_SIGN1, [protected, headers, signed, signature]))
        require(shortest == body, _OTHER_FORM)
    except cbor2.CBORError as error:
        raise ManifestFormError(_OTHER_FORM) from error


def _signature_box(manifest: bytes) -> bytes:
    """What the box of a manifest's signature holds."""
    for name, body in _boxes(manifest):
        inner = list(_boxes(body)) if name == b"jumb" else []
        if len(inner) > 1 and inner[0][1].startswith(b"c2cs"):
            return inner[1][1]
    raise ManifestFormError("no signature")


def _cose(body: bytes) -> tuple[bytes, Mapping[object, object], object, object]:
    """A COSE_Sign1: protected headers (bytes), the others (a mapping), what is signed, and the signature."""
    match _decoded(body):
        case cbor2.CBORTag(tag=18, value=(bytes() as protected, Mapping() as headers, signed, signature)):
            return protected, headers, signed, signature
    raise ManifestFormError(_OTHER_FORM)


def _decoded(data: bytes) -> Any:
    require(len(data) <= _LONGEST_SIGNATURE, "a signature of over 64 KiB")
    try:
        return cbor2.loads(data, allow_duplicate_keys=False, max_depth=32)
    except cbor2.CBORError as error:
        raise ManifestFormError(_OTHER_FORM) from error
