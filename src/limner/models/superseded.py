"""Models that were superseded: what the ledger says of them, and that nobody paints with them without a reason.

A model is superseded where a picture that it learned from was withdrawn. What descends from it is superseded with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from limner.errors import ModelError, UsageError
from limner.ledger import Entry, Ledger
from limner.models.bundle import Model, find_model, load_model
from limner.text import one_line
from limner.workspace import Workspace

SUPERSEDE, USE_SUPERSEDED = "supersede", "use superseded"
"""The acts by which a model is marked, and by which an artist uses one all the same."""
OPTION = "--allow-superseded"


@dataclass(frozen=True)
class Superseded:
    """What the ledger says of a superseded model.

    Attributes:
        model: digest of the model that was marked: the one that was asked for, or one that it descends from.
        name: what that was called.
        reason: why, in one line.
        replaced_by: name of the model to use instead; empty where there is none yet.
        since: when it was marked first, UTC, ISO 8601.
        act: number of the act that marked it last.
    """

    model: str
    name: str
    reason: str
    replaced_by: str
    since: str
    act: int


def superseding(
    model: str, name: str, reason: str, *, replaced_by: str = "", replacement: str = "", **more: Any
) -> Entry:
    """The act that marks a model.

    Args:
        model: its digest, as all digests here.
        replaced_by, replacement: name and digest of the model to use instead, where there is one.
        more: what else the act is to say; plain JSON.
    """
    outputs = [replacement] if replacement else []
    how = {"name": name, "reason": reason, "replaced_by": replaced_by, **more}
    return Entry("artist", SUPERSEDE, [model], outputs, how)


def superseded(ledger: Ledger, model: str, parents: Iterable[str] = ()) -> Superseded | None:
    """What is said of a model, or of one that it descends from; None where it may be used.

    Args:
        model: sha256 of its file, with or without `sha256:`.
        parents: those of its card.
    """
    acts = ledger.acts(what=SUPERSEDE)
    for digest in (_named(model), *map(_named, parents)):
        own = [act for act in acts if digest in act.inputs]
        if own:
            said = {name: str(own[-1].parameters.get(name, "")) for name in ("name", "reason", "replaced_by")}
            return Superseded(digest, **said, since=own[0].time, act=own[-1].id)
    return None


def superseded_here(workspace: Workspace, model: str, parents: Iterable[str] = ()) -> Superseded | None:
    """The same by a workspace's ledger, which is not made for the question."""
    if not workspace.ledger.is_file():
        return None
    return superseded(Ledger.open(workspace.ledger), model, parents)


def load_usable(reference: str, workspace: Workspace, allow: str | None = None) -> tuple[Model, dict[str, Any]]:
    """A model by its name or file, to paint or to learn with, and what papers say of one that is superseded.

    Args:
        allow: why it is used although it is superseded; recorded in the ledger.

    Raises:
        ModelError: there is none, its file is damaged, or it is superseded and nothing allows it.
        UsageError: the reason is empty.
    """
    if allow is not None and not allow.strip():
        raise UsageError(f"{OPTION} ''", "is an empty reason", "say why this model is used all the same")
    model = load_model(find_model(reference, workspace))
    return model, allowed(model, workspace, allow)


def allowed(model: Model, workspace: Workspace, allow: str | None) -> dict[str, Any]:
    """What papers say of the use of a superseded model; empty for any other.

    Raises:
        ModelError: it is superseded and nothing allows it.
    """
    found = superseded_here(workspace, model.digest, model.card.parents)
    if found is None:
        return {}
    if allow is None:
        raise ModelError(model.name, _why(found, model), _instead(found))
    reason = one_line(allow, 1000)
    own = f"sha256:{model.digest}"
    how = {"name": model.name, "reason": reason, "superseded_by_act": found.act}
    Ledger.open(workspace.ledger).record("artist", USE_SUPERSEDED, inputs=[own], parameters=how)
    said = {"since": found.since[:10], "why": found.reason, "used_because": reason}
    return said | ({"replaced_by": found.replaced_by} if found.replaced_by else {})


def check_tool(name: str, digest: str, workspace: Workspace, remedy: str) -> None:
    """Refuse a translator or an up-scaler that was superseded.

    Raises:
        ModelError: it was.
    """
    if (found := superseded_here(workspace, digest)) is not None:
        raise ModelError(name, f"was superseded on {found.since[:10]}: {one_line(found.reason, 300)}", remedy)


def _why(found: Superseded, model: Model) -> str:
    through = "" if found.model == f"sha256:{model.digest}" else f" with {found.name}, from which it descends"
    return f"was superseded on {found.since[:10]}{through}: {one_line(found.reason, 300)}"


def _instead(found: Superseded) -> str:
    use = f"use {found.replaced_by}, or" if found.replaced_by else "train it anew, or"
    return f'{use} say why with {OPTION} "REASON"'


def _named(digest: str) -> str:
    return f"sha256:{digest.removeprefix('sha256:')}"
