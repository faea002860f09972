"""One picture of a collection as a row of its manifest; choosing rows; the digest of all of them."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from limner.errors import CollectionError
from limner.text import composed

_LABEL = "label_"
_SHOWN = 12
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Row:
    """One picture of a collection.

    Attributes:
        file: its path inside the folder that was imported, with `/`.
        pixel_sha256: of height, width and the decoded sRGB pixels; names the stored picture.
        file_sha256: of the file as it was found.
        width, height: in pixels, upright.
        format: what the file was: avif, bmp, gif, heif, jpeg, jxl, png, tiff or webp.
        phash: perceptual hash (PDQ), 256 bits in hexadecimal; empty where the picture is too plain for one.
        group: near-duplicates share it; the first 16 digits of the smallest pixel_sha256 among them.
        split: `train` or `holdout`.
        title, creator, source: empty where unknown.
        licence: SPDX expression, empty where unknown.
        consent: what shows that the creator agrees to training.
        notice: the copyright notice inside the file.
        labels: the table's further columns (empty values left out), or `folder`.
        held: why it is held back from training; empty is cleared.
        flags: what a person should know about it.
        also: other files of the folder with the same pixels.
    """

    file: str
    pixel_sha256: str
    file_sha256: str
    width: int
    height: int
    format: str
    phash: str
    group: str = ""
    split: str = "train"
    title: str = ""
    creator: str = ""
    licence: str = ""
    source: str = ""
    consent: str = ""
    notice: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    held: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    also: tuple[str, ...] = ()

    def columns(self) -> dict[str, str]:
        """Everything that `--where` can ask for, as text; `state` is `cleared` or `held`. No label hides a column."""
        own = {name: composed(str(getattr(self, name))) for name in _ASKED}
        return {**self.labels, **own, "state": "held" if self.held else "cleared"}


_ASKED = ("file", "title", "creator", "licence", "source", "format", "group", "split", "width", "height")
_TEXTS = [f.name for f in fields(Row) if f.type == "str"]
_NUMBERS = ("width", "height")
_LISTS = ("held", "flags", "also")


def select(
    items: Sequence[T],
    where: Sequence[str],
    columns: Callable[[T], Mapping[str, str]] = lambda row: row.columns(),  # type: ignore[attr-defined]
) -> list[T]:
    """The items that meet every condition of `where`.

    Args:
        items: rows, or anything that `columns` finds columns for.
        where: `column=value` or `column!=value`. Several `=` on one column are alternatives; all else adds up.
        columns: column names with values, as text, of one item.

    Raises:
        CollectionError: no such column, no such value, or nothing left; names what there is.
    """
    kept = list(items)
    if not where:
        return kept
    names = sorted({name for item in items for name in columns(item)})
    wanted: dict[str, list[str]] = {}
    for condition in where:
        column, sign, value = _condition(condition, names)
        if sign == "=":
            wanted.setdefault(column, []).append(value)
        else:
            kept = [item for item in kept if columns(item).get(column, "") != value]
    for column, values in wanted.items():
        there = Counter(columns(item).get(column, "") for item in items)
        for value in values:
            if value not in there:
                raise CollectionError(f"--where {column}={value}", "no picture has this value", _there(value, there))
        kept = [item for item in kept if columns(item).get(column, "") in values]
    if not kept:
        raise CollectionError(f"--where {' --where '.join(where)}", "leaves no picture", "ask for less")
    return kept


def _condition(text: str, names: Sequence[str]) -> tuple[str, str, str]:
    column, equals, value = text.partition("=")
    sign = "!=" if column.endswith("!") else "="
    column, value = composed(column.removesuffix("!").strip()), composed(value.strip())
    if not equals or not column:
        raise CollectionError(f"--where {text}", "is no condition", "write column=value or column!=value")
    if column not in names:
        remedy = f"{did_you_mean(column, names)}columns: {', '.join(names) or 'none'}"
        raise CollectionError(f"--where {text}", f"there is no column {column!r}", remedy)
    return column, sign, value


def _there(value: str, there: Counter[str]) -> str:
    common = [f"{name or '(empty)'} ({count})" for name, count in there.most_common(_SHOWN)]
    more = f" and {len(there) - _SHOWN} more" if len(there) > _SHOWN else ""
    return f"{did_you_mean(value, there)}there are: {', '.join(common)}{more}"


def did_you_mean(value: str, known: Iterable[str]) -> str:
    """The known name that is nearest to a mistyped one, as a question; empty where none is near."""
    close = difflib.get_close_matches(value, [*known], 1)
    return f"did you mean {close[0]}? " if close else ""


def canonical(row: Row) -> str:
    """The row as the one JSON text that its digest is taken of."""
    return json.dumps(asdict(row), sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def digest_of(rows: Iterable[Row]) -> str:
    """sha256 over the rows as canonical JSON, one a line, sorted by pixel_sha256: the name of the contents."""
    digest = hashlib.sha256(b"limner collection 1\n")
    for row in sorted(rows, key=lambda row: row.pixel_sha256):
        digest.update(canonical(row).encode() + b"\n")
    return digest.hexdigest()


def holdout_digest_of(rows: Iterable[Row]) -> str:
    """sha256 over the sorted pixel hashes of the hold-out."""
    held_out = sorted(row.pixel_sha256 for row in rows if row.split == "holdout")
    return hashlib.sha256("\n".join(["limner holdout 1", *held_out]).encode()).hexdigest()


def write_manifest(rows: Sequence[Row], path: Path) -> None:
    """Write the rows, sorted by pixel_sha256, as Parquet; labels become columns that begin with `label_`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    ordered = sorted(rows, key=lambda row: row.pixel_sha256)
    labels = sorted({_LABEL + name for row in rows for name in row.labels})
    kinds = ((_TEXTS, pa.string()), (_NUMBERS, pa.int32()), (_LISTS, pa.list_(pa.string())), (labels, pa.string()))
    schema = pa.schema([(name, kind) for names, kind in kinds for name in names])
    records = [asdict(row) | {_LABEL + name: value for name, value in row.labels.items()} for row in ordered]
    pq.write_table(pa.Table.from_pylist(records, schema), path, compression="zstd")


def read_manifest(path: Path) -> list[Row]:
    """Read what `write_manifest` wrote.

    Raises:
        CollectionError: the file is missing, damaged or has other columns.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return [_row(record) for record in pq.read_table(path).to_pylist()]
    except (OSError, KeyError, pa.ArrowException) as error:
        reason = " ".join(str(error).split())[:100]
        raise CollectionError(path, f"the manifest is damaged ({reason})", "import the collection again") from None


def _row(record: Mapping[str, Any]) -> Row:
    own = {name: record[name] for name in (*_TEXTS, *_NUMBERS)} | {name: tuple(record[name] or ()) for name in _LISTS}
    labels = {name.removeprefix(_LABEL): value for name, value in record.items() if name.startswith(_LABEL)}
    return Row(**own, labels={name: value for name, value in labels.items() if value is not None})
