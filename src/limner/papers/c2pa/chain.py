"""The pictures that a picture's manifest was built on: what of them it keeps, and whether that is unchanged."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from limner.papers.c2pa.assets import Asset, asset_in
from limner.papers.c2pa.claims import Trust, actions_in, claim_of, mapping, mappings, text, tool_of, trust_of
from limner.papers.c2pa.provenance import GENERATION
from limner.papers.c2pa.structure import manifests_in

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
        note: what the manifest that it went into says of it.
    """

    relationship: str
    depth: int
    kept: bool
    was_valid: bool
    title: str | None = None
    signer: str | None = None
    tool: str | None = None
    trust: Trust = "none"
    time: str | None = None
    time_stamped: bool = False
    note: str | None = None


def chain_of(store: dict[str, Any]) -> tuple[Earlier, ...]:
    """Every earlier picture that the manifests in `store` (as `read_store` gives it) name, each before its own."""
    manifests = _by_label(store)
    found: list[Earlier] = []
    met: set[str] = set()

    def follow(label: str, depth: int) -> None:
        met.add(label)
        for ingredient in _ingredients(manifests.get(label, {})):
            if asset_in(ingredient) is not None:
                continue
            if len(found) >= _MOST or depth > _DEEPEST:
                return
            below = _target(ingredient) or ""
            found.append(_earlier(ingredient, manifests.get(below), mapping(store.get("times")).get(below), depth))
            if below in manifests and below not in met:
                follow(below, depth + 1)

    follow(str(store.get("active")), 1)
    return tuple(found)


def assets_in(store: dict[str, Any]) -> tuple[Asset, ...]:
    """The models and collections that the active manifest names as ingredients, or that of the edition before it."""
    manifests, label, met = _by_label(store), str(store.get("active")), set[str]()
    while label not in met:
        met.add(label)
        ingredients = list(_ingredients(manifests.get(label, {})))
        found = [one for one in map(asset_in, ingredients) if one is not None]
        if found:
            return tuple(found[:_MOST])
        parents = (one for one in ingredients if one.get("relationship") == "parentOf")
        label = next((_target(one) or "" for one in parents), "")
    return ()


def fault_in_chain(data: bytes, kind: str | None, store: dict[str, Any]) -> str:
    """What is wrong with the earlier manifests that a work of limner keeps; empty where nothing is.

    The C2PA library reads them and writes them anew before it hashes them; here the bytes in the file are hashed.

    Args:
        data: the work's file, of this `kind`.
        store: as `read_store` gives it.
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
            changed = sha256(by_label.get(below, b"")).digest() != _hash(ingredient)
            if changed and GENERATION in mapping(manifest.get("assertions")):  # other programs hash in other ways
                return "an earlier manifest that was changed"
            waiting.append(below)
    return "" if reached >= set(by_label) else "a manifest that nothing refers to"


def _earlier(ingredient: dict[str, Any], manifest: dict[str, Any] | None, stamp: object, depth: int) -> Earlier:
    named: dict[str, Any] = {
        "relationship": text(ingredient.get("relationship")) or "?",
        "depth": depth,
        "title": text(ingredient.get("dc:title")),
        "note": text(ingredient.get("description")),
    }
    if manifest is None:
        return Earlier(**named, kept=False, was_valid=False)
    claim = claim_of(manifest)
    subject = mapping(mapping(mapping(manifest.get("signature")).get("certificateInfo")).get("subject"))
    results = mapping(manifest.get("validationResults"))
    whens = (text(action.get("when")) for action in actions_in(manifest.get("assertions")))
    return Earlier(
        **{**named, "title": text(claim.get("dc:title")) or named["title"]},
        kept=not results.get("failure"),
        was_valid=_was_valid(ingredient),
        signer=text(subject.get("CN")),
        tool=tool_of(claim),
        trust=trust_of(results),
        time=text(stamp) or next(filter(None, whens), None),
        time_stamped=isinstance(stamp, str),
    )


def _was_valid(ingredient: dict[str, Any]) -> bool:
    """Whether nothing failed when it was taken in but that nobody vouched for its signer."""
    results = mapping(mapping(ingredient.get("validationResults")).get("activeManifest"))
    lists = (results.get("failure") or [], ingredient.get("validationStatus") or [])
    return all(isinstance(some, list) and all(mapping(one).get("code") == _HARMLESS for one in some) for some in lists)


def _by_label(store: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {str(one.get("label")): one for one in mappings(store.get("manifests"))}


def _ingredients(manifest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for label, assertion in mapping(manifest.get("assertions")).items():
        if label.startswith("c2pa.ingredient"):
            yield mapping(assertion)


def _reference(ingredient: dict[str, Any]) -> dict[str, Any]:
    return mapping(ingredient.get("activeManifest") or ingredient.get("c2pa_manifest"))


def _target(ingredient: dict[str, Any]) -> str | None:
    url = text(_reference(ingredient).get("url"))
    return url.removeprefix(_PLACE) if url and url.startswith(_PLACE) else None


def _hash(ingredient: dict[str, Any]) -> bytes:
    encoded = text(_reference(ingredient).get("hash")) or ""
    try:
        return b64decode(encoded.removeprefix("b64'").removesuffix("'"), validate=True)
    except binascii.Error:
        return b""
