"""Whom a work owes: whose pictures are in it, and whom its model and its tools learned from."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from limner.errors import UsageError
from limner.ledger import Ledger
from limner.rights import (
    Conflict,
    Joint,
    RightsSummary,
    conditions,
    conflicts,
    credit_line,
    joined,
    joint,
    summary,
)
from limner.synthesis import Exemplar, SourceMap
from limner.synthesis.stores import SourceStore
from limner.works.acts import WorkAct
from limner.works.family import Family
from limner.works.finish_record import FinishRecord
from limner.works.origins import Origins
from limner.works.retouches import retouches_of
from limner.workspace import Workspace

OWED = "owed"
"""Where an act keeps the rights in the pictures that its tool learned from, if they are others than its model's."""


@dataclass(frozen=True)
class Credits:
    """Which pictures a finished work is from.

    Attributes:
        retouches: what was done to it in other programs since; where it changed, the sources no longer hold.
    """

    sources: SourceMap
    finish: FinishRecord
    retouches: tuple[WorkAct, ...] = ()

    def by(self, name: Literal["creator", "licence"]) -> dict[str, float]:
        """Shares by creator or by licence, most first."""
        found: dict[str, float] = defaultdict(float)
        for one in self.sources.shares():
            found[getattr(one.exemplar, name) or "unknown"] += one.share
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))

    @property
    def licences(self) -> tuple[str, ...]:
        """Licences of the pictures that are really in it, sorted; empty ones, which are unknown, among them."""
        return tuple(sorted({one.exemplar.licence for one in self.sources.shares()}))

    @property
    def joint(self) -> Joint:
        """The licence under which it may be passed on, as far as the licences of those pictures say."""
        return joint(self.licences)

    @property
    def conflicts(self) -> list[Conflict]:
        """Those licences that leave no way to pass it on."""
        return conflicts(self.licences)

    @property
    def largest_piece(self) -> float:
        """The largest connected piece that comes from one picture, as a share of what its bound counts."""
        return self.sources.largest_piece(flat_counts=self.finish.bounds.flat_counts)


def credits_of(work: Path, workspace: Workspace) -> Credits:
    """The credits of a work's file.

    Raises:
        UsageError: it is no work that was published here, was not finished, or its source map is gone.
    """
    if not work.is_file():
        raise UsageError(work, "is no file", "give a work's file")
    published = Origins(workspace).work(work)
    finish = FinishRecord.of(published.finish)
    if finish is None:
        raise UsageError(work, "was painted by its model alone", "only finished works have credits")
    sources = SourceStore(workspace).load(finish.sources)
    if sources is None:
        raise UsageError(work, "its source map is not here any more", "`limner sample` with its seed makes it again")
    return Credits(sources, finish, retouches_of(Ledger.open(workspace.ledger), published))


@dataclass(frozen=True)
class _Row:
    """An exemplar as rights are counted."""

    creator: str
    licence: str
    credit: str
    held: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


def owed_to(exemplars: Iterable[Exemplar]) -> dict[str, Any]:
    """Whom a finish from these pictures owes, as records of it say: licences, credit line and conditions."""
    found = list(exemplars)
    rows = [_Row(one.creator, one.licence, one.credit) for one in found]
    rights = summary(rows, credit_of=lambda row: row.credit)
    credit = credit_line(rights, "Finished from patches of pictures")
    return {"licences": rights.licences, "credit": credit, "conditions": conditions(one.licence for one in found)}


def credit_of_work(learned: str, finish: FinishRecord | None) -> str:
    """The credit line of a work: first whose pictures are in it, on which terms, then whom its model learned from."""
    return ". ".join(one for one in (*((finish.credit, *finish.conditions) if finish else ()), learned) if one)


def licences_of_work(learned: Mapping[str, int], finish: FinishRecord | None) -> dict[str, int]:
    """Pictures by licence: those that its model learned from, and those in it where they are others."""
    if finish is None or not finish.exemplars.name:
        return dict(learned)
    total = Counter(learned) + Counter(finish.licences)
    return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))


def rights_of(own: RightsSummary, ledger: Ledger, parents: Iterable[str], how: Mapping[str, Any]) -> RightsSummary:
    """The rights in all pictures that a work descends from.

    Args:
        own: of the model that painted it.
    """
    family = Family(ledger)
    acts = [how, *(kin.how for parent in parents for _, kin in family.ancestors(parent).walk())]
    found: list[RightsSummary] = []
    for act in acts:
        rights = RightsSummary.model_validate(act[OWED]) if OWED in act else None
        if rights is not None and rights not in found:
            found.append(rights)
            own = joined(own, rights)
    return own
