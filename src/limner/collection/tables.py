"""Tables that describe pictures: CSV, JSON lines, Parquet; the names that their columns go by."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from limner.errors import CollectionError
from limner.pictures.text import one_line
from limner.rights import Stated

__all__ = ["ENDINGS", "Entry", "check_columns", "merge", "read_table"]

ENDINGS = (".csv", ".tsv", ".jsonl", ".parquet")

_NAMES: dict[str, tuple[str, ...]] = {
    "file": ("file", "file_name", "filename", "path", "image"),
    "title": ("title",),
    "creator": ("creator", "artist", "author", "photographer"),
    "licence": ("licence", "license"),
    "source": ("source", "source_url", "url"),
    "consent": ("consent",),
}
_TAKEN = frozenset(name for names in _NAMES.values() for name in names)
_LONGEST = 2000


@dataclass(frozen=True)
class Entry:
    """What a table says about one picture: its path inside the folder, its rights, its labels."""

    file: str
    stated: Stated = field(default_factory=Stated)
    labels: dict[str, str] = field(default_factory=dict)

    def columns(self) -> dict[str, str]:
        """Everything that `--where` can ask for before a picture is read."""
        stated = self.stated
        own = {"title": stated.title, "creator": stated.creator, "licence": stated.licence, "source": stated.source}
        return {**self.labels, **own, "file": self.file}


def read_table(path: Path, columns: Mapping[str, str] | None = None, seen: set[str] | None = None) -> list[Entry]:
    """Read a table; its columns beyond file, title, creator, licence, source and consent become labels.

    Args:
        path: .csv, .tsv, .jsonl or .parquet.
        columns: which of its columns to read as file, title, creator, licence, source or consent, where its own
            names say otherwise; those that it does not have are passed over.
        seen: takes the names of its columns.

    Raises:
        CollectionError: the table cannot be read, or names no files.
    """
    records = _records(path)
    roles: dict[str, str] | None = None
    entries: dict[str, Entry] = {}
    for record in records:
        if roles is None:
            if seen is not None:
                seen.update(record)
            roles = _roles(path, list(record), columns or {})
        entry = _entry(record, roles)
        if entry.file:
            entries.setdefault(entry.file, entry)
    if not entries:
        raise CollectionError(path, "the table names no pictures", "it needs a header and a row for each picture")
    return list(entries.values())


def check_columns(columns: Mapping[str, str], seen: set[str]) -> None:
    """Check that each of `columns` (role to column) is a role and a column that was seen in a table.

    Raises:
        CollectionError: it is not.
    """
    for role, column in columns.items():
        said = f"--column {role}={column}"
        if role not in _NAMES:
            raise CollectionError(said, f"{role} is no role", f"roles: {', '.join(_NAMES)}")
        if column not in seen:
            raise CollectionError(said, f"no table has a column {column!r}", f"columns: {', '.join(sorted(seen))}")


def merge(over: Entry, under: Entry | None) -> Entry:
    """`over` with its gaps filled by `under`."""
    if under is None:
        return over
    stated = {
        name: getattr(over.stated, name) or getattr(under.stated, name)
        for name in ("title", "creator", "licence", "source", "consent")
    }
    return Entry(over.file, Stated(**stated), {**under.labels, **over.labels})


def _roles(path: Path, header: list[str], columns: Mapping[str, str]) -> dict[str, str]:
    """For each role (file, title, ...) the column that plays it."""
    low = {name.strip().lower(): name for name in reversed(header)}
    found = {role: next((low[name] for name in names if name in low), "") for role, names in _NAMES.items()}
    found |= {role: column for role, column in columns.items() if role in _NAMES and column in header}
    if not found["file"]:
        raise CollectionError(
            path, "the table has no column for the file", f"call it `file`; columns: {', '.join(header)[:200]}"
        )
    return found


def _entry(record: Mapping[str, Any], roles: Mapping[str, str]) -> Entry:
    values = {name: _plain(value) for name, value in record.items()}
    said = {role: values.get(column, "") for role, column in roles.items()}
    # A column that plays a role under another name (--column creator=style) stays a label.
    labels = {
        name.strip(): value
        for name, value in values.items()
        if name.strip().lower() not in _TAKEN and name.strip() and value
    }
    said.pop("file")
    file = str(record.get(roles["file"]) or "").strip().replace("\\", "/")
    return Entry(str(PurePosixPath(file)) if file else "", Stated(**said), labels)


def _plain(value: object) -> str:
    if value is None or value != value:  # NaN
        return ""
    text = (
        value
        if isinstance(value, str)
        else json.dumps(value, default=str)
        if isinstance(value, list | dict)
        else str(value)
    )
    return one_line(text, _LONGEST)


def _records(path: Path) -> Iterable[dict[str, Any]]:
    try:
        if path.suffix.lower() == ".parquet":
            yield from _parquet(path)
        elif path.suffix.lower() == ".jsonl":
            yield from _json_lines(path)
        else:
            yield from _csv(path)
    except UnicodeDecodeError as error:
        raise CollectionError(path, f"is not UTF-8 (byte {error.start})", "save the table as UTF-8") from None
    except OSError as error:
        raise CollectionError(path, f"cannot be read ({error.strerror or error})", "check its name") from None


def _csv(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        first = file.readline()
        file.seek(0)
        delimiter = max("\t;,", key=first.count)
        reader = csv.DictReader(file, delimiter=delimiter, restkey="", restval="")
        try:
            for record in reader:
                yield {name: value for name, value in record.items() if name}
        except csv.Error as error:
            raise CollectionError(path, f"line {reader.line_num}: {error}", "check the quotes") from None


def _json_lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                record = None
            if not isinstance(record, dict):
                raise CollectionError(path, f"line {number} is no JSON object", "write one object a line")
            yield record


def _parquet(path: Path) -> Iterator[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=1024):
                yield from batch.to_pylist()
    except pa.ArrowException as error:
        raise CollectionError(path, f"is no Parquet table ({' '.join(str(error).split())[:100]})", "") from None
