"""Which pictures may be used, what is known about their rights as a whole, and whom to credit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from limner.errors import RightsError, UsageError
from limner.rights.joint import Conflict, conflicts, may_be_adapted, obligations

if TYPE_CHECKING:
    # Its store needs a database, which processes that only read pictures do not load.
    from limner.rights.consent import Blocked, Use

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
    worded: dict[str, list[str]] = {}
    """Credits in the words that rights holders asked for, with the licences."""
    accepted: Accepted | None = None
    """The decision to use pictures that are held back, where one was made."""


def clear(
    rows: Sequence[R], *, only_cleared: bool = False, accept_unknown: str | None = None, use: Use | None = None
) -> tuple[list[R], Accepted | None]:
    """The pictures that may be used, and the decision on those that are held back.

    Args:
        accept_unknown: use them all the same, for this reason; it is no reason against a consent.
        use: what is asked for, and the consents that count: rows come back as it was agreed (`Use.parted`).

    Raises:
        RightsError: some are held back, or their consent blocks this use, and they are not to be left out; or none is
            left.
        UsageError: both were chosen, or an empty reason.
    """
    if only_cleared and accept_unknown is not None:
        raise UsageError("--only-cleared --accept-unknown", "exclude each other", "choose one of them")
    if accept_unknown is not None and not accept_unknown.strip():
        raise UsageError("--accept-unknown ''", "is an empty reason", "say why you may use these pictures")
    found = _permitted(rows, use, leave_out=only_cleared)
    held = [row for row in found if row.held]
    if not held:
        return found, None
    why = _counts(reason for row in held for reason in row.held)
    if accept_unknown is not None:
        return found, Accepted(reason=accept_unknown.strip(), pictures=len(held), why=why)
    if only_cleared and len(held) < len(found):
        return [row for row in found if not row.held], None
    reasons = _listed(why)
    if only_cleared:
        raise RightsError(
            f"all {len(held)} pictures", f"are held back ({reasons})", "give them rights: a table, or --licence"
        )
    raise RightsError(
        f"{len(held)} of {len(found)} pictures",
        f"are held back ({reasons})",
        'use --only-cleared to leave them out, or --accept-unknown "REASON" to use them all the same',
    )


def _permitted(rows: Sequence[R], use: Use | None, *, leave_out: bool) -> list[R]:
    if use is None or not use.number:
        return list(rows)
    from limner.rights.consent.wording import refusal

    some: Sequence[Any] = rows
    found: tuple[list[R], list[Blocked[Any]]] = use.parted(some)
    permitted, blocked = found
    if blocked and not (leave_out and permitted):
        raise refusal(blocked, len(rows))
    return permitted


def summary(
    rows: Iterable[RightsRow], accepted: Accepted | None = None, credit_of: Callable[[Any], str] = lambda row: ""
) -> RightsSummary:
    """Count licences, creators, obligations, reasons and flags of `rows`.

    Args:
        credit_of: a row's credit in the words of its rights holder; empty for the usual one.
    """
    rows = list(rows)
    credits: dict[str, set[str]] = {}
    worded: dict[str, set[str]] = {}
    obliged: Counter[str] = Counter()
    for row in rows:
        found = obligations(row.licence)
        obliged.update(found)
        if words := credit_of(row):
            worded.setdefault(words, set()).update((row.licence,) if row.licence else ())
        elif row.creator and found & {"attribution", "notice"}:
            credits.setdefault(row.creator, set()).add(row.licence)
    return RightsSummary(
        pictures=len(rows),
        licences=_counts(row.licence or _UNKNOWN for row in rows),
        creators=_counts(row.creator or _UNKNOWN for row in rows),
        credits={creator: sorted(credits[creator]) for creator in sorted(credits)},
        obligations=dict(sorted(obliged.items())),
        held=_counts(reason for row in rows for reason in row.held),
        flags=_counts(flag for row in rows for flag in row.flags),
        worded={words: sorted(worded[words]) for words in sorted(worded)},
        accepted=accepted,
    )


def joined(one: RightsSummary, other: RightsSummary) -> RightsSummary:
    """The rights in the pictures of two collections together."""
    return RightsSummary(
        pictures=one.pictures + other.pictures,
        licences=_added(one.licences, other.licences),
        creators=_added(one.creators, other.creators),
        credits=_both_licences(one.credits, other.credits),
        obligations=dict(sorted(_added(one.obligations, other.obligations).items())),
        held=_added(one.held, other.held),
        flags=_added(one.flags, other.flags),
        worded=_both_licences(one.worded, other.worded),
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

    Words that a rights holder asked for follow as they are. Empty where nothing asks for a credit (public domain, CC0).

    Args:
        what: was done with the pictures.
    """
    whole = of if isinstance(of, RightsSummary) else summary(of)
    named = [f"{creator} ({', '.join(licences)})" for creator, licences in whole.credits.items()]
    worded = [f"{words} ({', '.join(licences)})" if licences else words for words, licences in whole.worded.items()]
    if not named:
        return f"{what}: {'; '.join(worded)}" if worded else ""
    return "; ".join([f"{what} by {', '.join(named)}", *worded])


def _both_licences(one: Mapping[str, list[str]], other: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Who is credited in two sets of pictures, with the licences of both."""
    return {name: sorted({*one.get(name, ()), *other.get(name, ())}) for name in sorted({*one, *other})}


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
