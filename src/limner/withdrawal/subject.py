"""Which pictures of a collection are meant: by file name, file, digest or creator; and copies of them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from limner import pictures
from limner.collection import Collection, Row
from limner.collection.copies import copies, thumbnail
from limner.collection.likeness import group, hash_pixels, joined_groups
from limner.collection.rows import did_you_mean
from limner.errors import PictureError, UsageError
from limner.rights.consent.agreement import creator_key
from limner.withdrawal.record import Picture, Subject

_DIGEST = re.compile(r"^(?:sha256:)?([0-9a-f]{8,64})$")


def subject_of(collection: Collection, name: str, *, with_copies: bool = True) -> Subject:
    """The pictures that are meant, and those that are copies of them.

    Args:
        name: a file of the collection, a file on the disk, first digits (8 or more) of a pixel_sha256, or a creator.
        with_copies: take near-duplicates, mirrored, turned and cropped copies along.

    Raises:
        UsageError: nothing or several things are meant.
    """
    rows = collection.rows()
    kind, meant = _meant(rows, name, collection.name)
    alike = _copies_of(meant, rows, collection) if with_copies else []
    found = [*(_picture(row, "named") for row in meant), *(_picture(row, "alike") for row in alike)]
    # A creator is called as the collection calls them, a picture as its file.
    called = meant[0].creator if kind == "creator" else meant[0].file
    return Subject(kind=kind, name=called, pictures=tuple(found))


def copies_of(subject: Subject, collection: Collection) -> list[Row]:
    """Copies of the pictures of a subject that are not part of it, as the collection describes them."""
    rows, known = collection.rows(), set(subject.digests)
    return _copies_of([row for row in rows if row.pixel_sha256 in known], rows, collection)


def withdrawal_name(collection_digest: str, digests: Sequence[str]) -> str:
    """What names a withdrawal: the same pictures from the same collection have the same. # -> 12 hexadecimal digits"""
    lines = ("limner withdrawal 1", collection_digest, *sorted(digests))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]


def _meant(rows: Sequence[Row], name: str, collection: str) -> tuple[str, list[Row]]:
    if by_file := _by_file(rows, name):
        return "picture", _one(by_file, name)
    path = Path(name).expanduser()
    if path.is_file():
        return "picture", _by_pixels(rows, path, collection)
    if digits := _DIGEST.match(name):
        by_digest = [row for row in rows if row.pixel_sha256.startswith(digits[1])]
        if by_digest:
            return "picture", _one(by_digest, name)
    by_creator = [row for row in rows if row.creator and creator_key(row.creator) == creator_key(name)]
    if by_creator:
        return "creator", by_creator
    known = {row.creator for row in rows if row.creator} | {row.file for row in rows}
    remedy = f"{did_you_mean(name, known)}see: limner collection show {collection}"
    raise UsageError(name, f"is no picture and no creator of {collection}, and no file", remedy)


def _by_file(rows: Sequence[Row], name: str) -> list[Row]:
    whole = [row for row in rows if name in (row.file, *row.also)]
    if whole or "/" in name:
        return whole
    return [row for row in rows if name in {one.rpartition("/")[2] for one in (row.file, *row.also)}]


def _by_pixels(rows: Sequence[Row], path: Path, collection: str) -> list[Row]:
    """The row of a file on the disk.

    Raises:
        UsageError: it is no picture, or none that the collection has; names one that looks like it.
    """
    from limner.collection.likeness import hash_look

    try:
        pixels = pictures.read(path).pixels
    except PictureError as error:
        raise UsageError(path, error.reason, "give a picture, or a creator's name") from None
    own = hash_pixels(pixels)
    if found := [row for row in rows if row.pixel_sha256 == own]:
        return found
    leaders = group([*(row.phash for row in rows), hash_look(pixels)])
    like = [row.file for row, leader in zip(rows, leaders, strict=False) if leader == leaders[-1]]
    remedy = f"{', '.join(like[:3])} looks like it: give that" if like else "give the file that was imported"
    raise UsageError(path, f"has other pixels than every picture of {collection}", remedy)


def _one(found: list[Row], name: str) -> list[Row]:
    if len(found) > 1:
        named = ", ".join(row.file for row in found[:4])
        raise UsageError(name, f"means {len(found)} pictures ({named})", "give more of the name, with its folder")
    return found


def _copies_of(meant: Sequence[Row], rows: Sequence[Row], collection: Collection) -> list[Row]:
    """The rows that are near-duplicates, mirrored, turned or cropped copies of those that are meant.

    They share a group, but a group may hold more: all of one sitter, say, where the import kept those together.
    """
    groups, known = {row.group for row in meant}, {row.pixel_sha256 for row in meant}
    inside = [row for row in rows if row.group in groups]
    if len(inside) == len(meant):
        return []

    def stored(index: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        return pictures.read(collection.picture_path(inside[index])).pixels

    leaders = group([row.phash for row in inside])
    thumbnails = np.stack([thumbnail(stored(index)) for index in range(len(inside))])
    leaders = joined_groups(leaders, copies(thumbnails, stored, leaders))
    theirs = {leader for row, leader in zip(inside, leaders, strict=True) if row.pixel_sha256 in known}
    alike = [row for row, leader in zip(inside, leaders, strict=True) if leader in theirs]
    return [row for row in alike if row.pixel_sha256 not in known]


def _picture(row: Row, why: str) -> Picture:
    same = ("pixel_sha256", "file_sha256", "file", "title", "creator", "licence", "split")
    return Picture.model_validate({**{name: getattr(row, name) for name in same}, "why": why})
