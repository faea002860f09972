"""The commands of `limner collection`, as a person or a program uses them."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from helpers import limner
from limner.errors import CollectionError, UsageError
from odd_pictures import encoded, painting

run = partial(limner, "collection")


def run_json(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "drawings"
    folder.mkdir()
    for i in range(8):
        (folder / f"{i}.png").write_bytes(encoded(painting(i), "PNG"))
    (folder / "same.png").write_bytes((folder / "0.png").read_bytes())
    (folder / "[red]cut.jpg").write_bytes(encoded(painting(9), "JPEG")[:500])
    return folder


def test_add_show_list_check_remove(folder: Path) -> None:
    said = run("add", str(folder), "--licence", "CC-BY-4.0", "--creator", "Ada [bold]Example")
    for words in ("taken", "merged", "truncated: [red]cut.jpg", "drawings imported"):
        assert words in said
    shown = run("show", "drawings")
    assert "CC-BY-4.0 (8)" in shown
    assert "Learned from pictures by Ada [bold]Example (CC-BY-4.0)" in " ".join(shown.split())
    assert "0.png" in run("show", "drawings", "--pictures")
    assert "drawings" in run("list")
    assert "whole" in run("check", "drawings")
    assert run("remove", "drawings", "--yes") == "Removed drawings.\n"
    assert "No collections yet" in run("list")


def test_json_for_programs(folder: Path) -> None:
    report = run_json("add", str(folder), "--name", "mine")
    assert (report["taken"], report["merged"], report["held_pictures"]) == (8, 1, 8)
    assert report["refused"][0]["kind"] == "truncated"
    shown = run_json("show", "mine", "--pictures", "--where", "file=1.png")
    assert [row["file"] for row in shown["rows"]] == ["1.png"]
    assert shown["rights"]["held"] == {"no creator": 1, "no licence": 1}
    assert run_json("list")[0]["digest"] == report["digest"]
    assert run_json("check", "mine")["whole"] is True


def test_a_held_collection_says_what_to_do(folder: Path) -> None:
    said = " ".join(run("add", str(folder)).split())
    assert "held back 8 no creator (8), no licence (8)" in said
    assert "--accept-unknown" in said


def test_quiet_says_nothing(folder: Path) -> None:
    assert run("add", str(folder), "--quiet") == ""


def test_check_ends_with_status_1_on_damage(folder: Path) -> None:
    report = run_json("add", str(folder))
    next(Path(report["folder"], "pictures").rglob("*.webp")).unlink()
    assert "damaged" in run("check", "drawings", status=1)


def test_mistakes(folder: Path) -> None:
    for arguments, kind, words in (
        (["add", str(folder), "--background", "wite"], UsageError, "is no colour"),
        (["add", str(folder), "--column", "creator"], UsageError, "names no column"),
        (["add", str(folder / "gone")], CollectionError, "does not exist"),
        (["show", "gone"], CollectionError, "make one"),
        (["remove", "gone", "--yes"], CollectionError, "does not exist"),
    ):
        with pytest.raises(kind, match=words):
            run(*arguments)
    run("add", str(folder))
    with pytest.raises(UsageError, match="add --yes"):
        run("remove", "drawings")


def test_every_command_has_help_with_an_example() -> None:
    for command in ("add", "show", "list", "check", "remove"):
        assert f"Example: limner collection {command}" in " ".join(run(command, "--help").split())
