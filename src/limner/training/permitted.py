"""The pictures that a training may use, as their licences and consents say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from limner.collection import Collection, Row
from limner.rights import Accepted, RightsSummary, clear, summary
from limner.rights.consent import ConsentStore, Scope, Use, left_out
from limner.training.options import RunOptions
from limner.training.stage import Reporter
from limner.workspace import Workspace


@dataclass(frozen=True)
class Permitted:
    """Pictures that may be learned from.

    Attributes:
        rows: with the licences that were agreed on.
        accepted: the decision on those that are held back, where one was made.
        use: the consents that counted.
    """

    rows: list[Row]
    accepted: Accepted | None
    use: Use

    def rights(self, rows: Iterable[Row]) -> RightsSummary:
        """The rights in those of the rows that were learned from."""
        return summary(rows, self.accepted, lambda row: self.use.credit(row.pixel_sha256, row.creator))


def permitted(collection: Collection, options: RunOptions, workspace: Workspace, reporter: Reporter) -> Permitted:
    """What a training with these options may use; says what a consent leaves out.

    Raises:
        CollectionError: its conditions leave no picture.
        RightsError: pictures are held back, or their consent does not grant it, and they are not to be left out.
    """
    rows, use = collection.rows(where=options.where), ConsentStore(workspace.root).use(Scope.TRAIN)
    found, accepted = clear(rows, only_cleared=options.only_cleared, accept_unknown=options.accept_unknown, use=use)
    if said := left_out(use.parted(rows)[1]):
        reporter.note(said)
    return Permitted(found, accepted, use)
