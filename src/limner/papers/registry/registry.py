"""The registry: every published work with its fingerprints and papers, so that a copy without papers finds them.

A match is likeness, which is no proof: whoever paints the same picture, or copies it, matches too.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Select, func, select

from limner.errors import PapersError
from limner.papers.registry import likeness
from limner.papers.registry.fingerprints import Bytes, Fingerprints, Floats, fingerprints_of, trials, unpack_thumbnail
from limner.papers.registry.index import Index
from limner.papers.registry.likeness import ALL, Likeness
from limner.papers.registry.store import EDITIONS, Edition, open_database
from limner.workspace import Workspace

_LOOK_RADIUS, _LAYOUT_RADIUS = 31, 56
_EACH, _CANDIDATES, _COMPARED = 16, 64, 10
_ROUGH = 0.5  # correlation of luma below which a candidate is not looked at again
_PAGE = 20_000
_UNSAVED = 2_000  # rows that came since the index was kept, from which on it is kept again


@dataclass(frozen=True)
class Match:
    """A registered work that a picture looks like.

    Attributes:
        edition: the work as it was published; of several editions the one that lies best.
        likeness: how well the picture lies on it.
        by: the fingerprint that found it, `look` or `layout`.
        others: how many other works lie nearly as well; with any, which of them it is cannot be said.
        turned: by how many degrees, against the clock, the picture was turned back before it lay on the work.
    """

    edition: Edition
    likeness: Likeness
    by: str
    others: int = 0
    turned: int = 0

    def details(self) -> dict[str, Any]:
        """The match as plain values."""
        seen = self.likeness
        return {
            **self.edition.details(),
            "found_by": self.by,
            "mirrored": seen.mirrored,
            "turned": self.turned,
            "share": round(seen.share, 3),
            "difference": round(seen.score, 3),
            "others": self.others,
        }


@dataclass(frozen=True)
class Candidate:
    """A row that may show the picture: what found it, and where in the picture its middle would lie."""

    row: int
    by: str
    window: Floats
    mirrored: bool


class Registry:
    """Registered works; several processes and threads may use one at a time.

    Every method raises a PapersError where the registry cannot be read, or written to.

    Args:
        url_or_path: a SQLite file, or a database by URL.
        index: folder in which the index is kept; None keeps it in memory only.

    Raises:
        PapersError: it cannot be opened, is no registry, or was written by a later limner.
    """

    def __init__(self, url_or_path: str | Path, index: Path | None = None) -> None:
        self._database, self._folder = open_database(url_or_path), index
        self._index: Index | None = None
        self._saved = 0
        self._lock = threading.Lock()

    def add(self, editions: Sequence[Edition]) -> None:
        """Register works: all or none."""
        if not editions:
            return
        now = datetime.now(UTC).isoformat(timespec="seconds")
        rows = [
            {name: value for name, value in vars(one).items() if name != "id"} | {"time": one.time or now}
            for one in editions
        ]
        with self._database.connected(writes=True) as connection:
            connection.execute(EDITIONS.insert(), rows)

    def find(self, pixels: Bytes) -> Match | None:
        """The registered work that a picture looks like: whole, mirrored, in a quarter turn, or 15 % cut off its sides.

        Args:
            pixels: uint8, [height, width, 3], sRGB.
        """
        for quarters in range(4):
            good = likeness.alike(self.compared(fingerprints_of(np.ascontiguousarray(np.rot90(pixels, quarters)))))
            if good:
                best, candidate = good[0]
                (edition,) = self._editions(select(EDITIONS).where(EDITIONS.c.id == candidate.row))
                return Match(edition, best, candidate.by, others=len(good) - 1, turned=90 * quarters)
        return None

    def compared(self, prints: Fingerprints) -> list[tuple[Likeness, Candidate]]:
        """The works that a picture with these fingerprints may be, each once, and how well it lies on each."""
        small, candidates = prints.thumbnail, self._candidates(prints)
        thumbnails = self._thumbnails([one.row for one in candidates]) if candidates else {}
        candidates = [one for one in candidates if one.row in thumbnails]
        if not candidates:
            return []
        rough = likeness.rough(
            {row: work for row, (_, work) in thumbnails.items()},
            small,
            [one.row for one in candidates],
            np.stack([one.window for one in candidates]),
            np.array([one.mirrored for one in candidates]),
        )
        chosen: dict[int, Candidate] = {}  # of each work the edition that lies best
        for i in np.argsort(-rough, kind="stable"):
            if rough[i] > _ROUGH:
                chosen.setdefault(thumbnails[candidates[i].row][0], candidates[i])
        best = list(chosen.values())[:_COMPARED]
        if not best:
            return []
        works = [thumbnails[one.row][1] for one in best]
        seen = likeness.compare(works, small, [one.window for one in best], [one.mirrored for one in best])
        return list(zip(seen, best, strict=True))

    def work(self, name: str | int) -> list[Edition]:
        """The editions of a work, oldest first; empty where it is not registered.

        Args:
            name: its 48-bit number, or its hexadecimal digits; the first of them where no other work begins so.

        Raises:
            PapersError: it is no number of a work, or the digits are too few.
        """
        low, high = (name, name) if isinstance(name, int) else _range(name)
        query = select(EDITIONS).where(EDITIONS.c.work >= low, EDITIONS.c.work <= high).order_by(EDITIONS.c.id)
        found = self._editions(query.limit(1000))
        if len({one.work for one in found}) > 1:
            raise PapersError(name, "are the first digits of several works", "give more of them")
        return found

    def with_digest(self, digest: str) -> list[Edition]:
        """The editions whose file has this digest."""
        return self._editions(select(EDITIONS).where(EDITIONS.c.digest == digest).order_by(EDITIONS.c.id))

    def latest(self, limit: int) -> list[Edition]:
        """The last `limit` editions, oldest first."""
        return self._editions(select(EDITIONS).order_by(EDITIONS.c.id.desc()).limit(limit))[::-1]

    def __len__(self) -> int:
        with self._database.connected() as connection:
            return connection.execute(select(func.count()).select_from(EDITIONS)).scalar_one()

    def candidates_near(self, layout: bytes, radius: int) -> list[int]:
        """Numbers of the rows whose layout is within `radius` bits of this one, nearest first."""
        return [near[0].row for near in self._current().near_layout(_stacked([layout]), _EACH, radius)]

    def _candidates(self, prints: Fingerprints) -> list[Candidate]:
        """Rows that may show what the picture shows, and where in it their middle would lie."""
        index = self._current()
        looks = [one for one in (prints.look, prints.mirror) if one is not None]
        near = index.near_look(_stacked(looks), _EACH, _LOOK_RADIUS)
        found = [Candidate(first.row, "look", ALL, mirrored=first.asked == 1) for first, *_ in near]
        if (tried := trials(prints.thumbnail)) is not None:
            found += [
                Candidate(one.row, "layout", tried.windows[one.asked], bool(tried.mirrored[one.asked]))
                for row in index.near_layout(tried.codes, _EACH, _LAYOUT_RADIUS, _CANDIDATES)
                for one in row
            ]
        return found

    def _thumbnails(self, rows: Sequence[int]) -> dict[int, tuple[int, Bytes]]:
        """Work and thumbnail of each row."""
        query = select(EDITIONS.c.id, EDITIONS.c.work, EDITIONS.c.thumbnail).where(EDITIONS.c.id.in_(set(rows)))
        with self._database.connected() as connection:
            found = connection.execute(query).all()
        read = {row.id: (row.work, unpack_thumbnail(row.thumbnail)) for row in found}
        return {row: (work, small) for row, (work, small) in read.items() if small is not None}

    def _current(self) -> Index:
        """The index with every row that the database has by now."""
        with self._lock:
            if self._index is None:
                self._index = self._kept() or Index()
                self._saved = self._index.last
            for page in self._newer(self._index.last):
                rows = np.array([row.id for row in page], np.int64)
                self._index.add(rows, [row.look for row in page], [row.layout for row in page])
            if self._folder is not None and self._index.last - self._saved >= _UNSAVED:
                # A reader who may not write, or a full disk, only makes the next start slower.
                with contextlib.suppress(OSError):
                    self._index.save(self._folder, str(self._database.first["token"]))
                self._saved = self._index.last
            return self._index

    def _kept(self) -> Index | None:
        found = Index.load(self._folder, str(self._database.first["token"])) if self._folder is not None else None
        with self._database.connected() as connection:
            last = connection.execute(select(func.max(EDITIONS.c.id))).scalar_one() or 0
        return found if found is not None and found.last <= last else None

    def _newer(self, last: int) -> Iterator[Sequence[Any]]:
        columns = EDITIONS.c.id, EDITIONS.c.look, EDITIONS.c.layout
        while True:
            query = select(*columns).where(EDITIONS.c.id > last).order_by(EDITIONS.c.id).limit(_PAGE)
            with self._database.connected() as connection:
                page = connection.execute(query).all()
            if not page:
                return
            yield page
            last = page[-1].id

    def _editions(self, query: Select[Any]) -> list[Edition]:
        with self._database.connected() as connection:
            return [Edition(**row) for row in connection.execute(query).mappings()]


def _stacked(hashes: Sequence[bytes]) -> Bytes:
    return np.frombuffer(b"".join(hashes), np.uint8).reshape(len(hashes), -1) if hashes else np.empty((0, 32), np.uint8)


def _range(name: str) -> tuple[int, int]:
    """The numbers that begin with these hexadecimal digits, the first and the last."""
    digits = name.strip().lower()
    if not 4 <= len(digits) <= 12 or set(digits) - set("0123456789abcdef"):
        raise PapersError(name, "is no number of a work", "give its 12 hexadecimal digits, or the first 4 or more")
    return int(digits.ljust(12, "0"), 16), int(digits.ljust(12, "f"), 16)


def open_registry(workspace: Workspace) -> Registry | None:
    """The workspace's registry; None where nothing was registered yet, so that looking makes no file.

    Raises:
        PapersError: it cannot be opened, or was written by a later limner.
    """
    return Registry(workspace.registry, workspace.registry_index) if workspace.registry.exists() else None
