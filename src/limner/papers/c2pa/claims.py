"""What a manifest claims, taken from the JSON of the C2PA library: strangers wrote it, so no value has a sure type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

Trust = Literal["own", "anchor", "none"]
"""Why a signer's name can be believed: a root of one's own, a trust anchor, or not at all."""


def mapping(value: Any) -> dict[str, Any]:
    """`value` where it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def mappings(value: object) -> list[dict[str, Any]]:
    """The mappings in a list; none where `value` is no list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def text(value: object) -> str | None:
    """`value` where it is text."""
    return value if isinstance(value, str) else None


def claim_of(manifest: dict[str, Any]) -> dict[str, Any]:
    """The claim of a manifest, of either version."""
    return mapping(manifest.get("claim.v2") or manifest.get("claim"))


def tool_of(claim: dict[str, Any]) -> str | None:
    """Name and version of the program that made a claim, as it says."""
    info = claim.get("claim_generator_info")
    info = mapping(info[0] if isinstance(info, list) and info else info)
    return " ".join(str(info[name]) for name in ("name", "version") if name in info) or None


def actions_in(assertions: object) -> Iterator[dict[str, Any]]:
    """The actions that a manifest lists, in its order."""
    for label, assertion in mapping(assertions).items():
        if label.startswith("c2pa.actions"):
            yield from mappings(mapping(assertion).get("actions"))


def trust_of(results: dict[str, Any]) -> Trust:
    """Why the signer's name can be believed, by the library's results for a manifest."""
    for one in mappings(results.get("success")):
        if one.get("code") == "signingCredential.trusted":
            # The library says by this word alone under which of the roots that it was given the certificate lies.
            return "own" if "user_anchors" in str(one.get("explanation")) else "anchor"
    return "none"
