"""From what was read to the rows of a collection: duplicates merged, rights judged, groups and hold-out drawn."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from limner.collection.finding import Found
from limner.collection.likeness import group
from limner.collection.rows import Row
from limner.collection.splitting import draw_holdout, kept_together
from limner.rights import HELD_NO_CREATOR, HELD_NO_LICENCE, Embedded, FolderOptOuts, Stated, judge

__all__ = ["join"]

_GAPS = {HELD_NO_LICENCE, HELD_NO_CREATOR}
_GROUP_DIGITS = 16


def join(
    found: Found, facts: Mapping[str, str], given: Stated, folder: FolderOptOuts, together: str | None = None
) -> list[Row]:
    """The rows of a collection, sorted by pixel_sha256.

    Args:
        found: what lies in the source, with what the tables say.
        facts: what a worker found, as JSON, by name; refused ones are left out.
        given: rights for the whole collection.
        folder: opt-outs at the root of the source.
        together: label column; pictures of the same value are all learned from or all held out.
    """
    same: dict[str, list[Row]] = {}
    for name in sorted(facts):
        fact = json.loads(facts[name])
        if "refused" not in fact:
            row = _row(name, found, fact, given, folder)
            same.setdefault(row.pixel_sha256, []).append(row)
    rows = [_merged(same[key]) for key in sorted(same)]
    return _split(rows, together)


def _row(name: str, found: Found, fact: Mapping[str, Any], given: Stated, folder: FolderOptOuts) -> Row:
    entry = found.entries[name]
    verdict = judge(entry.stated, given, Embedded(**fact["embedded"]), folder.held(name))
    return Row(
        file=name,
        pixel_sha256=fact["pixel_sha256"],
        file_sha256=fact["file_sha256"],
        width=fact["width"],
        height=fact["height"],
        format=fact["format"],
        phash=fact["phash"],
        title=verdict.title,
        creator=verdict.creator,
        licence=verdict.licence,
        source=verdict.source,
        consent=verdict.consent,
        notice=verdict.notice,
        labels=dict(sorted(entry.labels.items())),
        held=verdict.held,
        flags=tuple(sorted({*verdict.flags, *fact["notes"]})),
    )


def _merged(rows: Sequence[Row]) -> Row:
    """One row for files with the same pixels: the best documented one, with the opt-outs of all."""
    if len(rows) == 1:
        return rows[0]
    first, *others = sorted(rows, key=lambda row: (len(_GAPS & {*row.held}), row.file))
    held = {*first.held} | {reason for row in others for reason in row.held if reason.startswith("opt-out")}
    flags = {*first.flags}
    for what in ("licence", "creator"):
        values = sorted({value for row in rows if (value := getattr(row, what))})
        if len(values) > 1:
            flags.add(f"duplicates disagree on the {what}: {', '.join(values)[:200]}")
    return replace(
        first,
        held=tuple(sorted(held)),
        flags=tuple(sorted(flags)),
        also=tuple(sorted(row.file for row in others)),
    )


def _split(rows: list[Row], together: str | None) -> list[Row]:
    """Rows with their group and split; `rows` are sorted by pixel_sha256, so that the first of a group is smallest."""
    leaders = group([row.phash for row in rows])
    if together is not None:
        leaders = kept_together(leaders, [row.labels.get(together, "") for row in rows])
    names = [rows[leader].pixel_sha256[:_GROUP_DIGITS] for leader in leaders]
    held_out = draw_holdout(names)
    return [
        replace(row, group=name, split="holdout" if out else "train")
        for row, name, out in zip(rows, names, held_out, strict=True)
    ]
