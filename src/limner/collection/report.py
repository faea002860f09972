"""What an import did, as its report and as the card of the collection."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from limner import __version__
from limner.collection.finding import Found
from limner.collection.joining import Joined
from limner.collection.likeness import NEAR
from limner.collection.rows import Row, digest_of, holdout_digest_of
from limner.collection.store import VERSION
from limner.rights import summary

_KEPT = {"files", "merged", "near_groups", "near_pictures", "others", "tables", "refused"} | {
    *("unread", "foreign", "system", "copies", "kept_split", "licences_from", "creators_from", "contradictions")
}
"""What of the report the card keeps."""


class Refused(BaseModel):
    """A file that was not taken."""

    model_config = ConfigDict(frozen=True)

    file: str
    """Its path inside the source."""
    kind: str
    """The named reason: truncated, damaged, not-a-picture, too-large, bomb, ..."""
    reason: str
    """The same in words."""


class ImportReport(BaseModel):
    """What an import did."""

    model_config = ConfigDict(frozen=True)

    name: str
    digest: str
    """sha256 over the sorted rows: the collection's name by its contents."""
    folder: Path
    files: int
    """Pictures that were looked at: taken, merged and refused."""
    taken: int
    """Pictures in the collection."""
    merged: int
    """Files whose pixels another file has."""
    near_groups: int
    """Groups of near-duplicates."""
    near_pictures: int
    """Pictures in those groups."""
    holdout: int
    """Pictures that training never sees."""
    held: dict[str, int]
    """Why pictures are held back, with counts."""
    held_pictures: int
    """How many pictures are held back."""
    flags: dict[str, int]
    """What a person should know, with counts."""
    flagged_pictures: int
    """How many pictures there is something to know about."""
    refused: list[Refused]
    others: int
    """Files that are no pictures and do not claim to be."""
    tables: list[str]
    """Tables that were read, in the order in which they count."""
    unread: list[str] = []
    """What looks like a table, or like XMP beside a picture, and was not read."""
    foreign: dict[str, int] = {}
    """Files of kinds that cannot be read, with counts."""
    system: dict[str, int] = {}
    """Files in folders of the system (recycle bins, thumbnails), by folder; left out."""
    copies: int = 0
    """Pictures, counted without their near-duplicates, that are another one mirrored, turned or cropped."""
    kept_split: int = 0
    """Pictures that are held out because they lie in a folder called test or val beside one called train."""
    licences_from: dict[str, int] = {}
    """How many pictures have their licence from each source; the empty one is none."""
    creators_from: dict[str, int] = {}
    """The same for creators."""
    contradictions: int = 0
    """How many pictures are held back because statements about their rights exclude each other."""
    unused: int = 0
    """Pictures that say something else of themselves than --licence or --creator, which are not used there."""
    seconds: float
    remembered: int
    """Files that an earlier, interrupted import had read."""
    existed: bool = False
    """Whether the workspace already held this very collection under this name."""


def report_of(name: str, place: Path, found: Found, refused: list[Refused], joined: Joined) -> ImportReport:
    """What to say about an import that is done, apart from its time."""
    rows, rights = joined.rows, summary(joined.rows)
    near = [size for size in Counter(row.group for row in rows).values() if size > 1]
    merged = sum(len(row.also) for row in rows)
    counters = {"foreign": found.foreign, "system": found.system}
    counters |= {"licences_from": joined.licences_from, "creators_from": joined.creators_from}
    return ImportReport(
        name=name,
        digest=digest_of(rows),
        folder=place,
        files=len(rows) + merged + len(refused),
        taken=len(rows),
        merged=merged,
        near_groups=len(near),
        near_pictures=sum(near),
        holdout=sum(row.split == "holdout" for row in rows),
        held=rights.held,
        held_pictures=sum(bool(row.held) for row in rows),
        flags=rights.flags,
        flagged_pictures=sum(bool(row.flags) for row in rows),
        refused=sorted(refused, key=lambda one: one.file),
        others=found.others,
        tables=found.tables,
        unread=found.unread,
        **{name: dict(counter.most_common()) for name, counter in counters.items()},
        copies=joined.copies,
        kept_split=joined.kept_split,
        contradictions=joined.contradictions,
        unused=joined.unused,
        seconds=0.0,
        remembered=0,
    )


def card_of(
    report: ImportReport, rows: Sequence[Row], background: tuple[int, int, int], source: str, override: str
) -> dict[str, Any]:
    """What `card.json` says of a collection.

    Args:
        source: name of the folder or table that was imported.
        override: why rights were set over what files say; empty where they were not.
    """
    import PIL

    labels = sorted({name for row in rows for name in row.labels})
    return {
        "version": VERSION,
        "name": report.name,
        "digest": report.digest,
        "holdout_digest": holdout_digest_of(rows),
        "pictures": report.taken,
        "holdout": report.holdout,
        "made": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "made_by": f"limner {__version__}, Pillow {PIL.__version__}",
        "source": source,
        "background": list(background),
        "near": NEAR,
        "labels": {name: len({row.labels[name] for row in rows if name in row.labels}) for name in labels},
        "rights": summary(rows).model_dump(),
        "override_rights": override,
        "report": report.model_dump(include=_KEPT),
    }


def refused_files(found: Found, facts: Mapping[str, str]) -> list[Refused]:
    """What was not taken: seen before anything was read, and by the workers."""
    refused = [Refused(file=file, kind=kind, reason=reason) for file, kind, reason in found.refused]
    for file, text in facts.items():
        if text.startswith('{"refused"'):
            fact = json.loads(text)
            refused.append(Refused(file=file, kind=fact["refused"], reason=fact["reason"]))
    return refused
