"""Which exemplars finish what a model composes: the pictures that it learned from, or others that the artist names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from limner.collection import PAINTINGS, Collection, import_collection
from limner.collection.importing import Progress
from limner.collection.rows import Row
from limner.errors import CollectionError, UsageError
from limner.models import bundle
from limner.models.bundle import Model
from limner.models.learned import collection_of_digest, rows_of
from limner.rights import clear
from limner.rights.consent import ConsentStore, Scope
from limner.synthesis.exemplars import Exemplars
from limner.synthesis.packs import SUFFIX, Pack, open_pack
from limner.workspace import Workspace

_SUFFIXES = {".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
_MOST_FILES = 2000


@dataclass(frozen=True)
class ExemplarSet:
    """Exemplars, and what acts say of them so that they are found again."""

    exemplars: Exemplars
    name: str = ""
    """What the artist named them by; empty for the model's own."""


def own_exemplars(
    model: Model,
    workspace: Workspace,
    label: str | None = None,
    progress: Progress | None = None,
    *,
    digest: str | None = None,
) -> ExemplarSet | str:
    """The pictures that a model learned from, or in words why they are not here.

    Those of the collection stand before those that travel with the model, which are fewer.

    Args:
        label: only pictures of this label, where the model was taught labels.
        digest: of the exemplars that are meant, where both are here.
    """
    note = model.card.collection
    collection = collection_of_digest(note.digest, workspace) or _shipped(note.digest, workspace, progress)
    found = []
    if collection is not None:
        rows = _learned(model, collection, workspace, label)
        found.append(ExemplarSet(Exemplars.of_collection(collection, rows, workspace, progress)))
    pack = pack_of(model) if not found or (digest and found[0].exemplars.digest != digest) else None
    if pack and (not label or label in {row.label for row in pack.note.rows}):
        found.append(ExemplarSet(pack.exemplars(workspace, label, progress)))
    if not found:
        return f"{model.card.name} learned from {note.name}, which is not in this workspace"
    return next((one for one in found if one.exemplars.digest == digest), found[0])


def learned_rows(model: Model, workspace: Workspace) -> tuple[Collection, list[Row]] | None:
    """The pictures that a model learned from, as their collection describes them; None where it is not here."""
    collection = collection_of_digest(model.card.collection.digest, workspace)
    return None if collection is None else (collection, _learned(model, collection, workspace, None))


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


def named_exemplars(
    name: str, model: Model | None, workspace: Workspace, progress: Progress | None = None
) -> ExemplarSet:
    """Exemplars by a label of the model, the name of a collection, a folder of pictures, or one picture.

    Raises:
        UsageError: it is none of them.
    """
    if model is not None and name in model.card.config.labels:
        own = own_exemplars(model, workspace, name, progress)
        if isinstance(own, str):
            raise UsageError(f"--exemplars {name}", own, "import that collection first")
        return ExemplarSet(own.exemplars, name)
    path = Path(name).expanduser()
    if path.is_file():
        return ExemplarSet(Exemplars.of_pictures([path]), name)
    try:
        collection = Collection.open(name, workspace)
    except CollectionError as error:
        if not path.is_dir():
            raise UsageError(
                f"--exemplars {name}", "is no label, no collection and no folder of pictures", error.remedy
            ) from None
        return ExemplarSet(_of_folder(path), name)
    rows, _ = clear(ConsentStore(workspace.root).use(Scope.EXEMPLAR).as_agreed(collection.rows()), only_cleared=True)
    return ExemplarSet(Exemplars.of_collection(collection, rows, workspace, progress), name)


def _learned(model: Model, collection: Collection, workspace: Workspace, label: str | None) -> list[Row]:
    column = model.card.training.settings.get("label")
    rows = [row for row in rows_of(model.card, collection, workspace) if row.split == "train"]
    return [row for row in rows if not label or not column or row.labels.get(column, "") == label]


def _shipped(digest: str, workspace: Workspace, progress: Progress | None) -> Collection | None:
    """The paintings that come with limner, taken in once where a model learned from them."""
    if digest != shipped_digest() or (workspace.collections / PAINTINGS.name).exists():
        return None
    import_collection(PAINTINGS, PAINTINGS.name, workspace, progress=progress)
    return collection_of_digest(digest, workspace)


def shipped_digest() -> str:
    """Digest of the collection that the paintings in the package make."""
    return (PAINTINGS / "digest").read_text().strip()


def _of_folder(folder: Path) -> Exemplars:
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)[:_MOST_FILES]
    if not files:
        raise UsageError(folder, "holds no pictures", "give a folder with pictures")
    return Exemplars.of_pictures(files)
