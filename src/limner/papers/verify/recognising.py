"""What leads from a picture to a registered work without trusting its papers: marks in the pixels, and likeness."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from limner.digests import digest_of
from limner.errors import PapersError
from limner.papers.c2pa.structure import signer_of_store
from limner.papers.registry.store import Edition, work_name
from limner.papers.verify.findings import (
    Findings,
    Lead,
    MarkFinding,
    MarkFound,
    ModelMark,
    RegistryFinding,
    RegistryFound,
)
from limner.papers.watermark import SMALLEST, Prepared
from limner.papers.watermark.marking import read_mark, read_model_watermark

if TYPE_CHECKING:
    from limner.papers.registry.registry import Registry
    from limner.papers.watermark.keys import MarkKey


def read_watermark(
    found: Findings, picture: Prepared, registry: Registry | None, keys: Sequence[MarkKey] = ()
) -> MarkFinding:
    """What a picture's watermark says."""
    read, key = read_mark(picture), None
    for one in keys:
        if read.message is None and (own := read_mark(picture, one.secret)).message is not None:
            read, key = own, one.fingerprint
    if read.message is None:
        return MarkFinding(_why_none(found, picture))
    work, edition, reason = work_name(read.message), None, ""
    if found.mark == work:
        return MarkFinding(MarkFound.AS_PAPERS_SAY, work, read.statistic, key)
    try:
        edition = next(iter(registry.work(read.message)), None) if registry is not None else None
        state = MarkFound.REGISTERED if edition else MarkFound.UNREGISTERED
    except PapersError as error:
        state, reason = MarkFound.NOT_ASKED, error.reason
    return MarkFinding(state, work, read.statistic, key, edition, reason)


def _why_none(found: Findings, picture: Prepared) -> MarkFound:
    if found.mark:
        return MarkFound.PRIVATE if found.generation.get("mark_key") else MarkFound.NAMED_ONLY
    return MarkFound.TOO_SMALL if min(picture.height, picture.width) < SMALLEST else MarkFound.NONE


def read_model_mark(found: Findings, picture: Prepared) -> ModelMark | None:
    """The mark that a model put into the picture while it painted; None where none is read and the papers name none."""
    parameters = found.generation.get("parameters")
    named = parameters.get("model_watermark") if isinstance(parameters, dict) else None
    read = read_model_watermark(picture)
    if read.message is None and named is None:
        return None
    return ModelMark(work_name(read.message) if read.message is not None else None, named)


def looked_up(
    data: bytes,
    pixels: NDArray[np.uint8],
    registry: Registry,
    made_from: Callable[[Edition], Sequence[str]],
) -> RegistryFinding:
    """What the registry knows of works that look like a picture whose papers are gone or no longer fit.

    Args:
        pixels: the file's. # uint8 [h, w, 3]
        made_from: digests of what an edition was made from, as its papers say.
    """
    try:
        match = registry.find(pixels)
        if match is None:
            return RegistryFinding(RegistryFound.NOTHING, works=len(registry))
    except PapersError as error:
        return RegistryFinding(RegistryFound.NOT_ASKED, reason=error.reason)
    state = RegistryFound.ALIKE
    if not _fits(match.edition):
        state = RegistryFound.UNFIT
    elif digest_of(data) in made_from(match.edition):
        state = RegistryFound.SOURCE
    return RegistryFinding(state, match.edition, match)


def contesting(found: Findings, data: bytes, pixels: NDArray[np.uint8], registry: Registry) -> RegistryFinding | None:
    """What the registry knows of another signer for the work that a signed file is or claims to be; None if nothing.

    Asked whatever the file says of itself. Another signer for the number that papers or watermark name is a finding;
    likeness alone, which is no proof, becomes a layer and changes no verdict.
    """
    signer = found.signer
    if signer is None or signer.trust == "own":
        return None
    try:
        if registry.with_digest(digest_of(data)):
            return None
        known = _known_works(found, pixels, registry)
    except PapersError as error:
        return RegistryFinding(RegistryFound.NOT_ASKED, reason=error.reason)
    if not known or any(one.signer == signer.fingerprint for editions in known.values() for one in editions):
        return None
    lead, editions = next(iter(known.items()))
    state = RegistryFound.OTHER_SIGNER if _fits(editions[0]) else RegistryFound.UNFIT
    return RegistryFinding(state, editions[0], lead=lead)


def _known_works(found: Findings, pixels: NDArray[np.uint8], registry: Registry) -> dict[Lead, list[Edition]]:
    """The registered editions of the work that a signed file is or claims to be, by what leads to them."""
    named = {Lead.PAPERS: found.mark, Lead.WATERMARK: found.mark_read.work if found.mark_read else None}
    known = {lead: editions for lead, name in named.items() if name and (editions := registry.work(name))}
    if not known and (match := registry.find(pixels)) is not None and not match.others:
        known[Lead.LIKENESS] = registry.work(match.edition.work)
    return known


def _fits(work: Edition) -> bool:
    return signer_of_store(work.manifest) == work.signer
