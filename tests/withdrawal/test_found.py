"""What is found of withdrawn pictures: who learned from them, who only held them out, and what was made from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from helpers import limner, refused
from limner.collection import Collection
from limner.ledger import Ledger
from limner.models.bundle import load_model, save_model
from limner.workspace import Workspace
from pictures_made import KINDS
from withdrawal_made import begun, learned


def plan(name: str, *options: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(limner("withdraw", name, "--from", "A", "--dry-run", "--json", *options))
    return found


def relations(name: str) -> dict[str, str]:
    return {one["name"]: one["relation"] for one in plan(name)["models"]}


def file_of(collection: Collection, split: str, kind: str) -> str:
    return next(row.file for row in collection.rows(split=split) if row.labels["kind"] == kind)


def child(path: Path, parents: tuple[str, ...], settings: dict[str, Any]) -> str:
    """Save a model that descends from others, and learned from a collection that nobody knows."""
    made = load_model(path.with_name("all.safetensors"))
    note = made.card.collection.model_copy(update={"digest": "9" * 64, "name": "unknown"})
    training = made.card.training.model_copy(update={"settings": settings})
    more = {"name": path.stem, "parents": parents, "collection": note, "training": training}
    return save_model(path, made.generator, made.card.model_copy(update=more))


def test_who_learned_who_held_out_and_who_descends(workspace: Workspace, tmp_path: Path) -> None:
    collection, folder = begun(workspace, tmp_path), workspace.models
    everything = learned(folder / "all.safetensors", collection)
    learned(folder / "matt.safetensors", collection, like=folder / "all.safetensors", where=(f"kind={KINDS[0]}",))
    gone = learned(folder / "gone.safetensors", collection, like=folder / "matt.safetensors")
    (folder / "gone.safetensors").unlink()
    child(folder / "young.safetensors", (everything,), {})
    # The parent's file is gone: the ledger knows what it learned from.
    lost = "7" * 64
    inputs, how = [f"sha256:{collection.digest}"], {"name": "lost", "where": []}
    Ledger.open(workspace.ledger).record(
        "algorithm", "train", inputs=inputs, outputs=[f"sha256:{lost}"], parameters=how
    )
    child(folder / "orphan.safetensors", (lost,), {})
    # Or the card of what was merged from it does.
    of = {"name": "gone", "digest": gone, "collection": {"name": "A", "digest": collection.digest, "where": []}}
    child(folder / "merged.safetensors", (gone,), {"merge": {"way": "weights", "weights": [0.5, 0.5], "of": [of]}})

    matt = relations(file_of(collection, "train", KINDS[0]))
    assert matt == {
        "all": "learned", "matt": "learned", "young": "descends", "lost": "learned", "orphan": "descends",
        "gone": "learned", "merged": "descends",
    }  # fmt: skip
    striped = relations(file_of(collection, "train", KINDS[1]))
    assert striped == {**matt, "matt": "left out"}
    held = relations(file_of(collection, "holdout", KINDS[0]))
    assert held == {"all": "held out", "matt": "held out", "lost": "held out", "gone": "held out"}

    # A name that is taken is refused before anything is done.
    assert "is the name of another collection" in refused(
        "withdraw", file_of(collection, "holdout", KINDS[0]), "--from", "A", "--name", "A", "--yes"
    )
    # Held out is not learned: nothing is marked, and the model still paints.
    said = limner("withdraw", file_of(collection, "holdout", KINDS[0]), "--from", "A", "--yes")
    assert "superseded" not in said
    limner("sample", "all", "-n", 1, "--finish", "none")
    # Learned is: all of them are marked, with those whose file is gone.
    limner("withdraw", file_of(collection, "train", KINDS[1]), "--from", "A", "--yes")
    marked = {act.parameters["name"] for act in Ledger.open(workspace.ledger).acts(what="supersede")}
    assert marked == {"all", "young", "lost", "orphan", "gone", "merged"}
    assert "was superseded" in refused("sample", "orphan", "-n", 1)
    limner("sample", "matt", "-n", 1, "--finish", "none")
    # From the next version on: the former one holds both pictures still.
    assert Collection.names(workspace) == ["A", "A-2", "A-3"]
    assert Collection.open("A-3", workspace).card["parent"]["name"] == "A-2"


def test_a_work_that_was_made_from_the_picture_itself(workspace: Workspace, tmp_path: Path) -> None:
    collection = begun(workspace, tmp_path)
    learned(workspace.models / "m.safetensors", collection)
    name = file_of(collection, "train", KINDS[0])
    picture = tmp_path / "pictures" / name
    limner("restyle", picture, "--style", "m", "--size", 48, "--to", tmp_path / "work.png")
    (work,) = plan(name)["works"]
    assert work["from_file"] and work["outside"] and work["published"]
    told = json.loads(limner("withdraw", name, "--from", "A", "--yes", "--finish-anew", "--json"))
    if work["relation"] == "piece":
        assert "a withdrawn picture is what it shows" in told["failed"][0]
    assert not list(tmp_path.glob("*-anew-*"))
    said = json.loads((Path(told["statement"]) / "statement.json").read_text())
    assert "cannot be finished anew without it" in " ".join(one["text"] for one in said["left"])
