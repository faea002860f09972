"""Which exemplars finish what a model composes: the pictures that it learned from, or another hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from limner.collection import PAINTINGS, Collection, import_collection
from limner.collection.rows import Row
from limner.errors import CollectionError, UsageError
from limner.models import bundle
from limner.models.bundle import Model
from limner.rights import clear
from limner.synthesis.exemplars import Exemplars
from limner.synthesis.packs import SUFFIX, Pack, open_pack
from limner.workspace import Workspace

__all__ = ["Hand", "hand_named", "learned_rows", "own_hand", "pack_of", "shipped_digest"]

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
    model: Model,
    workspace: Workspace,
    label: str | None = None,
    progress: Progress | None = None,
    *,
    digest: str | None = None,
) -> Hand | str:
    """The pictures that a model learned from, or in words why they are not at hand.

    Those of the collection stand before those that travel with the model, which are fewer.

    Args:
        label: only pictures of this label, where the model was taught labels.
        progress: told how many pictures were made small, and of how many.
        digest: of the exemplars that are meant, where both are here.
    """
    note = model.card.collection
    collection = _of_digest(note.digest, workspace) or _shipped(note.digest, workspace, progress)
    hands = []
    if collection is not None:
        rows = _learned(model, collection, label)
        hands.append(Hand(Exemplars.of_collection(collection, rows, workspace, progress)))
    pack = pack_of(model) if not hands or (digest and hands[0].exemplars.digest != digest) else None
    if pack and (not label or label in {row.label for row in pack.note.rows}):
        hands.append(Hand(pack.exemplars(workspace, label, progress)))
    if not hands:
        return f"{model.card.name} learned from {note.name}, which is not in this workspace"
    return next((hand for hand in hands if hand.exemplars.digest == digest), hands[0])


def learned_rows(model: Model, workspace: Workspace) -> tuple[Collection, list[Row]] | None:
    """The pictures that a model learned from, as their collection describes them; None where it is not here."""
    collection = _of_digest(model.card.collection.digest, workspace)
    return None if collection is None else (collection, _learned(model, collection, None))


def pack_of(model: Model) -> Pack | None:
    """The exemplars that travel with a model: those in its folder, or among the ones that ship, of its collection."""
    for folder in dict.fromkeys((model.path.parent, bundle.SHIPPED)):
        for path in sorted(folder.glob(f"*{SUFFIX}")):
            try:
                pack = open_pack(path)
            except UsageError:
                if path.name == f"{model.name}{SUFFIX}":
                    raise
                continue
            if pack.note.collection == model.card.collection.digest:
                return pack
    return None


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
