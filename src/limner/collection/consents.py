"""Consents as a table says them (CSV, JSON lines, Parquet), each about pictures or creators of a collection."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limner.collection.rows import Row, did_you_mean
from limner.collection.store import Collection
from limner.collection.tables import ENDINGS, records
from limner.errors import CollectionError, LimnerError, UsageError
from limner.rights.consent import Subject
from limner.rights.consent.agreement import creator_key
from limner.rights.consent.changing import Change, scopes_of
from limner.rights.consent.documents import document_digest

_NAMES: dict[str, tuple[str, ...]] = {
    "picture": ("picture", "file", "file_name"),
    "creator": ("creator",),
    "licence": ("licence", "license"),
    "holder": ("holder",),
    "document": ("document",),
    "scopes": ("scopes", "scope"),
    "since": ("from", "since"),
    "until": ("until",),
    "credit": ("credit",),
    "note": ("note",),
}
_PLAIN = ("licence", "holder", "since", "until", "credit", "note")
_DIGEST = re.compile(r"^sha256:[0-9a-f]{64}$")
_LONGEST = 500


@dataclass(frozen=True)
class Stated:
    """What one row of a table says about a subject.

    Attributes:
        file: the permission document, where the table names a file.
    """

    place: str
    subject: Subject
    change: Change
    file: Path | None = None


def read_consents(path: Path, collection: Collection) -> list[Stated]:
    """Read a table of consents: a row a picture or a creator, with at least the scopes that were granted.

    Columns: picture (a file of the collection, or first digits of a pixel_sha256) or creator; scopes (separated by
    spaces, commas or semicolons; `all`, `none`); licence, holder, document (a file beside the table, or `sha256:...`),
    from, until, credit, note. An empty cell says nothing.

    Raises:
        CollectionError: the table cannot be read, has other columns, or a row says something that cannot be; names
            line and value.
    """
    if path.suffix.lower() not in ENDINGS:
        raise CollectionError(path, "is no table", f"give one of {', '.join(ENDINGS)}")
    rows, found, roles = collection.rows(), list[Stated](), dict[str, str]()
    for place, record in records(path):
        roles = roles or _roles(path, list(record))
        values = {role: _text(record.get(column)) for role, column in roles.items()}
        if not any(values.values()):
            continue
        try:
            found.append(_stated(place, values, rows, collection.name, path.parent))
        except LimnerError as error:
            raise CollectionError(path, f"{place}: {error.value} {error.reason}", error.remedy) from None
    if not found:
        raise CollectionError(path, "the table holds no consents", "it needs a header and a row for each of them")
    _check_once(path, found)
    return found


def subject_of(picture: str, creator: str, rows: Sequence[Row], collection: str) -> Subject:
    """The subject that is meant: a picture of the collection, or one of its creators.

    Args:
        picture: a file of the collection, or first digits (8 or more) of a pixel_sha256; empty for a creator.
        creator: their name; beside a picture it must fit.
        collection: its name, for messages.

    Raises:
        UsageError: there is none, or several are meant.
    """
    if not picture:
        return _creator(creator, rows, collection)
    row = _picture(picture, rows, collection)
    if creator and creator_key(creator) != creator_key(row.creator):
        reason = f"is by {row.creator or 'nobody who is known'}, not by {creator}"
        raise UsageError(f"picture {picture}", reason, "name the picture alone")
    return Subject("picture", row.pixel_sha256)


def _creator(creator: str, rows: Sequence[Row], collection: str) -> Subject:
    there = {creator_key(row.creator): row.creator for row in rows if row.creator}
    if not creator.strip() or creator_key(creator) not in there:
        remedy = f"{did_you_mean(creator, there.values())}see: limner rights show {collection}"
        raise UsageError(f"creator {creator!r}", f"made no picture of {collection}", remedy)
    return Subject("creator", there[creator_key(creator)])


def _picture(picture: str, rows: Sequence[Row], collection: str) -> Row:
    found = [row for row in rows if picture in (row.file, *row.also)]
    digits = picture.removeprefix("sha256:").lower()
    if not found and re.fullmatch(r"[0-9a-f]{8,64}", digits):
        found = [row for row in rows if row.pixel_sha256.startswith(digits)]
    if not found and "/" not in picture:
        found = [row for row in rows if picture in {one.rpartition("/")[2] for one in (row.file, *row.also)}]
    if len(found) > 1:
        named = ", ".join(row.file for row in found[:3])
        raise UsageError(f"picture {picture}", f"means {len(found)} pictures ({named})", "give its folder, too")
    if not found:
        remedy = f"{did_you_mean(picture, [row.file for row in rows])}see: limner collection show {collection}"
        raise UsageError(f"picture {picture}", f"is none of {collection}", remedy)
    return found[0]


def _roles(path: Path, header: Sequence[str]) -> dict[str, str]:
    known = {name: role for role, names in _NAMES.items() for name in names}
    roles: dict[str, str] = {}
    for column in header:
        role = known.get(column.strip().lower())
        if role is None:
            names = ", ".join(names[0] for names in _NAMES.values())
            remedy = f"{did_you_mean(column.strip().lower(), known)}columns: {names}"
            raise CollectionError(path, f"the column {column!r} is none of a table of consents", remedy)
        if role in roles:
            raise CollectionError(path, f"the columns {roles[role]!r} and {column!r} say the same", "take one out")
        roles[role] = column
    if "scopes" not in roles or not {"picture", "creator"} & {*roles}:
        raise CollectionError(path, "has no column scopes, or neither picture nor creator", "add them")
    return roles


def _stated(place: str, values: Mapping[str, str], rows: Sequence[Row], collection: str, beside: Path) -> Stated:
    subject = subject_of(values.get("picture", ""), values.get("creator", ""), rows, collection)
    given, file = values.get("document", ""), None
    if given and not _DIGEST.match(given):
        file = beside / given
        given = document_digest(file)
    plain = {name: values[name] for name in _PLAIN if values.get(name)}
    scopes = scopes_of(re.split(r"[\s,;]+", values["scopes"]))
    return Stated(place, subject, Change(scopes=scopes, document=given or None, **plain), file)


def _check_once(path: Path, found: Sequence[Stated]) -> None:
    seen: dict[tuple[str, str], str] = {}
    for one in found:
        key = one.subject.kind, one.subject.key
        if key in seen:
            raise CollectionError(path, f"{one.place}: {one.subject} was named in {seen[key]}", "take one row out")
        seen[key] = one.place


def _text(value: Any) -> str:
    if value is None or value != value:  # NaN
        return ""
    if hasattr(value, "isoformat"):  # a day, or a moment of it
        return str(value.isoformat())[:10]
    text = " ".join(str(one) for one in value) if isinstance(value, list | tuple) else str(value)
    if len(text) > _LONGEST:
        raise CollectionError(text[:40], f"is longer than {_LONGEST} characters", "shorten it")
    return text.strip()
