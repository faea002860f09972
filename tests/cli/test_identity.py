"""`limner identity`: makes, lists and shows identities, honestly, and never a key."""

from __future__ import annotations

import json
from functools import partial

import pytest

from helpers import ran
from limner.errors import PapersError, UsageError
from limner.papers import Identity
from limner.workspace import Workspace

run = partial(ran, "identity", columns=120)


def test_new_says_what_it_is_worth(workspace: Workspace) -> None:
    result = run("new", "--name", "Ada [red] Lovelace")
    assert result.exit_code == 0
    shown = " ".join(result.stdout.replace("│", " ").split())
    assert "Ada [red] Lovelace" in shown
    assert "on no public trust list" in shown
    assert "not encrypted" in shown
    assert "PRIVATE" not in shown
    assert Identity.load(workspace).name == "Ada [red] Lovelace"


def test_a_passphrase_from_the_environment(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIMNER_PASSPHRASE", "secret")
    assert "encrypted with your passphrase" in run("new", "--name", "Ada", "--passphrase").stdout
    assert Identity.is_encrypted(workspace)
    assert "secret" not in run("show").stdout


def test_a_passphrase_needs_a_terminal() -> None:
    result = run("new", "--name", "Ada", "--passphrase")
    assert isinstance(result.exception, UsageError)
    assert "LIMNER_PASSPHRASE" in str(result.exception)


def test_list_and_show(workspace: Workspace) -> None:
    assert "There is no identity yet" in run("list").stdout
    assert json.loads(run("list", "--json").stdout) == []
    assert isinstance(run("show").exception, PapersError)
    run("new", "--name", "Ada")
    run("new", "--name", "Bob", "--default")
    assert "Bob (default)" in run("list").stdout
    rows = json.loads(run("list", "--json").stdout)
    assert [(row["name"], row["default"]) for row in rows] == [("Ada", False), ("Bob", True)]
    told = json.loads(run("show", "Ada", "--json").stdout)
    assert told["fingerprint"] == Identity.load(workspace, "Ada").fingerprint
    assert told["encrypted"] is False
    assert "Bob" in run("show").stdout
