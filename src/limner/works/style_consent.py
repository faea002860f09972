"""Whether rights holders let a picture, or the pictures of a label, say how a work looks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from limner.collection.likeness import hash_pixels
from limner.models.learned import pictures_of
from limner.rights.consent import ConsentStore, Scope, refusal
from limner.works.origins import Origin, Origins, pixels_of


@dataclass(frozen=True)
class _Picture:
    pixel_sha256: str
    file: str
    creator: str = ""


def check_label(origins: Origins, label: str | None = None) -> None:
    """See that the consents of the pictures that a model learned from let it lend their style.

    Args:
        label: only the pictures of this label.

    Raises:
        RightsError: one of them does not.
    """
    use, card = ConsentStore(origins.workspace.root).use(Scope.STYLE), origins.pipeline.model.card
    rows = (pictures_of(card, origins.workspace) or []) if use.number else []
    column = card.training.settings.get("label")
    asked = [row for row in rows if row.split == "train" and (not label or row.labels.get(column or "") == label)]
    if blocked := use.blocked(asked):
        raise refusal(blocked, len(asked))


def check_picture(origins: Origins, origin: Origin) -> None:
    """See that the consent of a picture from outside lets it lend its style; works and seeds have none of their own.

    Raises:
        RightsError: it does not.
    """
    use = ConsentStore(origins.workspace.root).use(Scope.STYLE)
    if origin.kind != "picture" or not use.number:
        return
    path = Path(origin.name)
    if blocked := use.blocked([_Picture(hash_pixels(pixels_of(path)), path.name)]):
        raise refusal(blocked, 1)
