"""`limner trace`: pictures composed alike, what the finish took, who shaped the composition, and the credit line."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
import torch

from helpers import limner, refused
from influence_made import made_creators, made_learner
from limner.influence import ensemble as module
from limner.ledger import Ledger
from limner.papers import Identity, verify
from limner.rights.consent import Consent, ConsentStore, Subject
from limner.works import tracing
from limner.workspace import Workspace


@pytest.fixture
def work(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A finished work of a model that says it learned from three creators; ensembles of a moment."""
    made_learner(workspace, made_creators(workspace, tmp_path / "pictures"))
    Identity.new(workspace, "Dora Example")
    tiny = partial(module.EnsembleOptions, steps=4, compositions=32)
    monkeypatch.setattr(tracing, "EnsembleOptions", tiny)
    generator = torch.Generator().manual_seed(0)
    monkeypatch.setattr(
        module,
        "painted_without",
        lambda *_, **__: torch.randint(0, 256, (32, 3, 32, 32), dtype=torch.uint8, generator=generator),
    )
    told = json.loads(limner("sample", "m", "-n", "1", "--size", "64", "--to", str(tmp_path / "out"), "--json"))
    return Path(told["works"][0]["path"])


def test_a_trace_estimates_at_once_and_measures_when_asked(work: Path, tmp_path: Path, workspace: Workspace) -> None:
    told = json.loads(limner("trace", work, "--json"))
    assert told["influence"]["method"] == "estimate" and told["ensemble"]["done"] == 0
    assert {one["name"] for one in told["influence"]["shares"]} == {"Ada", "Bo", "Cy"}
    assert sum(one["share"]["value"] for one in told["influence"]["shares"]) == pytest.approx(1)
    assert sum(told["finish"]["creators"].values()) == pytest.approx(1)
    assert told["nearest"] and all(0 <= one["score"] <= 1 and one["creator"] for one in told["nearest"])
    assert len(told["alike"]) == 3 and told["alike"][0]["licence"] == "CC-BY-4.0"
    assert "quick estimate" in limner("trace", work) and "--measure" in limner("trace", work)

    acts = len(Ledger.open(workspace.ledger))
    page = tmp_path / "trace.html"
    told = json.loads(limner("trace", work, "--each", "2", "--measure", "--to", page, "--json"))
    assert told["influence"]["method"] == "ensemble" and told["influence"]["models"] == 10
    assert told["ensemble"]["done"] == told["ensemble"]["total"] == 10
    for one in told["influence"]["shares"]:
        assert 0 <= one["share"]["low"] <= one["share"]["value"] <= one["share"]["high"] <= 1
    assert len(Ledger.open(workspace.ledger)) == acts, "looking at a work is no act"
    html = page.read_text()
    assert "Quick estimate" not in html and html.count('class="span"') == 4 and told["label"] in html
    assert "10 small models" in limner("trace", work, "--each", "2")


def test_the_label_names_all_whom_licences_oblige_and_nobody_is_learned_from_against_a_consent(
    work: Path, workspace: Workspace
) -> None:
    label = limner("trace", work, "--label").strip()
    assert "\n" not in label
    assert label.startswith("Composition learned from") and "by 3 creators" in label, "an estimate names nobody"
    assert "Painted with pieces of pictures by" in label and "CC-BY-4.0" in label

    limner("publish", work, "--traced", "--as", "png", "--to", work.with_name("hung.png"))
    assert verify(work.with_name("hung.png")).generation["credit"] == label

    ConsentStore(workspace.root).add(Consent(Subject("creator", "Bo"), frozenset(), withdrawn=True))
    said = refused("trace", work, "--measure")
    assert "Bo" in said and "may not be learned from any more" in said
    assert "may not be learned from" in refused("trace", work, "--background")
    assert json.loads(limner("trace", work, "--json"))["influence"]["method"] == "estimate"


def test_what_cannot_be_traced_is_refused(work: Path, tmp_path: Path, workspace: Workspace) -> None:
    assert "is no file" in refused("trace", tmp_path / "none.png")
    assert "exclude each other" in refused("trace", work, "--measure", "--background")
    assert "is no column" in refused("trace", work, "--by", "kind2")
    assert "have the same: CC-BY-4.0" in refused("trace", work, "--by", "licence")
    assert "out of range" in refused("trace", work, "--each", "1")
    assert "was not published here" in refused("trace", next((tmp_path / "pictures").glob("*.png")))
    assert "end it in .html" in refused("trace", work, "--to", tmp_path / "x.txt")
    limner("collection", "remove", "three", "--yes")
    assert "is not here" in refused("trace", work)
