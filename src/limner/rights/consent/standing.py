"""How the pictures of a collection stand: what was found, what was agreed, and whether that holds on a day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Generic, TypeVar

from limner.rights.consent.agreement import Consent, creator_key
from limner.rights.consent.blocking import Agreed
from limner.rights.consent.use import HeldRow

H = TypeVar("H", bound=HeldRow)


class State(StrEnum):
    """How a picture stands on a day."""

    LICENCE = "by its licence"
    """Nothing was agreed: its licence alone counts."""
    HELD = "held back"
    """Nothing was agreed, and something is unknown or contradictory."""
    AGREED = "agreed"
    NOT_YET = "not yet"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Standing(Generic[H]):
    """Pictures that stand alike: those of one creator, or one with a consent of its own.

    Attributes:
        rows: as the collection has them, one at least.
        consent: what counts for them; None where nothing was agreed.
        licences: that count: the agreed one, or those that were found; empty ones left out.
    """

    rows: tuple[H, ...]
    consent: Consent | None
    state: State
    licences: tuple[str, ...] = field(default=())

    @property
    def creator(self) -> str:
        """Who made them; empty where unknown."""
        return self.rows[0].creator

    @property
    def own(self) -> bool:
        """Whether it is one picture with a consent of its own."""
        return self.consent is not None and self.consent.subject.kind == "picture"


def standings(rows: Sequence[H], agreed: Agreed, on: date, *, one_by_one: bool = False) -> list[Standing[H]]:
    """All rows in groups that stand alike, in the order of creators; those with a consent of their own alone.

    Args:
        one_by_one: each row alone.
    """
    groups: dict[tuple[str, str, State], list[H]] = {}
    consents: dict[tuple[str, str, State], Consent | None] = {}
    for row in rows:
        consent = agreed.of(row.pixel_sha256, row.creator)
        alone = one_by_one or (consent is not None and consent.subject.kind == "picture")
        own = row.pixel_sha256 if alone else ""
        key = creator_key(row.creator), own, _state(row, consent, on)
        groups.setdefault(key, []).append(row)
        consents[key] = consent
    found = sorted(groups.items(), key=lambda item: (not item[0][0], *item[0]))
    return [Standing(tuple(of), consents[key], key[2], _licences(of, consents[key])) for key, of in found]


def _state(row: HeldRow, consent: Consent | None, on: date) -> State:
    if consent is None:
        return State.HELD if row.held else State.LICENCE
    if consent.withdrawn:
        return State.WITHDRAWN
    if consent.since is not None and on < consent.since:
        return State.NOT_YET
    return State.EXPIRED if consent.until is not None and on > consent.until else State.AGREED


def _licences(rows: Iterable[HeldRow], consent: Consent | None) -> tuple[str, ...]:
    if consent is not None and consent.licence:
        return (consent.licence,)
    return tuple(sorted({row.licence for row in rows if row.licence}))
