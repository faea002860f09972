"""Where the registry is kept: one table, a row for each time a work was published. SQLite, or Postgres by URL."""

from __future__ import annotations

import uuid
from pathlib import Path

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, String, Table, Text

from limner.database import Database, Kind
from limner.errors import PapersError

__all__ = ["EDITIONS", "open_database"]

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


def open_database(url_or_path: str | Path) -> Database:
    """The registry in a SQLite file (a path) or a database (a URL, which holds `://`); made when missing.

    Its `first["token"]` tells this registry from every other: an index that names another token is of another one.

    Raises:
        PapersError: it cannot be opened, is no registry, or was written by a later limner.
    """
    remedy = "restore it from a copy, or move it away and fill a new one: limner registry add FILE…"
    first = {"version": 1, "token": uuid.uuid4().hex}
    return Database(url_or_path, Kind("registry", PapersError, _SCHEMA, first, remedy))
