"""Entering what was agreed: what is not said stays as it was; what was withdrawn needs a new document."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from limner.digests import digest_of
from limner.errors import UsageError
from limner.rights.consent.agreement import Consent, Scope, Subject
from limner.rights.consent.blocking import Agreed
from limner.rights.licences import parse_licence

ACT = "consent"
"""What entering a consent is called in the ledger."""
OPEN = "open"
"""What is typed for a day that leaves that end open."""


@dataclass(frozen=True)
class Change:
    """What is said about a consent; None is not said, and stays as it was.

    Attributes:
        since, until: a day as ISO 8601, or `open`.
    """

    scopes: frozenset[Scope] | None = None
    licence: str | None = None
    holder: str | None = None
    document: str | None = None
    since: str | None = None
    until: str | None = None
    credit: str | None = None
    note: str | None = None

    def applied(self, subject: Subject, agreed: Agreed) -> Consent:
        """The consent about `subject` from now on.

        Raises:
            UsageError: the first consent about it names no scopes, or one after a withdrawal no scopes and document.
            RightsError: the licence is no SPDX expression, or it ends before it begins.
        """
        known = agreed.about(subject)
        if known is not None and known.withdrawn:
            if self.scopes is None or not self.document:
                reason = f"was withdrawn on {known.recorded[:10]}"
                raise UsageError(subject, reason, "a new consent needs --document and --scope")
            known = None
        if known is None and self.scopes is None:
            raise UsageError(subject, "has no consent yet", "say what is granted with --scope (or --scope none)")
        said: dict[str, Any] = {
            name: value for name, value in vars(self).items() if value is not None and name not in ("since", "until")
        }
        if self.licence is not None:
            said["licence"] = parse_licence(self.licence)
        said |= {name: _day(value, name) for name in ("since", "until") if (value := getattr(self, name)) is not None}
        return replace(known or Consent(subject), **said, number=0, recorded="")


def scopes_of(words: Iterable[str]) -> frozenset[Scope]:
    """Scopes as they are typed: their names, `all` or `none`.

    Raises:
        UsageError: one is none of these; names them.
    """
    given = [one.strip().lower() for one in words if one.strip()]
    if not given or ("none" in given and len(given) > 1):
        raise UsageError(f"scope {' '.join(given)!r}", "says nothing, or two things at once", f"use {_choices()}")
    found: set[Scope] = set()
    for one in given:
        if one not in (*Scope, "all", "none"):
            raise UsageError(f"scope {one!r}", "is none", f"use {_choices()}")
        found |= set(Scope) if one == "all" else set() if one == "none" else {Scope(one)}
    return frozenset(found)


def row_digest(consent: Consent) -> str:
    """sha256 of a stored row, as the ledger holds it: a row that was changed behind the ledger's back has another."""
    subject = {"kind": consent.subject.kind, "name": consent.subject.name}
    row = {**vars(consent), "subject": subject, "scopes": sorted(consent.scopes)}
    return digest_of(json.dumps(row, sort_keys=True, ensure_ascii=True, separators=(",", ":"), default=str).encode())


def recorded(consent: Consent) -> dict[str, Any]:
    """What the ledger says of a row beside its digest: what was granted, and no private words."""
    days = {name: str(day) for name in ("since", "until") if (day := getattr(consent, name))}
    about = {"about": consent.subject.kind, "name": consent.subject.name}
    granted = {"scopes": sorted(consent.scopes), "licence": consent.licence, "withdrawn": consent.withdrawn}
    return {"number": consent.number, **about, **granted, **days}


def _day(text: str, name: str) -> date | None:
    plain = text.strip().lower()
    if plain == OPEN:
        return None
    try:
        return date.fromisoformat(plain)
    except ValueError:
        option = "--from" if name == "since" else "--until"
        raise UsageError(f"{option} {text}", "is no day", "write it as 2027-12-31, or open") from None


def _choices() -> str:
    return f"{', '.join(Scope)}, all or none"
