"""What a work owes beside what its model owes: tools that made it, or what it was made from, may have learned more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from limner.latent.lineage import Lineage
from limner.ledger import Ledger
from limner.rights import RightsSummary, joined

__all__ = ["OWED", "rights_of"]

OWED = "owed"
"""Where an act keeps the rights in the pictures that its tool learned from, if they are others than its model's."""


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
