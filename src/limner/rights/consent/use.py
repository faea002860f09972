"""A use that is asked for on a day: which pictures may be used so, and with which rights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Protocol, TypeVar

from limner.rights.consent.agreement import Consent, Scope
from limner.rights.consent.blocking import Agreed, Blocked, N, against


class HeldRow(Protocol):
    """What is asked of a picture's row here; a row of a collection has it, and is a frozen dataclass."""

    @property
    def pixel_sha256(self) -> str:
        """Of its pixels."""

    @property
    def creator(self) -> str:
        """Who made it; empty where unknown."""

    @property
    def licence(self) -> str:
        """SPDX expression; empty where unknown."""

    @property
    def held(self) -> tuple[str, ...]:
        """Why it is held back; empty is cleared."""


H = TypeVar("H", bound=HeldRow)


@dataclass(frozen=True)
class Use:
    """A use, the day of it, and the consents that count.

    A collection's row is what was found, and stays as it is; a consent is what was agreed, and stands above it.
    """

    agreed: Agreed
    scope: Scope
    on: date

    @property
    def number(self) -> int:
        """Of the last consent that counts; 0 where there are none."""
        return self.agreed.number

    def parted(self, rows: Sequence[H]) -> tuple[list[H], list[Blocked[H]]]:
        """Rows that may be used so, as it was agreed, and those that may not; both in their order.

        The licence that was agreed on stands in the place of the one that was found. What a picture is held back for is
        settled by a consent for itself; by its creator's consent only what does not concern who made it. Rows without a
        consent are as they were.
        """
        blocked = self.blocked(rows)
        out = {id(one.row) for one in blocked}
        return self.as_agreed([row for row in rows if id(row) not in out]), blocked

    def blocked(self, rows: Sequence[N]) -> list[Blocked[N]]:
        """Those of `rows` that may not be used so, in their order."""
        return self.agreed.blocked(rows, self.scope, self.on)

    def as_agreed(self, rows: Sequence[H]) -> list[H]:
        """All rows, with what was agreed about those that may be used so."""
        return [self._as_agreed(row) for row in rows] if self.agreed.number else list(rows)

    def credit(self, pixel_sha256: str, creator: str) -> str:
        """The words by which a picture's rights holder wants to be credited; empty for the usual ones."""
        found = self.agreed.of(pixel_sha256, creator)
        return found.credit if found else ""

    def _as_agreed(self, row: H) -> H:
        found = self.agreed.of(row.pixel_sha256, row.creator)
        if found is None or against(found, self.scope, self.on) is not None:
            return row
        changed: Any = replace(  # type: ignore[type-var]
            row, licence=found.licence or row.licence, held=_still_held(row, found)
        )
        return changed  # type: ignore[no-any-return]


def _still_held(row: HeldRow, consent: Consent) -> tuple[str, ...]:
    if consent.subject.kind == "picture":
        return ()
    return tuple(reason for reason in row.held if "creator" in reason)
