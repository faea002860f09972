"""A ledger checked against works: each carries, signed, the ledger's head at that time, so a rewritten ledger shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limner.digests import digest_of_file
from limner.ledger import Ledger
from limner.papers.c2pa.library import reading_context
from limner.papers.registry.registry import Registry
from limner.papers.registry.stored import stored_papers
from limner.papers.verify.checking import Checker

_MOST = 20


@dataclass(frozen=True)
class Witness:
    """A work with papers of its own.

    Attributes:
        head: how many acts the ledger held when it was signed, and the hash of the last; None where its papers do not
            say so.
    """

    name: str
    digest: str
    head: tuple[int, str] | None

    @classmethod
    def of(cls, name: str, digest: str, generation: Mapping[str, Any]) -> Witness:
        """A work by what its papers say of how it was made."""
        match generation.get("ledger"):
            case {"acts": int() as acts, "head": str() as head}:
                return cls(name, digest, (acts, head))
        return cls(name, digest, None)


@dataclass(frozen=True)
class Comparison:
    """What witnesses say of a ledger.

    Attributes:
        with_head: how many of them carry the ledger's head.
        faults: what does not fit, a line each, up to 20.
    """

    compared: int
    with_head: int
    faults: tuple[str, ...]


def witnesses(registry: Registry | None, files: Iterable[Path] = (), own: Sequence[Path] = ()) -> Iterator[Witness]:
    """The registry's works whose stored signature holds, and files that are genuine works of one's own.

    Args:
        own: the roots of one's own identities; works of others say nothing of this ledger.
    """
    if registry is not None:
        with reading_context() as context:
            for edition in registry.latest(1_000_000_000):
                papers = stored_papers(edition, context)
                if papers["signature"] == "holds":
                    yield Witness.of(f"work {edition.name}", edition.digest, papers["generation"])
    with closing(Checker(own=own)) as checker:
        for path in files:
            verdict = checker.check(path)
            if verdict.state == "valid" and verdict.signer and verdict.signer.trust == "own":
                yield Witness.of(str(path), digest_of_file(path), verdict.generation)


def compare(ledger: Ledger, works: Iterable[Witness], progress: Callable[[], None] = lambda: None) -> Comparison:
    """Compare a ledger with what works say of it.

    A work's act may be missing where it was published with another ledger: that is a fault only if its papers name
    this one, by a head that lies in it.

    Raises:
        LedgerError: the ledger cannot be read.
    """
    compared, with_head, faults = 0, 0, []
    published = {digest for act in ledger.acts(what="publish") for digest in act.outputs}
    for one in works:
        compared += 1
        progress()
        with_head += one.head is not None
        if fault := _fault(one, ledger, recorded=one.digest in published):
            faults.append(f"{one.name}: {fault}")
    return Comparison(compared, with_head, tuple(faults[:_MOST]))


def _fault(one: Witness, ledger: Ledger, *, recorded: bool) -> str:
    if one.head is None:
        return "" if recorded else "its publication is not in the ledger"
    acts, head = one.head
    found = ledger.hash_of(acts) if acts else head
    if found != head:
        gone = "is gone" if found is None else "is another one"
        return f"act {acts:,}, the last when it was signed, {gone}: the ledger was rewritten"
    return "" if recorded else "its publication was taken out of the ledger"
