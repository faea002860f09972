"""Which exemplars finish what a model composes: the pictures that it learned from, or another hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from limner.collection import PAINTINGS, Collection, import_collection
from limner.collection.rows import Row
from limner.errors import CollectionError, UsageError
from limner.models.bundle import Model
from limner.rights import clear
from limner.synthesis.exemplars import Exemplars
from limner.workspace import Workspace

__all__ = ["Hand", "hand_named", "own_hand", "shipped_digest"]

_SUFFIXES = {".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
_MOST_FILES = 2000

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Hand:
    """Exemplars, and what acts say of them so that they are found again.

    Attributes:
        told: how the artist named them; empty for the model's own.
    """

    exemplars: Exemplars
    told: str = ""


def own_hand(
    model: Model, workspace: Workspace, label: str | None = None, progress: Progress | None = None
) -> Hand | str:
    """The pictures that a model learned from, or in words why they are not at hand.

    Args:
        label: only pictures of this label, where the model was taught labels.
        progress: told how many pictures were made small, and of how many.
    """
    note = model.card.collection
    collection = _of_digest(note.digest, workspace) or _shipped(note.digest, workspace, progress)
    if collection is None:
        return f"{model.card.name} learned from {note.name}, which is not in this workspace"
    return Hand(Exemplars.of_collection(collection, _learned(model, collection, label), workspace, progress))


def hand_named(told: str, model: Model | None, workspace: Workspace, progress: Progress | None = None) -> Hand:
    """Exemplars by a label of the model, the name of a collection, a folder of pictures, or one picture.

    Raises:
        UsageError: it is none of them.
    """
    if model is not None and told in model.card.config.labels:
        own = own_hand(model, workspace, told, progress)
        if isinstance(own, str):
            raise UsageError(f"--exemplars {told}", own, "import that collection first")
        return Hand(own.exemplars, told)
    path = Path(told).expanduser()
    if path.is_file():
        return Hand(Exemplars.of_pictures([path]), told)
    try:
        collection = Collection.open(told, workspace)
    except CollectionError as error:
        if not path.is_dir():
            raise UsageError(
                f"--exemplars {told}", "is no label, no collection and no folder of pictures", error.remedy
            ) from None
        return Hand(_of_folder(path), told)
    rows, _ = clear(collection.rows(), only_cleared=True)
    return Hand(Exemplars.of_collection(collection, rows, workspace, progress), told)


def _learned(model: Model, collection: Collection, label: str | None) -> list[Row]:
    """The rows that a model learned from; of a label, those of it."""
    told = model.card.training.settings
    rows = collection.rows(where=model.card.collection.where)
    rows, _ = clear(rows, only_cleared=told.get("only_cleared", False), accept_unknown=told.get("accept_unknown"))
    column = told.get("label")
    return [
        row for row in rows if row.split == "train" and (not label or not column or row.labels.get(column, "") == label)
    ]


def _of_digest(digest: str, workspace: Workspace) -> Collection | None:
    """The collection of the workspace with this digest, whatever it is called."""
    for name in Collection.names(workspace):
        try:
            found = Collection.open(name, workspace)
        except CollectionError:
            continue
        if found.digest == digest:
            return found
    return None


def _shipped(digest: str, workspace: Workspace, progress: Progress | None) -> Collection | None:
    """The paintings that come with limner, taken in once where a model learned from them."""
    if digest != shipped_digest() or (workspace.collections / PAINTINGS.name).exists():
        return None
    import_collection(PAINTINGS, PAINTINGS.name, workspace, progress=progress)
    return _of_digest(digest, workspace)


def shipped_digest() -> str:
    """Digest of the collection that the paintings in the package make."""
    return (PAINTINGS / "digest").read_text().strip()


def _of_folder(folder: Path) -> Exemplars:
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)[:_MOST_FILES]
    if not files:
        raise UsageError(folder, "holds no pictures", "give a folder with pictures")
    return Exemplars.of_pictures(files)
