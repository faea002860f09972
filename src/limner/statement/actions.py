"""The actions of the manifests that a work's file keeps, one by one, the oldest picture first."""

from __future__ import annotations

from typing import Any

from limner.papers.c2pa.claims import actions_in, claim_of, mapping, mappings, text
from limner.statement.record import ActionSaid
from limner.statement.wording import ACTIONS

_MOST = 60


def actions_said(store: dict[str, Any]) -> tuple[ActionSaid, ...]:
    """Every action, as the manifests say it.

    Args:
        store: as `limner.papers.c2pa.library.read_store` gives it.
    """
    manifests = mappings(store.get("manifests"))
    # A manifest comes after those that it keeps: by the moment that its first action names.
    ordered = sorted(manifests, key=lambda one: (one.get("label") == store.get("active"), _moment(one)))
    found: list[ActionSaid] = []
    for manifest in ordered:
        assertions, title = mapping(manifest.get("assertions")), text(claim_of(manifest).get("dc:title"))
        for action in actions_in(assertions):
            found.append(_said(action, title or "a picture without a title", assertions))
    return tuple(found[:_MOST])


def _moment(manifest: dict[str, Any]) -> str:
    return next((when for one in actions_in(manifest.get("assertions")) if (when := text(one.get("when")))), "")


def _said(action: dict[str, Any], picture: str, assertions: dict[str, Any]) -> ActionSaid:
    name = text(action.get("action")) or "?"
    source = text(action.get("digitalSourceType")) or ""
    named = mappings(mapping(action.get("parameters")).get("ingredients"))
    labels = [(text(one.get("url")) or "").rsplit("/", 1)[-1] for one in named]
    titles = [text(mapping(assertions.get(label)).get("dc:title")) or label for label in labels]
    return ActionSaid(
        picture=picture,
        action=name,
        meaning=ACTIONS.get(name, "an action of another program"),
        source_type=source.rstrip("/").rsplit("/", 1)[-1],
        description=text(action.get("description")) or "",
        when=text(action.get("when")) or "",
        made_of=tuple(titles),
    )
