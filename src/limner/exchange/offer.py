"""What a folder or shard from outside says of itself: an export of limner, a WebDataset, or nothing of the kind."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from limner.collection import Row
from limner.collection.finding import Found, find
from limner.collection.tables import Entry, entry_of
from limner.errors import CollectionError, PictureError
from limner.exchange import croissant, webdataset
from limner.exchange.exporting import METADATA, NOTE, Format
from limner.exchange.sample import FOLDERS, ROW, row_of
from limner.pictures import open_file
from limner.rights import HELD_NO_CREATOR, HELD_NO_LICENCE, Stated
from limner.text import one_line

_LARGEST_NOTE = 64 << 20
_LARGEST_TABLE = 1 << 30
_SHARD = ".tar"
_DIGEST = "sha256:"
_LONGEST_LINE = 8 << 20
_LABEL = "label_"
_STATED = ("title", "creator", "license", "source", "consent")
_SIDES = {folder: side for side, folder in FOLDERS.items()}


@dataclass
class Offer:
    """Pictures from outside, with the rows that came with them.

    Attributes:
        format: in which it came.
        found: the pictures, as an import finds them.
        rows: what is stated of each, by its name in `found`.
        unfit: names of pictures whose row cannot be read, or is not there.
        stated: the digest that it says it has, 64 hexadecimal digits; empty where it says none.
    """

    format: Format
    found: Found
    rows: dict[str, Row] = field(default_factory=dict)
    unfit: list[str] = field(default_factory=list)
    stated: str = ""

    @property
    def foreign(self) -> bool:
        """Whether limner wrote nothing of it."""
        return not self.rows and not self.unfit and not self.stated


def format_of(source: Path) -> Format | None:
    """In which format a folder, or a file of it, came; None for what is none of them."""
    if source.suffix.lower() == _SHARD and source.is_file():
        return Format.WEBDATASET
    if source.name == croissant.FILE and source.is_file():
        return format_of(source.parent)
    if not source.is_dir():
        return None
    if (source / croissant.FILE).is_file() and (source / croissant.TABLE).is_file():
        return Format.CROISSANT
    if any(_is_ours(source / side / METADATA) for side in FOLDERS.values()):
        return Format.IMAGEFOLDER
    return Format.WEBDATASET if _shards(source) else None


def read_offer(source: Path, format: Format, scratch: Path) -> Offer:
    """What lies there, with the rows that came with it.

    Args:
        scratch: a folder for what has to be unpacked.

    Raises:
        CollectionError: nothing is there, or a table or shard cannot be read.
    """
    if format is Format.WEBDATASET:
        return _from_shards(source, scratch)
    folder = source if source.is_dir() else source.parent
    offer = Offer(format, find(folder))
    if format is Format.CROISSANT:
        _take_croissant(folder, offer)
    else:
        _take_metadata(folder, offer)
    return offer


def _take_croissant(folder: Path, offer: Offer) -> None:
    from pyarrow import ArrowException

    offer.stated = _digest(_json(folder / croissant.FILE).get("identifier"))
    offer.found.unread = [name for name in offer.found.unread if name != croissant.TABLE]
    offer.found.tables.insert(0, croissant.TABLE)
    table = folder / croissant.TABLE
    try:
        if table.is_symlink() or table.stat().st_size > _LARGEST_TABLE:
            raise CollectionError(table, "is no file, or a very large one", "look at it")
        for record in croissant.read_table(table):
            _take(record, f"{record.get('split')}/{record.get('file_name')}", offer)
    except (ArrowException, OSError, KeyError) as error:
        raise CollectionError(table, f"is no table of pictures ({' '.join(str(error).split())[:100]})", "") from None


def _take_metadata(folder: Path, offer: Offer) -> None:
    offer.stated = _digest(_json(folder / NOTE).get("digest")) if (folder / NOTE).is_file() else ""
    for side in FOLDERS.values():
        if (path := folder / side / METADATA).is_file():
            for line in _lines(path):
                record = _parsed(line)
                _take(record, f"{side}/{record.get('file_name') or ''}", offer)


def _from_shards(source: Path, scratch: Path) -> Offer:
    offer = Offer(Format.WEBDATASET, Found(scratch, tables=["the JSON in the shards"]))
    found, stated = offer.found, set()
    for number, shard in enumerate([source] if source.is_file() else _shards(source)):
        side = next((one for one in _SIDES if shard.name.startswith(one)), "")
        for member in webdataset.unpacked(shard, scratch / f"{number:06d}"):
            name = f"{side}/{member.name}" if side else member.name
            if name in found.paths:
                offer.unfit.append(name)
                continue
            found.paths[name] = str(member.picture)
            if side:
                found.splits[name] = _SIDES[side]
            if ROW in member.record:
                _take(member.record, name, offer)
                stated.add(_digest(member.record.get(webdataset.COLLECTION)))
            else:
                found.entries[name] = entry_of({**member.record, "file": name}, shard.name)
    if len({*found.splits.values()}) < len(_SIDES):
        found.splits = {}
    note = (source if source.is_dir() else source.parent) / NOTE
    offer.stated = _digest(_json(note).get("digest")) if note.is_file() else ""
    if not offer.stated and len(stated) == 1:
        offer.stated = stated.pop()
    if not found.paths:
        raise CollectionError(source, "holds no pictures", "give shards with PNG, JPEG or WebP in them")
    return offer


def _take(record: Mapping[str, Any], name: str, offer: Offer) -> None:
    """The row of one record; one that cannot be read, or names a picture for the second time, is unfit.

    What it states goes into the picture's entry, so that an import that makes rows anew holds back what was held.
    """
    try:
        row = row_of(record.get(ROW))
    except CollectionError:
        row = None
    if row is None or name in offer.rows:
        offer.unfit.append(name)
    else:
        offer.rows[name] = row
    if name in offer.found.paths:
        offer.found.entries[name] = _entry(record, name) if row is None else _entry_of_row(row, name)


def _entry_of_row(row: Row, name: str) -> Entry:
    stated = Stated(title=row.title, creator=row.creator, licence=row.licence, source=row.source, consent=row.consent)
    held = tuple(reason for reason in row.held if reason not in (HELD_NO_LICENCE, HELD_NO_CREATOR))  # judged anew
    return Entry(name, stated, dict(row.labels), "its row", held, row.flags)


def _entry(record: Mapping[str, Any], name: str) -> Entry:
    """What the columns of a record say whose row cannot be read."""
    stated = entry_of({"file": name, **{one: record.get(one) for one in _STATED}}, "its columns").stated
    said = {column: one_line(str(text), 2000) for column, text in record.items() if column.startswith(_LABEL) and text}
    held = one_line(str(record.get("held_back") or ""))
    labels = {column.removeprefix(_LABEL): text for column, text in said.items()}
    return Entry(name, stated, labels, "its columns", (held,) if held else ())


def _shards(folder: Path) -> list[Path]:
    """The shards of a folder: in it, or in its folder `shards`, but only where no pictures lie beside them."""
    for place in (folder, folder / webdataset.FOLDER):
        if place.is_dir() and (found := sorted(p for p in place.iterdir() if p.suffix == _SHARD and p.is_file())):
            return found
    return []


def _is_ours(path: Path) -> bool:
    """Whether the first line of a table has a row of limner's."""
    try:
        line = next(_lines(path), "")
    except CollectionError:
        return False
    return ROW in _parsed(line)


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8") as file:
            while line := file.readline(_LONGEST_LINE):
                yield line
    except (OSError, UnicodeDecodeError) as error:
        raise CollectionError(path, f"cannot be read ({error})", "") from None


def _parsed(line: str) -> dict[str, Any]:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _json(path: Path) -> dict[str, Any]:
    try:
        data = open_file(path)
    except PictureError as error:
        raise CollectionError(path, error.reason, "") from None
    return _parsed(bytes(data[:_LARGEST_NOTE]).decode("utf-8", "replace"))


def _digest(said: object) -> str:
    text = said.removeprefix(_DIGEST) if isinstance(said, str) else ""
    return text if len(text) == 64 and set(text) <= set("0123456789abcdef") else ""
