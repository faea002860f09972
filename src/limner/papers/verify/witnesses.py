"""What works say of the ledger: each carries, signed, its head of their moment; one that was rewritten is found out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from limner.ledger import Ledger
from limner.papers.c2pa.library import reading_context
from limner.papers.registry.registry import Registry
from limner.papers.registry.stored import stored_papers
from limner.papers.verify.checking import Checker

__all__ = ["Comparison", "Witness", "compare", "witnesses"]

_MOST = 20


@dataclass(frozen=True)
class Witness:
    """A work with papers of its own.

    Attributes:
        name: what it is called in a message.
        digest: of its file.
        acts, head: how many acts the ledger held when it was signed, and the hash of the last; None where its papers
            do not tell (they were written by an earlier limner).
    """

    name: str
    digest: str
    acts: int | None = None
    head: str | None = None


@dataclass(frozen=True)
class Comparison:
    """What witnesses say of a ledger.

    Attributes:
        heard: how many works were compared.
        telling: how many of them carry the ledger's head.
        faults: what does not fit, a line each, up to 20.
    """

    heard: int
    telling: int
    faults: tuple[str, ...]


def witnesses(registry: Registry | None, files: Iterable[Path] = (), own: Sequence[Path] = ()) -> Iterator[Witness]:
    """The registry's works whose stored signature holds, and files that are genuine works of one's own.

    Args:
        own: the roots of one's own identities; works of others say nothing of this ledger.
    """
    if registry is not None:
        with reading_context() as context:
            for edition in registry.latest(1_000_000_000):
                told = stored_papers(edition, context)
                if told["signature"] == "holds":
                    yield _witness(f"work {edition.name}", edition.digest, told["generation"].get("ledger"))
    checker = Checker(own=own)
    try:
        for path in files:
            verdict = checker.check(path)
            if verdict.state == "valid" and verdict.signer and verdict.signer.trust == "own":
                digest = f"sha256:{sha256(path.read_bytes()).hexdigest()}"
                yield _witness(str(path), digest, verdict.generation.get("ledger"))
    finally:
        checker.close()


def compare(ledger: Ledger, heard: Iterable[Witness], progress: Callable[[], None] = lambda: None) -> Comparison:
    """Compare a ledger with what works say of it.

    A work's act may be missing where it was published with another ledger: that is a fault only if its papers name
    this one, by a head that lies in it.

    Raises:
        LedgerError: the ledger cannot be read.
    """
    count, telling, faults = 0, 0, []
    published = {digest for act in ledger.acts(what="publish") for digest in act.outputs}
    for one in heard:
        count += 1
        progress()
        recorded = one.digest in published
        if one.acts is None or one.head is None:
            if not recorded:
                faults.append(f"{one.name}: its publication is not in the ledger")
            continue
        telling += 1
        found = ledger.hash_of(one.acts) if one.acts else one.head
        if found != one.head:
            gone = "is gone" if found is None else "is another one"
            faults.append(
                f"{one.name}: act {one.acts:,}, the last when it was signed, {gone}: the ledger was rewritten"
            )
        elif not recorded:
            faults.append(f"{one.name}: its publication was taken out of the ledger")
    return Comparison(count, telling, tuple(faults[:_MOST]))


def _witness(name: str, digest: str, told: object) -> Witness:
    if isinstance(told, dict) and isinstance(told.get("acts"), int) and isinstance(told.get("head"), str):
        return Witness(name, digest, told["acts"], told["head"])
    return Witness(name, digest)
