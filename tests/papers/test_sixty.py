"""Sixty files of every kind: verdicts beside those of another reader, written by others in another language."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import encypher_c2pa

from limner import pictures
from limner.papers import Identity, verify
from limner.papers.c2pa.parts import kind_of
from limner.papers.verify.checking import open_checker
from limner.papers.verify.verdict import Verdict
from limner.workspace import Workspace
from papers.resigning import with_validity
from papers.test_identities import DAY
from papers.test_verdicts import foreign
from published_made import ARTIST, picture, publish

KINDS = ("png", "jpeg", "webp", "avif")
CASES = Path(__file__).parent / "cases"
NOW = dt.datetime.now(dt.UTC)

Expected = tuple[str, str]
"""State, and words that must stand in the summary."""


def set_of(workspace: Workspace, root: Path) -> Iterator[tuple[Path, Expected]]:
    """Sixty files, each with what must be said of it."""
    plain = [publish(workspace, f"plain-{size}.{kind}", size=size).path for kind in KINDS for size in (48, 96)]
    for path in plain:  # 8
        yield path, ("valid", "not a byte changed")
    for number, path in enumerate(plain):  # 16 changed ones
        data = bytearray(path.read_bytes())
        place = len(data) - 30 if path.suffix != ".webp" else 40
        data[place] ^= 0x10
        yield written(root / f"flipped-{number}{path.suffix}", bytes(data)), ("tampered", "changed after it was signed")
        more = path.read_bytes() + b"more at the end"
        yield written(root / f"longer-{number}{path.suffix}", more), ("tampered", "")
    for kind in KINDS:  # 8 of other programs
        for number in range(2):
            folder = root / f"foreign-{kind}-{number}"
            folder.mkdir()
            words = "what the signature covers" if kind == "avif" else "not a byte changed"
            yield foreign(workspace, folder, kind), ("valid", words)
    for number in range(5):  # 10 of another time
        folder = root / f"time-{number}"
        folder.mkdir()
        path = foreign(workspace, folder, "png")
        ended = with_validity(path.read_bytes(), folder, NOW - 30 * DAY, NOW - (1 + number) * DAY)
        yield written(folder / "ended.png", ended), ("invalid", "certificate ended on")
        later = with_validity(path.read_bytes(), folder, NOW + dt.timedelta(hours=12 + number), NOW + 99 * DAY)
        yield written(folder / "later.png", later), ("invalid", "begins only at")
    for number, kind in enumerate(KINDS):  # 8 without papers
        for size in (48, 96):
            pixels = picture(size, 70 + number)
            yield written(root / f"bare-{size}.{kind}", pictures.encode(pixels, kind)), ("none", "no papers")
    for number, path in enumerate(plain[:6]):  # 6 broken
        cut = path.read_bytes()[: 60 * (number + 1)]
        yield written(root / f"cut-{number}{path.suffix}", cut), ("unreadable|tampered", "")
    yield CASES / "excl_all_swapped.jpg", ("invalid", "does not cover the picture")
    yield CASES / "freemdat_swapped.avif", ("invalid", "does not cover the picture")
    yield CASES / "avif_append_free.avif", ("valid", "covered by nothing")
    yield CASES / "cose_sigTst_text.png", ("valid", "covered by nothing")


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def other_reader(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    try:
        found = dict(encypher_c2pa.verify(data, kind_of(data) or "image/png"))
    except Exception as error:
        return {"error": str(error)}
    return found


STRICTER = {"excl_all_swapped.jpg", "freemdat_swapped.avif"}
"""Where limner looks at what the signature covers, and the other reader does not."""


def test_sixty_files_get_the_verdict_that_another_reader_gives(workspace: Workspace, tmp_path: Path) -> None:
    files = list(set_of(workspace, tmp_path))
    assert len(files) == 60
    apart: list[str] = []
    stricter: set[str] = set()
    for path, (state, words) in files:
        verdict = verify(path)
        assert verdict.state in state.split("|"), f"{path.name}: {verdict.summary}"
        assert words in verdict.summary, f"{path.name}: {verdict.summary}"
        assert ("not a byte" in verdict.summary) is (verdict.state == "valid" and not verdict.uncovered)
        other = other_reader(path)
        if agrees(verdict, other):
            continue
        if path.name in STRICTER and verdict.state == "invalid":
            stricter.add(path.name)
            continue
        apart.append(f"{path.name}: {verdict.state}; {other.get('validation_state')!s} {str(other)[:200]}")
    assert apart == []
    assert stricter <= STRICTER


def agrees(verdict: Verdict, other: dict[str, Any]) -> bool:
    """Whether both readers call the file valid, or neither does; that nobody vouches for a name counts for neither."""
    failures = {one["code"] for one in (other.get("validation_results") or {}).get("failure", [])}
    holds = other.get("validation_state") in ("Valid", "Trusted") and failures <= {"signingCredential.untrusted"}
    return (verdict.state == "valid") is holds


def test_a_revoked_key_is_told_where_that_is_known(workspace: Workspace) -> None:
    path = publish(workspace).path
    Identity.revoke(workspace, ARTIST, reason="laptop stolen")
    with closing(open_checker(workspace)) as checker:
        verdict = checker.check(path)
    assert verdict.state == "invalid"
    assert "certificate was revoked from" in verdict.summary
