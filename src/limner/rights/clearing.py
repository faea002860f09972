"""Which pictures may be used, what is known about their rights as a whole, and whom to credit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from limner.errors import RightsError, UsageError
from limner.rights.joint import Conflict, conflicts, may_be_adapted, obligations

_UNKNOWN = "unknown"
_MOST_NAMED = 3


class RightsRow(Protocol):
    """What is asked of a picture's row here."""

    @property
    def creator(self) -> str:
        """Who made it; empty where unknown."""

    @property
    def licence(self) -> str:
        """SPDX expression; empty where unknown."""

    @property
    def held(self) -> tuple[str, ...]:
        """Why it is held back; empty is cleared."""

    @property
    def flags(self) -> tuple[str, ...]:
        """What a person should know about it."""


R = TypeVar("R", bound=RightsRow)


class Accepted(BaseModel):
    """Pictures held back that somebody decided to use, and why; goes into the ledger and into the model's card."""

    model_config = ConfigDict(frozen=True)

    reason: str
    """In the words of who decided."""
    pictures: int
    """How many were held back."""
    why: dict[str, int]
    """Reasons for holding them back, with counts."""


class RightsSummary(BaseModel):
    """The rights of a set of pictures, as a model's card carries them."""

    model_config = ConfigDict(frozen=True)

    pictures: int
    """How many there are."""
    licences: dict[str, int]
    """SPDX expressions with counts, most frequent first; `unknown` where none is known."""
    creators: dict[str, int]
    """Creators with counts, most frequent first; `unknown` where none is known."""
    credits: dict[str, list[str]]
    """Creators whose licences oblige to name them, with those licences."""
    obligations: dict[str, int]
    """What the licences oblige to, with counts: attribution, share-alike, non-commercial, no-derivatives, notice."""
    held: dict[str, int]
    """Reasons for which pictures are held back, with counts."""
    flags: dict[str, int]
    """What a person should know, with counts."""
    accepted: Accepted | None = None
    """The decision to use pictures that are held back, where one was made."""


def clear(
    rows: Sequence[R], *, only_cleared: bool = False, accept_unknown: str | None = None
) -> tuple[list[R], Accepted | None]:
    """The pictures that may be used, and the decision on those that are held back.

    Args:
        accept_unknown: use them all the same, for this reason.

    Raises:
        RightsError: some are held back and neither was chosen, or none is left.
        UsageError: both were chosen, or an empty reason.
    """
    if only_cleared and accept_unknown is not None:
        raise UsageError("--only-cleared --accept-unknown", "exclude each other", "choose one of them")
    if accept_unknown is not None and not accept_unknown.strip():
        raise UsageError("--accept-unknown ''", "is an empty reason", "say why you may use these pictures")
    held = [row for row in rows if row.held]
    if not held:
        return list(rows), None
    why = _counts(reason for row in held for reason in row.held)
    if accept_unknown is not None:
        return list(rows), Accepted(reason=accept_unknown.strip(), pictures=len(held), why=why)
    if only_cleared and len(held) < len(rows):
        return [row for row in rows if not row.held], None
    reasons = _listed(why)
    if only_cleared:
        raise RightsError(
            f"all {len(held)} pictures", f"are held back ({reasons})", "give them rights: a table, or --licence"
        )
    raise RightsError(
        f"{len(held)} of {len(rows)} pictures",
        f"are held back ({reasons})",
        'use --only-cleared to leave them out, or --accept-unknown "REASON" to use them all the same',
    )


def summary(rows: Iterable[RightsRow], accepted: Accepted | None = None) -> RightsSummary:
    """Count licences, creators, obligations, reasons and flags of `rows`."""
    rows = list(rows)
    credits: dict[str, set[str]] = {}
    obliged: Counter[str] = Counter()
    for row in rows:
        found = obligations(row.licence)
        obliged.update(found)
        if row.creator and found & {"attribution", "notice"}:
            credits.setdefault(row.creator, set()).add(row.licence)
    return RightsSummary(
        pictures=len(rows),
        licences=_counts(row.licence or _UNKNOWN for row in rows),
        creators=_counts(row.creator or _UNKNOWN for row in rows),
        credits={creator: sorted(credits[creator]) for creator in sorted(credits)},
        obligations=dict(sorted(obliged.items())),
        held=_counts(reason for row in rows for reason in row.held),
        flags=_counts(flag for row in rows for flag in row.flags),
        accepted=accepted,
    )


def joined(one: RightsSummary, other: RightsSummary) -> RightsSummary:
    """The rights in the pictures of two collections together."""
    credits = {
        creator: sorted({*one.credits.get(creator, ()), *other.credits.get(creator, ())})
        for creator in sorted({*one.credits, *other.credits})
    }
    return RightsSummary(
        pictures=one.pictures + other.pictures,
        licences=_added(one.licences, other.licences),
        creators=_added(one.creators, other.creators),
        credits=credits,
        obligations=dict(sorted(_added(one.obligations, other.obligations).items())),
        held=_added(one.held, other.held),
        flags=_added(one.flags, other.flags),
        accepted=_both(one.accepted, other.accepted),
    )


def check_merge(one: RightsSummary, other: RightsSummary, names: tuple[str, str]) -> None:
    """See that there are terms under which what is made from both may be passed on.

    Each licence of the one is compared with each of the other; what stands beside each other within one of them was
    decided when that was made.

    Args:
        names: what the two are called.

    Raises:
        RightsError: a licence of each that exclude each other; names both with their creators.
    """
    theirs = list(other.licences or {_UNKNOWN: 0})
    for licence in one.licences or {_UNKNOWN: 0}:
        for against in theirs:
            if found := conflicts([licence, against]):
                raise _forbidden(found[0], (licence, against), (one, other), names)


def kept_from_travelling(row: RightsRow, *, read: bool = False) -> str:
    """Why a picture may not go along with a model as an exemplar, which passes it on and lets works be made from it.

    Empty where it may.

    Args:
        read: whether somebody read the terms that only a person can read, and answers for them.
    """
    if row.held:
        return row.held[0]
    if not row.licence:
        return "its licence is unknown"
    if not may_be_adapted(row.licence):
        return f"{row.licence} lets nothing made from it be passed on"
    if "read-it" in obligations(row.licence) and not read:
        return f"terms that only a person can read ({row.licence})"
    return ""


def credit_line(of: RightsSummary | Iterable[RightsRow], what: str = "Learned from pictures") -> str:
    """The credit that the licences oblige to: `Learned from pictures by A (CC-BY-4.0), B (MIT)`.

    Empty where no licence asks for it (public domain, CC0).

    Args:
        what: was done with the pictures.
    """
    whole = of if isinstance(of, RightsSummary) else summary(of)
    named = [f"{creator} ({', '.join(licences)})" for creator, licences in whole.credits.items()]
    return f"{what} by {', '.join(named)}" if named else ""


def _both(one: Accepted | None, other: Accepted | None) -> Accepted | None:
    """Two decisions as one: no reason is lost."""
    if one is None or other is None:
        return one or other
    return Accepted(
        reason="; ".join(dict.fromkeys((one.reason, other.reason))),
        pictures=one.pictures + other.pictures,
        why=_added(one.why, other.why),
    )


def _counts(values: Iterable[str]) -> dict[str, int]:
    return _added(Counter(values), {})


def _added(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    """Counts of both, most frequent first."""
    total = Counter(one) + Counter(other)
    return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))


def _listed(why: dict[str, int], most: int = 4) -> str:
    reasons = [f"{count} {reason}" for reason, count in list(why.items())[:most]]
    return ", ".join(reasons) + (f" and {len(why) - most} reasons more" if len(why) > most else "")


def _forbidden(
    found: Conflict, licences: tuple[str, str], rights: tuple[RightsSummary, RightsSummary], names: tuple[str, str]
) -> RightsError:
    """Why two licences forbid a merge, with those who gave them and where it stands."""
    alone = len(found.licences) == 1
    reason = f"{found.licences[0]} allows nothing made from it" if alone else "no licence for a merge suits both"
    both = [_described(*each) for each in zip(licences, rights, names, strict=True)]
    return RightsError(
        " and ".join(both),
        f"forbid a merge ({reason}: {' and '.join(found.sources)})",
        "merge other models, or train one again without these pictures (--where); information, not legal advice",
    )


def _described(licence: str, rights: RightsSummary, name: str) -> str:
    creators = [creator for creator, own in rights.credits.items() if licence in own]
    more = f" and {len(creators) - _MOST_NAMED} more" if len(creators) > _MOST_NAMED else ""
    by = f" ({', '.join(creators[:_MOST_NAMED])}{more})" if creators else ""
    return f"{licence}{by} of {name}"
