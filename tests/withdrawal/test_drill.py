"""The drill: a picture is withdrawn; models, works and publications are listed, models and works made anew, all signed.

Everything by way of the command line. A picture in collection A, models B (trained) and C (merged of B and another),
five works of which two contain a piece of it, two published.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from helpers import limner, refused
from limner.collection import Collection
from limner.ledger import Ledger
from limner.models.bundle import load_model, read_card
from limner.papers import verify
from limner.rights.consent import ConsentStore
from limner.synthesis.packs import open_pack
from limner.workspace import Workspace
from models_made import made_model
from withdrawal_made import begun, in_so_many, sibling, sources_of, works_of

TRAINING = (
    "--size", 32, "--steps", 6, "--batch", 4, "--seed", 3, "--no-crisp", "--prior", "mixture", "--teacher", "none",
    "--threads", 1, "--precision", "fp32", "-q",
)  # fmt: skip


@pytest.mark.slow
def test_a_picture_is_withdrawn(workspace: Workspace, tmp_path: Path) -> None:
    former = begun(workspace, tmp_path)
    start = workspace.models / "start.safetensors"
    made_model(start, labels=())
    sibling(workspace.models / "other.safetensors", start)
    limner("train", "A", "--name", "B", "--from", "start", *TRAINING)
    limner("merge", "B", "other", "--weights", "0.6,0.4", "--name", "C")
    works = works_of("B", 5)
    title = in_so_many(works, 2)
    with_it = [work for work in works if title in sources_of(work)]
    without = [work for work in works if work not in with_it]
    editions = [limner("publish", work, "--as", "jpeg").split(" (")[0] for work in (with_it[0], without[0])]
    limner("model", "pack", "B", "--exemplars", "--to", tmp_path / "away", "-q")
    picture = next(row for row in former.rows() if row.title == title)
    old = {path: path.read_bytes() for path in (*works, *map(Path, editions), workspace.models / "B.safetensors")}

    # The plan lists all, and changes nothing.
    acts = len(Ledger.open(workspace.ledger))
    command = ("withdraw", picture.file, "--from", "A")
    plan = json.loads(limner(*command, "--dry-run", "--json"))
    assert {one["name"]: one["relation"] for one in plan["models"]} == {"B": "learned", "C": "descends"}
    assert plan["models"][1]["through"] == ["B"]
    pieces = {one["file"]["path"]: one for one in plan["works"] if one["relation"] == "piece"}
    assert sorted(pieces) == sorted(map(str, with_it))
    for path, one in pieces.items():
        assert one["pieces"][0]["share"] == pytest.approx(sources_of(Path(path))[title], abs=1e-3)
        assert 0 < one["area"] < 1
        assert one["published"] is (path == str(with_it[0]))
        assert one["registered"]
    painted = {one["file"]["path"]: one["published"] for one in plan["works"] if one["relation"] == "painted"}
    assert painted == {str(work): work == without[0] for work in without}
    assert [one["path"] for work in plan["works"] for one in work["editions"]] == editions
    assert [one["pictures"] for one in plan["packs"]] == [24]
    assert len(Ledger.open(workspace.ledger)) == acts
    assert Collection.names(workspace) == ["A"]
    assert "it was not confirmed" in refused(*command)
    assert Collection.names(workspace) == ["A"]
    shown = limner(*command, "--dry-run")
    assert "descends from a model that learned from it: B" in shown
    assert "limner train A-2 --name B-2 --size 32" in shown

    # Done: models trained and merged anew, works finished anew.
    told = json.loads(limner(*command, "--retrain", "--finish-anew", "--yes", "--note", "by letter", "--json"))
    assert told["failed"] == []
    following = Collection.open("A-2", workspace)
    assert following.check() == []
    assert following.card["parent"]["digest"] == former.digest
    assert {row.pixel_sha256 for row in former.rows()} - {row.pixel_sha256 for row in following.rows()} == {
        picture.pixel_sha256
    }
    consent = ConsentStore(workspace.root).of(picture.pixel_sha256, picture.creator)
    assert consent is not None and consent.withdrawn
    replaced = {one["name"]: one["replaced_by"] for one in told["models"]}
    assert replaced == {"B": "B-2", "C": "C-2"}
    again, before = read_card(workspace.models / "B-2.safetensors"), load_model(workspace.models / "B.safetensors")
    assert again.collection.digest == following.digest
    assert {**again.training.settings} == {**before.card.training.settings}
    assert again.training.seed == 3
    assert (
        load_model(workspace.models / "B-2.safetensors").digest
        in read_card(workspace.models / "C-2.safetensors").parents
    )

    # The new finish contains none of it: by its own source map.
    for work in with_it:
        (row,) = [one for one in told["works"] if one["file"]["path"] == str(work)]
        new = Path(row["anew"])
        assert title not in sources_of(new)
        made = verify(new)
        assert made.genuine
        assert made.generation["how"]["replaces"] == row["digest"]
        assert made.generation["parameters"]["superseded"]["why"].startswith("the picture")
        assert "every pixel is the same" in limner("reproduce", new)
        assert "every pixel is the same" in limner("reproduce", work), "what was made stays provable"
    assert {path: path.read_bytes() for path in old} == old, "nothing that was there is changed"
    pack = open_pack(tmp_path / "away" / "B.exemplars.zip")
    assert len(pack.note.rows) == 23
    assert picture.pixel_sha256 not in {row.digest for row in pack.note.rows}

    # B and C are refused, their successors paint, and what is painted has nothing of it.
    for name in ("B", "C"):
        assert f"use {name}-2, or say why" in refused("sample", name, "-n", 1)
    assert title not in {one for work in works_of("B-2", 1) for one in sources_of(work)}
    limner("sample", "B", "-n", 1, "--first", 9, "--allow-superseded", "for the court", "--to", tmp_path / "court")

    # The statement verifies, here and by its root alone; a changed one does not.
    statement = Path(told["statement"])
    assert "The statement holds" in limner("withdraw", "--verify", statement)
    said = json.loads((statement / "statement.json").read_text())
    assert said["note"] == "by letter"
    assert [one["name"] for one in said["models"]] == ["B", "C"]
    assert str(tmp_path) not in json.dumps(said["models"]) + json.dumps(said["works"])
    assert "cannot be taken out of its weights" in " ".join(said["cannot"])
    assert "works/B" in (statement / "index.html").read_text()
    changed = shutil.copytree(statement, tmp_path / "changed")
    text = (changed / "statement.json").read_text()
    (changed / "statement.json").write_text(text.replace('"C"', '"Z"'))
    assert "the file or its signature was changed" in limner("withdraw", "--verify", changed, status=1)

    # Repeated, it changes nothing.
    acts = len(Ledger.open(workspace.ledger))
    assert "nothing was changed" in limner(*command, "--retrain", "--finish-anew", "--yes")
    assert len(Ledger.open(workspace.ledger)) == acts
    assert sorted(Collection.names(workspace)) == ["A", "A-2"]
