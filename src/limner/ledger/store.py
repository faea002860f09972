"""Where acts are kept: the table, what makes it append-only, and transactions in which one writes at a time.

SQLite keeps its default rollback journal: the ledger then is one file that may be copied, and it works on a home
folder that lies on the network; write-ahead logging does neither.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, Connection, Engine, Integer, MetaData, String, Table, Text, create_engine, event, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DatabaseError, DBAPIError
from sqlalchemy.pool import NullPool

from limner.errors import LedgerError

__all__ = ["ACTS", "open_engine", "own_transactions", "reading", "writing"]

VERSION = 1
BUSY_SECONDS = 60

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

_RULES = {
    # The rule on INSERT is for INSERT OR REPLACE, which removes rows without asking the rule on DELETE.
    "sqlite": (
        "CREATE TRIGGER acts_no_update BEFORE UPDATE ON acts "
        "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END",
        "CREATE TRIGGER acts_no_delete BEFORE DELETE ON acts "
        "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END",
        "CREATE TRIGGER acts_in_order BEFORE INSERT ON acts "
        "WHEN NEW.id <> (SELECT COALESCE(MAX(id), 0) + 1 FROM acts) "
        "OR EXISTS (SELECT 1 FROM acts WHERE parent = NEW.parent OR hash = NEW.hash) "
        "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END",
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
_LOCK = {"postgresql": "LOCK TABLE acts IN EXCLUSIVE MODE"}


def open_engine(url: URL) -> Engine:
    """An engine on the database at `url`, with the ledger's table made when it is missing.

    Raises:
        LedgerError: the database cannot be opened, is no ledger, or was written by a later limner.
    """
    try:
        engine = create_engine(url, poolclass=NullPool, **_options(url))
    except (ImportError, ValueError) as error:
        raise LedgerError(
            _shown(url), f"cannot be opened ({error})", "install the driver that the URL names"
        ) from error
    if engine.dialect.name == "sqlite":
        own_transactions(engine)
    with _translated(url):
        # Looking first: most openings find the table and need not wait for whoever is writing.
        with engine.connect() as connection:
            exists = engine.dialect.has_table(connection, "ledger_schema")
        if not exists:
            _make(engine)
        with engine.connect() as connection:
            version = connection.execute(_SCHEMA.select()).scalar_one()
    if version != VERSION:
        raise LedgerError(_shown(url), f"is a ledger of version {version}, not {VERSION}", "use a later limner")
    return engine


@contextlib.contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection to read by.

    Raises:
        LedgerError: the database cannot be read.
    """
    with _translated(engine.url), engine.connect() as connection:
        yield connection


@contextlib.contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction in which nobody else writes: committed at the end, undone on any error.

    Raises:
        LedgerError: the database cannot be written to, or stays busy for a minute.
    """
    with _translated(engine.url), _connect_to_write(engine) as connection, connection.begin():
        if lock := _LOCK.get(engine.dialect.name):
            connection.execute(text(lock))
        yield connection


def _connect_to_write(engine: Engine) -> Connection:
    return engine.connect().execution_options(limner_writes=True)


def _options(url: URL) -> dict[str, Any]:
    return {"connect_args": {"timeout": BUSY_SECONDS}} if url.get_backend_name() == "sqlite" else {}


def own_transactions(engine: Engine) -> None:
    """Take BEGIN out of the driver's hands: whoever will write says so at once (BEGIN IMMEDIATE) and waits its turn.

    For engines on SQLite; a connection with the execution option `limner_writes` is one that will write.

    A transaction that starts by reading and wants to write later fails in SQLite when another has written meanwhile.
    """

    @event.listens_for(engine, "connect")
    def _connect(driver: Any, _record: Any) -> None:
        driver.isolation_level = None

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("limner_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _make(engine: Engine) -> None:
    with _connect_to_write(engine) as connection, connection.begin():
        if engine.dialect.has_table(connection, "ledger_schema"):
            return  # another process was first
        _METADATA.create_all(connection)
        for rule in _RULES.get(engine.dialect.name, ()):
            connection.execute(text(rule))
        connection.execute(_SCHEMA.insert().values(version=VERSION))


@contextlib.contextmanager
def _translated(url: URL) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        reason = str(error.orig)
        if "locked" in reason:
            remedy = "close the program that holds it and try again"
        elif "not a database" in reason or "malformed" in reason:
            remedy = "restore the file from a copy, or move it away to begin a new ledger"
        elif "full" in reason or "disk I/O" in reason:
            remedy = "the disk is full, or cannot be written to: make room"
        else:
            remedy = "see that the file and its folder exist and can be written to"
        kind = "is damaged" if isinstance(error, DatabaseError) and "malformed" in reason else "cannot be used"
        raise LedgerError(_shown(url), f"{kind} ({reason})", remedy) from error


def _shown(url: URL) -> str:
    return url.database or "" if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)
