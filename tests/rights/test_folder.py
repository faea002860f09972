"""Opt-outs for a folder: tdmrep.json and ai.txt."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from limner.rights import read_folder

TDM = "opt-out: tdmrep.json of the folder"
AI = "opt-out: ai.txt of the folder"


def write_tdmrep(folder: Path, rules: object) -> None:
    (folder / ".well-known").mkdir()
    (folder / ".well-known" / "tdmrep.json").write_text(json.dumps(rules))


def test_nothing_there_reserves_nothing(tmp_path: Path) -> None:
    assert read_folder(tmp_path).held("a.jpg") == ()


def test_the_first_location_that_matches_decides(tmp_path: Path) -> None:
    rules = [{"location": "/free/*", "tdm-reservation": 0}, {"location": "/*.jpg$", "tdm-reservation": 1}]
    write_tdmrep(tmp_path, rules)
    found = read_folder(tmp_path)
    assert found.held("a.jpg") == (TDM,)
    assert found.held("deep/er/a.jpg") == (TDM,)
    assert found.held("free/a.jpg") == ()
    assert found.held("a.png") == ()


@pytest.mark.parametrize("reservation", [1, "1", True])
def test_everything_is_reserved(tmp_path: Path, reservation: object) -> None:
    write_tdmrep(tmp_path, [{"location": "/", "tdm-reservation": reservation, "tdm-policy": "https://example.org"}])
    assert read_folder(tmp_path).held("a.png") == (TDM,)


@pytest.mark.parametrize("text", ["{", "[1]", '"x"', "[" * 100_000, "\ufeff[{}]", "null"])
def test_an_unreadable_file_holds_everything(tmp_path: Path, text: str) -> None:
    (tmp_path / "tdmrep.json").write_text(text)
    assert read_folder(tmp_path).held("a.png") == ("opt-out file tdmrep.json unreadable",)


def test_ai_txt_is_read_like_robots_txt(tmp_path: Path) -> None:
    lines = ["# Spawning AI", "User-Agent: *", "Disallow: *.jpg", "Disallow: /private/  # mine", "Allow: /private/ok/"]
    (tmp_path / "ai.txt").write_text("\r\n".join([*lines, "", "User-Agent: other", "Disallow: /"]))
    found = read_folder(tmp_path)
    assert found.held("a.jpg") == (AI,)
    assert found.held("private/a.png") == (AI,)
    assert found.held("private/ok/a.png") == ()
    assert found.held("a.png") == ()


def test_no_pattern_is_slow(tmp_path: Path) -> None:
    (tmp_path / "ai.txt").write_text("User-Agent: *\nDisallow: " + "*a" * 500 + "b\n")
    began = time.monotonic()
    assert read_folder(tmp_path).held("a" * 5000) == ()
    assert time.monotonic() - began < 0.5
