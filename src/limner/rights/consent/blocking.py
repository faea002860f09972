"""Which pictures a consent blocks for a use on a day, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from limner.rights.consent.agreement import Consent, Scope, Subject, creator_key


class Reason(StrEnum):
    """Why a consent blocks a use."""

    WITHDRAWN = "withdrawn"
    NOT_YET = "not yet"
    EXPIRED = "expired"
    OUT_OF_SCOPE = "out of scope"


class Named(Protocol):
    """What is asked of a picture here; a row of a collection has it."""

    @property
    def pixel_sha256(self) -> str:
        """Of its pixels."""

    @property
    def creator(self) -> str:
        """Who made it; empty where unknown."""


N = TypeVar("N", bound=Named)


@dataclass(frozen=True)
class Blocked(Generic[N]):
    """A picture that may not be used as asked.

    Attributes:
        row: the picture, as it was given.
        scope: the use that was asked for.
        consent: the one that blocks it.
    """

    row: N
    scope: Scope
    reason: Reason
    consent: Consent


@dataclass(frozen=True)
class Agreed:
    """The consents that count, by subject.

    Attributes:
        pictures: by pixel_sha256.
        creators: by `creator_key`.
        number: of the last row that was read; 0 where there is none.
    """

    pictures: Mapping[str, Consent]
    creators: Mapping[str, Consent]
    number: int = 0

    @classmethod
    def of_rows(cls, rows: Iterable[Consent]) -> Agreed:
        """The last row about each subject; `rows` stand oldest first."""
        rows = list(rows)
        pictures = {one.subject.key: one for one in rows if one.subject.kind == "picture"}
        creators = {one.subject.key: one for one in rows if one.subject.kind == "creator"}
        return cls(pictures, creators, max((one.number for one in rows), default=0))

    def about(self, subject: Subject) -> Consent | None:
        """The row about just this subject; None where there is none."""
        return (self.pictures if subject.kind == "picture" else self.creators).get(subject.key)

    def of(self, pixel_sha256: str, creator: str) -> Consent | None:
        """The consent that counts for one picture: its own before its creator's, a withdrawal of either before both.

        None where nothing was agreed about it: its licence alone counts then.
        """
        own = self.pictures.get(pixel_sha256)
        creators = self.creators.get(creator_key(creator)) if creator and self.creators else None
        if creators is not None and creators.withdrawn:
            return creators
        return own or creators

    def blocked(self, rows: Sequence[N], scope: Scope, on: date) -> list[Blocked[N]]:
        """Those of `rows` that may not be used so on that day, in their order."""
        found = []
        for row in rows if self.pictures or self.creators else ():
            consent = self.of(row.pixel_sha256, row.creator)
            if consent is not None and (reason := against(consent, scope, on)) is not None:
                found.append(Blocked(row, scope, reason, consent))
        return found


def against(consent: Consent, scope: Scope, on: date) -> Reason | None:
    """Why `consent` does not grant `scope` on a day; None where it does."""
    if consent.withdrawn:
        return Reason.WITHDRAWN
    if scope not in consent.scopes:
        return Reason.OUT_OF_SCOPE
    if consent.since is not None and on < consent.since:
        return Reason.NOT_YET
    if consent.until is not None and on > consent.until:
        return Reason.EXPIRED
    return None


class _Store(Protocol):
    def agreed(self) -> Agreed: ...


def blocked(rows: Sequence[N], scope: Scope, store: _Store, on: date) -> list[Blocked[N]]:
    """Those of `rows` whose consent does not grant `scope` on the day `on`; a picture without a consent is not blocked.

    Raises:
        RightsError: the store cannot be read.
    """
    return store.agreed().blocked(rows, scope, on)
