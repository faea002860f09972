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

from limner.collection.copies import GLANCE, copies
from limner.collection.finding import Found
from limner.collection.likeness import group, joined_groups
from limner.collection.rows import Row
from limner.collection.splitting import draw_holdout, kept_split, kept_together
from limner.rights import CONTRADICTION, HELD_NO_CREATOR, HELD_NO_LICENCE, Embedded, FolderOptOuts, Stated, judge

__all__ = ["CONTRADICTIONS", "Joined", "Stored", "join"]

_GAPS = {HELD_NO_LICENCE, HELD_NO_CREATOR}
_GROUP_DIGITS = 16
_MOVED = "held out: a copy of it, or nearly, lies in the folder that is held out"

CONTRADICTIONS = (CONTRADICTION, "rows disagree", "columns ", "duplicates disagree", "a row of ")
"""How reasons begin that hold a picture because statements about it exclude each other."""

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
    """

    rows: list[Row]
    copies: int = 0
    licences_from: Counter[str] = field(default_factory=Counter)
    creators_from: Counter[str] = field(default_factory=Counter)
    kept_split: int = 0


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
    sources: dict[str, tuple[str, str]] = {}
    same: dict[str, list[Row]] = {}
    for name in sorted(facts):
        fact = json.loads(facts[name])
        if "refused" not in fact:
            row, sources[name] = _row(name, found, fact, given, folder, override)
            same.setdefault(row.pixel_sha256, []).append(row)
    rows = [_merged(same[key], bool(override)) for key in sorted(same)]
    leaders = group([row.phash for row in rows])
    glances = np.array([_glance(facts[row.file]) for row in rows]).reshape(-1, GLANCE, GLANCE, 3)
    pairs = list(copies(glances, lambda i: stored(rows[i]), leaders, progress))
    rows, kept = _split(rows, joined_groups(leaders, pairs), together, found.splits)
    joined = Joined(rows, len(pairs), kept_split=kept)
    for row in rows:
        joined.licences_from[sources[row.file][0]] += 1
        joined.creators_from[sources[row.file][1]] += 1
    return joined


def _row(
    name: str, found: Found, fact: Mapping[str, Any], given: Stated, folder: FolderOptOuts, override: str
) -> tuple[Row, tuple[str, str]]:
    """One row, and where its licence and its creator came from."""
    entry = found.entries[name]
    clearance = judge(
        entry.stated, given, Embedded(**fact["embedded"]), folder.held(name), origin=entry.origin, override=override
    )
    disagree = [] if override else list(entry.held)
    overridden = [f"{reason} (overridden: {override[:100]})" for reason in entry.held] if override else []
    row = Row(
        file=name,
        pixel_sha256=fact["pixel_sha256"],
        file_sha256=fact["file_sha256"],
        width=fact["width"],
        height=fact["height"],
        format=fact["format"],
        phash=fact["phash"],
        title=clearance.title,
        creator=clearance.creator,
        licence=clearance.licence,
        source=clearance.source,
        consent=clearance.consent,
        notice=clearance.notice,
        labels=dict(sorted(entry.labels.items())),
        held=tuple(sorted({*clearance.held, *disagree})),
        flags=tuple(sorted({*clearance.flags, *fact["notes"], *entry.flags, *overridden})),
    )
    return row, (clearance.licence_from, clearance.creator_from)


def _merged(rows: Sequence[Row], override: bool) -> Row:
    """One row for files with the same pixels: the best documented one, with the opt-outs of all."""
    if len(rows) == 1:
        return rows[0]
    first, *others = sorted(rows, key=lambda row: (len(_GAPS & {*row.held}), row.file))
    held = {*first.held} | {
        reason for row in others for reason in row.held if reason.startswith(("opt-out", *CONTRADICTIONS))
    }
    flags = {*first.flags}
    for what in ("licence", "creator"):
        values = sorted({value for row in rows if (value := getattr(row, what))})
        if len(values) > 1:
            (flags if override else held).add(f"duplicates disagree on the {what}: {', '.join(values)[:200]}")
    return replace(
        first,
        held=tuple(sorted(held)),
        flags=tuple(sorted(flags)),
        also=tuple(sorted(row.file for row in others)),
    )


def _glance(fact: str) -> NDArray[np.uint8]:
    return np.frombuffer(base64.b64decode(json.loads(fact)["glance"]), np.uint8)


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
    if splits:
        given = [{splits[file] for file in (row.file, *row.also) if file in splits} for row in rows]
        held_out = kept_split(names, given)
    else:
        held_out = draw_holdout(names)
    made = []
    for row, name, out in zip(rows, names, held_out, strict=True):
        moved = out and splits.get(row.file) == "train"
        flags = tuple(sorted({*row.flags, _MOVED})) if moved else row.flags
        made.append(replace(row, group=name, split="holdout" if out else "train", flags=flags))
    return made, sum(held_out) if splits else 0
