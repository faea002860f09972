"""What a signature covers is checked and said: excluded pictures, boxes that no hash reaches, loose headers."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest

from limner import pictures
from limner.papers import verify
from limner.papers.c2pa.coverage import coverage_of
from limner.papers.c2pa.store import own_ranges
from limner.workspace import Workspace
from papers.test_verdicts import foreign
from published_made import KINDS, picture, publish

CASES = Path(__file__).parent / "cases"


def box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), name) + body


@pytest.mark.parametrize(
    ("name", "state", "words"),
    [
        ("excl_all_swapped.jpg", "invalid", "its hash leaves out 5,574 bytes that are not its own"),
        ("freemdat_swapped.avif", "invalid", "parts of the picture lie where its hash does not reach"),
        ("avif_append_free.avif", "valid", "36 bytes are covered by nothing (free boxes 36)"),
        ("cose_sigTst_text.png", "valid", "159 bytes are covered by nothing (the signature's part sigTst 159)"),
    ],
)
def test_what_no_hash_covers_is_said(name: str, state: str, words: str) -> None:
    verdict = verify(CASES / name)
    assert verdict.state == state
    assert words in verdict.summary
    assert words in verdict.layers[0].proves
    assert "not a byte" not in verdict.summary + verdict.layers[0].proves
    if state == "invalid":
        assert "does not cover the picture" in verdict.summary


@pytest.mark.parametrize("kind", KINDS)
def test_of_our_own_works_every_byte_is_covered(kind: str, workspace: Workspace) -> None:
    verdict = verify(publish(workspace, f"work.{kind}", size=64).path)
    assert (verdict.state, verdict.uncovered) == ("valid", {})
    assert "not a byte changed" in verdict.summary


@pytest.mark.parametrize("name", [b"free", b"skip", b"mfra"])
def test_a_box_added_to_our_own_avif_is_told(name: bytes, workspace: Workspace) -> None:
    path = publish(workspace, "work.avif", size=64).path
    path.write_bytes(path.read_bytes() + box(name, box(b"mfro", b"somebody else's words")))
    verdict = verify(path)
    assert "not a byte" not in verdict.summary
    assert verdict.state == "tampered" if name != b"mfra" else verdict.uncovered == {"mfra boxes": 37}


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "avif"])
def test_works_of_other_programs_are_held_to_it_too(kind: str, workspace: Workspace, tmp_path: Path) -> None:
    verdict = verify(foreign(workspace, tmp_path, kind))
    assert verdict.state == "valid"
    assert set(verdict.uncovered) <= {"the file's type"}
    assert bool(verdict.uncovered) is (kind == "avif")


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
@pytest.mark.parametrize("more", [(-1, 0), (-40, 0), (-5, 5)])
def test_a_hash_that_leaves_out_more_than_its_own_covers_no_picture(
    kind: str, more: tuple[int, int], workspace: Workspace
) -> None:
    data = publish(workspace, f"work.{kind}", size=64).path.read_bytes()
    spans = own_ranges(data, f"image/{kind}")
    start, end = spans[0][0], spans[-1][1]

    def told(first: int, last: int) -> dict[str, Any]:
        exclusions = [{"start": first, "length": last - first}]
        return {"assertions": {"c2pa.hash.data": {"exclusions": exclusions}}}

    assert coverage_of(data, f"image/{kind}", told(start, end), stamp_holds=False).fault == ""
    wider = coverage_of(data, f"image/{kind}", told(start + more[0], end + more[1]), stamp_holds=False)
    assert bool(wider.fault) is (more != (0, 0))
    assert coverage_of(data, f"image/{kind}", told(0, len(data)), stamp_holds=False).fault


@pytest.mark.parametrize(
    "rule",
    [
        {"xpath": "/mdat"},
        {"xpath": "/meta"},
        {"xpath": "/meta/iloc"},
        {"xpath": "/uuid"},
        {"xpath": "/free", "subset": [{"offset": 8, "length": 4}]},
    ],
)
def test_a_hash_of_boxes_that_leaves_out_more_covers_no_picture(rule: dict[str, Any]) -> None:
    data = pictures.encode(picture(64), "avif", xmp=b"<x:xmpmeta xmlns:x='adobe:ns:meta/'></x:xmpmeta>")
    data += box(b"uuid", bytes(16) + b"somebody's") + box(b"free", bytes(20))
    fair: list[dict[str, Any]] = [{"xpath": "/ftyp"}, {"xpath": "/mfra"}, {"xpath": "/free"}]

    def fault(rules: list[dict[str, Any]]) -> str:
        told = {"assertions": {"c2pa.hash.bmff.v3": {"exclusions": rules}}}
        return coverage_of(data, "image/avif", told, stamp_holds=False).fault

    assert fault(fair) == ""
    assert fault([*fair, rule])


def test_without_a_hash_of_the_file_nothing_is_covered() -> None:
    data = pictures.encode(picture(32), "png")
    assert coverage_of(data, "image/png", {"assertions": {}}, stamp_holds=False).fault
    boxes = {
        "boxes": [{"names": ["PNGh"]}, {"names": ["C2PA"], "excluded": True}, {"names": ["IDAT"], "excluded": True}]
    }
    told = {"assertions": {"c2pa.hash.boxes": boxes}}
    assert "IDAT" in coverage_of(data, "image/png", told, stamp_holds=False).fault
    assert (
        coverage_of(data, "image/png", {"assertions": {"c2pa.hash.boxes": {"boxes": []}}}, stamp_holds=False).fault
        == ""
    )
