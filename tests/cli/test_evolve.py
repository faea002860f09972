"""`limner evolve`: from a sheet to a published work that knows its family, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from helpers import limner, refused
from limner.ledger import Ledger
from limner.papers import Identity, verify
from limner.works.origins import file_digest
from limner.workspace import Workspace
from models_made import made_model
from pictures_made import made_picture


@pytest.fixture(autouse=True)
def studio(workspace: Workspace) -> None:
    made_model(workspace.make(workspace.models) / "m.safetensors")
    Identity.new(workspace, "Ada Example")


def test_a_published_one_s_family_reaches_back(workspace: Workspace, tmp_path: Path) -> None:
    told = json.loads(limner("evolve", "m", "--count", 6, "--seed", 7, "--json"))
    assert Path(told["sheet"]) == workspace.root / "evolutions" / "m" / "000" / "sheet.png"
    limner("evolve", "m", "--keep", "2,5")
    limner("evolve", "m", "--publish", "4", "--to", tmp_path / "early.png")
    limner("evolve", "m", "--keep", "3,4", "--mutation", "0.5")
    limner("evolve", "m", "--publish", "6", "--to", tmp_path / "late.png")
    made = verify(tmp_path / "late.png").generation
    assert made["made"] == "evolve"
    assert made["how"] == {"evolution": "m", "generation": 2, "number": 6, "kept": "2,5 / 3,4"}
    family = limner("family", tmp_path / "early.png")
    assert "seed 7, no. 1" in family
    assert "seed 7, no. 4" in family
    above = json.loads(limner("family", tmp_path / "late.png", "--json"))["ancestors"]
    # One parent was published, the other was not: its own parents stand for it.
    assert {one["made"] for one in above["kin"]} == {"evolve", "draw"}
    assert file_digest(tmp_path / "early.png") in [one["digest"] for one in above["kin"]]
    assert "every pixel is the same" in limner("reproduce", tmp_path / "late.png")
    ledger = Ledger.open(workspace.ledger)
    assert ledger.verify().ok
    assert [(act.parameters["kept"], act.parameters["of"]) for act in ledger.acts(what="keep")] == [
        ([2, 5], 6),
        ([3, 4], 6),
    ]


def test_a_drawn_one_can_be_published_as_it_is(tmp_path: Path) -> None:
    limner("evolve", "m", "--count", 4, "--seed", 7)
    told = json.loads(limner("evolve", "m", "--publish", "1,3", "--to", tmp_path, "--json"))
    assert [one["how"]["drawn"] for one in told["works"]] == ["7:0", "7:2"]
    assert "evolve" in limner("family", told["works"][0]["path"])


def test_one_s_own_picture_begins_an_evolution(tmp_path: Path) -> None:
    own = tmp_path / "own.png"
    Image.fromarray(made_picture(4)).save(own)
    told = json.loads(limner("evolve", "m", "--from", own, "--from", "3:1", "--count", 5, "--name", "mine", "--json"))
    assert [one["kept"] for one in told["members"]] == [True, True, False, False, False]
    limner("evolve", "m", "--name", "mine", "--publish", "4", "--to", tmp_path / "w.png")
    parents = verify(tmp_path / "w.png").generation["parents"]
    assert told["members"][0]["root"]["digest"] in parents
    assert limner("family", tmp_path / "w.png").count("seed 3, no. 1") == 1


def test_back_shows_the_sheet_before(workspace: Workspace) -> None:
    first = limner("evolve", "m", "--count", 4)
    limner("evolve", "m", "--keep", "1")
    assert limner("evolve", "m", "--back") == first


def test_mistakes_give_one_line(workspace: Workspace) -> None:
    made_model(workspace.models / "other.safetensors", seed=4)
    limner("evolve", "m", "--count", 4)
    state = workspace.root / "evolutions" / "m" / "state.json"
    before = state.read_bytes()
    for arguments, told in (
        (("nobody",), "no model of this name"),
        (("m",), "is begun already"),
        (("m", "--name", "../m"), "is no name"),
        (("m", "--name", "b", "--label", "z"), "no such label"),
        (("m", "--name", "b", "--keep", "1"), "is no evolution"),
        (("other", "--name", "m", "--keep", "1"), "evolves another model"),
        (("m", "--keep", "5"), "number 5: is not on the sheet; give 1 to 4"),
        (("m", "--keep", "1,x"), "are no numbers"),
        (("m", "--keep", "1", "--back"), "cannot be done at once"),
        (("m", "--keep", "1", "--sheet", "s.png"), "are for works; give --publish"),
        (("m", "--keep", "1", "--label", "a"), "was begun"),
        (("m", "--publish", "9"), "number 9: is not on the sheet"),
    ):
        line = refused("evolve", *arguments)
        assert told in line
        assert "\n" not in line
    assert state.read_bytes() == before
    assert not (workspace.root / "evolutions" / "b").exists()
