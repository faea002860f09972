"""Which models and tools learned from withdrawn pictures, and which descend from those."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from limner.collection import Collection, Row
from limner.digests import digest_of_file
from limner.errors import CollectionError, LimnerError
from limner.ledger import Ledger
from limner.models.bundle import SHIPPED
from limner.models.card import Learned
from limner.models.superseded import superseded
from limner.models.translator import load_translator
from limner.models.upscaler import load_upscaler, upscalers_of
from limner.rights.consent import Consent, Scope
from limner.rights.consent.agreement import creator_key
from limner.withdrawal.lineage import Known, ancestors
from limner.withdrawal.record import FoundModel, FoundTool
from limner.workspace import Workspace

_Part = Literal["train", "holdout", ""]


class Teaching:
    """What was learned from the withdrawn pictures, by the collections that hold them.

    Args:
        collections: those of the workspace that hold some of the pictures.
        pixels: their pixel_sha256.
        consents: every one that was ever entered in the workspace.
    """

    def __init__(
        self, collections: Iterable[Collection], pixels: Iterable[str], consents: Sequence[Consent] = ()
    ) -> None:
        self._consents = tuple(consents)
        self._collections, self._pixels = {one.digest: one for one in collections}, set(pixels)

    def holds(self, collection: str) -> bool:
        """Whether a collection holds some of the pictures. # digest"""
        return collection in self._collections

    def parts(self, collection: str, where: Sequence[str], settings: Mapping[str, Any]) -> dict[str, _Part]:
        """Of each picture in a collection whether a training with these conditions learned from it, or held it out."""
        opened = self._collections.get(collection)
        if opened is None:
            return {}
        rows = [row for row in opened.rows() if row.pixel_sha256 in self._pixels]
        used = {row.pixel_sha256: row.split for row in _used(opened, where, settings, self._consents)}
        return {row.pixel_sha256: _part(used.get(row.pixel_sha256)) for row in rows}


def found_models(models: Mapping[str, Known], teaching: Teaching, ledger: Ledger) -> list[FoundModel]:
    """The models that have to do with the pictures, what others descend from first.

    Args:
        models: as `known_models` gives them.
    """
    parts = {digest: teaching.parts(one.collection, one.where, one.settings) for digest, one in models.items()}
    taught = {digest for digest, found in parts.items() if "train" in found.values()}
    found = []
    for digest, one in models.items():
        through = [models[parent].name for parent in ancestors(digest, models) & taught]
        if not parts[digest] and not through:
            continue
        relation: Literal["learned", "descends", "held out", "left out"] = (
            "learned" if digest in taught else
            "descends" if through else
            "held out" if "holdout" in parts[digest].values() else
            "left out"
        )  # fmt: skip
        mark = superseded(ledger, digest, one.parents)
        found.append(
            FoundModel(
                name=one.name,
                digest=digest,
                path=str(one.path or ""),
                family=one.card.family if one.card else "",
                relation=relation,
                learned=sum(part == "train" for part in parts[digest].values()),
                collection=one.collection_name,
                through=tuple(sorted(through)),
                ships=one.ships,
                superseded=mark.since if mark else "",
                replaced_by=mark.replaced_by if mark and mark.model == f"sha256:{digest}" else "",
            )
        )
    return found


def found_tools(workspace: Workspace, affected: Mapping[str, FoundModel], teaching: Teaching) -> list[FoundTool]:
    """The directions, translators and up-scalers that have to do with the pictures.

    Args:
        affected: models in whose weights something of the pictures may be, by digest.
    """
    found = []
    by_stem = {digest[:32]: one for digest, one in affected.items()}
    for folder in (workspace.root / "directions", SHIPPED / "directions"):
        for path in sorted(folder.glob("*.safetensors")):
            if (model := by_stem.get(path.stem)) is not None:
                named = f"of {model.name}"
                how = {"path": str(path), "digest": digest_of_file(path), "learned": 0, "model": model.name}
                found.append(FoundTool(kind="directions", name=named, **how))
    for folder in (workspace.root / "translators", SHIPPED / "translators"):
        for path in sorted(folder.glob("*.safetensors")):
            card = _card(load_translator, path)
            if card is not None:
                model = affected.get(str(getattr(card, "model", "")).removeprefix("sha256:"))
                found += _tool("translator", f"of {getattr(card, 'model_name', '')}", path, card, teaching, model)
    for path in sorted(upscalers_of(workspace).glob("*.safetensors")):
        card = _card(load_upscaler, path)
        if card is not None:
            parents = [affected[one] for one in getattr(card, "parents", ()) if one in affected]
            found += _tool("up-scaler", path.stem, path, card, teaching, parents[0] if parents else None)
    return found


def _tool(
    kind: Literal["translator", "up-scaler"],
    name: str,
    path: Path,
    card: Learned,
    teaching: Teaching,
    model: FoundModel | None,
) -> list[FoundTool]:
    parts = teaching.parts(card.collection.digest, card.collection.where, card.training.settings)
    learned = sum(part == "train" for part in parts.values())
    if not learned and model is None:
        return []
    owner = model.name if model else ""
    digest = digest_of_file(path)
    return [FoundTool(kind=kind, name=name, path=str(path), digest=digest, learned=learned, model=owner)]


def _card(load: Any, path: Path) -> Learned | None:
    try:
        card: Learned = load(path).card
    except LimnerError:
        return None
    return card


def _used(
    collection: Collection, where: Sequence[str], settings: Mapping[str, Any], consents: Sequence[Consent]
) -> list[Row]:
    """The rows that a training with these conditions used, or may have used; all where that cannot be told any more."""
    try:
        rows = collection.rows(where)
    except CollectionError:
        return collection.rows()
    if not settings.get("only_cleared"):
        return rows
    # What was held back may have been released by a consent that counted then.
    return [row for row in rows if not row.held or any(_releases(one, row) for one in consents)]


def _releases(consent: Consent, row: Row) -> bool:
    key = row.pixel_sha256 if consent.subject.kind == "picture" else creator_key(row.creator)
    return Scope.TRAIN in consent.scopes and consent.subject.key == key


def _part(split: str | None) -> _Part:
    return "train" if split == "train" else "holdout" if split == "holdout" else ""
