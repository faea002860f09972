"""The ledger: what is recorded comes back, and whatever is changed afterwards is found."""

from __future__ import annotations

import json
import math
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from limner.errors import LedgerError
from limner.ledger import GENESIS, Entry, Ledger
from limner.ledger.store import ACTS
from limner.workspace import Workspace


@pytest.fixture
def ledger(workspace: Workspace) -> Ledger:
    return Ledger.open(workspace.ledger)


def fill(ledger: Ledger, count: int = 5) -> None:
    ledger.record_many([Entry("algorithm", "paint", [f"in{i}"], [f"out{i}"], {"seed": i}) for i in range(count)])


def meddle(workspace: Workspace, *statements: str) -> None:
    """Change the file behind the ledger's back, without the rules that forbid it."""
    with sqlite3.connect(workspace.ledger) as database:
        for rule in ("acts_no_update", "acts_no_delete", "acts_in_order"):
            database.execute(f"DROP TRIGGER {rule}")
        for statement in statements:
            database.execute(statement)
    database.close()


def test_what_is_recorded_comes_back(ledger: Ledger) -> None:
    act = ledger.record("artist", "publish", inputs=["a"], outputs=["b"], parameters={"x": 0.1, "to": Path("w.png")})
    assert ledger.acts() == [act]
    assert (act.id, act.parent, act.parameters) == (1, GENESIS, {"x": 0.1, "to": "w.png"})
    assert act.time.endswith("+00:00")


def test_a_ledger_in_memory_is_one() -> None:
    ledger = Ledger.open("sqlite://")
    assert ledger.verify().count == 0
    fill(ledger, 2)
    assert ledger.verify().count == len(ledger) == 2


def test_acts_are_chained_and_filtered(ledger: Ledger) -> None:
    fill(ledger, 3)
    last = ledger.record("artist", "publish")
    first, second, *_ = ledger.acts()
    assert second.parent == first.hash
    assert [act.id for act in ledger.acts(limit=2)] == [3, 4]
    assert ledger.acts(what="publish") == [last]
    assert len(ledger) == 4


def test_hostile_texts_survive(ledger: Ledger, workspace: Workspace) -> None:
    texts = ["\udcff.png", "a\0b", "🎨", "'; DROP TABLE acts; --", "x" * 100_000]
    act = ledger.record("artist", "import", inputs=texts, parameters={text: text for text in texts})
    assert Ledger.open(workspace.ledger).acts() == [act]
    assert ledger.verify().ok


def test_a_whole_batch_or_nothing(ledger: Ledger) -> None:
    with pytest.raises(LedgerError):
        ledger.record_many([Entry("artist", "one"), Entry("artist", "two", parameters={"x": math.nan})])
    assert len(ledger) == 0
    assert ledger.record_many([]) == []


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        (Entry("somebody", "paint"), "somebody"),  # type: ignore[arg-type]
        (Entry("artist", ""), "''"),
        (Entry("artist", "paint\x1b[31m"), "paint"),
        (Entry("artist", "paint", "abc"), "inputs"),
        (Entry("artist", "paint", parameters={"x": object()}), "parameters"),
    ],
)
def test_what_cannot_be_recorded_is_named(ledger: Ledger, entry: Entry, value: str) -> None:
    with pytest.raises(LedgerError) as caught:
        ledger.record_many([entry])
    assert value in caught.value.value


@pytest.mark.parametrize(
    "change",
    [
        "who = 'artist'",
        "what = 'publish'",
        "inputs = '[\"other\"]'",
        "outputs = '[]'",
        "parameters = '{\"seed\":7}'",
        "parameters = 'no json'",
        "parameters = 7",
        "time = '2020-01-01T00:00:00.000000+00:00'",
        "hash = 'f'",
    ],
)
def test_a_changed_act_is_named(ledger: Ledger, workspace: Workspace, change: str) -> None:
    fill(ledger)
    meddle(workspace, f"UPDATE acts SET {change} WHERE id = 3")
    report = ledger.verify()
    assert (report.ok, report.broken, report.count) == (False, 3, 2)
    assert "act 3" in report.reason


def test_a_forged_hash_breaks_the_next_act(ledger: Ledger, workspace: Workspace) -> None:
    fill(ledger)
    act = ledger.acts()[2]
    forged = type(act)(**{**vars(act), "what": "forge"})
    meddle(workspace, f"UPDATE acts SET what = 'forge', hash = '{forged.derive_hash()}' WHERE id = 3")
    assert ledger.verify().broken == 4


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("DELETE FROM acts WHERE id = 1", 1),
        ("DELETE FROM acts WHERE id = 3", 3),
        ("UPDATE acts SET id = 9 WHERE id = 3", 3),
    ],
)
def test_a_missing_act_is_named(ledger: Ledger, workspace: Workspace, statement: str, broken: int) -> None:
    fill(ledger)
    meddle(workspace, statement)
    report = ledger.verify()
    assert (report.broken, "missing" in report.reason) == (broken, True)


def test_acts_cut_off_the_end_show_in_the_head(ledger: Ledger, workspace: Workspace) -> None:
    fill(ledger)
    noted = ledger.verify().head
    meddle(workspace, "DELETE FROM acts WHERE id > 3")
    assert ledger.verify().head != noted


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE acts SET what = 'x'",
        "DELETE FROM acts",
        "INSERT OR REPLACE INTO acts SELECT 3, who, 'x', inputs, outputs, parameters, time, 'p', 'h' FROM acts LIMIT 1",
        "INSERT OR REPLACE INTO acts SELECT 6, who, 'x', inputs, outputs, parameters, time, parent, 'h' FROM acts "
        "WHERE id = 2",
        "INSERT INTO acts SELECT 99, who, what, inputs, outputs, parameters, time, 'p', 'h' FROM acts LIMIT 1",
    ],
)
def test_the_database_itself_refuses_changes(ledger: Ledger, workspace: Workspace, statement: str) -> None:
    fill(ledger)
    database = sqlite3.connect(workspace.ledger)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        database.execute(statement)
    database.close()
    assert ledger.verify().count == 5


def test_verifying_reads_page_by_page(ledger: Ledger) -> None:
    fill(ledger, 2501)
    assert ledger.verify().count == 2501


def test_reports_are_json(ledger: Ledger) -> None:
    fill(ledger)
    assert json.loads(ledger.verify().to_json())["count"] == 5


def damage(workspace: Workspace, how: str) -> None:
    if how == "garbage":
        workspace.ledger.write_bytes(b"no database " * 100)
    elif how == "future":
        with sqlite3.connect(workspace.ledger) as database:
            database.execute("UPDATE ledger_schema SET version = 99")
        database.close()
    elif how == "folder":
        workspace.ledger.unlink()
        workspace.ledger.mkdir()
    else:
        data = bytearray(workspace.ledger.read_bytes())
        data[4096:] = b"\xff" * (len(data) - 4096)
        workspace.ledger.write_bytes(data)


@pytest.mark.parametrize("how", ["garbage", "future", "folder", "pages"])
def test_a_damaged_ledger_is_one_clear_error(ledger: Ledger, workspace: Workspace, how: str) -> None:
    fill(ledger, 200)
    damage(workspace, how)
    with pytest.raises(LedgerError) as caught:
        Ledger.open(workspace.ledger).verify()
    assert str(workspace.ledger) in caught.value.value
    assert caught.value.remedy


@pytest.mark.parametrize("url", ["nonsense://x", "postgresql://nobody@127.0.0.1:1/x", "://"])
def test_a_url_that_cannot_be_used_is_named(url: str) -> None:
    with pytest.raises(LedgerError):
        Ledger.open(url)


def test_a_sqlite_url_is_a_ledger_too(workspace: Workspace) -> None:
    workspace.make(workspace.root)
    Ledger.open(f"sqlite:///{workspace.ledger}").record("artist", "begin")
    assert len(Ledger.open(workspace.ledger)) == 1


def test_postgres_is_not_precluded() -> None:
    dialect: Any = postgresql.dialect()  # type: ignore[no-untyped-call]
    assert "UNIQUE (parent)" in str(CreateTable(ACTS).compile(dialect=dialect))
