"""The model and the collection of a work are ingredients of its manifest, and no pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import encypher_c2pa
import pytest

from helpers import limner
from limner import pictures
from limner.papers import verify
from limner.papers.c2pa.assets import asset_in
from limner.papers.publishing.exporting import Export, export
from limner.papers.publishing.former import open_former
from limner.papers.verify.checking import Checker
from limner.workspace import Workspace
from published_made import KINDS, provenance, publish, publisher, roots
from works.test_intake import origin, taken_in

MODEL, COLLECTION = "sha256:" + "ab" * 32, "sha256:" + "cd" * 32


def manifests(path: Path) -> list[dict[str, Any]]:
    """The assertions of the manifests in a file, the active one first."""
    checker = Checker()
    store = checker.manifest(path.read_bytes()) or {}
    checker.close()
    ordered = sorted(store["manifests"], key=lambda one: one["label"] != store["active"])
    return [one["assertions"] for one in ordered]


def named(assertions: dict[str, Any]) -> list[tuple[str, str]]:
    found = (asset_in(one) for label, one in assertions.items() if label.startswith("c2pa.ingredient"))
    return [(one.kind, one.digest) for one in found if one]


@pytest.mark.parametrize("kind", KINDS)
def test_two_programs_read_model_and_collection_as_ingredients(workspace: Workspace, kind: str) -> None:
    work = publish(workspace, f"work.{kind}")
    report = encypher_c2pa.verify(work.path.read_bytes(), pictures.FORMATS[kind])
    assert (report["integrity"], report["signature"], report["hard_binding"]) == ("valid", "valid", "match")
    conforms = {
        one["version"]: one["structure_conformant"]
        for one in report["manifest_report"]["version_verdict"]["evaluations"]
    }
    assert conforms["2.2"]
    assert conforms["2.4"]
    (assertions,) = manifests(work.path)
    model, collection = assertions["c2pa.ingredient.v3"], assertions["c2pa.ingredient.v3__1"]
    assert [one["relationship"] for one in (model, collection)] == ["inputTo", "inputTo"]
    assert [one["type"] for one in model["dataTypes"]] == ["c2pa.types.generator", "c2pa.types.model"]
    assert collection["dataTypes"] == [{"type": "c2pa.types.dataset"}]
    assert (model["dc:title"], collection["dc:title"]) == ("landscapes-64", "paintings")
    assert named(assertions) == [("model", MODEL), ("collection", COLLECTION)]
    (created,) = [one for one in assertions["c2pa.actions.v2"]["actions"] if one["action"] == "c2pa.created"]
    assert len(created["parameters"]["ingredients"]) == 2
    verdict = verify(work.path, own=roots(workspace))
    assert verdict.genuine
    assert verdict.chain == ()
    assert not any("thumbnail" in label for label in assertions)


def test_pictures_come_before_them_and_an_edition_leaves_them_to_its_parent(
    workspace: Workspace, tmp_path: Path
) -> None:
    theirs = publish(workspace, "theirs.png", title="Their sea")
    ingredients = taken_in(workspace, origin(theirs.path))
    former = publish(workspace, "work.png", ingredients=ingredients)
    assert [one.title for one in verify(former.path).chain] == ["Their sea"]
    with publisher(workspace) as ready:
        edition = export(open_former(former.path, workspace), tmp_path / "web.jpg", ready, Export())
    active, *kept = manifests(edition.path)
    assert named(active) == []
    assert [named(one) for one in kept] == [[("model", MODEL), ("collection", COLLECTION)]] * 2
    verdict = verify(edition.path)
    assert [one.name for one in verdict.assets] == ["landscapes-64", "paintings"]
    assert [(one.depth, one.title) for one in verdict.chain] == [(1, "Dusk no. 7"), (2, "Their sea")]


def test_tools_and_other_exemplars_are_named_too(workspace: Workspace) -> None:
    how = {"upscaler": "sharp", "upscaler_digest": "sha256:" + "11" * 32}
    finish = {"exemplars": {"name": "seas", "digest": "22" * 32}, "shares": []}
    work = publish(workspace, "print.png", made="enlarge", how=how, finish=finish)
    found = verify(work.path).assets
    assert [(one.kind, one.name, one.digest[:11]) for one in found] == [
        ("model", "landscapes-64", "sha256:abab"),
        ("collection", "paintings", "sha256:cdcd"),
        ("model", "sharp", "sha256:1111"),
        ("collection", "seas", "sha256:2222"),
    ]
    assert [one.paints for one in found] == [True, False, False, False]


def test_verify_says_them(workspace: Workspace) -> None:
    work = publish(workspace, "work.png", model_name='sea"\x1b[31m', collection_name="")
    said = limner("verify", work.path)
    assert "model \"sea'" in said
    assert "\x1b" not in said
    assert 'collection "without a name"' in said


def test_what_other_programs_write_is_read_with_care() -> None:
    assert asset_in({"dc:title": "a photograph", "dc:format": "image/jpeg"}) is None
    assert asset_in({"dataTypes": [{"type": "c2pa.types.modelling"}, "c2pa.types.model", {"type": 4}]}) is None
    theirs = asset_in({"data_types": [{"type": "c2pa.types.model.pytorch"}], "description": "Joe's private model"})
    assert theirs is not None
    assert (theirs.kind, theirs.name, theirs.digest, theirs.use) == ("model", "", "", "Joe's private model")
    assert provenance().edition == {}
