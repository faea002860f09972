"""`limner trust`, `limner identity rotate` and `revoke`: what `limner verify` then says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from helpers import ran
from limner.errors import PapersError
from limner.ledger import Ledger
from limner.workspace import Workspace
from published_made import ARTIST, publish


def test_a_friend_is_believed_without_an_option(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = publish(workspace).path
    (root,) = workspace.identities.glob("*/root.pem")
    monkeypatch.setenv("LIMNER_HOME", str(tmp_path / "friend"))
    assert ran("verify", "--trusted", path).exit_code == 1
    added = ran("trust", "add", root, "--name", "ada")
    assert "ada: believed from now on" in added.stdout
    assert ran("verify", "--trusted", path).exit_code == 0
    assert "ada" in ran("trust", "list").stdout
    (listed,) = json.loads(ran("trust", "list", "--json").stdout)
    assert listed["fingerprints"][0] in added.stdout
    assert isinstance(ran("trust", "add", path).exception, PapersError)
    assert "believed no longer" in ran("trust", "remove", "ada").stdout
    assert ran("verify", "--trusted", path).exit_code == 1
    assert "No anchors" in ran("trust", "list").stdout


def test_a_key_is_changed_and_the_former_one_revoked(workspace: Workspace) -> None:
    path = publish(workspace).path
    told = json.loads(ran("identity", "show", "--json").stdout)
    rotated = ran("identity", "rotate", "--yes", "--json")
    assert json.loads(rotated.stdout)["former"][0]["fingerprint"] == told["fingerprint"]
    assert ran("verify", "--trusted", path).exit_code == 0
    said = ran("identity", "revoke", ARTIST, "--certificate", told["fingerprint"][:10], "--since", "2026-01-01")
    assert "does not count here" in said.stdout
    result = ran("verify", path)
    assert result.exit_code == 1
    assert "revoked from 2026-01-01 00:00 UTC on" in " ".join(result.stdout.replace("│", " ").split())
    assert "revoked from 2026-01-01" in ran("identity", "show").stdout
    assert [act.what for act in Ledger.open(workspace.ledger).acts()][1:] == ["rotate", "revoke"]
