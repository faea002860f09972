"""Databases that limner keeps: SQLite in a file, or another by URL; made when missing, one writer at a time.

SQLite keeps its default rollback journal: a database then is one file that may be copied, and it works on a home
folder that lies on the network; write-ahead logging does neither.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import NullPool, StaticPool

from limner.errors import LimnerError

BUSY_SECONDS = 60


@dataclass(frozen=True)
class Kind:
    """What a database is for.

    Attributes:
        name: for messages: `ledger`.
        error: what is raised where it cannot be used.
        schema: a table of one row, its version among it; the other tables share its metadata.
        first: that row.
        remedy: what to do where the database is damaged.
        rules: statements that follow the making of the tables, by dialect.
        lock: a statement that begins each transaction that writes, by dialect.
    """

    name: str
    error: type[LimnerError]
    schema: Table
    first: Mapping[str, Any]
    remedy: str
    rules: Mapping[str, Sequence[str]] = field(default_factory=dict)
    lock: Mapping[str, str] = field(default_factory=dict)


class Database:
    """One database, made when missing; several processes and threads may use it at a time.

    Args:
        url_or_path: a SQLite file (a path), or a database by URL, which holds `://`.
        kind: what it is for.

    Attributes:
        first: the row of its schema table.

    Raises:
        LimnerError: (of the kind's class) it cannot be opened, is none of this kind, or a later limner wrote it.
    """

    def __init__(self, url_or_path: str | Path, kind: Kind) -> None:
        self._kind = kind
        self.first: Mapping[str, Any] = {}
        self._engine = self._open(url_or_path)
        # Looking first: most openings find the tables and need not wait for whoever is writing.
        with self.connected() as connection:
            exists = inspect(connection).has_table(kind.schema.name)
        if not exists:
            self._make()
        with self.connected() as connection:
            self.first = dict(connection.execute(kind.schema.select()).mappings().one())
        if (version := self.first["version"]) != (known := kind.first["version"]):
            raise kind.error(self, f"is a {kind.name} of version {version}, not {known}", "use a later limner")

    @contextlib.contextmanager
    def connected(self, *, writes: bool = False) -> Iterator[Connection]:
        """One transaction: committed at the end, undone on any error.

        Args:
            writes: whether it will write; nobody else writes meanwhile.

        Raises:
            LimnerError: (of the kind's class) the database cannot be used, or stays busy for a minute.
        """
        try:
            with self._engine.connect().execution_options(limner_writes=writes) as connection, connection.begin():
                if writes and self.first and (lock := self._kind.lock.get(self._engine.dialect.name)):
                    connection.execute(text(lock))
                yield connection
        except DBAPIError as error:
            reason = str(error.orig)
            what = "is damaged" if "malformed" in reason else f"cannot be used as a {self._kind.name}"
            raise self._kind.error(self, f"{what} ({reason})", self._remedy(reason)) from error

    def __str__(self) -> str:
        return _shown(self._engine.url)

    def _make(self) -> None:
        schema = self._kind.schema
        with self.connected(writes=True) as connection:
            if inspect(connection).has_table(schema.name):
                return  # another process was first
            schema.metadata.create_all(connection)
            for rule in self._kind.rules.get(self._engine.dialect.name, ()):
                connection.execute(text(rule))
            connection.execute(schema.insert().values(**self._kind.first))

    def _open(self, url_or_path: str | Path) -> Engine:
        error, no_url = self._kind.error, ("is no database URL", "write postgresql://user@host/name")
        try:
            by_url = isinstance(url_or_path, str) and "://" in url_or_path
            url = make_url(str(url_or_path)) if by_url else self._url_of(Path(url_or_path).expanduser())
        except (ArgumentError, ValueError) as reason:
            raise error(url_or_path, *no_url) from reason
        sqlite = url.get_backend_name() == "sqlite"
        options = {"connect_args": {"timeout": BUSY_SECONDS}} if sqlite else {}
        try:
            # A database in memory lasts as long as its one connection.
            engine = create_engine(url, poolclass=StaticPool if sqlite and not url.database else NullPool, **options)
        except ArgumentError as reason:  # a kind of database that there is not
            raise error(url_or_path, *no_url) from reason
        except (ImportError, ValueError) as reason:
            remedy = "install the driver that the URL names"
            raise error(_shown(url), f"cannot be opened ({reason})", remedy) from reason
        if engine.dialect.name == "sqlite":
            _own_transactions(engine)
        return engine

    def _url_of(self, path: Path) -> URL:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as reason:
            remedy = "set LIMNER_HOME to another folder"
            raise self._kind.error(path, f"cannot be made ({reason.strerror})", remedy) from reason
        return URL.create("sqlite", database=str(path))

    def _remedy(self, reason: str) -> str:
        if "locked" in reason:
            return "close the program that holds it and try again"
        if "full" in reason or "disk I/O" in reason:
            return "the disk is full, or cannot be written to: make room"
        if "not a database" in reason or "malformed" in reason:
            return self._kind.remedy
        return "see that the file and its folder exist and can be written to"


def _own_transactions(engine: Engine) -> None:
    """Take BEGIN out of the driver's hands: whoever will write says so at once (BEGIN IMMEDIATE) and waits its turn.

    A transaction that starts by reading and wants to write later fails in SQLite when another has written meanwhile.
    """

    @event.listens_for(engine, "connect")
    def _connect(driver: Any, _record: Any) -> None:
        driver.isolation_level = None

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("limner_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _shown(url: URL) -> str:
    return url.database or "" if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)
