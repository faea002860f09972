"""What the registry says of a picture without papers, or with papers that no longer fit: the third layer of a verdict.

The words here claim likeness and no more. Nobody signed this file; that it looks like a work proves nothing of who
made it or where it comes from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from limner.errors import PapersError
from limner.papers.c2pa.structure import signer_of_store
from limner.papers.verify.names import quoted
from limner.papers.verify.verdict import Layer, Verdict
from limner.papers.verify.wording import source_words

if TYPE_CHECKING:
    from limner.papers.registry.registry import Edition, Match, Registry

__all__ = ["contested", "found_words", "recognised"]

_NAME = "registry"
_LOOKS = "it looks like"


def recognised(
    verdict: Verdict,
    data: bytes,
    pixels: NDArray[np.uint8],
    registry: Registry,
    made_from: Callable[[Edition], Sequence[str]] = lambda edition: (),
) -> Verdict:
    """The verdict with what the registry holds of works that look like the picture; its state stays what it was.

    Args:
        verdict: of a file whose papers are gone or no longer fit.
        data: the file's bytes.
        pixels: the file's. # uint8 [h, w, 3]
        made_from: digests of what an edition was made from, as its papers say.
    """
    try:
        match = registry.find(pixels)
    except PapersError as error:
        layer = Layer(_NAME, "unreadable", f"a registry that could not be asked ({error.reason})", "Nothing.")
        return replace(verdict, layers=(*verdict.layers, layer))
    if match is None:
        layer = Layer(_NAME, "none", f"nothing like it among what was published here ({len(registry):,})", "Nothing.")
        return replace(verdict, layers=(*verdict.layers, layer))
    if signer_of_store(match.edition.manifest) != match.edition.signer:
        return _unfit(verdict, match.edition)
    told = {name: value for name, value in match.told().items() if name not in ("path", "id")}
    if f"sha256:{sha256(data).hexdigest()}" in made_from(match.edition):
        return _as_source(verdict, match.edition, told)
    summary = f"{verdict.summary}; {_summary(match)}"
    return replace(verdict, layers=(*verdict.layers, _layer(match)), summary=summary, registry=told)


def _unfit(verdict: Verdict, work: Edition) -> Verdict:
    """The row that was found says something else than the manifest that is kept in it."""
    holds = f"a row for work {work.name} that does not fit the signed manifest in it: it was changed"
    return replace(verdict, layers=(*verdict.layers, Layer(_NAME, "tampered", holds, "Nothing: it is not believed.")))


def _as_source(verdict: Verdict, work: Edition, told: dict[str, Any]) -> Verdict:
    """The file is not a copy of the work: the work was made from it."""
    said = f"work {work.name}, {quoted(work.title)}, which was made from this very file, as its papers say"
    layer = Layer(_NAME, "alike", said, "That this file lay there when the work was made; not who made it.")
    summary = f"{verdict.summary}; it is the source of {said}"
    return replace(verdict, layers=(*verdict.layers, layer), summary=summary, registry={**told, "is_source": True})


def contested(verdict: Verdict, data: bytes, pixels: NDArray[np.uint8], registry: Registry) -> Verdict:
    """The verdict on a signed file with what the registry knows of another signer for the same work.

    Asked whatever the file says of itself. Another signer for the number that papers or watermark name is a finding;
    likeness alone, which is no proof, is told as a layer and changes no verdict.
    """
    signer = verdict.signer
    if signer is None or signer.trust == "own":
        return verdict
    try:
        if registry.with_digest(f"sha256:{sha256(data).hexdigest()}"):
            return verdict
        known = _known_works(verdict, pixels, registry)
    except PapersError as error:
        layer = Layer(_NAME, "unreadable", f"a registry that could not be asked ({error.reason})", "Nothing.")
        return replace(verdict, layers=(*verdict.layers, layer))
    others = {how: editions for how, editions in known.items() if all(signer.fingerprint != e.signer for e in editions)}
    if not others or len(others) < len(known):
        return verdict
    how, editions = next(iter(others.items()))
    work = editions[0]
    if signer_of_store(work.manifest) != work.signer:
        return _unfit(verdict, work)
    said = f"{how} work {work.name}, {quoted(work.title)}, published here on {work.time[:10]} under the name "
    said += f"{quoted(work.signer_name)} and signed with another key"
    if how == _LOOKS:
        layer = Layer(_NAME, "alike", said, "Likeness, which is no proof: pictures of two people can look alike.")
        return replace(verdict, layers=(*verdict.layers, layer))
    claims = f"; its papers claim {source}" if (source := source_words(verdict)) else ""
    proves = "That the work was known here before, from another signer. "
    proves += f"Its papers as published: limner registry show {work.name}"
    layer = Layer(_NAME, "alike", said, proves)
    unchanged = verdict.summary.partition(": ")[2]
    summary = (
        f"contested: {unchanged}; but {said}{claims}" if verdict.state == "valid" else f"{verdict.summary}; {said}"
    )
    return replace(verdict, layers=(*verdict.layers, layer), summary=summary, contested=said)


def _known_works(verdict: Verdict, pixels: NDArray[np.uint8], registry: Registry) -> dict[str, list[Edition]]:
    """The registered editions of the work that a signed file is or claims to be, by what says so."""
    found: dict[str, list[Edition]] = {}
    read = (verdict.watermark or {}).get("work")
    for how, name in (("its papers name", verdict.mark), ("its watermark names", read)):
        if name and (editions := registry.work(name)):
            found[how] = editions
    if not found and (match := registry.find(pixels)) is not None and not match.others:
        found[_LOOKS] = registry.work(match.edition.work)
    return found


def found_words(match: Match) -> str:
    """How the picture lies on the work: `all of it`, `81 % of it, mirrored`."""
    share = match.likeness.share
    shown = "all of it" if share > 0.985 else f"{share:.0%} of it"
    shown += f", turned by {match.turned} degrees" if match.turned else ""
    return f"{shown}, mirrored" if match.likeness.mirrored else shown


def _summary(match: Match) -> str:
    work = match.edition
    which = f"work {work.name}" if not match.others else f"work {work.name} and {_others(match)}"
    lost = "if it is that work, its signature was stripped or broken"
    return f"looks like {which}, published by {quoted(work.signer_name)} on {work.time[:10]}; {lost}"


def _layer(match: Match) -> Layer:
    work = match.edition
    holds = f"work {work.name}, {quoted(work.title)} by {quoted(work.creator)}, published on {work.time[:10]}"
    holds += f" under the name {quoted(work.signer_name)}; the picture looks like {found_words(match)}"
    proves = "Likeness, which is no proof of where this file comes from."
    if match.others:
        proves += f" It looks nearly as much like {_others(match)}: which of them it is cannot be said."
    return Layer(_NAME, "alike", holds, f"{proves} Its papers as published: limner registry show {work.name}")


def _others(match: Match) -> str:
    return "one other work" if match.others == 1 else f"{match.others} other works"
