"""Consents in words: why pictures may not be used, and what to do about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from limner.errors import RightsError
from limner.rights.consent.agreement import Consent, Scope
from limner.rights.consent.blocking import Blocked, Reason

_NAMED = 3
_REASONS = 4
_RENEW = "enter a new consent with `limner rights set`"
_MAY_NOT = {
    Scope.TRAIN: "may not be learned from",
    Scope.EXEMPLAR: "may not give patches",
    Scope.STYLE: "may not give their style",
    Scope.PUBLISH: "stand in the way of publishing",
    Scope.SELL: "stand in the way of selling",
}
_REMEDIES = {
    Scope.TRAIN: f"leave them out with --only-cleared, or {_RENEW}",
    Scope.EXEMPLAR: f"give others with --exemplars, or {_RENEW}",
    Scope.STYLE: f"take another style, or {_RENEW}",
    Scope.PUBLISH: f"{_RENEW}, or work without these pictures",
    Scope.SELL: "ask the rights holders, and enter their consent with `limner rights set`",
}


def refusal(blocked: Sequence[Blocked[Any]], of: int) -> RightsError:
    """The one line that refuses a use, with the first few pictures and counts.

    Args:
        blocked: one at least, all of one scope.
        of: how many pictures were looked at.
    """
    scope = blocked[0].scope
    count = f"{len(blocked):,} of {of:,} pictures"
    # Where all are blocked, nothing is left to be left out.
    remedy = _REMEDIES[scope] if len(blocked) < of or scope is not Scope.TRAIN else _RENEW
    return RightsError(count, f"{_MAY_NOT[scope]} ({summed_up(blocked)})", remedy)


def left_out(blocked: Sequence[Blocked[Any]]) -> str:
    """What was left out and why, in one line; empty where nothing was."""
    if not blocked:
        return ""
    many = "pictures are" if len(blocked) > 1 else "picture is"
    return f"{len(blocked):,} {many} left out: {summed_up(blocked)}"


def summed_up(blocked: Sequence[Blocked[Any]]) -> str:
    """Reasons with counts, most frequent first, and the first few pictures."""
    counted = Counter(words(one.reason, one.scope, one.consent) for one in blocked).most_common()
    said = [f"{reason}: {count:,}" for reason, count in counted[:_REASONS]]
    more = f", {len(counted) - _REASONS:,} more reasons" if len(counted) > _REASONS else ""
    names = ", ".join(_name(one.row) for one in blocked[:_NAMED])
    others = f" and {len(blocked) - _NAMED:,} more" if len(blocked) > _NAMED else ""
    return f"{', '.join(said)}{more}; {names}{others}"


def words(reason: Reason, scope: Scope, consent: Consent) -> str:
    """Why a consent blocks a use: `the consent of Ada Example expired on 2026-01-31`."""
    whose = "its own consent" if consent.subject.kind == "picture" else f"the consent of {consent.subject.name[:80]}"
    match reason:
        case Reason.WITHDRAWN:
            return f"{whose} was withdrawn on {consent.recorded[:10]}"
        case Reason.EXPIRED:
            return f"{whose} ended on {consent.until}"
        case Reason.NOT_YET:
            return f"{whose} begins on {consent.since}"
        case Reason.OUT_OF_SCOPE:
            granted = ", ".join(sorted(consent.scopes)) or "nothing"
            return f"{whose} grants {granted}, not {scope}"


def _name(row: Any) -> str:
    return str(getattr(row, "file", "") or getattr(row, "title", "") or row.pixel_sha256[:12])[:80]
