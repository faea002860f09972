"""What a picture's watermark says, as a layer of a verdict; in words that claim no more than a mark can.

A mark names a work. It outlives a signature, but it can be copied onto another picture: it says where to look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from limner.errors import PapersError
from limner.papers.registry.registry import Edition, work_name
from limner.papers.verify.names import quoted
from limner.papers.verify.verdict import Layer, LayerState, Verdict
from limner.papers.watermark import SMALLEST, Prepared
from limner.papers.watermark.marking import read_mark, read_model_watermark

if TYPE_CHECKING:
    from limner.papers.registry.registry import Registry
    from limner.papers.watermark.keys import MarkKey

__all__ = ["with_mark"]

_NAME, _MODEL = "watermark", "model mark"
_AFTER = 2
"""Its place: after C2PA and XMP."""
_LIMITS = "A mark can be copied onto another picture: it says where to look, and proves nothing alone."


def with_mark(
    verdict: Verdict, pixels: NDArray[np.uint8], registry: Registry | None, keys: Sequence[MarkKey] = ()
) -> Verdict:
    """The verdict with what the picture's watermark says; its state stays what it was.

    Args:
        verdict: of the file's papers, and of the registry's likenesses where that was asked.
        pixels: the file's. # uint8 [h, w, 3]
        registry: knows works by their numbers.
        keys: of the reader's own, by which a mark is looked for where the public key reads none.
    """
    picture = Prepared(pixels)
    return _with_model_mark(_with_own_mark(verdict, picture, registry, keys), picture)


def _with_own_mark(verdict: Verdict, picture: Prepared, registry: Registry | None, keys: Sequence[MarkKey]) -> Verdict:
    read, key = read_mark(picture), None
    for one in keys:
        if read.message is None and (found := read_mark(picture, one.secret)).message is not None:
            read, key = found, one.fingerprint
    if read.message is None:
        return _with(verdict, "none", f"none that limner's public key reads{_why_none(verdict, picture)}", "Nothing.")
    work = work_name(read.message)
    told = {"work": work, "evidence": round(read.statistic, 1), "as_papers_say": verdict.mark == work}
    if key is not None:
        told["key"] = key
    if verdict.mark == work:
        state: LayerState = "valid" if verdict.genuine else "unsigned"
        by = f", read with the key {key} of this workspace" if key else ""
        return _with(verdict, state, f"names work {work}, as the papers do{by}", _LIMITS, told)
    try:
        edition = _known(read.message, registry)
    except PapersError as error:
        holds = f"names work {work}; the registry could not be asked ({error.reason})"
        return _with(verdict, "unsigned", holds, _LIMITS, told, f"{verdict.summary}; carries the mark of work {work}")
    if edition is None:
        summary = f"{verdict.summary}; carries the mark of work {work}, which is not registered here"
        return _with(verdict, "unsigned", f"names work {work}, which is not registered here", _LIMITS, told, summary)
    published = f"published by {quoted(edition.signer_name)} on {edition.time[:10]}"
    holds = f"names work {work}, {quoted(edition.title)} by {quoted(edition.creator)}, {published}"
    summary = f"{_without_likeness(verdict, work)}; carries the mark of work {work}, {published}"
    alike = verdict.registry is not None and verdict.registry.get("work") == work
    if verdict.state in ("none", "tampered") and not alike:
        summary += "; but it does not look like that work: it was cut or changed much, or the mark was copied"
    elif verdict.state == "none":
        summary += "; if it is that work, its signature was stripped"
    proves = f"{_LIMITS} Its papers as published: limner registry show {work}"
    return _with(verdict, "unsigned", holds, proves, told, summary)


def _why_none(verdict: Verdict, picture: Prepared) -> str:
    if verdict.mark and (key := verdict.generation.get("mark_key")):
        return f"; the papers name one of the publisher's own key {key}, which alone reads it"
    if verdict.mark:
        return ", though the papers name one"
    return ", the picture is small" if min(picture.height, picture.width) < SMALLEST else ""


def _with_model_mark(verdict: Verdict, picture: Prepared) -> Verdict:
    """The watermark that the model itself added while it painted; no layer where there is none."""
    parameters = verdict.generation.get("parameters")
    said = parameters.get("model_watermark") if isinstance(parameters, dict) else None
    read = read_model_watermark(picture)
    if read.message is None and said is None:
        return verdict
    if read.message is None:
        return _with(verdict, "none", "none is read, though the papers name one", "Nothing.", name=_MODEL)
    model = work_name(read.message)
    state: LayerState = "valid" if said == model and verdict.genuine else "unsigned"
    holds = f"a model whose mark is {model} painted it" + (", as the papers say" if said == model else "")
    summary = None if said == model else f"{verdict.summary}; carries the mark of a picture generator, {model}"
    return _with(verdict, state, holds, _LIMITS, summary=summary, name=_MODEL)


def _with(
    verdict: Verdict,
    state: LayerState,
    holds: str,
    proves: str,
    told: dict[str, Any] | None = None,
    summary: str | None = None,
    name: str = _NAME,
) -> Verdict:
    after = _AFTER + (name == _MODEL)
    papers, others = verdict.layers[:after], verdict.layers[after:]
    layers = (*papers, Layer(name, state, holds, proves), *others)
    told = verdict.watermark if name == _MODEL else told
    return replace(verdict, layers=layers, watermark=told, summary=verdict.summary if summary is None else summary)


def _known(work: int, registry: Registry | None) -> Edition | None:
    editions = registry.work(work) if registry is not None else []
    return editions[0] if editions else None


def _without_likeness(verdict: Verdict, work: str) -> str:
    """The summary without the registry's guess where the mark says the same, and says it better."""
    same = verdict.registry is not None and verdict.registry.get("work") == work
    return verdict.summary.partition("; looks like work")[0] if same else verdict.summary
