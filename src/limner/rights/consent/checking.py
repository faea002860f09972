"""What stands in the way of using a collection on a day, and what its user should know."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path

from limner.rights.consent.agreement import Consent, Scope
from limner.rights.consent.blocking import Agreed, Blocked, Reason
from limner.rights.consent.documents import is_whole
from limner.rights.consent.use import HeldRow, Use
from limner.rights.joint import Conflict, conflicts, obligations, sources
from limner.rights.rules import Obligation
from limner.rights.statements import same_person

_SOON = timedelta(days=60)


class Kind(StrEnum):
    """What a finding is about."""

    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    NOT_YET = "not yet"
    OUT_OF_SCOPE = "out of scope"
    HELD = "held back"
    CHANGED = "changed"
    """A row of the list of consents is not what the ledger recorded, or a kept document is another file now."""
    UNRECORDED = "unrecorded"
    """The ledger knows nothing of a row: a command was broken off, or another program entered it."""
    UNKNOWN = "unknown"
    """No licence, or terms that only a person can read, and nothing was agreed."""
    NO_DERIVATIVES = "no derivatives"
    NON_COMMERCIAL = "non-commercial"
    CONFLICT = "conflict"
    """No one licence suits what is made from all of them."""
    CONTRADICTION = "contradiction"
    """What was agreed is another licence than the one that was found."""
    ENDS_SOON = "ends soon"
    NO_DOCUMENT = "no document"
    LIKE_NAME = "like name"
    """A creator without a consent is called nearly as one with a consent."""


_BLOCKING = frozenset({Kind.WITHDRAWN, Kind.EXPIRED, Kind.NOT_YET, Kind.OUT_OF_SCOPE, Kind.HELD, Kind.CHANGED})
_REASONS = {
    Reason.WITHDRAWN: Kind.WITHDRAWN,
    Reason.EXPIRED: Kind.EXPIRED,
    Reason.NOT_YET: Kind.NOT_YET,
    Reason.OUT_OF_SCOPE: Kind.OUT_OF_SCOPE,
}


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Attributes:
        rows: the pictures that it is about; none where it is about licences alone.
        scopes: the uses that it stands in the way of.
        consent: the one that it is about.
        licences: those that it is about.
        detail: what else there is to say: a reason, a section, a name.
    """

    kind: Kind
    rows: tuple[HeldRow, ...] = ()
    scopes: tuple[Scope, ...] = ()
    consent: Consent | None = None
    licences: tuple[str, ...] = ()
    detail: str = field(default="")

    @property
    def blocks(self) -> bool:
        """Whether limner refuses a use for it; selling is nothing that limner does."""
        return self.kind in _BLOCKING and self.scopes != (Scope.SELL,)


@dataclass(frozen=True)
class RightsCheck:
    """What is looked at.

    Attributes:
        scopes: uses that are asked about.
        root: of the workspace, in which documents are kept.
        recorded: whether a stored row is what the ledger recorded; None where the ledger knows nothing of it.
    """

    agreed: Agreed
    on: date
    scopes: tuple[Scope, ...]
    root: Path
    recorded: Callable[[Consent], bool | None] = lambda consent: True

    def of(self, rows: Sequence[HeldRow]) -> list[Finding]:
        """Everything that was found, what blocks first."""
        found = [
            *self._blocked(rows),
            *self._held(rows),
            *self._agreements(rows),
            *self._licences(rows),
            *self._like_names(rows),
        ]
        return sorted(found, key=lambda one: not one.blocks)

    def _blocked(self, rows: Sequence[HeldRow]) -> Iterator[Finding]:
        groups: dict[tuple[Reason, int], dict[Scope, list[Blocked[HeldRow]]]] = {}
        for scope in self.scopes:
            for one in self.agreed.blocked(rows, scope, self.on):
                groups.setdefault((one.reason, one.consent.number), {}).setdefault(scope, []).append(one)
        for (reason, _), by_scope in groups.items():
            first = next(iter(by_scope.values()))
            consent = first[0].consent
            sell = [scope for scope in by_scope if scope is Scope.SELL]
            others = [scope for scope in by_scope if scope is not Scope.SELL]
            for scopes in (others, sell if reason is Reason.OUT_OF_SCOPE else [] if others else sell):
                if scopes:
                    rows_of = tuple(one.row for one in first)
                    yield Finding(_REASONS[reason], rows_of, tuple(scopes), consent)

    def _held(self, rows: Sequence[HeldRow]) -> Iterator[Finding]:
        if Scope.TRAIN not in self.scopes:
            return
        permitted, _ = Use(self.agreed, Scope.TRAIN, self.on).parted(rows)
        reasons: dict[str, list[HeldRow]] = {}
        for row in permitted:
            for reason in row.held:
                reasons.setdefault(reason, []).append(row)
        for reason, of in sorted(reasons.items(), key=lambda item: -len(item[1])):
            yield Finding(Kind.HELD, tuple(of), (Scope.TRAIN,), detail=reason)

    def _agreements(self, rows: Sequence[HeldRow]) -> Iterator[Finding]:
        used: dict[int, tuple[Consent, list[HeldRow]]] = {}
        for row in rows:
            if (consent := self.agreed.of(row.pixel_sha256, row.creator)) is not None:
                used.setdefault(consent.number, (consent, []))[1].append(row)
        for consent, of in used.values():
            yield from self._agreement(consent, tuple(of))

    def _agreement(self, consent: Consent, rows: tuple[HeldRow, ...]) -> Iterator[Finding]:
        known = self.recorded(consent)
        if known is False:
            yield Finding(Kind.CHANGED, rows, self.scopes, consent, detail="row")
        elif known is None:
            yield Finding(Kind.UNRECORDED, rows, consent=consent)
        if consent.document and not is_whole(consent.document, self.root):
            yield Finding(Kind.CHANGED, rows, self.scopes, consent, detail="document")
        if consent.withdrawn:
            return
        if not consent.document:
            yield Finding(Kind.NO_DOCUMENT, rows, consent=consent)
        if consent.until is not None and self.on <= consent.until <= self.on + _SOON:
            yield Finding(Kind.ENDS_SOON, rows, consent=consent)
        other = tuple(row for row in rows if consent.licence and row.licence and row.licence != consent.licence)
        for licence in sorted({row.licence for row in other}):
            those = tuple(row for row in other if row.licence == licence)
            yield Finding(Kind.CONTRADICTION, those, consent=consent, licences=(licence, consent.licence))

    def _licences(self, rows: Sequence[HeldRow]) -> Iterator[Finding]:
        """By the licences that count, of pictures whose consent does not say more than they do."""
        by_licence: dict[str, list[HeldRow]] = {}
        for row in rows:
            consent = self.agreed.of(row.pixel_sha256, row.creator)
            if consent is not None and consent.withdrawn:
                continue
            licence = consent.licence or row.licence if consent is not None else row.licence
            by_licence.setdefault(licence, []).append(row)
        for licence, of in sorted(by_licence.items()):
            yield from self._licence(licence, of)
        open_to_all = [one for one, of in by_licence.items() if any(not self._grants(row, Scope.PUBLISH) for row in of)]
        for conflict in conflicts(open_to_all):
            if len(conflict.licences) > 1:
                yield _conflict(conflict, by_licence)

    def _licence(self, licence: str, rows: Iterable[HeldRow]) -> Iterator[Finding]:
        asked, where = obligations(licence), "; ".join(sources(licence))
        kinds = (
            (Obligation.NO_DERIVATIVES, Kind.NO_DERIVATIVES, Scope.PUBLISH),
            (Obligation.NON_COMMERCIAL, Kind.NON_COMMERCIAL, Scope.SELL),
            (Obligation.UNKNOWN, Kind.UNKNOWN, Scope.PUBLISH),
            (Obligation.READ_IT, Kind.UNKNOWN, Scope.PUBLISH),
        )
        for obligation, kind, scope in kinds:
            concerned = tuple(row for row in rows if obligation in asked and not self._grants(row, scope))
            if obligation is Obligation.UNKNOWN:  # what is held back for it was said before
                concerned = tuple(row for row in concerned if not row.held)
            if concerned and scope in (*self.scopes, Scope.SELL):
                yield Finding(kind, concerned, (scope,), licences=(licence,) if licence else (), detail=where)

    def _grants(self, row: HeldRow, scope: Scope) -> bool:
        """Whether a consent grants it on the day, whatever the licence says."""
        consent = self.agreed.of(row.pixel_sha256, row.creator)
        return consent is not None and not self.agreed.blocked([row], scope, self.on)

    def _like_names(self, rows: Sequence[HeldRow]) -> Iterator[Finding]:
        known = {one.subject.name for one in self.agreed.creators.values()}
        names: dict[str, list[HeldRow]] = {}
        for row in rows:
            if row.creator and self.agreed.of(row.pixel_sha256, row.creator) is None:
                names.setdefault(row.creator, []).append(row)
        for name, of in names.items():
            for other in sorted(one for one in known if same_person(one, name)):
                yield Finding(Kind.LIKE_NAME, tuple(of), detail=other)


def _conflict(conflict: Conflict, by_licence: dict[str, list[HeldRow]]) -> Finding:
    rows = tuple(row for licence in conflict.licences for row in by_licence.get(licence, ()))
    return Finding(Kind.CONFLICT, rows, licences=conflict.licences, detail=" / ".join(conflict.sources))
