"""What was measured when a work was worked on elsewhere, in words: every sentence about a retouch is made here.

Strangers' manifests may hold anything under these names, so no value has a sure type.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from limner.papers.c2pa.claims import mapping, mappings
from limner.papers.verify.names import quoted

_BY = {"hand": "by hand, says the artist", "generator": "with a generator, says the artist"}
_UNSAID = "how is not said"


def retouches_in(generation: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The retouches that limner's assertion in a manifest tells of, the first one first."""
    now = mapping(mapping(generation.get("edition")).get("retouch"))
    return [*mappings(generation.get("retouches")), *([now] if now else [])]


def retouch_words(record: Mapping[str, Any]) -> str:
    """What was measured and what the artist says, in one line; `record` as papers and ledger hold it."""
    said = measured_words(record) or ["no part changed by more than saving explains"]
    note = f"; in the artist's words: {quoted(str(record['note']))}" if record.get("note") else ""
    return f"{'; '.join(said)} ({by_words(record)}{note})"


def by_words(record: Mapping[str, Any]) -> str:
    """How it was done, as the artist says, or that it is not said."""
    return _BY.get(str(record.get("by")), _UNSAID)


def measured_words(record: Mapping[str, Any]) -> list[str]:
    """What was measured, one thing an entry; empty where no pixel moved or changed."""
    if "changed" not in record:
        reason = quoted(str(record.get("reason", "")))
        return [f"not measured, for the file does not show the work; the artist's reason: {reason}"]
    added, said = _number(record, "added"), []
    inside = _number(record, "changed") - added
    if inside > 0:
        said.append(
            f"{_share(inside)} of the picture changed, there by {_number(record, 'mean_there'):g} levels of 255"
        )
    if added >= 0.0005:
        said.append(f"{_share(added)} lies outside of the former picture and is new")
    if _number(record, "colours"):
        said.append(f"colours changed all over, by {_number(record, 'colours'):g} levels on average")
    if not said and _number(record, "mean") >= 3:
        said.append(f"all of it differs a little, by {_number(record, 'mean'):g} levels on average")
    if (kept := _number(record, "kept", 1)) < 0.999:
        said.append(f"cropped: {_share(kept)} of the former picture is left")
    if record.get("mirrored") is True:
        said.append("mirrored")
    if abs(_number(record, "angle")) >= 0.05:
        said.append(f"turned by {_number(record, 'angle'):g} degrees")
    if abs(_number(record, "scale", 1) - 1) >= 0.004:
        said.append(f"scaled to {_number(record, 'scale', 1):.0%}")
    return said


def _number(record: Mapping[str, Any], name: str, otherwise: float = 0.0) -> float:
    value = record.get(name)
    return float(value) if isinstance(value, int | float) and abs(value) < 1e6 else otherwise


def _share(value: float) -> str:
    return f"{value:.2%}" if value < 0.01 else f"{value:.1%}"
