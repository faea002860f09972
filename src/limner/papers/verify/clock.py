"""What this computer's clock says, and whether it can be right."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

__all__ = ["RELEASED", "known_past", "latest_missed"]

RELEASED = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
"""No copy of this file is older."""
_DRIFT = dt.timedelta(minutes=5)


def latest_missed(now: dt.datetime, past: Iterable[str] = ()) -> dt.datetime | None:
    """A moment that the clock has not reached though it has surely passed; None where nothing shows the clock wrong.

    Args:
        past: moments that have surely passed, ISO 8601: of trusted time-stamps, of one's own certificates.
    """
    if now < RELEASED:
        return RELEASED
    passed = [moment for one in past if (moment := known_past(one)) and now + _DRIFT < moment]
    return max(passed, default=None)


def known_past(moment: str) -> dt.datetime | None:
    """A moment from ISO 8601; None where it is none."""
    try:
        return dt.datetime.fromisoformat(moment).astimezone(dt.UTC)
    except ValueError:
        return None
