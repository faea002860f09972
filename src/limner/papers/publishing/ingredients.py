"""A picture's file as an ingredient of a work: what was found on it, and its manifest where that holds."""

from __future__ import annotations

from limner.digests import digest_of
from limner.papers.c2pa.ingredients import Found, Ingredient, Relationship
from limner.papers.c2pa.parts import Parts, take_apart
from limner.papers.c2pa.store import manifest_store
from limner.papers.c2pa.xmp import XmpSeen
from limner.papers.verify.verdict import Verdict

_MOST_KEPT = 1 << 20
"""Bytes of a manifest that is kept; a larger one would outweigh the work, and is named."""
_LONGEST = 200


def ingredient_of(data: bytes, verdict: Verdict, relationship: Relationship = "inputTo") -> Ingredient:
    """A picture's file as an ingredient, with its manifest where that holds."""
    parts = take_apart(data)
    seen = verdict.xmp or XmpSeen()
    found = _found(verdict, parts, seen)
    digest = digest_of(data)
    source = "trainedAlgorithmicMedia" if verdict.generated else None
    if source is None and seen.source_type:
        source = seen.source_type.rsplit("/", 1)[-1][:_LONGEST]
    if found != "valid" or verdict.signer is None:
        return Ingredient(digest, relationship, found, parts.kind, source_type=source)
    light = len(manifest_store(data, parts.kind) or b"") <= _MOST_KEPT
    return Ingredient(
        digest,
        relationship,
        found,
        parts.kind,
        title=verdict.title and verdict.title[:_LONGEST],
        signer=verdict.signer.name[:_LONGEST],
        tool=verdict.tool and verdict.tool[:_LONGEST],
        source_type=source,
        file=data if light else None,
    )


def _found(verdict: Verdict, parts: Parts, seen: XmpSeen) -> Found:
    if verdict.genuine:
        return "valid"
    says = (seen.source_type, seen.creator, seen.credit, seen.rights, seen.mining)
    return "unverified" if verdict.state in ("tampered", "invalid") or parts.has_manifest or any(says) else "none"
