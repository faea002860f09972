"""What a picture's watermark says, as a layer of a verdict; in words that claim no more than a mark can.

A mark names a work. It outlives a signature, but it can be copied onto another picture: it says where to look.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from limner.errors import PapersError
from limner.papers.marking import carries_mark, read_mark
from limner.papers.registry import Edition, work_name
from limner.papers.verdict import Layer, LayerState, Verdict

if TYPE_CHECKING:
    from limner.papers.registry import Registry

__all__ = ["with_mark"]

_NAME = "watermark"
_AFTER = 2
"""Its place: after C2PA and XMP."""
_LIMITS = "A mark can be copied onto another picture: it says where to look, and proves nothing alone."


def with_mark(verdict: Verdict, pixels: NDArray[np.uint8], registry: Registry | None) -> Verdict:
    """The verdict with what the picture's watermark says; its state stays what it was.

    Args:
        verdict: of the file's papers, and of the registry's likenesses where that was asked.
        pixels: the file's. # uint8 [h, w, 3]
        registry: knows works by their numbers.
    """
    read = read_mark(pixels)
    if read.message is None:
        why = "though the papers name one" if verdict.mark else "" if carries_mark(pixels) else "the picture is small"
        return _with(verdict, "none", "none that limner's public key reads" + (f", {why}" if why else ""), "Nothing.")
    work = work_name(read.message)
    told = {"work": work, "evidence": round(read.evidence, 1), "as_papers_say": verdict.mark == work}
    if verdict.mark == work:
        state: LayerState = "valid" if verdict.genuine else "unsigned"
        return _with(verdict, state, f"names work {work}, as the papers do", _LIMITS, told)
    edition = _known(read.message, registry)
    if edition is None:
        summary = f"{verdict.summary}; carries the mark of work {work}, which is not registered here"
        return _with(verdict, "unsigned", f"names work {work}, which is not registered here", _LIMITS, told, summary)
    published = f'published by "{edition.signer_name}" on {edition.time[:10]}'
    holds = f'names work {work}, "{edition.title}" by {edition.creator}, {published}'
    summary = f"{_without_likeness(verdict, work)}; carries the mark of work {work}, {published}"
    if verdict.state == "none":
        summary += "; if it is that work, its signature was stripped"
    proves = f"{_LIMITS} Its papers as published: limner registry show {work}"
    return _with(verdict, "unsigned", holds, proves, told, summary)


def _with(
    verdict: Verdict,
    state: LayerState,
    holds: str,
    proves: str,
    told: dict[str, Any] | None = None,
    summary: str | None = None,
) -> Verdict:
    papers, others = verdict.layers[:_AFTER], verdict.layers[_AFTER:]
    layers = (*papers, Layer(_NAME, state, holds, proves), *others)
    return replace(verdict, layers=layers, watermark=told, summary=verdict.summary if summary is None else summary)


def _known(work: int, registry: Registry | None) -> Edition | None:
    try:
        editions = registry.work(work) if registry is not None else []
    except PapersError:
        return None
    return editions[0] if editions else None


def _without_likeness(verdict: Verdict, work: str) -> str:
    """The summary without the registry's guess where the mark says the same, and says it better."""
    same = verdict.registry is not None and verdict.registry.get("work") == work
    return verdict.summary.partition("; looks like work")[0] if same else verdict.summary
