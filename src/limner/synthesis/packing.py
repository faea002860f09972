"""Packing the exemplars of a model: which of them may go along, and which of those do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from limner.errors import RightsError, UsageError
from limner.models.bundle import Model
from limner.rights import kept_from_travelling
from limner.synthesis.exemplars import Exemplars
from limner.synthesis.finding import learned_rows
from limner.synthesis.finishing import Finisher
from limner.synthesis.packs import PackNote, write_pack
from limner.workspace import Workspace

__all__ = ["PackedModel", "pack_exemplars"]


@dataclass(frozen=True)
class PackedModel:
    """What went along.

    Attributes:
        note: what the pack says of itself.
        size: of the file, bytes.
        refused: why pictures stayed behind, with counts.
    """

    note: PackNote
    size: int
    refused: dict[str, int]


def pack_exemplars(
    model: Model,
    workspace: Workspace,
    path: Path,
    *,
    side: int,
    most: int,
    accepted: str = "",
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> PackedModel:
    """Write what a model learned from into a file that travels with it, as far as rights allow and the bytes reach.

    Args:
        side: shorter side of the pictures, px.
        most: bytes that the file may have.
        accepted: why pictures may go along whose terms only a person can read.
        progress: called with the bytes written, and how many there may be.

    Raises:
        UsageError: the collection is not in the workspace.
        RightsError: none of the pictures may go along.
    """
    found = learned_rows(model, workspace)
    if found is None:
        note = model.card.collection
        raise UsageError(
            f"{model.name}", f"learned from {note.name}, which is not in this workspace", "import it first"
        )
    collection, rows = found
    reasons = {row.pixel_sha256: kept_from_travelling(row, read=bool(accepted)) for row in rows}
    refused = Counter(reason for reason in reasons.values() if reason)
    free = [row for row in rows if not reasons[row.pixel_sha256]]
    if not free:
        most_of, count = refused.most_common(1)[0]
        raise RightsError(
            f"{len(rows)} pictures of {collection.name}",
            f"may not go along ({count}: {most_of})",
            "say under which licence they are, or why with --accept-reserved",
        )
    column = model.card.training.settings.get("label")
    exemplars = Exemplars.of_collection(collection, free, workspace)
    packed = write_pack(
        path, exemplars, [row.labels.get(column, "") if column else "" for row in free],
        collection=collection.digest, name=collection.name, side=side, most=most,
        flat=Finisher(exemplars).graphic, accepted=accepted, progress=progress,
    )  # fmt: skip
    return PackedModel(packed, path.stat().st_size, dict(refused.most_common()))
