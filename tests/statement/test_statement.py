"""A statement says what the ledger holds: choices counted, steps in order, whose word each thing is, and no more."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers import limner, refused
from limner.ledger import Entry, Ledger
from limner.papers import Publisher
from limner.papers.publishing.former import open_former
from limner.retouching.retouching import Retouch, publish_retouched, returned
from limner.statement.gathering import statement_of
from limner.statement.pages import html_of, json_of, markdown_of
from limner.statement.record import Standing, Statement
from limner.works.acts import WorkAct
from limner.workspace import Workspace
from published_made import provenance, publisher
from retouching.test_changes import WORK, graded, painted
from retouching.test_retouching import shown

MODEL = "sha256:" + "ab" * 32
HOSTILE = '<script>alert("x")</script> **bold** \u202e'


def latent(number: int) -> str:
    return f"sha256:{number:064x}"


def publish(ready: Publisher, place: Path, number: int, **changes: Any) -> str:
    pixels = np.asarray(graded(WORK) if number % 2 else WORK)
    return ready.publish(pixels, place, provenance(latent_digest=latent(number), **changes)).digest


@pytest.fixture
def work(workspace: Workspace, tmp_path: Path) -> Path:
    """Three samples; one moved, mixed with one that was evolved, painted over elsewhere."""
    folder, ledger = workspace.make(workspace.works), Ledger.open(workspace.ledger)
    with publisher(workspace) as ready:
        samples = [publish(ready, folder / f"s{i}.png", i, index=i, title=f"no. {i}") for i in (1, 2, 3)]
        along = {"warmth": 1.5, "horizon": -0.8}
        ledger.record_many([WorkAct("move", (samples[0],), MODEL, latent(11), {"along": along}).entry()])
        changes: dict[str, Any] = {"seed": None, "index": None, "truncation": None}
        moved = publish(ready, folder / "moved.png", 11, made="move", title="Evening", **changes)
        sheet = Entry(
            "algorithm",
            "evolve",
            [MODEL],
            ["sheet"],
            {"evolution": "dusk", "latents": [latent(n) for n in range(20, 28)]},
        )
        keep = Entry(
            "artist", "keep", ["sheet", latent(21), latent(23)], [], {"evolution": "dusk", "kept": [2, 4], "of": 8}
        )
        other = Entry("artist", "keep", ["sheet", latent(90)], [], {"evolution": "another", "kept": [1], "of": 8})
        how = {"evolution": "dusk", "generation": 1, "number": 3, "kept": "2,4"}
        ledger.record_many([sheet, keep, other, WorkAct("evolve", (), MODEL, latent(12), how).entry()])
        evolved = publish(ready, folder / "evolved.png", 12, made="evolve", title="Bred", **changes)
        mix = {"mask": "sha256:" + "77" * 32}
        ledger.record_many([WorkAct("mix", (moved, evolved), MODEL, latent(13), mix).entry()])
        publish(ready, folder / "mixed.png", 13, made="mix", title="Both", **changes)
        file = tmp_path / "over.png"
        painted(shown(folder / "mixed.png")).save(file)
        request = Retouch(file, by="hand", note=HOSTILE, title=f"Last {HOSTILE}")
        one = returned(open_former(folder / "mixed.png", workspace), request, workspace)
        publish_retouched(one, folder / "last.png", ready, workspace)
    return folder / "last.png"


def counted(statement: Statement) -> dict[str, int]:
    return {one.what: one.number for one in statement.counts}


def test_choices_and_acts_are_counted(workspace: Workspace, work: Path) -> None:
    found = counted(statement_of(work, workspace))
    assert found == {
        "pictures drawn from this model and published here": 3,
        "of them went into this work": 1,
        "pictures shown on sheets to choose from": 8,
        "of them kept to go on with": 2,
        "time chosen among them": 1,
        "time moved along directions of the model": 1,
        "time mixed": 1,
        "time worked on in another program": 1,
        "sliders set to a value": 2,
        "mask painted by hand": 1,
    }


def test_steps_come_in_their_order_with_pictures(workspace: Workspace, work: Path) -> None:
    steps = statement_of(work, workspace).steps
    assert [one.act for one in steps] == ["sample", "move", "evolve", "mix", "retouch"]
    assert [(one.name, one.value) for one in steps[1].sliders] == [("horizon", -0.8), ("warmth", 1.5)]
    assert all(one.picture is not None for one in steps)
    assert steps[-1].changed is not None
    assert steps[-1].changed.mean() == pytest.approx(0.1, abs=0.01)
    assert "10.0% of the picture changed" in steps[-1].measured[0]
    (workspace.works / "moved.png").write_bytes((workspace.works / "s1.png").read_bytes())
    assert statement_of(work, workspace).steps[1].picture is None  # another picture lies there now


def test_whose_word_it_is(workspace: Workspace, work: Path) -> None:
    statement = statement_of(work, workspace)
    standing = {one.what: one.standing for one in statement.facts}
    assert standing["Title"] is standing["Name"] is standing["How it was changed"] is Standing.CLAIMED
    assert standing["Change elsewhere"] is standing["File"] is Standing.MEASURED
    assert standing["Acts"] is standing["Date"] is Standing.RECORDED
    assert statement.ledger["holds"]


def test_what_checks_found_and_the_artist_decided_is_told(workspace: Workspace, work: Path) -> None:
    copies = {"compared": 12, "copy": True, "allowed": "it is my own painting"}
    superseded = {"superseded": {"why": "a picture was withdrawn", "used_because": "for the archive"}}
    with publisher(workspace) as ready:
        place = workspace.works / "copy.png"
        publish(ready, place, 30, checked={"copies": copies}, parameters=superseded)
    facts = {one.what: f"{one.value}; {one.why}" for one in statement_of(place, workspace).facts}
    assert "12 pictures" in facts["Copies"]
    assert "it is my own painting" in facts["Copies"]
    assert "for the archive" in facts["Superseded model"]


def test_the_actions_of_all_manifests_are_told_one_by_one(workspace: Workspace, work: Path) -> None:
    actions = statement_of(work, workspace).actions
    assert [(one.action, one.source_type) for one in actions] == [
        ("c2pa.created", "trainedAlgorithmicMedia"),
        ("c2pa.watermarked.bound", ""),
        ("c2pa.opened", "compositeWithTrainedAlgorithmicMedia"),
        ("c2pa.placed", ""),
        ("c2pa.drawing", "humanEdits"),
    ]
    assert actions[0].picture == "Both"
    assert actions[0].made_of == ("landscapes-64", "paintings")
    assert actions[2].made_of == ("Both",)


def test_pages_hold_it_all_and_let_no_stranger_in(workspace: Workspace, work: Path) -> None:
    statement = statement_of(work, workspace)
    page, text, data = html_of(statement), markdown_of(statement), json.loads(json_of(statement))
    assert page.count("data:image/webp;base64,") == 7
    assert "<script" not in page
    assert not re.search(r"(src|href)=\"?(?!data:)(https?:|//)", page)
    assert "default-src 'none'" in page
    for words in (
        "Painer",
        "88 Fed. Reg. 16190",
        "Information, not legal advice",
        "+1.5",
        "c2pa.drawing",
        "humanEdits",
    ):
        assert words in page
    assert "\\<script\\>" in text
    assert "**bold**" not in text
    assert "\u202e" not in page + text
    assert data["counts"][0]["number"] == 3
    assert data["steps"][1]["sliders"] == [{"name": "horizon", "value": -0.8}, {"name": "warmth", "value": 1.5}]
    assert "picture" not in data["steps"][0]


def test_the_command(workspace: Workspace, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIMNER_HOME", str(workspace.root))
    said = limner("statement", work, "--to", tmp_path / "page.md")
    assert "sliders set to a value" in said
    assert "not legal advice" in said
    assert (tmp_path / "page.md").read_text().startswith("# Statement of human contribution")
    assert "lies there already" in refused("statement", work, "--to", tmp_path / "page.md")
    assert "does not end as" in refused("statement", work, "--to", tmp_path / "page.pdf")
    (tmp_path / "other.png").write_bytes(work.read_bytes() + b"0")
    assert "was not published here" in refused("statement", tmp_path / "other.png")
    limner("evidence", work, "--to", tmp_path / "evidence")
    assert "Step by step" in (tmp_path / "evidence" / "statement.html").read_text()
    assert "statement.html" in (tmp_path / "evidence" / "index.html").read_text()
