"""Which pictures of a collection something was learned from, found again by its card."""

from __future__ import annotations

from datetime import date

from limner.collection import Collection, Row
from limner.errors import CollectionError
from limner.models.card import Learned
from limner.rights import clear
from limner.rights.consent import ConsentStore, Scope, Use
from limner.workspace import Workspace


def rows_of(card: Learned, collection: Collection, workspace: Workspace) -> list[Row]:
    """The rows that a training used, those held out among them, as the collection has them.

    Consents count as they did then; where the workspace does not hold all of those, every picture that may have been
    used is given.

    Raises:
        CollectionError: the collection has other columns than then.
    """
    note, settings = card.collection, card.training.settings
    rows = collection.rows(where=note.where)
    agreed = ConsentStore(workspace.root).agreed(note.consents)
    if agreed.number < note.consents:
        return rows
    use = Use(agreed, Scope.TRAIN, date.fromisoformat(note.day)) if note.consents else None
    used, _ = clear(
        rows, only_cleared=settings.get("only_cleared", False), accept_unknown=settings.get("accept_unknown"), use=use
    )
    known = {row.pixel_sha256 for row in used}
    return [row for row in rows if row.pixel_sha256 in known]


def pictures_of(card: Learned, workspace: Workspace) -> list[Row] | None:
    """The same rows of the collection that the card names; None where that is not in the workspace.

    Raises:
        CollectionError: the collection is damaged.
    """
    collection = collection_of_digest(card.collection.digest, workspace)
    return None if collection is None else rows_of(card, collection, workspace)


def collection_of_digest(digest: str, workspace: Workspace) -> Collection | None:
    """The collection of the workspace with this digest, whatever it is called; None where there is none."""
    for name in Collection.names(workspace):
        try:
            found = Collection.open(name, workspace)
        except CollectionError:
            continue
        if found.digest == digest:
            return found
    return None
