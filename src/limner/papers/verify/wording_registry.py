"""What is said of marks and of the registry: likeness and no more, and of a mark only where to look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from limner.papers.verify.findings import (
    Findings,
    LayerState,
    Lead,
    MarkFinding,
    MarkFound,
    ModelMark,
    RegistryFinding,
    RegistryFound,
)
from limner.papers.verify.names import quoted

if TYPE_CHECKING:
    from limner.papers.registry.registry import Match
    from limner.papers.registry.store import Edition

_MARK_LIMITS = "A mark can be copied onto another picture: it says where to look, and proves nothing alone."
_SHOW = "Its papers as published: limner registry show"


@dataclass(frozen=True)
class Layer:
    """One layer of a file's papers, in words.

    Attributes:
        name: `C2PA`, `XMP`, `watermark`, `model watermark` or `registry`.
        state: of this layer alone; `none` where it is missing.
    """

    name: str
    state: LayerState
    code: str
    holds: str
    proves: str


def found_words(match: Match) -> str:
    """How the picture lies on the work: `all of it`, `81 % of it, mirrored`."""
    share = match.likeness.share
    shown = "all of it" if share > 0.985 else f"{share:.0%} of it"
    shown += f", turned by {match.turned} degrees" if match.turned else ""
    return f"{shown}, mirrored" if match.likeness.mirrored else shown


def other_signer(contest: RegistryFinding) -> str:
    """Under whose name a work was published here that now bears another signature."""
    work = contest.edition
    assert work is not None
    leads = {
        Lead.PAPERS: "its papers name",
        Lead.WATERMARK: "its watermark names",
        Lead.LIKENESS: "it looks like",
        None: "",
    }
    published = f"published here on {work.time[:10]} under the name {quoted(work.signer_name)}"
    return f"{leads[contest.lead]} work {work.name}, {quoted(work.title)}, {published} and signed with another key"


def of_likeness(found: Findings) -> str:
    """The registry's guess; left out where the mark names the same work, and says it better."""
    seen, read = found.registered, found.mark_read
    if seen and seen.found is RegistryFound.SOURCE:
        return f"it is the source of {_source_of(seen)}"
    if seen is None or seen.found is not RegistryFound.ALIKE or seen.edition is None or seen.match is None:
        return ""
    if read and read.found is MarkFound.REGISTERED and read.work == seen.edition.name:
        return ""
    work, others = seen.edition, seen.match.others
    which = f"work {work.name} and {_others(others)}" if others else f"work {work.name}"
    return f"looks like {which}, {_published(work)}; if it is that work, its signature was stripped or broken"


def of_mark(found: Findings) -> str:
    """Which work the watermark names; empty where that adds nothing to the papers."""
    read, seen = found.mark_read, found.registered
    if read is None or read.work is None or read.found is MarkFound.AS_PAPERS_SAY:
        return ""
    said = f"carries the mark of work {read.work}"
    if read.found is MarkFound.UNREGISTERED:
        return f"{said}, which is not registered here"
    if read.edition is None:
        return said
    said += f", {_published(read.edition)}"
    alike = seen and seen.found in (RegistryFound.ALIKE, RegistryFound.SOURCE) and seen.edition == read.edition
    if found.state in ("none", "tampered") and not alike:
        return f"{said}; but it does not look like that work: it was cut or changed much, or the mark was copied"
    return f"{said}; if it is that work, its signature was stripped" if found.state == "none" else said


def of_model_mark(mark: ModelMark | None) -> str:
    """Which model the mark names; empty where that adds nothing to the papers."""
    if mark is None or mark.read is None or mark.read == mark.named:
        return ""
    return f"carries the mark of a picture generator, {mark.read}"


def mark_layer(found: Findings, read: MarkFinding) -> Layer:
    """What the watermark names, and what that proves."""
    if read.work is None:
        why = {
            MarkFound.PRIVATE: f"; the papers name one of the publisher's own key {found.generation.get('mark_key')}, "
            "which alone reads it",
            MarkFound.NAMED_ONLY: ", though the papers name one",
            MarkFound.TOO_SMALL: ", the picture is small",
        }.get(read.found, "")
        return Layer("watermark", "none", read.found, f"none that limner's public key reads{why}", "Nothing.")
    holds, proves = f"names work {read.work}", _MARK_LIMITS
    if read.found is MarkFound.AS_PAPERS_SAY:
        by = f", read with the key {read.key} of this workspace" if read.key else ""
        state: LayerState = "valid" if found.state == "valid" else "unsigned"
        return Layer("watermark", state, read.found, f"{holds}, as the papers do{by}", proves)
    if read.edition:
        holds = f"names {_titled(read.edition)}, {_published(read.edition)}"
        proves = f"{_MARK_LIMITS} {_SHOW} {read.work}"
    elif read.found is MarkFound.NOT_ASKED:
        holds += f"; the registry could not be asked ({read.reason})"
    else:
        holds += ", which is not registered here"
    return Layer("watermark", "unsigned", read.found, holds, proves)


def model_mark_layer(found: Findings, mark: ModelMark) -> Layer:
    """Which model painted the picture by its mark, and what that proves."""
    if mark.read is None:
        return Layer(
            "model watermark", "none", MarkFound.NAMED_ONLY, "none is read, though the papers name one", "Nothing."
        )
    same = mark.read == mark.named
    state: LayerState = "valid" if same and found.state == "valid" else "unsigned"
    holds = f"a model whose mark is {mark.read} painted it{', as the papers say' if same else ''}"
    code = MarkFound.AS_PAPERS_SAY if same else MarkFound.UNREGISTERED
    return Layer("model watermark", state, code, holds, _MARK_LIMITS)


def registry_layer(seen: RegistryFinding) -> Layer:
    """What the registry holds of the picture, and what that proves."""
    states: dict[RegistryFound, LayerState] = {
        RegistryFound.NOT_ASKED: "unreadable",
        RegistryFound.NOTHING: "none",
        RegistryFound.UNFIT: "tampered",
    }
    holds, proves = _registry_words(seen)
    return Layer("registry", states.get(seen.found, "alike"), seen.found, holds, proves)


def _registry_words(seen: RegistryFinding) -> tuple[str, str]:
    work = seen.edition
    if seen.found is RegistryFound.NOT_ASKED:
        return f"a registry that could not be asked ({seen.reason})", "Nothing."
    if work is None:
        return f"nothing like it among what was published here ({seen.works:,})", "Nothing."
    if seen.found is RegistryFound.UNFIT:
        holds = f"a row for work {work.name} that does not fit the signed manifest in it: it was changed"
        return holds, "Nothing: it is not believed."
    if seen.found is RegistryFound.SOURCE:
        return _source_of(seen), "That this file lay there when the work was made; not who made it."
    if seen.lead is Lead.LIKENESS:
        return other_signer(seen), "Likeness, which is no proof: pictures of two people can look alike."
    if seen.match is None:
        proves = f"That the work was known here before, from another signer. {_SHOW} {work.name}"
        return other_signer(seen), proves
    return _alike(work, seen.match)


def _alike(work: Edition, match: Match) -> tuple[str, str]:
    holds = f"{_titled(work)}, published on {work.time[:10]} under the name {quoted(work.signer_name)}"
    proves = "Likeness, which is no proof of where this file comes from."
    if match.others:
        proves += f" It looks nearly as much like {_others(match.others)}: which of them it is cannot be said."
    return f"{holds}; the picture looks like {found_words(match)}", f"{proves} {_SHOW} {work.name}"


def _source_of(seen: RegistryFinding) -> str:
    assert seen.edition is not None
    name = f"work {seen.edition.name}, {quoted(seen.edition.title)}"
    return f"{name}, which was made from this very file, as its papers say"


def _titled(work: Edition) -> str:
    return f"work {work.name}, {quoted(work.title)} by {quoted(work.creator)}"


def _published(work: Edition) -> str:
    return f"published under the name {quoted(work.signer_name)} on {work.time[:10]}"


def _others(count: int) -> str:
    return "one other work" if count == 1 else f"{count} other works"
