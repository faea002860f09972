"""`limner ledger`: shows what was done and proves that the record holds."""

from __future__ import annotations

import json
import sqlite3
from functools import partial

import pytest

from helpers import ran
from limner.errors import LedgerError
from limner.ledger import Entry, Ledger
from limner.workspace import Workspace

run = partial(ran, "ledger", columns=120)


@pytest.fixture
def ledger(workspace: Workspace) -> Ledger:
    ledger = Ledger.open(workspace.ledger)
    ledger.record("artist", "train [red]", outputs=["\x1b[31mmodel"])
    ledger.record_many(
        [Entry("algorithm", "paint", outputs=["sha256:" + "ab" * 32], parameters={"i": i}) for i in range(30)]
    )
    return ledger


def test_looking_at_nothing_makes_nothing(workspace: Workspace) -> None:
    assert "No act is recorded yet" in run().stdout
    assert json.loads(run("--json").stdout) == []
    assert run("verify").exit_code == 0
    assert not workspace.ledger.exists()


def test_show(ledger: Ledger) -> None:
    result = run()
    assert result.exit_code == 0
    assert "20 of 31 acts" in result.stdout
    shown = run("--limit", "99").stdout
    assert "train [red]" in shown
    assert "\x1b[31m" not in shown
    assert [act["parameters"]["i"] for act in json.loads(run("-n", "2", "--json").stdout)] == [28, 29]
    assert len(json.loads(run("--what", "train [red]", "--json").stdout)) == 1
    assert "No act of the kind 'x'" in run("--what", "x").stdout


def test_verify(ledger: Ledger, workspace: Workspace) -> None:
    result = run("verify")
    assert result.exit_code == 0
    assert "all 31 acts hold" in result.stdout
    assert ledger.verify().head in result.stdout.replace("\n", "")
    with sqlite3.connect(workspace.ledger) as database:
        database.execute("DROP TRIGGER acts_no_update")
        database.execute("UPDATE acts SET who = 'artist' WHERE id = 12")
    database.close()
    result = run("verify")
    assert result.exit_code == 1
    assert "act 12 was changed" in result.stdout
    assert json.loads(run("verify", "--json").stdout)["broken"] == 12


def test_a_damaged_file_is_one_clear_error(workspace: Workspace) -> None:
    workspace.make(workspace.root)
    workspace.ledger.write_bytes(b"garbage" * 1000)
    for command in ((), ("verify",)):
        assert isinstance(run(*command).exception, LedgerError)
