"""From what was read to the rows of a collection: duplicates merged, rights judged, groups and hold-out drawn."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limner.collection.copies import SIDE, copies
from limner.collection.finding import Found
from limner.collection.likeness import group, joined_groups
from limner.collection.rows import Row
from limner.collection.splitting import draw_holdout, kept_split, kept_together
from limner.rights import HELD_NO_CREATOR, HELD_NO_LICENCE, Clearance, Embedded, FolderOptOuts, Stated, judge

_MISSING = {HELD_NO_LICENCE, HELD_NO_CREATOR}
_GROUP_DIGITS = 16
_MOVED = "held out: a copy of it, or nearly, lies in the folder that is held out"

Stored = Callable[[Row], NDArray[np.uint8]]
"""The stored picture of a row. # uint8 [height, width, 3]"""
Progress = Callable[[int, int], None]


@dataclass
class Joined:
    """The rows of a collection, and where their rights came from.

    Attributes:
        rows: sorted by pixel_sha256.
        licences_from, creators_from: how many pictures have theirs from each source; empty for those without any.
        copies: how many groups became part of another because a picture is a mirrored, turned or cropped copy.
        kept_split: how many pictures are held out because the folders say so.
        contradictions: how many are held back because statements about their rights exclude each other.
        unused: how many say something else of themselves than the rights for the whole collection.
    """

    rows: list[Row]
    copies: int = 0
    licences_from: Counter[str] = field(default_factory=Counter)
    creators_from: Counter[str] = field(default_factory=Counter)
    kept_split: int = 0
    contradictions: int = 0
    unused: int = 0


@dataclass(frozen=True)
class _Judged:
    """A row, how its rights were cleared, and whether statements about them exclude each other."""

    row: Row
    clearance: Clearance
    contradictory: bool


def join(
    found: Found,
    facts: Mapping[str, str],
    given: Stated,
    folder: FolderOptOuts,
    stored: Stored,
    together: str | None = None,
    override: str = "",
    progress: Progress | None = None,
) -> Joined:
    """The rows of a collection.

    Args:
        found: what lies in the source, with what the tables say.
        facts: what a worker found, as JSON, by name; refused ones are left out.
        given: rights for the whole collection.
        folder: opt-outs at the root of the source.
        stored: gives the picture of a row; asked for only where two look alike.
        together: label column; pictures of the same value are all learned from or all held out.
        override: as in `judge`.
        progress: called with (done, total) while copies are looked for.
    """
    same: dict[str, list[_Judged]] = {}
    for name in sorted(facts):
        fact = json.loads(facts[name])
        if "refused" not in fact:
            same.setdefault(fact["pixel_sha256"], []).append(_judged(name, found, fact, given, folder, override))
    judged = [_merged(same[key], bool(override)) for key in sorted(same)]
    rows = [one.row for one in judged]
    leaders = group([row.phash for row in rows])
    thumbnails = np.array([_thumbnail(facts[row.file]) for row in rows]).reshape(-1, SIDE, SIDE, 3)
    pairs = list(copies(thumbnails, lambda i: stored(rows[i]), leaders, progress))
    rows, kept = _split(rows, joined_groups(leaders, pairs), together, found.splits)
    return Joined(
        rows,
        copies=len(pairs),
        licences_from=Counter(one.clearance.licence_from for one in judged),
        creators_from=Counter(one.clearance.creator_from for one in judged),
        kept_split=kept,
        contradictions=sum(one.contradictory for one in judged),
        unused=sum(one.clearance.unused for one in judged),
    )


def taken(rows: Sequence[Row]) -> Joined:
    """Rows as they stand in another collection, with the groups and the hold-out that were drawn there."""
    ordered = sorted(rows, key=lambda row: row.pixel_sha256)
    stated = "the rows that came with them"
    return Joined(
        ordered,
        licences_from=Counter(stated if row.licence else "" for row in ordered),
        creators_from=Counter(stated if row.creator else "" for row in ordered),
    )


def _judged(
    name: str, found: Found, fact: Mapping[str, Any], given: Stated, folder: FolderOptOuts, override: str
) -> _Judged:
    entry = found.entries[name]
    clearance = judge(
        entry.stated, given, Embedded(**fact["embedded"]), folder.held(name), origin=entry.origin, override=override
    )
    disagree = () if override else entry.held
    overridden = [f"{reason} (overridden: {override[:100]})" for reason in entry.held] if override else []
    read = ("pixel_sha256", "file_sha256", "width", "height", "format", "phash")
    stated = ("title", "creator", "licence", "source", "consent", "notice")
    row = Row(
        file=name,
        **{what: fact[what] for what in read},
        **{what: getattr(clearance, what) for what in stated},
        labels=dict(sorted(entry.labels.items())),
        held=tuple(sorted({*clearance.held, *disagree})),
        flags=tuple(sorted({*clearance.flags, *fact["notes"], *entry.flags, *overridden})),
    )
    return _Judged(row, clearance, clearance.contradictory or bool(disagree))


def _merged(same: Sequence[_Judged], override: bool) -> _Judged:
    """One for files with the same pixels: the best documented one, held back for whatever is not missing in it."""
    first, *others = sorted(same, key=lambda one: (len(_MISSING & {*one.row.held}), one.row.file))
    if not others:
        return first
    held, flags = (
        {*first.row.held}.union(*({*one.row.held} - {*one.clearance.gaps} for one in others)),
        {*first.row.flags},
    )
    differing = set()
    for what in ("licence", "creator"):
        values = sorted({value for one in same if (value := getattr(one.row, what))})
        if len(values) > 1:
            differing.add(f"duplicates disagree on the {what}: {', '.join(values)[:200]}")
    (flags if override else held).update(differing)
    row = replace(
        first.row,
        held=tuple(sorted(held)),
        flags=tuple(sorted(flags)),
        also=tuple(sorted(one.row.file for one in others)),
    )
    contradictory = any(one.contradictory for one in same) or bool(differing and not override)
    return _Judged(row, first.clearance, contradictory)


def _thumbnail(fact: str) -> NDArray[np.uint8]:
    return np.frombuffer(base64.b64decode(json.loads(fact)["thumbnail"]), np.uint8)


def _split(
    rows: list[Row], leaders: Sequence[int], together: str | None, splits: Mapping[str, str]
) -> tuple[list[Row], int]:
    """Rows with their group and split, and how many are held out because the folders say so.

    Args:
        rows: sorted by pixel_sha256, so that the first of a group is smallest.
        leaders: for each row the smallest index of its group.
        splits: `train` or `holdout` by file, where the folders say so.
    """
    if together is not None:
        leaders = kept_together(leaders, [row.labels.get(together, "") for row in rows])
    names = [rows[leader].pixel_sha256[:_GROUP_DIGITS] for leader in leaders]
    given = [{splits[file] for file in (row.file, *row.also) if file in splits} for row in rows]
    held_out = kept_split(names, given) if splits else draw_holdout(names)
    made = []
    for row, name, out in zip(rows, names, held_out, strict=True):
        moved = out and splits.get(row.file) == "train"
        flags = tuple(sorted({*row.flags, _MOVED})) if moved else row.flags
        made.append(replace(row, group=name, split="holdout" if out else "train", flags=flags))
    return made, sum(held_out) if splits else 0
