"""Whether the licences of two sets of pictures allow one thing to be made from both."""

from __future__ import annotations

from collections.abc import Iterator

from limner.errors import RightsError
from limner.rights.clearing import RightsSummary
from limner.rights.licences import terms

__all__ = ["check_merge"]

_UNKNOWN = "unknown"
_NAMED = 3


def check_merge(one: RightsSummary, other: RightsSummary, names: tuple[str, str]) -> None:
    """See that there are terms under which what is made from both may be passed on.

    Each licence of the one is compared with each of the other; what stands beside each other within one of them was
    decided when that was made.

    Args:
        names: what the two are called.

    Raises:
        RightsError: a licence of each that exclude each other; names both with their creators.
    """
    others = list(_rows(other))
    for licence, allowed in _rows(one):
        for against, wanted in others:
            if allowed & wanted:
                continue
            forbids = licence if not allowed else against if not wanted else ""
            reason = f"{forbids} allows nothing made from it" if forbids else "no licence for a merge suits both"
            raise RightsError(
                f"{_told(licence, one, names[0])} and {_told(against, other, names[1])}",
                f"forbid a merge ({reason})",
                "merge other models, or train one again without these pictures (--where)",
            )


def _rows(rights: RightsSummary) -> Iterator[tuple[str, frozenset[str]]]:
    """Licences that differ in what they allow, one of each kind. A model without any knows of none."""
    met: set[frozenset[str]] = set()
    for licence in rights.licences or {_UNKNOWN: 0}:
        allowed = terms(licence)
        if allowed not in met:
            met.add(allowed)
            yield licence, allowed


def _told(licence: str, rights: RightsSummary, name: str) -> str:
    creators = [creator for creator, own in rights.credits.items() if licence in own]
    more = f" and {len(creators) - _NAMED} more" if len(creators) > _NAMED else ""
    by = f" ({', '.join(creators[:_NAMED])}{more})" if creators else ""
    return f"{licence}{by} of {name}"
