"""The ledger: record acts, look them up, prove that none was changed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select, func, select

from limner.database import Database
from limner.errors import LedgerError
from limner.ledger.acts import GENESIS, Act, Entry, Who, canonical_json
from limner.ledger.store import ACTS, KIND

_PAGE = 1000
_JSON_COLUMNS = ("inputs", "outputs", "parameters")


@dataclass(frozen=True)
class LedgerReport:
    """What re-deriving every hash showed.

    Attributes:
        ok: every act's hash and parent hold.
        count: acts that hold, from the first on.
        head: hash of the last act that holds (`GENESIS` when there is none). Whoever notes it elsewhere can later
            prove that no act was cut off the end: a chain alone cannot show that.
        broken: id of the first act that does not hold.
        reason: why it does not.
    """

    ok: bool
    count: int
    head: str
    broken: int | None = None
    reason: str = ""

    def to_json(self) -> str:
        """The report as JSON."""
        return json.dumps(asdict(self))


class Ledger:
    """The append-only, hash-chained record of acts; several processes and threads may use one at a time.

    Every method raises a LedgerError where the ledger cannot be read, or written to.

    Example:
        >>> ledger = Ledger.open(workspace.ledger)
        >>> ledger.record("artist", "publish", inputs=["sha256:…"], outputs=["works/1.png"]).id
        1
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, url_or_path: str | Path) -> Ledger:
        """Open the ledger in a SQLite file (a path) or a database (a URL, which holds `://`); made when missing.

        Raises:
            LedgerError: it cannot be opened, is no ledger, or was written by a later limner.
        """
        return cls(Database(url_or_path, KIND))

    def record(
        self,
        who: Who,
        what: str,
        *,
        inputs: Sequence[str] = (),
        outputs: Sequence[str] = (),
        parameters: Mapping[str, Any] | None = None,
    ) -> Act:
        """Append one act; when this returns, the disk holds it.

        Raises:
            LedgerError: it cannot be written as JSON.
        """
        return self.record_many([Entry(who, what, inputs, outputs, parameters or {})])[0]

    def record_many(self, entries: Iterable[Entry]) -> list[Act]:
        """Append all acts in their order, or none: one transaction, much faster than one by one.

        Raises:
            LedgerError: one cannot be written as JSON.
        """
        entries, acts = list(entries), []
        if not entries:
            return []
        with self._database.connected(writes=True) as connection:
            count, parent = _head(connection)
            for place, entry in enumerate(entries, count + 1):
                acts.append(Act.following(place, parent, entry))
                parent = acts[-1].hash
            connection.execute(ACTS.insert(), [_row(act) for act in acts])
        return acts

    def acts(self, limit: int | None = None, what: str | None = None) -> list[Act]:
        """The last `limit` acts (all by default), oldest first; only those with this `what`, where given."""
        query = select(ACTS).order_by(ACTS.c.id.desc())
        if what is not None:
            query = query.where(ACTS.c.what == what)
        if limit is not None:
            query = query.limit(max(limit, 0))
        return self._found(query)

    def made(self, digest: str) -> list[Act]:
        """The acts that have this digest (or path) among what came out, oldest first."""
        return self._naming(digest, "outputs")

    def used(self, digest: str) -> list[Act]:
        """The acts that have this digest (or path) among what went in, oldest first."""
        return self._naming(digest, "inputs")

    def _naming(self, digest: str, column: str) -> list[Act]:
        written = canonical_json(digest)
        query = select(ACTS).where(ACTS.c[column].contains(written, autoescape=True)).order_by(ACTS.c.id.desc())
        return [act for act in self._found(query) if digest in getattr(act, column)]

    def _found(self, query: Select[Any]) -> list[Act]:
        try:
            return [_act(row) for row in reversed(self._page(query))]
        except ValueError as error:
            reason = f"holds an act that cannot be read ({error})"
            raise LedgerError(self, reason, "run `limner ledger verify`") from error

    def head(self) -> tuple[int, str]:
        """How many acts there are, and the hash of the last; `GENESIS` where there is none."""
        with self._database.connected() as connection:
            return _head(connection)

    def hash_of(self, id: int) -> str | None:
        """The hash of an act; None where there is none of this number."""
        with self._database.connected() as connection:
            return connection.execute(select(ACTS.c.hash).where(ACTS.c.id == id)).scalar_one_or_none()

    def __len__(self) -> int:
        with self._database.connected() as connection:
            return connection.execute(select(func.count()).select_from(ACTS)).scalar_one()

    def verify(self) -> LedgerReport:
        """Re-derive every hash from the first act on and stop at the first that does not hold.

        Acts are read by pages of 1,000: memory does not grow with the ledger, and writers wait for a page at most.
        """
        count, head = 0, GENESIS
        for row in self._rows():
            if reason := _fault(row, count + 1, head):
                return LedgerReport(False, count, head, broken=count + 1, reason=reason)
            count, head = count + 1, row["hash"]
        return LedgerReport(True, count, head)

    def _rows(self) -> Iterator[Mapping[str, Any]]:
        query = select(ACTS).order_by(ACTS.c.id).limit(_PAGE)
        page = self._page(query)
        while page:
            yield from page
            page = self._page(query.where(ACTS.c.id > page[-1]["id"]))

    def _page(self, query: Select[Any]) -> list[dict[str, Any]]:
        with self._database.connected() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def __str__(self) -> str:
        return str(self._database)


def _head(connection: Connection) -> tuple[int, str]:
    last = connection.execute(select(ACTS.c.id, ACTS.c.hash).order_by(ACTS.c.id.desc()).limit(1)).first()
    return (int(last.id), str(last.hash)) if last else (0, GENESIS)


def _row(act: Act) -> dict[str, Any]:
    return {name: canonical_json(value) if name in _JSON_COLUMNS else value for name, value in vars(act).items()}


def _act(row: Mapping[str, Any]) -> Act:
    return Act(**{name: json.loads(value) if name in _JSON_COLUMNS else value for name, value in row.items()})


def _fault(row: Mapping[str, Any], id: int, parent: str) -> str:
    """What is wrong with the row that should be act `id`, following the hash `parent`; empty when nothing is."""
    if row["id"] != id:
        return f"act {id} is missing: act {row['id']} comes after act {id - 1}"
    if row["parent"] != parent:
        return f"act {id} does not follow act {id - 1}: it names another parent" if id > 1 else "act 1 has a parent"
    try:
        derived = _act(row).derive_hash()
    except (TypeError, ValueError) as error:
        return f"act {id} cannot be read ({error})"
    changed = f"act {id} was changed: its contents give another hash than the one written"
    return "" if derived == row["hash"] else changed
