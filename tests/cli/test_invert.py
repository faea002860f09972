"""`limner invert`: works that look like pictures from outside, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from helpers import limner, refused
from limner.cli.main import app
from limner.ledger import Ledger
from limner.papers import Identity, verify
from limner.works.origins import file_digest
from limner.workspace import Workspace
from models_made import made_model
from pictures_made import made_picture


@pytest.fixture(autouse=True)
def studio(workspace: Workspace, tmp_path: Path) -> None:
    made_model(workspace.make(workspace.models) / "m.safetensors")
    Identity.new(workspace, "Ada Example")
    for number in range(2):
        Image.fromarray(made_picture(number + 4)).save(tmp_path / f"own{number}.png")


def test_an_inverted_picture_is_a_work_that_can_be_moved_and_mixed(workspace: Workspace, tmp_path: Path) -> None:
    own = tmp_path / "own0.png"
    said = limner("invert", "m", own, "--steps", 8, "--to", tmp_path / "found.png")
    assert "after 8 steps" in said
    papers = verify(tmp_path / "found.png")
    assert papers.genuine
    assert papers.generation["made"] == "invert"
    assert len(papers.generation["parents"]) == 1
    how = papers.generation["how"]
    assert how["after"] < how["before"]
    assert how["distance"] == "multi-scale"
    assert "every pixel is the same" in limner("reproduce", tmp_path / "found.png")
    limner("mix", tmp_path / "found.png", "3:1", "--content", "A", "--style", "B", "--to", tmp_path / "mixed.png")
    assert verify(tmp_path / "mixed.png").generation["parents"][0] == file_digest(tmp_path / "found.png")
    family = json.loads(limner("family", tmp_path / "mixed.png", "--json"))["ancestors"]
    assert family["kin"][0]["made"] == "invert"
    assert family["kin"][0]["kin"][0]["digest"] == papers.generation["parents"][0]
    ledger = Ledger.open(workspace.ledger)
    assert ledger.verify().ok
    assert [act.what for act in ledger.acts()] == ["invert", "publish", "draw", "mix", "publish"]


def test_several_pictures_go_to_a_folder(tmp_path: Path) -> None:
    files = [tmp_path / "own0.png", tmp_path / "own1.png"]
    told = json.loads(limner("invert", "m", *files, "--steps", 2, "--to", tmp_path / "found", "--json"))
    assert [Path(one["path"]).parent for one in told["works"]] == [tmp_path / "found"] * 2
    assert all(one["how"]["steps"] == 2 for one in told["works"])
    assert "one file for 2 works" in refused("invert", "m", *files, "--steps", 2, "--to", tmp_path / "w.png")


def test_mistakes_give_one_line(tmp_path: Path) -> None:
    own, text, cut = tmp_path / "own0.png", tmp_path / "text.png", tmp_path / "cut.png"
    text.write_text("no picture")
    cut.write_bytes(own.read_bytes()[:200])
    for arguments, told in (
        (("nobody", own), "no model of this name"),
        ((own, own), "the file is damaged or not a model"),
        (("m", tmp_path / "nowhere.png"), "nowhere.png"),
        (("m", text), "text.png"),
        (("m", cut), "cut.png"),
        (("m", tmp_path), "is a folder"),
        (("m", own, "--steps", "0"), "--steps 0: is out of range"),
        (("m", own, "--steps", "1001"), "--steps 1001: is out of range"),
    ):
        line = refused("invert", *arguments, "--to", tmp_path / "w.png")
        assert told in line
        assert "\n" not in line
    assert not (tmp_path / "w.png").exists()


def test_one_that_cannot_be_read_hides_no_other(tmp_path: Path) -> None:
    own, cut = tmp_path / "own0.png", tmp_path / "cut.png"
    cut.write_bytes(own.read_bytes()[:200])
    done = CliRunner().invoke(app, ["invert", "m", str(cut), str(own), "--steps", "2", "--to", str(tmp_path / "out")])
    assert done.exit_code == 0
    assert "cut.png" in done.stderr
    assert "the others are looked for" in done.stderr
    assert len(list((tmp_path / "out").glob("*.png"))) == 1
