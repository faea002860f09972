"""What was done to a work in other programs: the acts of retouching between it and the edition that was painted."""

from __future__ import annotations

from limner.ledger import Ledger
from limner.papers.publishing.published import RETOUCH, Published
from limner.works.acts import WorkAct


def before_retouches(ledger: Ledger, work: Published) -> Published:
    """The edition of a work that was there before the first retouch; the work itself where there was none."""
    retouches = retouches_of(ledger, work)
    before = Published.find(ledger, retouches[0].parents[0]) if retouches else None
    return before or work


def retouches_of(ledger: Ledger, work: Published) -> tuple[WorkAct, ...]:
    """The retouches that lie behind an edition, the first one first; empty for what its latent gives."""
    found, met = [], set[str]()
    now: Published | None = work
    while now is not None and now.former is not None and now.digest not in met:
        met.add(now.digest)
        act = WorkAct.find(ledger, now.digest)
        if act is not None and act.what == RETOUCH:
            found.append(act)
        now = Published.find(ledger, now.former)
    return tuple(reversed(found))
