"""Whatever lies in a file, the check answers in time, with a state and a reason."""

from __future__ import annotations

import os
import socket
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from limner import pictures
from limner.papers import verify
from limner.papers.c2pa.xmp import read_packet
from limner.workspace import Workspace
from published_made import KINDS, picture, publish

BOMB = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><x:xmpmeta xmlns:x="adobe:ns:meta/">&c;</x:xmpmeta>"""
LEAK = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>
<x:xmpmeta xmlns:x="adobe:ns:meta/">&a;</x:xmpmeta>"""
STORE = bytes.fromhex("6332706100110010800000AA00389B71")


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_with(*more: bytes, width: int = 8, height: int = 8) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + bytes(8) for _ in range(8))))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(more) + pixels + chunk(b"IEND", b"")


def xmp_chunk(text: bytes, compressed: bool = False) -> bytes:
    return chunk(b"iTXt", b"XML:com.adobe.xmp\0" + bytes([compressed, 0]) + b"\0\0" + text)


def boxes(depth: int) -> bytes:
    description = struct.pack(">I", 30) + b"jumd" + STORE + b"\x03c2pa\0"
    body = description
    for _ in range(depth):
        body = struct.pack(">I", 38 + len(body)) + b"jumb" + description + body
    return body


FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "unreadable"),
    "garbage": (os.urandom(5000), "unreadable"),
    "text": (b"I am a picture, honestly\n" * 100, "unreadable"),
    "only the first bytes": (b"\x89PNG\r\n\x1a\n", "unreadable"),
    "jpeg of two bytes": (b"\xff\xd8", "unreadable"),
    "jpeg of markers": (b"\xff\xd8" + b"\xff\xe1\0\2" * 20_000, "unreadable"),
    "riff of nothing": (b"RIFF\xff\xff\xff\xffWEBP" + bytes(100), "unreadable"),
    "avif of one endless box": (b"\0\0\0\x18ftypavif\0\0\0\0avifmif1\0\0\0\0mdat" + bytes(99), "unreadable"),
    "avif of boxes of size 1": (b"\0\0\0\x18ftypavif\0\0\0\0avifmif1" + b"\0\0\0\1free" * 5000, "unreadable"),
    "30000 x 30000": (png_with(width=30_000, height=30_000), "unreadable"),
    "2 to the 31": (png_with(width=2**31 - 1, height=2**31 - 1), "unreadable"),
    "chunk of 4 GB": (b"\x89PNG\r\n\x1a\n\xff\xff\xff\xffcaBX" + bytes(50), "unreadable"),
    "plain": (png_with(), "none"),
    "xmp that is a bomb": (png_with(xmp_chunk(BOMB)), "none"),
    "xmp that reads files": (png_with(xmp_chunk(LEAK)), "none"),
    "xmp that is no xml": (png_with(xmp_chunk(b"\xff\xfe<<<<&&&")), "none"),
    "xmp that unfolds": (png_with(xmp_chunk(zlib.compress(b" " * 50_000_000), compressed=True)), "unreadable"),
    "xmp that begins a thousand times": (png_with(chunk(b"teSt", b"<x:xmpmeta" * 400_000)), "none"),
    "xmp that nests": (png_with(xmp_chunk(b"<a>" * 100_000 + b"</a>" * 100_000)), "none"),
    "manifest of nothing": (png_with(chunk(b"caBX", b"")), "none"),
    "manifest of zeros": (png_with(chunk(b"caBX", bytes(10_000))), "none"),
    "manifest of boxes in boxes": (png_with(chunk(b"caBX", boxes(5000))), "none"),
    "manifest that ends early": (png_with(chunk(b"caBX", b"\0\0\xff\xffjumb\0\0\0\x1ejumd" + STORE)), "none"),
}


@pytest.mark.parametrize("name", FILES)
def test_every_file_gets_a_state_and_a_reason(tmp_path: Path, name: str) -> None:
    data, state = FILES[name]
    path = tmp_path / "x.png"
    path.write_bytes(data)
    began = time.monotonic()
    verdict = verify(path)
    assert time.monotonic() - began < 5
    assert verdict.state == state
    assert verdict.summary
    assert not verdict.genuine
    assert "root:" not in verdict.to_json()


def fifo(path: Path) -> None:
    os.mkfifo(path)


def link_to_itself(path: Path) -> None:
    path.symlink_to(path)


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


def a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def too_large(path: Path) -> None:
    path.touch()
    os.truncate(path, 600 << 20)


@pytest.mark.parametrize("make", [Path.mkdir, fifo, link_to_itself, a_socket, a_device, too_large, lambda path: None])
def test_what_is_no_file_is_unreadable(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "x.png")
    verdict = verify(tmp_path / "x.png")
    assert verdict.state == "unreadable"
    assert len(verdict.summary) > len("could not be checked: ")


def test_any_name_can_be_asked_for(tmp_path: Path) -> None:
    for name in (b"\xff\xfe.png", b"a\nb.png", b"-rf", b"[red].png"):
        path = tmp_path / os.fsdecode(name)
        path.write_bytes(png_with())
        assert verify(path).state == "none"
        assert verify(path).to_json()
    assert verify(Path("a\0b")).state == "unreadable"


@pytest.mark.parametrize("kind", KINDS)
def test_a_hundred_random_bytes_at_random_places(workspace: Workspace, kind: str) -> None:
    data = publish(workspace, f"work.{kind}").path.read_bytes()
    random = np.random.default_rng(0)
    path = workspace.root / f"x.{kind}"
    for _ in range(40):
        changed = bytearray(data)
        for at in random.integers(0, len(data), 100):
            changed[at] = random.integers(256)
        path.write_bytes(changed)
        assert verify(path).state in ("tampered", "unreadable", "none")


def test_a_name_says_nothing(workspace: Workspace) -> None:
    work = publish(workspace, "work.webp")
    for name in ("x.png", "x.jpg", "x", "x.txt"):
        (workspace.root / name).write_bytes(work.path.read_bytes())
        assert verify(workspace.root / name).genuine


def test_xmp_in_other_spellings(tmp_path: Path) -> None:
    spaces = 'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"'
    rdf = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
    packet = f"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF {rdf}><rdf:Description {spaces}
        photoshop:Credit="as an attribute"><dc:creator><rdf:Seq><rdf:li>One</rdf:li><rdf:li>Two</rdf:li></rdf:Seq>
        </dc:creator></rdf:Description></rdf:RDF></x:xmpmeta>"""
    seen = read_packet(packet.encode())
    assert (seen.credit, seen.creator) == ("as an attribute", "One, Two")
    (tmp_path / "x.jpg").write_bytes(pictures.encode(picture(), "jpeg", xmp=packet.encode()))
    assert 'creator "One, Two"' in verify(tmp_path / "x.jpg").layers[1].holds
