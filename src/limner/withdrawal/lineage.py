"""The models of a workspace and what each came from: by their cards, and by the ledger where a file is gone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from limner.errors import ModelError
from limner.ledger import Act, Ledger
from limner.models.bundle import SHIPPED, read_card
from limner.models.card import Card
from limner.models.files import sha256_of
from limner.workspace import Workspace

_TRAIN, _MERGE, _WATERMARK = "train", "merge", "watermark"


@dataclass(frozen=True)
class Known:
    """A model that is known here, with its file or by the ledger alone. # digests in hexadecimal, without `sha256:`

    Attributes:
        collection: digest of what it learned from itself; empty for what was merged or marked.
        where: the conditions that chose a part of it.
        settings: the options of its training.
        parents: all that it descends from, the first one first.
    """

    digest: str
    name: str
    path: Path | None = None
    card: Card | None = None
    collection: str = ""
    collection_name: str = ""
    where: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    parents: tuple[str, ...] = ()

    @property
    def ships(self) -> bool:
        """Whether it came with limner."""
        return self.path is not None and self.path.parent == SHIPPED


def known_models(workspace: Workspace, ledger: Ledger) -> dict[str, Known]:
    """All models that cards and ledger name, by digest; what they descend from stands before them."""
    found: dict[str, Known] = {}
    for folder in (workspace.models, SHIPPED):
        for path in sorted(folder.glob("*.safetensors")):
            try:
                card = read_card(path)
            except ModelError:
                continue
            one = _of_card(path, card)
            found.setdefault(one.digest, one)
    for what in (_TRAIN, _MERGE, _WATERMARK):
        for act in ledger.acts(what=what):
            for one in _of_act(act):
                found.setdefault(one.digest, one)
    for one in list(found.values()):
        for ghost in _merged_from(one):
            found.setdefault(ghost.digest, ghost)
    return _in_order(found)


def ancestors(digest: str, models: Mapping[str, Known]) -> set[str]:
    """Digests of all that a model descends from."""
    found: set[str] = set()
    waiting = [digest]
    while waiting:
        one = models.get(waiting.pop())
        fresh = {parent for parent in one.parents if parent not in found} if one else set()
        found |= fresh
        waiting += fresh
    return found


def _of_card(path: Path, card: Card) -> Known:
    settings, note = card.training.settings, card.collection
    # What was merged or marked learned nothing from pictures itself; its card repeats what its parents learned from.
    own = "merge" not in settings and not (card.model_watermark and not settings.get("model_watermark"))
    return Known(
        digest=sha256_of(path),
        name=path.stem,
        path=path,
        card=card,
        collection=note.digest if own else "",
        collection_name=note.name,
        where=note.where,
        settings=settings,
        parents=card.parents,
    )


def _of_act(act: Act) -> Iterable[Known]:
    """The models that an act made, as far as it says what they are."""
    inputs = [one.removeprefix("sha256:") for one in act.inputs]
    for output in act.outputs:
        digest, how = output.removeprefix("sha256:"), act.parameters
        name = str(how.get("name") or f"model {digest[:12]}")
        if act.what == _TRAIN and inputs:
            where = tuple(map(str, how.get("where") or ()))
            yield Known(digest, name, None, None, inputs[0], "", where, how, tuple(inputs[1:]))
        else:
            yield Known(digest, name, settings=how, parents=tuple(inputs))


def _merged_from(one: Known) -> Iterable[Known]:
    """What the card of a merged model says of its parents, whose files may be gone."""
    merge = one.settings.get("merge") if one.card else None
    for parent in merge.get("of", ()) if isinstance(merge, dict) else ():
        note = parent.get("collection") or {}
        where = tuple(map(str, note.get("where") or ()))
        yield Known(
            str(parent.get("digest")), str(parent.get("name")), None, None, str(note.get("digest", "")),
            str(note.get("name", "")), where,
        )  # fmt: skip


def _in_order(models: Mapping[str, Known]) -> dict[str, Known]:
    ordered: dict[str, Known] = {}

    def put(one: Known, above: Sequence[str]) -> None:
        for parent in one.parents:
            if parent in models and parent not in ordered and parent not in above:
                put(models[parent], (*above, one.digest))
        ordered[one.digest] = one

    for one in models.values():
        if one.digest not in ordered:
            put(one, ())
    return ordered
