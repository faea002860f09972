"""Where acts are kept: the table, and what makes it append-only."""

from __future__ import annotations

from sqlalchemy import Column, Integer, MetaData, String, Table, Text

from limner.database import Kind
from limner.errors import LedgerError

_METADATA = MetaData()
ACTS = Table(
    "acts",
    _METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("who", String(16), nullable=False),
    Column("what", Text, nullable=False, index=True),
    Column("inputs", Text, nullable=False),
    Column("outputs", Text, nullable=False),
    Column("parameters", Text, nullable=False),
    Column("time", String(40), nullable=False),
    Column("parent", String(64), nullable=False, unique=True),
    Column("hash", String(64), nullable=False, unique=True),
)
_SCHEMA = Table("ledger_schema", _METADATA, Column("version", Integer, primary_key=True, autoincrement=False))

_REFUSED = "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
_RULES = {
    # The rule on INSERT is for INSERT OR REPLACE, which removes rows without asking the rule on DELETE.
    "sqlite": (
        f"CREATE TRIGGER acts_no_update BEFORE UPDATE ON acts {_REFUSED}",
        f"CREATE TRIGGER acts_no_delete BEFORE DELETE ON acts {_REFUSED}",
        "CREATE TRIGGER acts_in_order BEFORE INSERT ON acts WHEN NEW.id <> (SELECT COALESCE(MAX(id), 0) + 1 FROM acts) "
        f"OR EXISTS (SELECT 1 FROM acts WHERE parent = NEW.parent OR hash = NEW.hash) {_REFUSED}",
    ),
    "postgresql": (
        "CREATE FUNCTION acts_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$",
        "CREATE TRIGGER acts_no_change BEFORE UPDATE OR DELETE ON acts "
        "FOR EACH ROW EXECUTE FUNCTION acts_append_only()",
        "CREATE TRIGGER acts_no_truncate BEFORE TRUNCATE ON acts "
        "FOR EACH STATEMENT EXECUTE FUNCTION acts_append_only()",
    ),
}

KIND = Kind(
    "ledger",
    LedgerError,
    _SCHEMA,
    {"version": 1},
    "restore the file from a copy, or move it away to begin a new ledger",
    rules=_RULES,
    lock={"postgresql": "LOCK TABLE acts IN EXCLUSIVE MODE"},
)
