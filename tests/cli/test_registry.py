"""`limner registry`: what is listed, found, shown and restored."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from helpers import ran
from limner.ledger import Ledger
from limner.workspace import Workspace
from papers.test_registered import fill, scene

run = partial(ran, "registry", columns=140)


@pytest.fixture
def copy(workspace: Workspace, tmp_path: Path) -> Path:
    fill(workspace, range(3), creator="Ada \x1b[31m")
    path = tmp_path / "copy.jpg"
    Image.fromarray(scene(2)[8:122, 8:122]).save(path, quality=70)
    return path


def test_from_a_copy_to_its_papers(workspace: Workspace, copy: Path, tmp_path: Path) -> None:
    assert "Scene 1" in run("list").stdout
    found = run("find", copy)
    assert found.exit_code == 0
    assert "looks like work" in found.stdout
    assert "Likeness is no proof" in found.stdout
    found = json.loads(run("find", copy, "--json").stdout)
    assert (found["title"], found["mirrored"]) == ("Scene 2", False)
    shown = run("show", found["work"][:8]).stdout
    assert "holds" in shown
    assert "\x1b[31m" not in shown
    assert run("restore", copy, "--to", tmp_path / "papers").exit_code == 0
    manifest = json.loads((tmp_path / "papers.json").read_text())
    assert manifest["manifests"][0]["claim.v2"]["dc:title"] == "Scene 2"
    assert (tmp_path / "papers.c2pa").read_bytes()[4:8] == b"jumb"
    assert b"Scene 2" in (tmp_path / "papers.xmp").read_bytes()
    assert Ledger.open(workspace.ledger).acts()[-1].what == "restore"
    assert "exists already" in str(run("restore", copy, "--to", tmp_path / "papers").exception)


def test_nothing_found_is_status_1(copy: Path, tmp_path: Path) -> None:
    Image.fromarray(scene(99)).save(tmp_path / "other.png")
    assert run("find", tmp_path / "other.png").exit_code == 1
    assert "no work that was published here" in str(run("show", "000000000000").exception)


def test_older_works_are_registered_later(workspace: Workspace, copy: Path) -> None:
    workspace.registry.unlink()
    assert "No work is registered yet" in run("list").stdout
    works = sorted(workspace.works.glob("*.png"))
    assert "3 of 3 registered" in run("add", *works).stdout
    assert "0 of 3 registered" in run("add", *works).stdout
    assert json.loads(run("find", copy, "--json").stdout)["title"] == "Scene 2"
    assert "was not published here" in str(run("add", copy).exception)
