"""What the registry keeps: a row for each time a work was published, in SQLite, or in Postgres by URL."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, fields
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, String, Table, Text

from limner.database import Database, Kind
from limner.errors import PapersError


def work_identifier(latent_digest: str, model_digest: str, signer: str) -> int:
    """The 48-bit number of a work: the first 48 bits of a sha256, the highest first.

    The hash is of four lines of UTF-8, each ended by a line feed: `limner work 1`, the latent's digest, the model's
    digest, the fingerprint of the signer's certificate. So the same latent painted by the same model and signed with
    the same certificate is one work, whatever its size and format; with another certificate it is another.

    Args:
        latent_digest, model_digest: `sha256:` and hexadecimal digits, as in the papers.
        signer: sha256 of the certificate, hexadecimal.
    """
    lines = ("limner work 1", latent_digest, model_digest, signer)
    return int.from_bytes(sha256("".join(f"{line}\n" for line in lines).encode()).digest()[:6], "big")


def work_name(work: int) -> str:
    """A work's number as it is written: 12 hexadecimal digits."""
    return f"{work:012x}"


@dataclass(frozen=True)
class Edition:
    """A work as it was published once.

    Attributes:
        work: its 48-bit number; editions of one work share it.
        digest: of the file, `sha256:` before the hexadecimal digits; `model` and `latent` are digests, too.
        signer: fingerprint of the signer's certificate.
        manifest: the C2PA manifest store as it was published.
        look, mirror, layout, thumbnail: as `Fingerprints`; the thumbnail as JPEG.
        xmp: the XMP packet as it was published.
        time: UTC, ISO 8601.
        id: number of the row; 0 before it is registered.
    """

    work: int
    digest: str
    title: str
    creator: str
    path: str
    signer: str
    signer_name: str
    model: str
    latent: str
    manifest: bytes = field(repr=False)
    thumbnail: bytes = field(repr=False)
    look: bytes | None = field(default=None, repr=False)
    mirror: bytes | None = field(default=None, repr=False)
    layout: bytes | None = field(default=None, repr=False)
    xmp: bytes | None = field(default=None, repr=False)
    time: str = ""
    id: int = 0

    @property
    def name(self) -> str:
        """The work's number as it is written."""
        return work_name(self.work)

    def details(self) -> dict[str, Any]:
        """What may be shown of it: everything but bytes."""
        return {one.name: getattr(self, one.name) for one in fields(self) if one.repr} | {"work": self.name}


_METADATA = MetaData()
_TYPES = {"int": BigInteger, "str": Text, "bytes": LargeBinary}


def _column(name: str, type: str) -> Column[Any]:
    kind, _, empty = type.partition(" | ")
    return Column(name, _TYPES[kind], nullable=bool(empty), index=name in ("work", "digest"))


EDITIONS = Table(
    "editions",
    _METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    *(_column(one.name, str(one.type)) for one in fields(Edition) if one.name != "id"),
    sqlite_autoincrement=True,  # a number is never given twice: the index counts on it
)
"""The fields of `Edition`."""
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
