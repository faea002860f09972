"""What a work owes beside what its model owes: tools that made it, or what it was made from, may have learned more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from limner.ledger import Ledger
from limner.rights import RightsSummary, joined
from limner.works.lineage import Lineage

__all__ = ["OWED", "credit_of", "licences_of", "rights_of"]

OWED = "owed"
"""Where an act keeps the rights in the pictures that its tool learned from, if they are others than its model's."""


def credit_of(learned: str, finish: Mapping[str, Any]) -> str:
    """The credit line of a work: first whose pictures are in it and on which terms, then whom its model learned from.

    Args:
        learned: the credit line of what it learned from.
        finish: what `papers.finishing` tells of the finish; empty where there was none.
    """
    lines = [finish.get("credit", ""), *finish.get("conditions", ()), learned]
    return ". ".join(line for line in lines if line)


def licences_of(learned: Mapping[str, int], finish: Mapping[str, Any]) -> dict[str, int]:
    """Pictures by licence that a work owes to: those that its model learned from, and those of another hand in it."""
    if not finish.get("exemplars", {}).get("told"):
        return dict(learned)
    total = Counter(learned) + Counter(finish["licences"])
    return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))


def rights_of(own: RightsSummary, ledger: Ledger, parents: Iterable[str], how: Mapping[str, Any]) -> RightsSummary:
    """The rights in all pictures that a work descends from.

    Args:
        own: of the model that painted it.
        parents: digests of what it was made from.
        how: words and numbers of its own act.
    """
    lineage = Lineage(ledger)
    acts = [how, *(kin.how for parent in parents for _, kin in lineage.ancestors(parent).walk())]
    found: list[RightsSummary] = []
    for act in acts:
        if OWED in act:
            rights = RightsSummary.model_validate(act[OWED])
            found += [rights] if rights not in found else []
    for rights in found:
        own = joined(own, rights)
    return own
