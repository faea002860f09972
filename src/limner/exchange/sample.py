"""A picture as other programs get it: a name, columns in plain text, and its row exactly as it stands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import PurePosixPath
from typing import Any

from limner.collection.rows import Row, canonical
from limner.errors import CollectionError
from limner.pictures import MAX_PIXELS
from limner.pictures.plugins import NAMES
from limner.pictures.reading import READABLE
from limner.text import slug, visible

ROW = "limner"
"""The column that holds the row as JSON; the others are there for people and other programs."""
FOLDERS = {"train": "train", "holdout": "test"}
"""What other programs call the sides of a split."""
_DIGITS = 16
_LONGEST_NAME = 48
_LONGEST = 4000
_MOST = 1000
_SHA256 = re.compile(r"[0-9a-f]{64}")
_GROUP = re.compile(r"[0-9a-f]{16}")
_DATE = re.compile(r"\d{4}-\d\d-\d\d([ T].*)?")
_TEXTS = {one.name for one in fields(Row) if one.type == "str"}
_LISTS = ("held", "flags", "also")


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture as it goes out.

    Attributes:
        name: letters, digits and dashes; no other picture of the collection has it.
    """

    row: Row
    name: str

    @property
    def folder(self) -> str:
        """The folder of its side of the split."""
        return FOLDERS[self.row.split]

    @property
    def file(self) -> str:
        """Its file in that folder."""
        return f"{self.name}.png"

    @property
    def path(self) -> str:
        """Its file in the folder of the export."""
        return f"{self.folder}/{self.file}"


def samples_of(rows: Sequence[Row]) -> list[Sample]:
    """The rows as samples, sorted by the hash of their pixels, which mixes them well and is the same everywhere."""
    ordered = sorted(rows, key=lambda row: row.pixel_sha256)
    return [Sample(row, _name(row)) for row in ordered]


def _name(row: Row) -> str:
    """What the file was called, as far as any system takes it, and digits of what is in it."""
    said = slug(PurePosixPath(row.file).stem)[:_LONGEST_NAME].strip("-") or "picture"
    return f"{said}-{row.pixel_sha256[:_DIGITS]}"


def label_columns(rows: Iterable[Row]) -> dict[str, str]:
    """The column of each label: `label_kind`. Letters, digits, dashes and underscores, each once."""
    columns: dict[str, str] = {}
    for name in sorted({name for row in rows for name in row.labels}):
        plain = re.sub(r"[^A-Za-z0-9-]+", "_", name).strip("_")[:_LONGEST_NAME] or "unnamed"
        if plain.endswith(("file_name", "file_names")):  # which Hugging Face's reader takes for a picture
            plain += "_"
        taken, column = set(columns.values()), f"label_{plain}"
        columns[name] = column if column not in taken else f"{column}_{len(columns)}"
    return columns


def record(sample: Sample, columns: Mapping[str, str]) -> dict[str, Any]:
    """The columns of a picture: text in all of them, for readers that guess types; empty where nothing is known.

    A text that is nothing but a date has a space behind it, or readers would make another type of its whole column.

    Args:
        columns: of the labels, as `label_columns` gives them for the whole collection.
    """
    row = sample.row
    said = {
        "file_name": sample.file,
        "title": row.title,
        "creator": row.creator,
        "license": row.licence,
        "source": row.source,
        "consent": row.consent,
        "copyright_notice": row.notice,
        "held_back": "; ".join(row.held),
        **{column: row.labels.get(name, "") for name, column in columns.items()},
    }
    return {name: text + " " if _DATE.fullmatch(text) else text for name, text in said.items()} | {ROW: canonical(row)}


def row_of(text: object) -> Row:
    """The row that a stranger's JSON text says.

    Raises:
        CollectionError: it is none; what it says is as hostile as any file from outside.
    """
    try:
        said = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict) or said.keys() != {one.name for one in fields(Row)}:
        raise _unfit("row", "is not made of the fields of a row")
    labels = said["labels"]
    if not isinstance(labels, dict) or len(labels) > _MOST or not all(map(_is_text, [*labels, *labels.values()])):
        raise _unfit("labels", "are no texts with names")
    for name in _TEXTS:
        if not _is_text(said[name]):
            raise _unfit(name, "is no text on one line")
    for name in _LISTS:
        if not isinstance(said[name], list) or len(said[name]) > _MOST or not all(map(_is_text, said[name])):
            raise _unfit(name, "is no list of texts")
    _check_picture(said)
    return Row(**{**said, **{name: tuple(said[name]) for name in _LISTS}})


def _check_picture(said: Mapping[str, Any]) -> None:
    """The fields that name the picture: of the right form."""
    sides = [said["width"], said["height"]]
    if not all(type(side) is int and side > 0 for side in sides) or sides[0] * sides[1] > MAX_PIXELS:
        raise _unfit("width and height", "are no size of a picture")
    for name in ("pixel_sha256", "file_sha256"):
        if not _SHA256.fullmatch(said[name]):
            raise _unfit(name, "is no sha256")
    if said["phash"] and not _SHA256.fullmatch(said["phash"]):
        raise _unfit("phash", "is no hash of 256 bits")
    if not _GROUP.fullmatch(said["group"]):
        raise _unfit("group", "is no group's name")
    if said["split"] not in FOLDERS:
        raise _unfit("split", "is neither train nor holdout")
    if said["format"] not in {*READABLE, *NAMES}:
        raise _unfit("format", "is no format of pictures")
    path = PurePosixPath(said["file"])
    if not said["file"] or path.is_absolute() or ".." in path.parts:
        raise _unfit("file", "is no path inside a folder")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST and visible(value) == value


def _unfit(what: str, reason: str) -> CollectionError:
    return CollectionError(what, reason, "")
