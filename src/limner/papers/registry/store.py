"""Where the registry is kept: one table, a row for each time a work was published. SQLite, or Postgres by URL."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    inspect,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import NullPool

from limner.errors import PapersError
from limner.ledger.store import own_transactions

__all__ = ["EDITIONS", "connected", "open_engine", "token_of"]

VERSION = 1
BUSY_SECONDS = 60

_METADATA = MetaData()
EDITIONS = Table(
    "editions",
    _METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("work", BigInteger, nullable=False, index=True),
    Column("digest", String(80), nullable=False, index=True),
    Column("title", Text, nullable=False),
    Column("creator", Text, nullable=False),
    Column("time", String(40), nullable=False),
    Column("path", Text, nullable=False),
    Column("signer", String(80), nullable=False),
    Column("signer_name", Text, nullable=False),
    Column("model", String(80), nullable=False),
    Column("latent", String(80), nullable=False),
    Column("look", LargeBinary),
    Column("mirror", LargeBinary),
    Column("layout", LargeBinary),
    Column("thumbnail", LargeBinary, nullable=False),
    Column("manifest", LargeBinary, nullable=False),
    Column("xmp", LargeBinary),
    sqlite_autoincrement=True,  # a number is never given twice: the index counts on it
)
_SCHEMA = Table(
    "registry_schema",
    _METADATA,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("token", String(32), nullable=False),
)


def open_engine(url_or_path: str | Path) -> Engine:
    """An engine on the registry in a SQLite file (a path) or a database (a URL, which holds `://`); made when missing.

    Raises:
        PapersError: it cannot be opened, is no registry, or was written by a later limner.
    """
    engine = _engine(_url(url_or_path))
    with connected(engine) as connection:
        exists = inspect(connection).has_table("registry_schema")
    if not exists:
        _make(engine)
    with connected(engine) as connection:
        version = connection.execute(_SCHEMA.select()).one().version
    if version != VERSION:
        raise PapersError(
            _shown(engine.url), f"is a registry of version {version}, not {VERSION}", "use a later limner"
        )
    return engine


def token_of(engine: Engine) -> str:
    """What tells this registry from every other: an index that names another token is of another registry."""
    with connected(engine) as connection:
        return str(connection.execute(_SCHEMA.select()).one().token)


@contextlib.contextmanager
def connected(engine: Engine, *, writes: bool = False) -> Iterator[Connection]:
    """One transaction: committed at the end, undone on any error.

    Args:
        writes: whether it will write; in SQLite it then waits its turn at once.

    Raises:
        PapersError: the database cannot be used, or stays busy for a minute.
    """
    try:
        with engine.connect().execution_options(limner_writes=writes) as connection, connection.begin():
            yield connection
    except DBAPIError as error:
        reason = str(error.orig)
        remedy = "see that the file and its folder exist and can be written to"
        if "locked" in reason:
            remedy = "close the program that holds it and try again"
        elif "full" in reason or "disk I/O" in reason:
            remedy = "the disk is full, or cannot be written to: make room"
        elif "not a database" in reason or "malformed" in reason:
            remedy = "restore it from a copy, or move it away and fill a new one: limner registry add FILE…"
        raise PapersError(_shown(engine.url), f"cannot be used as a registry ({reason})", remedy) from error


def _make(engine: Engine) -> None:
    with connected(engine, writes=True) as connection:
        if inspect(connection).has_table("registry_schema"):
            return  # another process was first
        _METADATA.create_all(connection)
        connection.execute(_SCHEMA.insert().values(version=VERSION, token=uuid.uuid4().hex))


def _url(url_or_path: str | Path) -> URL:
    if isinstance(url_or_path, str) and "://" in url_or_path:
        try:
            return make_url(url_or_path)
        except ArgumentError as error:
            raise PapersError(url_or_path, "is no database URL", "write postgresql://user@host/name") from error
    path = Path(url_or_path).expanduser()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PapersError(path, f"cannot be made ({error.strerror})", "set LIMNER_HOME to another folder") from error
    return URL.create("sqlite", database=str(path))


def _engine(url: URL) -> Engine:
    options: dict[str, Any] = {}
    if url.get_backend_name() == "sqlite":
        options["connect_args"] = {"timeout": BUSY_SECONDS}
    try:
        engine = create_engine(url, poolclass=NullPool, **options)
    except (ImportError, ValueError) as error:
        raise PapersError(
            _shown(url), f"cannot be opened ({error})", "install the driver that the URL names"
        ) from error
    if engine.dialect.name == "sqlite":
        own_transactions(engine)
    return engine


def _shown(url: URL) -> str:
    return url.database or "" if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)
