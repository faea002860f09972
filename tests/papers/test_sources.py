"""A picture that a work was made from is told from a copy of it; a registry row that was changed is not believed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from limner import pictures
from limner.papers import open_publisher
from limner.papers.verify.checking import open_checker
from limner.papers.verify.verdict import Verdict
from limner.workspace import Workspace
from papers.test_registered import scene
from published_made import artist, provenance


def check(workspace: Workspace, path: Path) -> Verdict:
    with closing(open_checker(workspace)) as checker:
        return checker.check(path)


@pytest.mark.parametrize("made", ["invert", "restyle", "mix"])
def test_the_source_of_a_work_is_no_copy_of_it(made: str, workspace: Workspace, tmp_path: Path) -> None:
    artist(workspace)
    workspace.make(workspace.works)
    source = tmp_path / "my own drawing.png"
    pictures.write(scene(5), source)
    digest = f"sha256:{sha256(source.read_bytes()).hexdigest()}"
    with open_publisher(workspace) as publisher:
        told = provenance(made=made, parents=(digest,), seed=None, index=None)
        publisher.publish(scene(5), workspace.works / "work.png", told)
    verdict = check(workspace, source)
    assert "it is the source of work" in verdict.summary
    assert "stripped" not in verdict.summary
    assert verdict.registry is not None
    assert verdict.registry["is_source"]
    pictures.write(scene(5), tmp_path / "copy.jpg")
    assert "its signature was stripped" in check(workspace, tmp_path / "copy.jpg").summary


@pytest.mark.parametrize("column", ["signer", "manifest"])
def test_a_row_that_does_not_fit_its_manifest_is_not_believed(
    column: str, workspace: Workspace, tmp_path: Path
) -> None:
    artist(workspace)
    workspace.make(workspace.works)
    with open_publisher(workspace) as publisher:
        publisher.publish(scene(6), workspace.works / "work.png", provenance())
    pictures.write(scene(6), tmp_path / "copy.jpg")
    assert "looks like work" in check(workspace, tmp_path / "copy.jpg").summary
    with sqlite3.connect(workspace.registry) as database:
        table = next(
            name
            for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            if "manifest" in {row[1] for row in database.execute(f"PRAGMA table_info({name})")}
        )
        value: object = "ab" * 32 if column == "signer" else b"nothing that was signed"
        database.execute(f"UPDATE {table} SET {column} = ?", (value,))
    verdict = check(workspace, tmp_path / "copy.jpg")
    assert "published by" not in verdict.summary
    assert any("does not fit the signed manifest in it" in layer.holds for layer in verdict.layers)
