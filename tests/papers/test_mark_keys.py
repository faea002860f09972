"""A publisher's own watermark key: its marks are read where it is, and nowhere else."""

from __future__ import annotations

import json
import stat
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from limner import pictures
from limner.cli.main import main
from limner.collection import PAINTINGS
from limner.errors import PapersError
from limner.ledger import Ledger
from limner.papers import Identity, open_publisher
from limner.papers.evidence.evidence import write_evidence
from limner.papers.publishing.exporting import Export, export
from limner.papers.publishing.former import open_former
from limner.papers.verify.checking import open_checker
from limner.papers.verify.verdict import Verdict
from limner.papers.watermark.keys import key_in_use, known_keys, new_key, retire_key
from limner.papers.watermark.marking import read_mark
from limner.workspace import Workspace
from published_made import provenance


@pytest.fixture
def painting() -> NDArray[np.uint8]:
    path = sorted((PAINTINGS / "img").iterdir())[40]
    return np.ascontiguousarray(pictures.read(path).pixels[:256, :256])


def verdict_on(path: Path, workspace: Workspace) -> Verdict:
    with closing(open_checker(workspace)) as checker:
        return checker.check(path)


def words(verdict: Verdict) -> str:
    return next(one.holds for one in verdict.layers if one.name == "watermark")


def test_a_mark_of_ones_own_is_read_where_the_key_is_and_nowhere_else(
    workspace: Workspace, painting: NDArray[np.uint8], tmp_path: Path
) -> None:
    Identity.new(workspace, "Ada")
    key = new_key(workspace)
    work, copy = tmp_path / "work.png", tmp_path / "copy.jpg"
    with open_publisher(workspace) as publisher:
        act = publisher.publish(painting, work, provenance()).act
        edition = export(open_former(work, workspace), tmp_path / "web.jpg", publisher, Export()).path
    assert act.parameters["mark_key"] == key.fingerprint
    Image.fromarray(pictures.read(work).pixels[10:246, 20:250]).save(copy, quality=85)
    for one in (work, edition, copy):
        assert read_mark(pictures.read(one).pixels).message is None
        assert key.secret.hex().encode() not in one.read_bytes()
    for one in (work, edition):
        verdict = verdict_on(one, workspace)
        assert verdict.generation["mark_key"] == key.fingerprint
        assert verdict.watermark is not None
        assert (verdict.watermark["as_papers_say"], verdict.watermark["key"]) == (True, key.fingerprint)
    assert f"carries the mark of work {verdict_on(work, workspace).mark}" in verdict_on(copy, workspace).summary
    elsewhere = verdict_on(work, Workspace(tmp_path / "elsewhere"))
    assert elsewhere.watermark is None
    assert f"the publisher's own key {key.fingerprint}" in words(elsewhere)
    report = json.loads((write_evidence(work, workspace).folder / "watermark.json").read_text())
    assert (report["found"], report["key"], report["is_this_work"]) == (True, key.fingerprint, True)
    retire_key(workspace)
    assert verdict_on(work, workspace).watermark is not None, "what a retired key marked is still read"
    with open_publisher(workspace) as publisher:
        publisher.publish(painting, tmp_path / "public.png", provenance(latent_digest="sha256:" + "ee" * 32))
    assert "mark_key" not in verdict_on(tmp_path / "public.png", workspace).generation
    assert read_mark(pictures.read(tmp_path / "public.png").pixels).message is not None


def test_a_key_is_made_once_and_kept_from_others(workspace: Workspace) -> None:
    key = new_key(workspace)
    assert stat.S_IMODE(key.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.path.parent.stat().st_mode) == 0o700
    assert key.secret.hex() not in repr(key)
    with pytest.raises(PapersError, match=f"^{key.fingerprint}: is a watermark key that is in use; "):
        new_key(workspace)
    retire_key(workspace)
    assert key_in_use(workspace) is None
    other = new_key(workspace)
    assert {one.fingerprint for one in known_keys(workspace)} == {key.fingerprint, other.fingerprint}


@pytest.mark.parametrize("data", [b"", b"limner watermark key 1\n", b"limner watermark key 1\nzz\n", b"\xff" * 80])
def test_a_damaged_key_is_refused(workspace: Workspace, data: bytes) -> None:
    Identity.new(workspace, "Ada")
    new_key(workspace).path.write_bytes(data)
    for act in (open_publisher, open_checker):
        with pytest.raises(PapersError, match="is no watermark key, or a damaged one; put a copy of it back"):
            act(workspace)


def test_the_command_shows_the_fingerprint_and_never_the_key(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = []
    for option in ("--new", "--retire", ""):
        monkeypatch.setattr(sys, "argv", ["limner", "identity", "mark-key", *([option] if option else []), "--json"])
        with pytest.raises(SystemExit):
            main()
        said.append(json.loads(capsys.readouterr().out))
    key = known_keys(workspace)[0]
    assert [one["state"] for one in said] == ["in use", "retired", "none"]
    assert said[0]["fingerprint"] == said[1]["fingerprint"] == key.fingerprint
    assert key.secret.hex() not in json.dumps(said)
    acts = [act.parameters["what"] for act in Ledger.open(workspace.ledger).acts() if act.what == "mark-key"]
    assert acts == ["new", "retired"]
