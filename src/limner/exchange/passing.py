"""Which pictures of a collection may be passed on to others as they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from limner.collection import Row
from limner.errors import RightsError, UsageError
from limner.rights import Obligation, obligations
from limner.rights.consent import Agreed, Scope


@dataclass(frozen=True)
class Leave:
    """What a person decides about pictures that may not be passed on without more ado.

    Attributes:
        only_cleared: leave them out.
        accept_reserved: why those may go along whose terms only a person can read; empty where they may not.
        own_use: why all of them are written: the folder is not passed on; empty where it is.
    """

    only_cleared: bool = False
    accept_reserved: str = ""
    own_use: str = ""


@dataclass(frozen=True)
class Passed:
    """The rows that are written, and what was left out.

    Attributes:
        left_out: how many for each reason.
        not_for_others: how many are written that may not be passed on, for each reason.
    """

    rows: Sequence[Row]
    left_out: dict[str, int] = field(default_factory=dict)
    not_for_others: dict[str, int] = field(default_factory=dict)


def kept_from_export(row: Row, *, read: bool = False) -> str:
    """Why a picture may not be passed on as it is; empty where it may.

    Licences that forbid what is made from a picture (no-derivatives) allow it; they forbid a model, and say so there.

    Args:
        read: whether somebody read the terms that only a person can read, and answers for them.
    """
    if row.held:
        return row.held[0]
    if not row.licence:
        return "no licence"
    if Obligation.READ_IT in obligations(row.licence) and not read:
        return f"terms that only a person can read ({row.licence})"
    return ""


def passed(rows: Sequence[Row], leave: Leave, agreed: Agreed, on: date) -> Passed:
    """The rows that may be written under `leave`.

    Args:
        agreed: consents; a picture that has one goes along only where it grants that works are published, too.
        on: the day.

    Raises:
        RightsError: some may not be passed on and nothing was decided, or none is left.
        UsageError: decisions that exclude each other, or an empty reason.
    """
    if leave.only_cleared and leave.own_use:
        raise UsageError("--only-cleared --own-use", "exclude each other", "choose one of them")
    for option, reason in (("--own-use", leave.own_use), ("--accept-reserved", leave.accept_reserved)):
        if reason and not reason.strip():
            raise UsageError(f"{option} {reason!r}", "is an empty reason", "say why")
    why = {row.pixel_sha256: kept_from_export(row, read=bool(leave.accept_reserved)) for row in rows}
    why |= {one.row.pixel_sha256: f"consent {one.reason}" for one in agreed.blocked(rows, Scope.PUBLISH, on)}
    kept = Counter(reason for reason in why.values() if reason)
    counts = dict(kept.most_common())
    if not kept:
        return Passed(rows)
    if leave.own_use:
        return Passed(rows, not_for_others=counts)
    left = [row for row in rows if not why[row.pixel_sha256]]
    if leave.only_cleared and left:
        return Passed(left, left_out=counts)
    listed = ", ".join(f"{count} {reason}" for reason, count in list(counts.items())[:4])
    more = f" and {len(counts) - 4} reasons more" if len(counts) > 4 else ""
    raise RightsError(
        f"{kept.total()} of {len(rows)} pictures",
        f"may not be passed on ({listed}{more})",
        'use --only-cleared to leave them out, --accept-reserved "REASON" for terms that you read, or --own-use '
        '"REASON" for a copy that stays with you',
    )
