"""Soft bindings: the values in a manifest by which a copy that lost its papers is led back to them.

C2PA specification 2.2, section 18.10 (soft binding): a value for each algorithm, as bytes, over the whole picture.
limner's algorithms are not on the list that C2PA keeps, so they bear names of limner's own and each assertion says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from limner.papers.c2pa.claims import mappings
from limner.papers.registry.fingerprints import Fingerprints

LABEL = "c2pa.soft-binding"
LOOK, LAYOUT = "org.limner.fingerprint.pdq.1", "org.limner.fingerprint.layout.1"

_NOTE = "not on the C2PA list of soft binding algorithms"


def soft_bindings(values: Sequence[tuple[str, bytes]]) -> list[dict[str, Any]]:
    """The assertions for a manifest, one a value: of each the name of its algorithm, and the value of the picture."""
    # JSON, which is all that the library (0.38.1) takes, has no bytes: it writes a list as an array of numbers.
    return [
        {
            "label": LABEL,
            "data": {
                "alg": algorithm,
                "blocks": [{"scope": {}, "value": list(value)}],
                **({"name": _NOTE} if algorithm.startswith("org.limner.") else {}),
            },
        }
        for algorithm, value in values
    ]


def of_fingerprints(prints: Fingerprints) -> list[tuple[str, bytes]]:
    """The fingerprints of a picture as values for `soft_bindings`; fewer for one that is too plain."""
    found = ((LOOK, prints.look), (LAYOUT, prints.layout))
    return [(algorithm, value) for algorithm, value in found if value is not None]


def value_in(assertions: Mapping[str, Any], algorithm: str) -> bytes | None:
    """The value that a manifest's soft bindings hold for an algorithm; None where there is none, or a damaged one."""
    for label, data in assertions.items():
        if label.partition("__")[0] != LABEL or not isinstance(data, dict) or data.get("alg") != algorithm:
            continue
        value = next((block.get("value") for block in mappings(data.get("blocks"))), None)
        if isinstance(value, list) and all(isinstance(one, int) and 0 <= one < 256 for one in value):
            return bytes(value)
    return None
