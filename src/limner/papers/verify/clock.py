"""What this computer's clock says, and whether it can be right."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

__all__ = ["known_past", "must_be_wrong"]

_RELEASED = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
"""No copy of this file is older."""
_DRIFT = dt.timedelta(minutes=5)


def must_be_wrong(now: dt.datetime, past: Iterable[str] = ()) -> str:
    """Why the clock must be wrong, in words; empty where nothing shows it.

    Args:
        past: moments that have surely passed, ISO 8601: of trusted time-stamps, of one's own certificates.
    """
    if now < _RELEASED:
        return f"this limner was made later, in {_RELEASED:%B %Y}"
    for moment in past:
        if (passed := known_past(moment)) and now + _DRIFT < passed:
            return f"something that is known here happened at {passed:%Y-%m-%d %H:%M} UTC"
    return ""


def known_past(moment: str) -> dt.datetime | None:
    """A moment from ISO 8601; None where it is none."""
    try:
        return dt.datetime.fromisoformat(moment).astimezone(dt.UTC)
    except ValueError:
        return None
