"""The bytes of a signature that no hash covers: one writing alone is taken for limner's, and no file keeps us busy."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from typing import Any

import cbor2
import pytest

from limner.papers.c2pa.coverage import coverage_of
from limner.papers.c2pa.guard import claims_too_much
from limner.papers.c2pa.structure import fault_in_manifest, loose_headers, manifests_in, signers_of
from limner.workspace import Workspace
from papers.test_hostile import chunk, png_with
from published_made import KINDS, publish

SIGNATURE = b"c2cs" + bytes.fromhex("00110010800000AA00389B71")


def boxed(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), name) + body


def manifest(signature: bytes) -> bytes:
    """A manifest's contents with nothing but this signature."""
    return boxed(b"jumb", boxed(b"jumd", SIGNATURE + b"\x03c2pa.signature\0") + boxed(b"cbor", signature))


def signed(headers: object, protected: object = None) -> bytes:
    return cbor2.dumps(cbor2.CBORTag(18, [cbor2.dumps(protected or {}), headers, None, b"x"]))


@pytest.mark.parametrize("kind", KINDS)
def test_our_own_signatures_are_in_the_one_writing(kind: str, workspace: Workspace) -> None:
    data = publish(workspace, f"work.{kind}", size=64).path.read_bytes()
    assert fault_in_manifest(data, f"image/{kind}") == ""
    ((_, body),) = manifests_in(data, f"image/{kind}")
    assert loose_headers(body) == {}
    assert len(signers_of(body)) == 2


@pytest.mark.parametrize(
    "other",
    [
        lambda body: b"\xd8\x12" + body[1:],  # the tag in two bytes
        lambda body: body[:1] + b"\x98\x04" + body[2:],  # the length of the list in two
        lambda body: body + b"\0",  # more behind it
        lambda body: body.replace(b"\xf6\x58\x40", b"\xf7\x58\x40"),  # undefined in place of null
        lambda body: body[:-66] + b"\x59\x00\x40" + body[-64:],  # the length of the signature in two bytes
    ],
)
def test_the_same_values_in_another_writing_are_a_change(other: Callable[[bytes], bytes], workspace: Workspace) -> None:
    data = publish(workspace, "work.png", size=64).path.read_bytes()
    start, end = data.index(b"caBX") + 4, data.index(b"IDAT") - 8
    store = data[start:end]
    at = store.index(b"\xd2\x84")
    (length,) = struct.unpack_from(">I", store, at - 8)
    body = store[at : at - 8 + length]
    changed = other(body)
    assert changed != body
    for place in (at - 8, store.index(SIGNATURE) - 16, 38 + 0, 0):  # every box around it grows with it
        (old,) = struct.unpack_from(">I", store, place)
        store = store[:place] + struct.pack(">I", old + len(changed) - len(body)) + store[place + 4 :]
    store = store.replace(body, changed)
    damaged = data[: start - 8] + chunk(b"caBX", store) + data[end + 4 :]
    assert fault_in_manifest(damaged, "image/png")


def test_headers_that_nothing_protects_are_counted() -> None:
    assert loose_headers(manifest(signed({"pad": bytes(50)}))) == {}
    assert loose_headers(manifest(signed({"pad": b"\0words", "sigTst": {}}))) == {"pad": 11, "sigTst": 8}
    assert loose_headers(manifest(signed({33: b"certificate"}))) == {"without a name": 14}


@pytest.mark.parametrize(("name", "found"), [(33, [b"a", b"b"]), ("x5chain", [b"a", b"b"]), (33.0, []), (34, [])])
def test_signers_are_those_under_protection(name: Any, found: list[bytes]) -> None:
    assert signers_of(manifest(signed({}, {1: -7, name: [b"a", b"b"]}))) == found
    assert signers_of(manifest(signed({name: [b"a"]}))) == []


def of_one_hash(count: int) -> dict[int, int]:
    return {number * (2**61 - 1) + 5: 0 for number in range(1, count)}


@pytest.mark.parametrize(
    "signature",
    [
        b"\xd2\x84" + b"\x81" * 60_000,
        b"\xd2\x84\x5a\x7f\xff\xff\xff",
        b"\xd2\x84\x40\xbb\x0f" + b"\xff" * 7,
        b"\xd2\x84\x40\xa2\x61a\0\x61a\0\xf6\x40",  # a name twice: the last would hide the first
        signed({"a": bytes(70_000)}),
        signed({"a": of_one_hash(20_000)}),
    ],
)
def test_a_signature_made_to_keep_us_busy_counts_as_covered_by_nothing(signature: bytes) -> None:
    began = time.monotonic()
    assert loose_headers(manifest(signature)) == {"that cannot be read": len(signature)}
    assert signers_of(manifest(signature)) == []
    assert time.monotonic() - began < 3


def test_boxes_in_one_another_and_many_extensions_do_not_keep_the_guard_busy() -> None:
    nested = b"".join(struct.pack(">I4s", 8 * (50_000 - i), b"cbor") for i in range(50_000))
    began = time.monotonic()
    assert claims_too_much(png_with(chunk(b"caBX", nested)), "image/png")
    assert claims_too_much(b"GIF89a" + b"\x21\xff\x0bC2PA_GIF" * 100_000, "image/gif")
    assert time.monotonic() - began < 8


def test_items_without_width_do_not_keep_the_check_busy() -> None:
    items = b"".join(struct.pack(">HHH", number, 0, 65535) for number in range(5000))
    places = boxed(b"iloc", b"\0\0\0\0" + b"\0\0" + struct.pack(">H", 5000) + items)
    data = b"\0\0\0\x18ftypavif\0\0\0\0avifmif1" + boxed(b"meta", bytes(4) + places)
    stated = {"assertions": {"c2pa.hash.bmff.v3": {"exclusions": [{"xpath": "/ftyp"}]}}}
    began = time.monotonic()
    coverage_of(data, "image/avif", stated, stamp_holds=False)
    assert time.monotonic() - began < 3
