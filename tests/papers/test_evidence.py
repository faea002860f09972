"""The evidence file: all that is known of a work, and not a word more."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from limner import pictures
from limner.cli.main import app
from limner.errors import UsageError
from limner.ledger import Ledger
from limner.papers import Identity, Publisher, verify
from limner.papers.evidence.evidence import EvidenceFile, write_evidence
from limner.papers.publishing.published import Published
from limner.papers.registry.registry import Registry
from limner.papers.registry.store import work_identifier
from limner.papers.watermark import Embedder
from limner.workspace import Workspace
from models_made import made_model
from published_made import ARTIST, picture, provenance, publish, publisher

HOSTILE = '<script>alert("x")</script>\u202e'


@pytest.fixture
def work(workspace: Workspace) -> Path:
    """A work of a model that is in the workspace, made from another one."""
    model = workspace.make(workspace.models) / "m.safetensors"
    made_model(model)
    digest = f"sha256:{hashlib.sha256(model.read_bytes()).hexdigest()}"
    ledger = Ledger.open(workspace.ledger)
    ledger.record("algorithm", "train", inputs=["sha256:" + "cd" * 32], outputs=[digest])
    parent = publish(workspace, "parent.png", model_digest=digest, latent_digest="sha256:" + "11" * 32)
    ledger.record("artist", "mix", inputs=[parent.digest, digest], outputs=["sha256:" + "22" * 32])
    ledger.record("artist", "draw", inputs=[digest], outputs=["sha256:" + "99" * 32])  # of another family
    told: dict[str, Any] = {
        "title": HOSTILE,
        "model_digest": digest,
        "latent_digest": "sha256:" + "22" * 32,
        "credit": HOSTILE,
    }
    return publish(workspace, "work.png", **told).path


def told(found: EvidenceFile, name: str) -> dict[str, Any]:
    value = json.loads((found.folder / name).read_text(encoding="utf-8"))
    assert isinstance(value, dict)
    return value


def test_the_folder_holds_what_it_says(workspace: Workspace, work: Path, tmp_path: Path) -> None:
    found = write_evidence(work, workspace, tmp_path / "evidence")
    names = {path.name for path in found.folder.iterdir()}
    assert names == {
        "master.png",
        "manifest.json",
        "verification.json",
        "model-card.json",
        "model-card.html",
        "rights.csv",
        "ledger.json",
        "bias-and-copies.json",
        "watermark.json",
        "root.pem",
        "index.html",
        "SHA256SUMS",
    }
    sums = dict(line.split("  ")[::-1] for line in (found.folder / "SHA256SUMS").read_text().splitlines())
    assert sums == {n: hashlib.sha256((found.folder / n).read_bytes()).hexdigest() for n in names - {"SHA256SUMS"}}
    assert (found.folder / "master.png").read_bytes() == work.read_bytes()
    assert verify(found.folder / "master.png", anchors=[found.folder / "root.pem"]).trusted
    assert told(found, "model-card.json")["name"] == "m"
    last = Ledger.open(workspace.ledger).acts(1)[0]
    assert last.what == "evidence"
    assert last.outputs == [f"sha256:{hashlib.sha256((found.folder / 'SHA256SUMS').read_bytes()).hexdigest()}"]


def test_the_ledger_is_that_of_the_family(workspace: Workspace, work: Path) -> None:
    acts = told(write_evidence(work, workspace), "ledger.json")["acts"]
    assert isinstance(acts, list)
    assert [act["what"] for act in acts] == ["train", "publish", "mix", "publish"]
    again = told(write_evidence(work, workspace), "ledger.json")
    assert [act["what"] for act in again["acts"]][-1] == "evidence"
    assert again["whole_ledger"]["ok"] is True


def test_the_page_is_plain_words_and_not_advice(workspace: Workspace, work: Path) -> None:
    page = (write_evidence(work, workspace).folder / "index.html").read_text(encoding="utf-8")
    assert "Information, not legal advice" in page
    assert "<script" not in page
    assert "\u202e" not in page
    assert not re.search(r'(src|href)="(https?:)?//', page)
    for text in ("Article 50(2)", "Article 50(4)", "Second layer", "registry", "free of charge", "inputs are kept"):
        assert text in page
    # What was not looked for is not claimed, and a stranger has only the signer's word for the name.
    assert "no watermark was read from this file" in page
    assert "No registry was asked" in page
    assert "without a time-stamp" in page
    assert "Bias (how people" in page
    assert "a key of this workspace" not in page
    assert f"calls themselves &#34;{ARTIST}&#34;" in page


def test_rights_are_counted(workspace: Workspace, work: Path) -> None:
    found = write_evidence(work, workspace)
    with (found.folder / "rights.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["kind", "name", "pictures"]
    assert ["credit line", "Pictures by Ada Example (CC-BY-4.0)", ""] in rows


def test_a_lighter_edition_goes_along(workspace: Workspace) -> None:
    work, lighter = publish(workspace), publish(workspace, "lighter.jpeg")
    ledger = Ledger.open(workspace.ledger)
    first = Published.find(ledger, work.digest)
    assert first is not None
    again = replace(first, digest=lighter.digest, path=lighter.path, edition={"of": work.digest})
    ledger.record_many([again.entries()[0]])
    found = write_evidence(work.path, workspace)
    assert (found.folder / "web.jpeg").read_bytes() == lighter.path.read_bytes()
    assert "lighter edition" in (found.folder / "index.html").read_text(encoding="utf-8")
    lighter.path.write_bytes(b"changed")
    assert "web.jpeg" not in write_evidence(work.path, workspace).files


def test_a_watermark_is_said_to_be_whose_it_is(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("limner.papers.publishing.signing.marked", lambda pixels, *_: pixels)
    signer = Identity.new(workspace, ARTIST).fingerprint
    papers = provenance()
    own = work_identifier(papers.latent_digest, papers.model_digest, signer)
    grain = picture(256).astype(float)
    for message, said in ((own, "which is this work"), (own ^ 1, "which is not what this work's papers give")):
        marked = Embedder().embed((grain * 0.2 + 100).astype("uint8"), message)
        with publisher(workspace) as ready:
            work = ready.publish(marked, workspace.root / "marked.png", papers)
        found = write_evidence(work.path, workspace)
        assert told(found, "watermark.json")["is_this_work"] is (message == own)
        page = (found.folder / "index.html").read_text(encoding="utf-8")
        assert said in page.replace("&#39;", "'")
        answer = "yes" if message == own else "no"
        assert f'imperceptible watermark.</td><td class="answer {answer}">' in page


def test_what_the_registry_knows(workspace: Workspace) -> None:
    with Publisher(
        Identity.new(workspace, ARTIST),
        Ledger.open(workspace.ledger),
        registry=Registry(workspace.registry, workspace.registry_index),
    ) as ready:
        work = ready.publish(picture(64), workspace.root / "work.png", provenance())
    found = write_evidence(work.path, workspace)
    report = told(found, "registry.json")
    assert report["found"] is True
    assert str(workspace.root) not in json.dumps(report)
    assert "holds it as work" in (found.folder / "index.html").read_text(encoding="utf-8")


def test_a_work_without_its_model(workspace: Workspace) -> None:
    work = publish(workspace, credit="=cmd()").path
    found = write_evidence(work, workspace)
    assert "model-card.json" not in found.files
    rows = (found.folder / "rights.csv").read_text().splitlines()
    assert rows[1:] == ["licence,CC0-1.0,149", "credit line,'=cmd(),"]
    assert "its card is not here" in str(told(found, "bias-and-copies.json")["not_measured"])


def test_what_no_longer_counts_is_said(workspace: Workspace) -> None:
    work = publish(workspace).path
    Identity.revoke(workspace, ARTIST)
    Identity.rotate(workspace)
    found = write_evidence(work, workspace)
    assert found.verdict.state == "invalid"
    assert "root.pem" in found.files
    page = (found.folder / "index.html").read_text(encoding="utf-8")
    assert "was revoked from" in page
    assert 'class="answer yes">yes</td><td>The signed manifest' not in page


def test_other_folders_and_other_files_are_refused(workspace: Workspace, tmp_path: Path) -> None:
    work = publish(workspace).path
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary.txt").write_text("x")
    with pytest.raises(UsageError, match="holds something else"):
        write_evidence(work, workspace, tmp_path / "mine")
    assert (tmp_path / "mine" / "diary.txt").is_file()
    stranger = tmp_path / "stranger.png"
    stranger.write_bytes(work.read_bytes() + b"x")
    for wrong in (stranger, tmp_path / "missing.png", tmp_path):
        with pytest.raises(UsageError):
            write_evidence(wrong, workspace)
    assert not (workspace.root / "evidence").exists()


def test_the_command(workspace: Workspace, tmp_path: Path) -> None:
    work, folder = publish(workspace).path, tmp_path / "evidence"
    run = CliRunner(env={"COLUMNS": "200"}).invoke
    first = run(app, ["evidence", str(work), "--to", str(folder)])
    assert (first.exit_code, "index.html" in first.stdout) == (0, True)
    assert "was replaced" in run(app, ["evidence", str(work), "--to", str(folder)]).stdout
    assert json.loads(run(app, ["evidence", str(work), "--to", str(folder), "--json"]).stdout)["ledger_holds"] is True


def test_rights_are_listed_where_the_collection_is_here(workspace: Workspace, tmp_path: Path) -> None:
    from limner.collection import Collection, import_collection

    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(3):
        pictures.write(picture(48, seed=number), folder / f"{number}.png")
    lines = [f"{number}.png,@Sea {number},Ada Example,CC-BY-4.0,the attic" for number in range(3)]
    (folder / "pictures.csv").write_text("\n".join(["file,title,creator,licence,source", *lines]))
    import_collection(folder, "seas", workspace, processes=1)
    digest = Collection.open("seas", workspace).digest
    work = publish(workspace, collection_digest=f"sha256:{digest}").path
    with (write_evidence(work, workspace).folder / "rights.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["title"] for row in rows) == ["'@Sea 0", "'@Sea 1", "'@Sea 2"]
    assert {row["licence"] for row in rows} == {"CC-BY-4.0"}


def test_what_was_measured_is_shown_of_this_model_alone(workspace: Workspace, work: Path, tmp_path: Path) -> None:
    digest = f"sha256:{hashlib.sha256((workspace.models / 'm.safetensors').read_bytes()).hexdigest()}"
    report = workspace.make(workspace.measured / "m") / "quality.json"
    report.write_text(json.dumps({"model": "sha256:" + "ab" * 32, "counts": {}}))
    found = write_evidence(work, workspace, tmp_path / "other")
    assert "limner_measure" not in told(found, "bias-and-copies.json")
    report.write_text(json.dumps({"model": digest, "counts": {"generated": 9}}))
    found = write_evidence(work, workspace, tmp_path / "own")
    assert told(found, "bias-and-copies.json")["limner_measure"]["counts"] == {"generated": 9}
