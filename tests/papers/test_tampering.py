"""A byte changed anywhere after signing is found, by this program and by an independent one."""

from __future__ import annotations

import resource
import struct
import time
import zlib
from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path

import encypher_c2pa
import pytest
from PIL import Image

from limner.papers.c2pa.parts import take_apart
from limner.papers.verify.checking import Checker
from limner.papers.verify.verdict import Verdict
from limner.pictures import FORMATS
from limner.workspace import Workspace
from published_made import KINDS, publish, roots

REGIONS = ("picture", "xmp", "assertions", "claim", "signature")
PARTS = {"picture": "the picture itself", "xmp": "the XMP"}


@pytest.fixture
def checker(workspace: Workspace) -> Iterator[Checker]:
    publish(workspace, "first.png")
    with closing(Checker(own=roots(workspace))) as ready:
        yield ready


def check(checker: Checker, data: bytes, kind: str = "png") -> Verdict:
    return checker.check_bytes(data, Path(f"work.{kind}"))


def flipped(data: bytes, at: int) -> bytes:
    changed = bytearray(data)
    changed[at] ^= 1 << (at % 8)
    return bytes(changed)


def region(data: bytes, name: str) -> range:
    """Where in the file the part called `name` lies."""
    parts = take_apart(data)
    if name == "picture":
        piece = bytes(max(parts.image, key=len))
        return range(data.index(piece), data.index(piece) + len(piece))
    if name == "xmp":
        assert parts.xmp is not None
        return range(data.index(parts.xmp), data.index(parts.xmp) + len(parts.xmp))
    claim, signature = data.rindex(b"c2pa.claim.v2\0"), data.rindex(b"c2pa.signature\0")
    if name == "assertions":
        return range(data.index(b"c2pa.actions.v2"), claim - 40)
    if name == "claim":
        return range(claim + 22, signature - 40)
    padding_ends = data.index(b"\xf6\x58\x40", signature)  # null, then 64 bytes of signature
    return range(padding_ends + 3, padding_ends + 67)


@pytest.mark.parametrize("name", REGIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_both_programs_find_a_flipped_byte(workspace: Workspace, checker: Checker, kind: str, name: str) -> None:
    data = publish(workspace, f"work.{kind}").path.read_bytes()
    places = region(data, name)
    for at in places[:: max(1, len(places) // 25)]:
        changed = flipped(data, at)
        verdict = check(checker, changed, kind)
        assert verdict.state == "tampered", at
        assert not verdict.trusted
        if name in PARTS:
            assert PARTS[name] in (verdict.tampered or ""), at
        else:
            assert "manifest" in (verdict.tampered or ""), at
        assert independent(changed, FORMATS[kind]) != "valid", at


def independent(data: bytes, mime: str) -> str:
    try:
        return str(encypher_c2pa.verify(data, mime)["integrity"])
    except ValueError:
        return "refused"


@pytest.mark.parametrize("kind", KINDS)
def test_no_byte_is_left_out(workspace: Workspace, checker: Checker, kind: str) -> None:
    """Padding, box frames, checksums and labels are under no hash of C2PA; here they are found as well."""
    data = publish(workspace, f"work.{kind}", size=16).path.read_bytes()
    missed = [at for at in range(3, len(data), 11) if check(checker, flipped(data, at), kind).state != "tampered"]
    assert missed == []


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_can_be_added_or_cut_off(workspace: Workspace, checker: Checker, kind: str) -> None:
    data = publish(workspace, f"work.{kind}").path.read_bytes()
    assert check(checker, data + b"\0", kind).state == "tampered"
    for share in range(1, 10):
        verdict = check(checker, data[: len(data) * share // 10], kind)
        assert verdict.state in ("tampered", "unreadable")
        assert verdict.summary


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_that_is_saved_again_has_no_papers(workspace: Workspace, checker: Checker, kind: str) -> None:
    data = publish(workspace, f"work.{kind}").path.read_bytes()
    again = BytesIO()
    with Image.open(BytesIO(data)) as image:
        image.convert("RGB").save(again, kind)
    verdict = check(checker, again.getvalue(), kind)
    assert verdict.state == "none"
    assert verdict.signer is None
    assert verdict.generation == {}
    assert "nothing proves where it comes from" in verdict.summary
    assert "absence proves nothing" in verdict.layers[0].proves


def test_xmp_alone_proves_nothing(workspace: Workspace, checker: Checker) -> None:
    data = publish(workspace).path.read_bytes()
    xmp, again = take_apart(data).xmp, BytesIO()
    with Image.open(BytesIO(data)) as image:
        image.save(again, "webp", xmp=xmp)
    verdict = check(checker, again.getvalue(), "webp")
    assert verdict.state == "none"
    assert verdict.layers[1].state == "unsigned"
    assert "anybody can write it" in verdict.layers[1].proves
    assert "unsigned XMP" in verdict.summary
    assert not verdict.generated


def chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], 8
    while at < len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        found.append((name, data[at + 8 : at + 8 + length]))
        at += 12 + length
    return found


def png(parts: list[tuple[bytes, bytes]]) -> bytes:
    body = (struct.pack(">I", len(b)) + n + b + struct.pack(">I", zlib.crc32(n + b)) for n, b in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def test_papers_of_another_picture_do_not_fit(workspace: Workspace, checker: Checker) -> None:
    mine = chunks(publish(workspace, "mine.png", size=32).path.read_bytes())
    theirs = dict(chunks(publish(workspace, "theirs.png", size=48).path.read_bytes()))
    moved = png([(name, theirs[b"caBX"] if name == b"caBX" else body) for name, body in mine])
    verdict = check(checker, moved)
    assert (verdict.state, verdict.tampered) == ("tampered", "the picture itself")


@pytest.mark.parametrize("place", ["front", "end"])
def test_a_second_manifest_does_not_hide_the_first(workspace: Workspace, checker: Checker, place: str) -> None:
    mine = chunks(publish(workspace).path.read_bytes())
    other = (b"caBX", dict(chunks(publish(workspace, "other.png", size=48).path.read_bytes()))[b"caBX"])
    at = 1 if place == "front" else len(mine) - 1
    assert check(checker, png([*mine[:at], other, *mine[at:]])).state == "tampered"


def test_metadata_added_afterwards_is_neither_picture_nor_xmp(workspace: Workspace, checker: Checker) -> None:
    mine = chunks(publish(workspace).path.read_bytes())
    verdict = check(checker, png([*mine[:-1], (b"tEXt", b"Comment\0hello"), mine[-1]]))
    assert verdict.tampered == "bytes that are neither the picture's data nor its XMP"


@pytest.mark.parametrize("kind", KINDS)
def test_a_length_that_lies_costs_nothing(workspace: Workspace, checker: Checker, kind: str) -> None:
    """The C2PA library would ask for 2 GB, and take seconds, to read a text of this claimed length."""
    data = publish(workspace, f"work.{kind}").path.read_bytes()
    lie = data.replace(b"\x6atruncation", b"\x7atruncation", 1)
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    assert check(checker, lie, kind).state == "tampered"
    assert time.monotonic() - began < 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 << 10
