"""The pictures that a picture's manifest was built on: what of them it keeps, and whether that is unchanged."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

from limner.papers.c2pa.structure import manifests_in

__all__ = ["Earlier", "chain_of", "fault_in_chain", "says_when"]

_DEEPEST, _MOST = 16, 200
_HARMLESS = "signingCredential.untrusted"
_PLACE = "self#jumbf=/c2pa/"


@dataclass(frozen=True)
class Earlier:
    """A picture that another was made from, as the signed manifest of that other keeps or names it.

    Attributes:
        relationship: in C2PA's words: `parentOf` (a former edition), `inputTo`, `componentOf`.
        depth: 1 for what the picture itself was made from, 2 for what that was made from, and so on.
        kept: whether its own manifest is kept here, and is unchanged.
        was_valid: whether that was valid when it was taken in, as whoever signed what it went into says.
        title, signer, tool: as its own manifest says, where that is kept; else `title` as it is called.
        trust: why the signer's name can be believed: `own` and `anchor` as in a verdict, or `none`.
        time, time_stamped: when it was signed, by a time-stamp or else by its maker's clock, ISO 8601.
        note: what is said of it.
    """

    relationship: str
    depth: int
    kept: bool
    was_valid: bool
    title: str | None = None
    signer: str | None = None
    tool: str | None = None
    trust: Literal["own", "anchor", "none"] = "none"
    time: str | None = None
    time_stamped: bool = False
    note: str | None = None


def chain_of(store: dict[str, Any]) -> tuple[Earlier, ...]:
    """Every earlier picture that the manifests in `store` (as `read_store` gives it) tell of, each before its own."""
    manifests = _by_label(store)
    found: list[Earlier] = []
    met: set[str] = set()

    def follow(label: str, depth: int) -> None:
        met.add(label)
        for ingredient in _ingredients(manifests.get(label, {})):
            if len(found) >= _MOST or depth > _DEEPEST:
                return
            below = _target(ingredient) or ""
            found.append(_earlier(ingredient, manifests.get(below), _mapping(store.get("times")).get(below), depth))
            if below in manifests and below not in met:
                follow(below, depth + 1)

    follow(str(store.get("active")), 1)
    return tuple(found)


def fault_in_chain(data: bytes, kind: str | None, store: dict[str, Any], own: str) -> str:
    """What is wrong with the earlier manifests that a work of limner keeps; empty where nothing is.

    The C2PA library reads them and writes them anew before it hashes them; here the bytes in the file are hashed.

    Args:
        data: the work's file, of this `kind`.
        store: as `read_store` gives it.
        own: label of the assertion by which manifests of limner are told.
    """
    bodies = manifests_in(data, kind)
    by_label = dict(bodies)
    if not bodies:  # a format that limner does not write
        return ""
    if len(by_label) != len(bodies) or bodies[-1][0] != store.get("active"):
        return "manifests that do not fit together"
    manifests = _by_label(store)
    reached, waiting = set(), [bodies[-1][0]]
    while waiting:
        label = waiting.pop()
        if label in reached:
            continue
        reached.add(label)
        manifest = manifests.get(label, {})
        for ingredient in _ingredients(manifest):
            below = _target(ingredient)
            if below is None:
                continue
            if own in _mapping(manifest.get("assertions")) and sha256(by_label.get(below, b"")).digest() != _hash(
                ingredient
            ):
                return "an earlier manifest that was changed"
            waiting.append(below)
    return "" if reached >= set(by_label) else "a manifest that nothing refers to"


def says_when(manifest: dict[str, Any]) -> str | None:
    """When a picture was made or changed first, as the actions of its manifest say; its maker's clock."""
    for label, assertion in _mapping(manifest.get("assertions")).items():
        if label.startswith("c2pa.actions"):
            for action in _list(_mapping(assertion).get("actions")):
                if when := _text(_mapping(action).get("when")):
                    return when
    return None


def _earlier(ingredient: dict[str, Any], manifest: dict[str, Any] | None, stamp: object, depth: int) -> Earlier:
    told: dict[str, Any] = {
        "relationship": _text(ingredient.get("relationship")) or "?",
        "depth": depth,
        "title": _text(ingredient.get("dc:title")),
        "note": _text(ingredient.get("description")),
    }
    if manifest is None:
        return Earlier(**told, kept=False, was_valid=False)
    claim = _mapping(manifest.get("claim.v2") or manifest.get("claim"))
    subject = _mapping(_mapping(_mapping(manifest.get("signature")).get("certificateInfo")).get("subject"))
    results = _mapping(manifest.get("validationResults"))
    return Earlier(
        **{**told, "title": _text(claim.get("dc:title")) or told["title"]},
        kept=not _list(results.get("failure")),
        was_valid=_was_valid(ingredient),
        signer=_text(subject.get("CN")),
        tool=_tool(claim),
        trust=_trust(results),
        time=_text(stamp) or says_when(manifest),
        time_stamped=isinstance(stamp, str),
    )


def _was_valid(ingredient: dict[str, Any]) -> bool:
    """Whether nothing failed when it was taken in but that nobody vouched for its signer."""
    results = _mapping(_mapping(ingredient.get("validationResults")).get("activeManifest"))
    failures = [*_list(results.get("failure")), *_list(ingredient.get("validationStatus"))]
    return all(_mapping(one).get("code") == _HARMLESS for one in failures)


def _trust(results: dict[str, Any]) -> Literal["own", "anchor", "none"]:
    for one in _list(results.get("success")):
        if _mapping(one).get("code") == "signingCredential.trusted":
            return "own" if "user_anchors" in str(_mapping(one).get("explanation")) else "anchor"
    return "none"


def _tool(claim: dict[str, Any]) -> str | None:
    info = claim.get("claim_generator_info")
    info = _mapping(info[0] if isinstance(info, list) and info else info)
    return " ".join(str(info[name]) for name in ("name", "version") if name in info) or None


def _by_label(store: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {str(_mapping(one).get("label")): _mapping(one) for one in _list(store.get("manifests"))}


def _ingredients(manifest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for label, assertion in _mapping(manifest.get("assertions")).items():
        if label.startswith("c2pa.ingredient"):
            yield _mapping(assertion)


def _reference(ingredient: dict[str, Any]) -> dict[str, Any]:
    return _mapping(ingredient.get("activeManifest") or ingredient.get("c2pa_manifest"))


def _target(ingredient: dict[str, Any]) -> str | None:
    url = _text(_reference(ingredient).get("url"))
    return url.removeprefix(_PLACE) if url and url.startswith(_PLACE) else None


def _hash(ingredient: dict[str, Any]) -> bytes:
    told = _text(_reference(ingredient).get("hash")) or ""
    try:
        return b64decode(told.removeprefix("b64'").removesuffix("'"), validate=True)
    except binascii.Error:
        return b""


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
