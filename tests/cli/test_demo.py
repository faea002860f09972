from __future__ import annotations

import csv
import hashlib
import json
import shutil
from pathlib import Path

import pytest

from helpers import limner
from limner import pictures
from limner.collection import PAINTINGS
from limner.demo import taking
from limner.demo.demonstration import prepare
from limner.errors import LimnerError, RightsError, UsageError
from limner.ledger import Ledger
from limner.models.bundle import read_card
from limner.workspace import Workspace
from pictures_made import made_folder
from shipped_made import STYLES, ship


def some_paintings(folder: Path, count: int) -> Path:
    """The first landscapes of those that ship, with their table and a digest that is none of theirs."""
    with (PAINTINGS / "pictures.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "landscape"][:count]
    (folder / "img").mkdir(parents=True)
    for row in rows:
        shutil.copy(PAINTINGS / row["file"], folder / row["file"])
    with (folder / "pictures.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return folder


def test_a_folder_that_is_no_demos_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "thesis"
    folder.mkdir()
    (folder / "index.html").write_text("mine")
    with pytest.raises(UsageError, match=r"holds other things than a demo.*--to"):
        limner("demo", "--to", str(folder))
    assert [(one.name, one.read_text()) for one in folder.iterdir()] == [("index.html", "mine")]


def test_an_earlier_demos_folder_is_used_again(tmp_path: Path) -> None:
    folder = prepare(tmp_path / "demo")
    (folder / "index.html").write_text("earlier")
    assert prepare(folder) == folder
    assert (folder / "index.html").read_text() == "earlier"


def test_mistakes(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for arguments, words in (
        (["--to", str(tmp_path / "file")], "is a file"),
        (["--to", str(tmp_path / "file" / "demo")], "cannot be written to"),
        (["--to", str(tmp_path / "a"), "--minutes", "0"], "no length"),
        (["--to", str(tmp_path / "a"), "--size", "65"], "is no size"),
        (
            ["--to", str(tmp_path / "a"), "--creator", "Ada"],
            r"no folder of them is given; limner demo FOLDER --creator",
        ),
        ([str(tmp_path / "gone"), "--to", str(tmp_path / "a")], "there is no such folder"),
        ([str(tmp_path / "file"), "--to", str(tmp_path / "a")], "is a file; give a folder of pictures"),
    ):
        with pytest.raises(LimnerError, match=words):
            limner("demo", *arguments)
    assert not (tmp_path / "a").exists()
    assert (tmp_path / "file").read_text() == "mine"


def test_pictures_without_rights_stop_before_any_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ship(tmp_path / "shipped", monkeypatch)
    drawings = made_folder(tmp_path / "drawings", 12)
    drawings.unlink()
    with pytest.raises(RightsError, match=r"12 of 12 pictures in .* are held back .*--creator .*--licence") as caught:
        limner("demo", str(drawings.parent), "--to", str(tmp_path / "demo"))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "demo" / "home" / "runs").exists()


@pytest.mark.slow
def test_own_pictures_go_on_from_the_shipped_model(
    tmp_path: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent = ship(tmp_path / "shipped", monkeypatch, "landscapes", "emoji-gan") / "landscapes.safetensors"
    digest = f"sha256:{hashlib.sha256(parent.read_bytes()).hexdigest()}"
    made_folder(tmp_path / "drawings", 24)
    folder = tmp_path / "demo"
    output = limner(
        "demo", str(tmp_path / "drawings"), "--to", str(folder), "--minutes", "0.05", "--json", "-w", "kind=matt"
    )
    told = json.loads(output)
    assert told["as_expected"]
    assert told["parent"] == {"name": "landscapes", "digest": digest}
    assert [one["model"] for one in told["opening"]] == ["landscapes"]
    assert told["collection"]["name"] == "drawings"

    card = read_card(folder / "home" / "models" / "demo.safetensors")
    assert card.family == "gan" and [f"sha256:{one}" for one in card.parents] == [digest]
    assert card.collection.where == ("kind=matt",) and card.credit == "Learned from pictures by Ada Example (CC-BY-4.0)"
    output = limner("verify", str(folder / "works"), "--json")
    papers = [verdict["generation"] for verdict in json.loads(output)]
    assert [one["model_parents"] for one in papers] == [[digest]] * 4
    output = limner("verify", str(folder / "works" / "work-1.png"))
    assert "went on from" in output and digest[:30] in output.replace("\n", "")
    trained = Ledger.open(Workspace(folder / "home").ledger).acts()
    assert [digest in act.inputs for act in trained if act.what == "train"] == [True]

    page = (folder / "index.html").read_text("utf-8")
    assert page.index(">Before<") < page.index(">After<") < page.index("What was taken")
    assert page.count("Went on from") == 1 + 4, "once how it learned, and once with each work"
    assert "began with nothing" not in page and "Ada Example" in page


@pytest.mark.slow
def test_the_whole_road(tmp_path: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    ship(tmp_path / "shipped", monkeypatch, "landscapes", "emoji-gan")
    monkeypatch.setattr(taking, "PAINTINGS", some_paintings(tmp_path / "paintings", count=50))
    folder = tmp_path / "demo"
    told = json.loads(limner("demo", "--to", folder, "--minutes", "0.1", "--json"))
    learned = read_card(folder / "home" / "models" / "demo.safetensors").collection
    assert learned.pictures + learned.held_out == 50
    assert told["as_expected"]
    assert [work["state"] for work in told["works"]] == ["valid"] * 4
    assert [forged["state"] for forged in told["forgeries"]] == ["tampered", "none"]
    assert not workspace.root.exists(), "the demo keeps to its own workspace"
    assert told["parent"] is None
    assert [(one["model"], one["labels"]) for one in told["opening"]] == [
        ("landscapes", []),
        ("emoji-gan", list(STYLES)),
    ]
    assert all(pictures.read(Path(one["sheet"])).pixels.any() for one in told["opening"])

    page = (folder / "index.html").read_text("utf-8")
    assert page.count("<img") > 50 + 64
    assert 'src="http' not in page and "<script" not in page
    assert all(near["title"] and near["distance"] > 0 for near in told["nearest"])

    assert len(json.loads(limner("verify", folder / "works", "--json"))) == 4
    output = limner("verify", folder / "forgeries", "--json", status=1)
    assert not any(verdict["genuine"] for verdict in json.loads(output))
