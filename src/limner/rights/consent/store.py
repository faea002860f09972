"""Where consents are kept: one private SQLite file in the workspace, to which rows are only added."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import Boolean, Column, Connection, Integer, MetaData, String, Table, Text, func, select

from limner.database import Database, Kind
from limner.errors import RightsError
from limner.rights.consent.agreement import Consent, Scope, Subject
from limner.rights.consent.blocking import Agreed
from limner.rights.consent.use import Use
from limner.rights.licences import parse_licence

FILE = "consents.sqlite"

_METADATA = MetaData()
_CONSENTS = Table(
    "consents",
    _METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),
    Column("name", Text, nullable=False),
    *(Column(name, Text, nullable=False) for name in ("scopes", "licence", "holder", "document")),
    *(Column(name, String(10)) for name in ("since", "until")),
    *(Column(name, Text, nullable=False) for name in ("credit", "note")),
    Column("withdrawn", Boolean, nullable=False),
    Column("recorded", String(40), nullable=False),
)
_SCHEMA = Table("consents_schema", _METADATA, Column("version", Integer, primary_key=True, autoincrement=False))
_REFUSED = "BEGIN SELECT RAISE(ABORT, 'consents are only added to'); END"
_KIND = Kind(
    "list of consents",
    RightsError,
    _SCHEMA,
    {"version": 1},
    "restore the file from a copy; limner uses no picture on a guess",
    rules={
        "sqlite": (
            f"CREATE TRIGGER consents_no_update BEFORE UPDATE ON consents {_REFUSED}",
            f"CREATE TRIGGER consents_no_delete BEFORE DELETE ON consents {_REFUSED}",
            "CREATE TRIGGER consents_in_order BEFORE INSERT ON consents WHEN NEW.number <> "
            f"(SELECT COALESCE(MAX(number), 0) + 1 FROM consents) {_REFUSED}",
        )
    },
)


class ConsentStore:
    """What rights holders agreed to, in the file `consents.sqlite` of a workspace (mode 0600).

    Rows are only added: the last row about a subject counts, and the earlier ones stay to be read. The file is made by
    the first row; to read where there is none finds nothing. Several processes may use it at a time. Whoever adds
    a row records the act in the ledger, too.

    Args:
        root: of the workspace.

    Example:
        >>> store = ConsentStore(workspace.root)
        >>> store.add(Consent(Subject("creator", "Ada Example"), frozenset({Scope.TRAIN}), document="sha256:…")).number
        1
    """

    def __init__(self, root: Path) -> None:
        self._path = root / FILE

    def add(self, consent: Consent) -> Consent:
        """Append one row, and give it back with its number; when this returns, the disk holds it.

        Raises:
            RightsError: its licence is no SPDX expression, or the file cannot be written to.
        """
        return self.add_many([consent])[0]

    def add_many(self, consents: Iterable[Consent]) -> list[Consent]:
        """Append all rows in their order, or none.

        Raises:
            RightsError: as `add`.
        """
        rows = [replace(one, licence=parse_licence(one.licence)) for one in consents]
        if not rows:
            return []
        self._make()
        with self._database.connected(writes=True) as connection:
            return _appended(connection, rows)

    def all(self) -> list[Consent]:
        """Every row, oldest first.

        Raises:
            RightsError: the file is damaged, or a later limner wrote it.
        """
        if not self._path.exists():
            return []
        with self._database.connected() as connection:
            rows = [*connection.execute(select(_CONSENTS).order_by(_CONSENTS.c.number)).mappings()]
        try:
            return [_consent(row) for row in rows]
        except ValueError as error:
            raise RightsError(self._path, f"holds a row that cannot be read ({error})", _KIND.remedy) from error

    def agreed(self, upto: int | None = None) -> Agreed:
        """What counts now: the last row about each subject.

        Args:
            upto: the number of the last row that counts, to see what was agreed then; all by default.

        Raises:
            RightsError: as `all`.
        """
        rows = self.all()
        return Agreed.of_rows(rows if upto is None else rows[:upto])

    def use(self, scope: Scope, on: date | None = None, upto: int | None = None) -> Use:
        """A use that is asked for, with the consents that count.

        Args:
            on: the day of it; today by default.
            upto: as in `agreed`.

        Raises:
            RightsError: as `all`.
        """
        return Use(self.agreed(upto), scope, on or date.today())

    def of(self, pixel_sha256: str, creator: str) -> Consent | None:
        """The consent that counts for one picture: its own before its creator's, a withdrawal of either before both.

        Raises:
            RightsError: as `all`.
        """
        return self.agreed().of(pixel_sha256, creator)

    def withdraw(self, subject: Subject, note: str = "") -> Consent:
        """Append the withdrawal of a subject's consent: from now on nothing is granted. Again, it gives the first.

        Raises:
            RightsError: as `add`.
        """
        agreed = self.agreed().about(subject)
        if agreed is not None and agreed.withdrawn:
            return agreed
        return self.add(replace(agreed or Consent(subject), subject=subject, withdrawn=True, note=note))

    @cached_property
    def _database(self) -> Database:
        return Database(self._path, _KIND)

    def _make(self) -> None:
        """Make the file before SQLite does, which would let others read it; its journal follows its mode."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            remedy = "change its permissions, or set LIMNER_HOME to another folder"
            raise RightsError(self._path, f"cannot be written ({error.strerror})", remedy) from error


def _appended(connection: Connection, rows: list[Consent]) -> list[Consent]:
    last = connection.execute(select(func.coalesce(func.max(_CONSENTS.c.number), 0))).scalar_one()
    recorded = datetime.now(UTC).isoformat(timespec="microseconds")
    stored = [replace(one, number=number, recorded=recorded) for number, one in enumerate(rows, last + 1)]
    connection.execute(_CONSENTS.insert(), [_row(one) for one in stored])
    return stored


def _row(consent: Consent) -> dict[str, Any]:
    values = {name: value for name, value in vars(consent).items() if name != "subject"}
    days = {name: day.isoformat() if (day := values[name]) else None for name in ("since", "until")}
    subject = {"kind": consent.subject.kind, "name": consent.subject.name}
    return {**values, **days, **subject, "scopes": " ".join(sorted(consent.scopes))}


def _consent(row: Mapping[str, Any]) -> Consent:
    values = {name: value for name, value in row.items() if name not in ("kind", "name")}
    days = {name: date.fromisoformat(day) if (day := values[name]) else None for name in ("since", "until")}
    scopes = frozenset(map(Scope, row["scopes"].split()))
    return Consent(**{**values, **days, "scopes": scopes, "subject": Subject(row["kind"], row["name"])})
