"""Whether what came from outside is what it says it is: everything that can be derived anew is compared."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from limner.collection import Row
from limner.collection.likeness import group
from limner.collection.rows import digest_of
from limner.exchange.exporting import Format
from limner.exchange.offer import Offer
from limner.rights import HELD_NO_CREATOR, HELD_NO_LICENCE, Embedded, FolderOptOuts, Stated, judge


class Difference(StrEnum):
    """What may differ between a picture and its row, or between the rows and what is said of all of them."""

    NO_ROW = "no row"
    UNFIT_ROW = "unfit row"
    NO_PICTURE = "no picture"
    REFUSED = "refused"
    PIXELS = "other pixels"
    LOOK = "another perceptual hash"
    RIGHTS = "other rights in the file"
    TWICE = "the same picture twice"
    GROUPS = "copies in different groups, or on both sides of the hold-out"
    DIGEST = "another digest"


@dataclass(frozen=True)
class Comparison:
    """What was compared.

    Attributes:
        format: in which it came.
        foreign: whether limner wrote nothing of it, so that there was nothing to compare.
        stated: the digest that it said it has; empty where it said none.
        digest: of the rows as they stand.
        differences: names of pictures for each difference; none for those that concern all.
        asked: whether options of the import asked for rows made anew.
    """

    format: Format
    foreign: bool = False
    stated: str = ""
    digest: str = ""
    differences: Mapping[Difference, Sequence[str]] = field(default_factory=dict)
    asked: bool = False

    @property
    def exact(self) -> bool:
        """Whether the rows can be taken as they stand."""
        return not (self.foreign or self.differences or self.asked)


def compare(offer: Offer, facts: Mapping[str, str], reserved: FolderOptOuts, *, asked: bool = False) -> Comparison:
    """Compare an offer with what was found in its pictures.

    Args:
        facts: what a worker found in each picture, as JSON, by name.
        reserved: what files at the root of the folder reserve.
        asked: as in `Comparison`.
    """
    if offer.foreign or asked:
        return Comparison(offer.format, offer.foreign, offer.stated, asked=asked)
    found: dict[Difference, list[str]] = defaultdict(list)
    found[Difference.UNFIT_ROW] += offer.unfit
    found[Difference.NO_ROW] += sorted(facts.keys() - offer.rows.keys() - {*offer.unfit})
    for name, row in offer.rows.items():
        if name not in facts:
            found[Difference.NO_PICTURE].append(name)
        elif (difference := _differs(name, row, facts[name], reserved)) is not None:
            found[difference].append(name)
    names: dict[str, list[str]] = defaultdict(list)
    for name, row in offer.rows.items():
        names[row.pixel_sha256].append(name)
    found[Difference.TWICE] += [name for same in names.values() if len(same) > 1 for name in same]
    rows = list(offer.rows.values())
    found[Difference.GROUPS] += _torn(rows)
    digest = digest_of(rows)
    differences = {what: found[what] for what in Difference if found[what]}
    if offer.stated and offer.stated != digest:
        differences[Difference.DIGEST] = []
    return Comparison(offer.format, stated=offer.stated, digest=digest, differences=differences)


def _differs(name: str, row: Row, text: str, reserved: FolderOptOuts) -> Difference | None:
    """In what a picture differs from its row."""
    fact = json.loads(text)
    if "refused" in fact:
        return Difference.REFUSED
    if any(fact[what] != getattr(row, what) for what in ("pixel_sha256", "width", "height")):
        return Difference.PIXELS
    if fact["phash"] != row.phash:
        return Difference.LOOK
    stated = Stated(creator=row.creator, licence=row.licence, consent=row.consent)
    clearance = judge(stated, Stated(), Embedded(**fact["embedded"]), reserved.held(name), origin="its row")
    gaps = {HELD_NO_LICENCE, HELD_NO_CREATOR} & {*clearance.held}
    more = {*clearance.held} - gaps - {*row.held}
    same = (clearance.licence, clearance.creator) == (row.licence, row.creator)
    return Difference.RIGHTS if more or not same or (gaps and not row.held) else None


def _torn(rows: Sequence[Row]) -> list[str]:
    """Pictures whose near-duplicates are in another group, or whose group is on both sides of the hold-out."""
    leaders = group([row.phash for row in rows])
    sides: dict[str, str] = {}
    return [
        row.file
        for row, leader in zip(rows, leaders, strict=True)
        if row.group != rows[leader].group or sides.setdefault(row.group, row.split) != row.split
    ]
