"""One credit line of a work, for papers and wall labels: who shaped its composition, and whose pieces are in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from limner.influence.shares import Influence, Method, Verdict
from limner.models.card import Card
from limner.papers.publishing.former import Former
from limner.text import one_line
from limner.works.credits import Credits, credit_of_work
from limner.works.finish_record import FinishRecord
from limner.works.tracing import Tracing
from limner.workspace import Workspace

_NAMED = 3
_SMALLEST = 0.05
"""Share of the area from which a creator is named; the licences' own credit names everyone whom they oblige to."""
_NAME = 80


def label_of(card: Card, influence: Influence, credits: Credits | None, finish: FinishRecord | None) -> str:
    """The line: composition, pieces, then what the licences oblige to say, which is never left out.

    An estimate is no ground for a line that hangs beside a work: without an ensemble, all who were learned from count.
    """
    parts = [_composed(card, influence)]
    if credits is not None:
        parts.append(_pieces(credits.by("creator")))
    return ". ".join(one for one in (*parts, credit_of_work(card.credit, finish)) if one) + "."


def with_traced_credit(former: Former, workspace: Workspace) -> Former:
    """A published work whose next edition carries the line in its papers.

    Raises:
        UsageError: as `Tracing` does.
    """
    tracing = Tracing(former.path, workspace)
    credit = label_of(tracing.card, tracing.influence(), tracing.credits(), tracing.finish)
    return replace(former, provenance=replace(former.provenance, credit=credit))


def _composed(card: Card, influence: Influence) -> str:
    first = influence.first
    if influence.method is Method.ENSEMBLE and first is not None and first.stands_out and first.values == 1:
        what = "" if influence.by == "creator" else f"{influence.by} "
        return f"Composition shaped most by pictures of {what}{_named(first.name)} (about {first.share.value:.0%})"
    learned = f"Composition learned from {card.collection.pictures:,} pictures"
    count = len(card.rights.creators)
    by = f"{learned} by {count:,} creators" if count > 1 else learned
    asked = influence.method is Method.ENSEMBLE and influence.verdict is not Verdict.FIRST
    return f"{by}, of whom none stands out" if asked and count > 1 else by


def _pieces(shares: Mapping[str, float]) -> str:
    named = [(name, share) for name, share in shares.items() if share >= _SMALLEST][:_NAMED]
    named = named or list(shares.items())[:1]
    rest = len(shares) - len(named)
    who = ", ".join(f"{_named(name)} ({share:.0%})" for name, share in named)
    return f"Painted with pieces of pictures by {who}" + (f" and {rest} more" if rest else "")


def _named(name: str) -> str:
    return one_line(name, _NAME)
