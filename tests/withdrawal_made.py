"""A workspace for withdrawals: a collection, a model that learned from it, another that did not, and works."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import torch

from helpers import limner
from limner.collection import Collection
from limner.models.bundle import load_model, save_model
from limner.models.card import CollectionNote
from limner.papers import Identity
from limner.workspace import Workspace
from models_made import made_model
from pictures_made import made_collection


def learned(path: Path, collection: Collection, *, like: Path | None = None, where: tuple[str, ...] = ()) -> str:
    """Save an untrained model whose card says that it learned from a collection; its digest."""
    if like is None:
        made_model(path, labels=())
    made = load_model(like or path)
    rows = collection.rows(where)
    note = CollectionNote(
        name=collection.name, digest=collection.digest, holdout_digest=collection.holdout_digest, where=where,
        pictures=sum(row.split == "train" for row in rows), held_out=sum(row.split == "holdout" for row in rows),
    )  # fmt: skip
    return save_model(path, made.generator, made.card.model_copy(update={"name": path.stem, "collection": note}))


def sibling(path: Path, of: Path) -> str:
    """Save a model that descends from the same one as another, and learned from other pictures; its digest."""
    model = load_model(of)
    torch.manual_seed(1)
    with torch.no_grad():
        for weight in model.generator.parameters():
            weight.add_(0.02 * torch.randn_like(weight))
    card = model.card.model_copy(update={"name": path.stem, "parents": (model.digest,)})
    return save_model(path, model.generator, card)


def begun(workspace: Workspace, folder: Path) -> Collection:
    """The collection A of 44 pictures, and an identity."""
    collection = made_collection(workspace, folder / "pictures", 44, "A")
    Identity.new(workspace, "Ada Example")
    workspace.make(workspace.models)
    return collection


def works_of(model: str, count: int) -> list[Path]:
    """Works of a model, 64 pixels high, in the workspace."""
    told = json.loads(limner("sample", model, "-n", count, "--size", 64, "--json"))
    return [Path(one["path"]) for one in told["works"]]


def sources_of(work: Path) -> dict[str, float]:
    """What each picture gave to a work, by its title."""
    told = json.loads(limner("credits", work, "--json"))
    return {one["title"]: one["share"] for one in told["pictures"]}


def in_so_many(works: list[Path], count: int) -> str:
    """The title of a picture that just so many works have pieces of, visible ones."""
    sources = [sources_of(work) for work in works]
    found = Counter(title for one in sources for title in one)
    seen = {title for one in sources for title, share in one.items() if share > 0.02}
    return next(title for title in sorted(found) if found[title] == count and title in seen)
