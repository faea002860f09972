"""A retouched work is the next edition of its work: its chain, what was measured and the artist's words are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import encypher_c2pa
import numpy as np
import pytest
from PIL import Image

from helpers import limner, refused
from limner import pictures
from limner.ledger import Ledger
from limner.papers import Identity, Publisher, verify
from limner.papers.publishing.exporting import Export, export
from limner.papers.publishing.former import open_former
from limner.papers.publishing.labels import LabelRequest
from limner.papers.publishing.published import Published
from limner.retouching.masks import load_mask
from limner.retouching.retouching import Retouch, RetouchedWork, publish_retouched, returned
from limner.works.family import Family
from limner.works.retouches import before_retouches, retouches_of
from limner.workspace import Workspace
from papers.test_exporting import actions
from published_made import provenance, publisher, roots
from retouching.test_changes import WORK, as_jpeg, graded, landscape, painted

FINISH = {"exemplars": {"name": "", "digest": "aa"}, "shares": []}


@pytest.fixture
def work(workspace: Workspace) -> Path:
    """A finished work, as it was published."""
    with publisher(workspace) as ready:
        path = workspace.make(workspace.works) / "sea.png"
        ready.publish(np.asarray(WORK), path, provenance(title="Sea", finish=FINISH))
    return path


def shown(path: Path) -> Image.Image:
    return Image.open(path).convert("RGB")


def retouch(workspace: Workspace, work: Path, file: Path, name: str = "again.png", **told: Any) -> RetouchedWork:
    one = returned(open_former(work, workspace), Retouch(file, **told), workspace)
    with publisher(workspace) as ready:
        return publish_retouched(one, workspace.works / name, ready, workspace)


def test_two_programs_find_it_valid_and_see_what_was_done(workspace: Workspace, work: Path, tmp_path: Path) -> None:
    file = tmp_path / "from-krita-with-aunt.jpg"
    as_jpeg(painted(shown(work)), 92).save(file, quality=92)
    made = retouch(workspace, work, file, "again.webp", by="hand", note="the red square")
    data = made.work.path.read_bytes()
    report = encypher_c2pa.verify(data, pictures.FORMATS["webp"])
    assert (report["integrity"], report["signature"], report["hard_binding"]) == ("valid", "valid", "match")
    verdict = verify(made.work.path, own=roots(workspace))
    assert verdict.genuine
    assert verdict.title == "Sea, retouched"
    assert sorted((one.relationship, one.kept) for one in verdict.chain) == [("componentOf", False), ("parentOf", True)]
    record = verdict.generation["edition"]["retouch"]
    assert record["changed"] == pytest.approx(0.1, abs=0.01)
    assert (record["by"], record["note"]) == ("hand", "the red square")
    assert b"aunt" not in data
    done = actions(workspace, made.work.path)
    assert [one["action"] for one in done] == ["c2pa.opened", "c2pa.placed", "c2pa.drawing", "c2pa.transcoded"]
    drawn = done[2]
    assert drawn["digitalSourceType"].endswith("/humanEdits")
    assert "10." in drawn["description"]
    assert "says the artist" in drawn["description"]
    assert [len(one["parameters"]["ingredients"]) for one in done[:2]] == [1, 1]


def test_the_ledger_holds_the_act_and_the_family_hangs_together(
    workspace: Workspace, work: Path, tmp_path: Path
) -> None:
    file = tmp_path / "painted.png"
    painted(shown(work)).save(file)
    made, ledger = retouch(workspace, work, file), Ledger.open(workspace.ledger)
    act = ledger.acts()[-1]
    former, theirs, _ = act.inputs
    assert (act.who, act.what, act.outputs) == ("artist", "retouch", [made.work.digest])
    mask = load_mask(act.parameters["map"], workspace)
    assert mask is not None
    assert mask.mean() == pytest.approx(act.parameters["changed"], abs=1e-4)
    family = [kin.digest for _, kin in Family(ledger).ancestors(made.work.digest).walk()]
    assert family == [made.work.digest, former, theirs]
    with publisher(workspace) as ready:
        web = export(open_former(made.work.path, workspace), tmp_path / "web.jpg", ready, Export(long_edge=200))
    published = Published.find(ledger, web.digest)
    assert published is not None
    assert [one.how["changed"] for one in retouches_of(ledger, published)] == [act.parameters["changed"]]
    assert before_retouches(ledger, published).digest == former
    verdict = verify(web.path)
    assert [one["changed"] for one in verdict.generation["retouches"]] == [act.parameters["changed"]]
    assert [one.depth for one in verdict.chain if one.relationship == "parentOf"] == [1, 2]


def test_what_no_model_painted_makes_a_composite(workspace: Workspace, tmp_path: Path) -> None:
    with publisher(workspace) as ready:
        path = workspace.make(workspace.works) / "bare.png"
        ready.publish(np.asarray(WORK), path, provenance())
    assert verify(path).source_type == "trainedAlgorithmicMedia"
    painted(shown(path)).save(tmp_path / "painted.png")
    shown(path).crop((10, 10, 240, 250)).save(tmp_path / "cropped.png")
    over = retouch(workspace, path, tmp_path / "painted.png", "over.png").work
    crop = retouch(workspace, path, tmp_path / "cropped.png", "crop.png").work
    sources = [
        (verdict.source_type, verdict.xmp and verdict.xmp.source_type)
        for verdict in map(verify, (over.path, crop.path))
    ]
    assert [one for one, _ in sources] == ["compositeWithTrainedAlgorithmicMedia", "trainedAlgorithmicMedia"]
    assert all(str(xmp).endswith(f"/{own}") for own, xmp in sources)
    assert [one["action"] for one in actions(workspace, crop.path)] == ["c2pa.opened", "c2pa.placed", "c2pa.cropped"]


def test_the_files_own_papers_are_kept(workspace: Workspace, work: Path, tmp_path: Path) -> None:
    elsewhere, file = Workspace(tmp_path / "elsewhere"), tmp_path / "from-elsewhere.png"
    with Publisher(Identity.new(elsewhere, "Bob"), Ledger.open(elsewhere.ledger)) as ready:
        ready.publish(np.asarray(graded(shown(work))), file, provenance(title="Graded by Bob"))
    made = retouch(workspace, work, file, by="generator")
    held = [one for one in verify(made.work.path).chain if one.relationship == "componentOf"]
    assert [(one.title, one.signer, one.kept, one.depth) for one in held] == [("Graded by Bob", "Bob", True, 1)]


def test_the_label_is_kept_where_it_still_is(workspace: Workspace, tmp_path: Path) -> None:
    with publisher(workspace) as ready:
        path = workspace.make(workspace.works) / "labelled.png"
        made = ready.publish(np.asarray(WORK), path, provenance(), label=LabelRequest("text"))
    left, top, wide, tall = made.provenance.visible_label["box"]
    beside, over = shown(path), shown(path)
    beside.paste((9, 9, 9), (100, 100, 140, 140))
    over.paste((9, 9, 9), (left, top, left + wide, top + tall))
    beside.save(tmp_path / "beside.png")
    over.save(tmp_path / "over.png")
    kept = retouch(workspace, path, tmp_path / "beside.png", "kept.png")
    lost = retouch(workspace, path, tmp_path / "over.png", "lost.png")
    assert (kept.work.provenance.visible_label["words"], kept.label_lost) == ("AI-generated", "")
    assert (lost.work.provenance.visible_label, lost.label_lost) == ({}, "AI-generated")


def test_what_is_no_retouch_is_refused_unless_the_artist_insists(
    workspace: Workspace, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIMNER_HOME", str(workspace.root))
    other, same = tmp_path / "other.png", tmp_path / "same.jpg"
    landscape(2).save(other)
    shown(work).save(same, quality=90)
    assert "does not show sea.png" in refused("retouch", work, "--with", other)
    assert "only how it was saved differs" in refused("retouch", work, "--with", same)
    assert "is the work itself" in refused("retouch", work, "--with", work)
    assert "gives no reason" in refused("retouch", work, "--with", other, "--allow-unrelated", " ")
    assert "is no way" in refused("retouch", work, "--with", other, "--by", "magic")
    assert [path.name for path in workspace.works.iterdir()] == ["sea.png"]
    said = limner("retouch", work, "--with", other, "--allow-unrelated", "painted over in oil", "--json")
    assert '"reason": "painted over in oil"' in said
    edition = workspace.works / "sea-retouched.png"
    assert "not measured" in limner("verify", edition).replace("\n", " ")
    assert "painted over in oil" in str(actions(workspace, edition))


def test_the_command_measures_draws_and_says_it(
    workspace: Workspace, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIMNER_HOME", str(workspace.root))
    file, drawn = tmp_path / "painted.png", tmp_path / "map.png"
    painted(shown(work)).save(file)
    said = limner("retouch", work, "--with", file, "--by", "hand", "--map", drawn)
    assert "of the picture changed" in said
    assert "credited to nobody" in said
    assert shown(drawn).width > 1000
    assert "by hand, says the artist" in limner("verify", workspace.works / "sea-retouched.png").replace("\n", " ")
    assert "lies there already" in refused("retouch", work, "--with", file)
    assert "worked on in another program" in refused("enlarge", workspace.works / "sea-retouched.png", "--to", 900)
