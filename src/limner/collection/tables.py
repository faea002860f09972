"""Tables that describe pictures: CSV, JSON lines, Parquet; the names that their columns go by."""

from __future__ import annotations

import csv
import functools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from limner.errors import CollectionError
from limner.rights import Stated
from limner.text import composed, one_line

ENDINGS = (".csv", ".tsv", ".jsonl", ".parquet")
STYLEGAN = "dataset.json"
"""The table of labels that the tools of StyleGAN write."""

_NAMES: dict[str, tuple[str, ...]] = {
    "file": ("file", "file_name", "filename", "path", "image"),
    "title": ("title",),
    "creator": ("creator", "artist", "author", "photographer"),
    "licence": ("licence", "license"),
    "source": ("source", "source_url", "url"),
    "consent": ("consent",),
}
_TAKEN = frozenset(name for names in _NAMES.values() for name in names)
_RIGHTS = ("creator", "licence")
_LONGEST = 2000
_DELIMITERS = ("\t", ";", ",")
_MOST_NUMBERS = 64
_AS_UTF8 = "save the table as UTF-8"


@dataclass(frozen=True)
class Entry:
    """What a table says about one picture: its path inside the folder, its rights, its labels.

    Attributes:
        origin: the table, inside the source; empty where none says anything.
        held: why the picture is held back: rows that contradict one another.
        flags: what a person should know about the row.
    """

    file: str
    stated: Stated = field(default_factory=Stated)
    labels: dict[str, str] = field(default_factory=dict)
    origin: str = ""
    held: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()

    def columns(self) -> dict[str, str]:
        """Everything that `--where` can ask for before a picture is read."""
        stated = self.stated
        own = {"title": stated.title, "creator": stated.creator, "licence": stated.licence, "source": stated.source}
        return {**self.labels, **own, "file": self.file}


def read_table(
    path: Path, columns: Mapping[str, str] | None = None, seen: set[str] | None = None, origin: str = ""
) -> list[Entry]:
    """Read a table; its columns beyond file, title, creator, licence, source and consent become labels.

    One entry a row, in order; several rows may speak of one picture. What is not understood is refused, never guessed:
    a quote that is not closed, a row of another length than the header, another encoding than UTF-8.

    Args:
        path: .csv, .tsv, .jsonl or .parquet, or StyleGAN's dataset.json.
        columns: which of its columns to read as file, title, creator, licence, source or consent, where its own
            names say otherwise; those that it does not have are passed over.
        seen: takes the names of its columns.
        origin: what entries are to call the table; its name by default.

    Raises:
        CollectionError: the table cannot be read, or names no files; says the line.
    """
    roles: dict[str, list[str]] | None = None
    entries: list[Entry] = []
    for line, record in records(path):
        if roles is None:
            if seen is not None:
                seen.update(record)
            roles = _roles(path, list(record), columns or {})
        entry = _entry(record, roles, origin or path.name)
        if entry.file:
            entries.append(entry)
        elif entry.labels or entry.stated != Stated():
            raise CollectionError(path, f"{line} names no file", "name the picture, or take the row out")
    if not entries:
        raise CollectionError(path, "the table names no pictures", "it needs a header and a row for each picture")
    return entries


def entry_of(record: Mapping[str, Any], origin: str) -> Entry:
    """What a record that stands in no table says, by the names that columns have; its key `file` names the picture."""
    return _entry(record, _roles(Path(origin), list(record), {}), origin)


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


def merge(over: Entry, under: Entry) -> Entry:
    """`over` with its gaps filled by `under`."""
    stated = vars(under.stated) | {name: value for name, value in vars(over.stated).items() if value}
    labels = {**under.labels, **over.labels}
    flags = tuple(sorted({*over.flags, *under.flags}))
    return replace(over, stated=Stated(**stated), labels=labels, held=over.held + under.held, flags=flags)


def agreed(rows: Sequence[Entry]) -> Entry:
    """What all rows about one picture say together: gaps are filled from first to last.

    Rows that name different creators or licences hold the picture; other differences are flagged.
    """
    joined = functools.reduce(merge, rows)
    held, flags = {*joined.held}, {*joined.flags}
    for what in _RIGHTS:
        if len(said := _different(getattr(row.stated, what) for row in rows)) > 1:
            held.add(f"rows disagree on the {what}: {', '.join(said)[:200]}")
    for label in joined.labels:
        if len(said := _different(row.labels.get(label, "") for row in rows)) > 1:
            flags.add(f"rows disagree on the label {label}: {', '.join(said)[:200]}")
    origin = next((row.origin for row in rows if row.stated.licence), joined.origin)
    return replace(joined, origin=origin, held=tuple(sorted(held)), flags=tuple(sorted(flags)))


def _different(values: Iterable[str]) -> list[str]:
    """The values that are really different: another case or spacing is no difference."""
    return list({" ".join(value.split()).casefold(): value for value in values if value.strip()}.values())


def _roles(path: Path, header: list[str], columns: Mapping[str, str]) -> dict[str, list[str]]:
    """For each role (file, title, ...) the columns that play it, the first of them first."""
    low = {name.strip().lower(): name for name in reversed(header)}
    found = {role: [low[name] for name in names if name in low] for role, names in _NAMES.items()}
    found |= {role: [column] for role, column in columns.items() if role in _NAMES and column in header}
    if not found["file"]:
        remedy = f"call it `file`; columns: {', '.join(header)[:200]}"
        raise CollectionError(path, "the table has no column for the file", remedy)
    return found


def _entry(record: Mapping[str, Any], roles: Mapping[str, Sequence[str]], origin: str) -> Entry:
    values = {name: _plain(value) for name, value in record.items()}
    said = {role: next((values[name] for name in names if values.get(name)), "") for role, names in roles.items()}
    del said["file"]
    held = []
    for role in _RIGHTS:
        if len(named := _different(values.get(name, "") for name in roles[role])) > 1:
            held.append(f"columns {', '.join(roles[role])} disagree on the {role}: {', '.join(named)[:200]}")
    # A column that plays a role under another name (--column creator=style) stays a label.
    labels = {
        composed(name.strip()): composed(value)
        for name, value in values.items()
        if name.strip().lower() not in _TAKEN and name.strip() and value
    }
    file = str(record.get(roles["file"][0]) or "").strip().replace("\\", "/")
    return Entry(str(PurePosixPath(file)) if file else "", Stated(**said), labels, origin, tuple(held))


def _plain(value: object) -> str:
    if value is None or value != value:  # NaN
        return ""
    return one_line(json.dumps(value, default=str) if isinstance(value, list | dict) else str(value), _LONGEST)


def records(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each row of a table, with its place in words.

    Raises:
        CollectionError: the table cannot be read; says the line.
    """
    try:
        if path.suffix.lower() == ".parquet":
            yield from _parquet(path)
            return
        with path.open("rb") as file:
            head = file.read(4096)
        if head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in head:
            raise CollectionError(path, "line 1: is UTF-16, not UTF-8", _AS_UTF8)
        if path.suffix.lower() == ".jsonl":
            yield from _json_lines(path)
        elif path.name.lower() == STYLEGAN:
            yield from _stylegan(path)
        else:
            yield from _csv(path)
    except UnicodeDecodeError as error:
        raise CollectionError(path, f"is not UTF-8 (byte {error.start})", _AS_UTF8) from None
    except OSError as error:
        raise CollectionError(path, f"cannot be read ({error.strerror or error})", "check its name") from None


def _csv(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        first = file.readline()
        skipped = 0
        if first[:4].lower() == "sep=":  # what spreadsheets write before the header
            delimiter, skipped = first[4:].rstrip("\r\n"), 1
            if delimiter not in _DELIMITERS:
                raise CollectionError(path, f"line 1: {first.strip()[:40]!r} is no delimiter", "use , or ; or a tab")
        else:
            file.seek(0)
            delimiter = max(_DELIMITERS, key=first.count)
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        try:
            header = next(reader, [])
            _check_header(path, header, skipped + reader.line_num)
            for values in reader:
                line = f"line {skipped + reader.line_num}"
                if not any(value.strip() for value in values):
                    continue
                while len(values) > len(header) and not values[-1].strip():  # empty cells that a spreadsheet kept
                    values.pop()
                if len(values) != len(header):
                    reason = f"{line} has {len(values)} values, the header {len(header)}"
                    raise CollectionError(path, reason, "check quotes and commas")
                yield line, {name: value for name, value in zip(header, values, strict=True) if name.strip()}
        except csv.Error as error:
            said = "a quote is never closed" if "unexpected end" in str(error) else str(error)
            raise CollectionError(path, f"line {skipped + reader.line_num}: {said}", "check the quotes") from None


def _check_header(path: Path, header: Sequence[str], line: int) -> None:
    low = [name.strip().lower() for name in header if name.strip()]
    if twice := sorted({name for name in low if low.count(name) > 1}):
        raise CollectionError(path, f"line {line}: the column {twice[0]!r} is there twice", "give it another name")


def _json_lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            record = _json(path, line, f"line {number}")
            if not isinstance(record, dict):
                raise CollectionError(path, f"line {number} is no JSON object", "write one object a line")
            yield f"line {number}", record


def _json(path: Path, text: str, place: str) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(named := dict(pairs)) < len(pairs):
            raise CollectionError(path, f"{place} has one name twice", "take one of them out")
        return named

    try:
        return json.loads(text, object_pairs_hook=once)
    except (ValueError, RecursionError):
        return None


def _stylegan(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """`{"labels": [[file, class], ...]}`; a class is a number, or a list of numbers."""
    table = _json(path, path.read_text("utf-8-sig"), "the table")
    labels = table.get("labels") if isinstance(table, dict) else None
    if not isinstance(labels, list):
        raise CollectionError(path, 'is no table of StyleGAN\'s tools ({"labels": [[file, class], ...]})', "remove it")
    for number, pair in enumerate(labels, 1):
        if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[0], str):
            raise CollectionError(path, f"label {number} is no [file, class]", "write it again")
        chosen = pair[1] if isinstance(pair[1], list) else [pair[1]]
        if len(chosen) > _MOST_NUMBERS or not all(isinstance(value, int | float) for value in chosen):
            raise CollectionError(path, f"label {number} is no number or short list", "write it again")
        one_of_many = len(chosen) > 1 and sorted(chosen) == [0] * (len(chosen) - 1) + [1]
        meant = [chosen.index(1)] if one_of_many else chosen
        yield f"label {number}", {"file": pair[0], "class": " ".join(f"{value:g}" for value in meant)}


def _parquet(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            row = 0
            for batch in file.iter_batches(batch_size=1024):
                for record in batch.to_pylist():
                    row += 1
                    yield f"row {row}", record
    except pa.ArrowException as error:
        raise CollectionError(path, f"is no Parquet table ({' '.join(str(error).split())[:100]})", "") from None
