"""Which works a work was made from, and which were made from it: read from the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from limner.ledger import Ledger
from limner.papers.publishing.published import PUBLISH, Published
from limner.works.acts import DRAW, ENLARGE, WorkAct

_DEEP = 300
"""Kin that are followed at most; a longer family is cut there."""


@dataclass
class Kin:
    """One in a family of works.

    Attributes:
        digest: sha256 of the work's file, or of a picture's, or of the latent for a picture of a seed.
        name: the work's title, or what the artist called the picture.
        path: where it was published; None for what was not published here.
        made: what was done to get it; `sample` for a work that was drawn from a seed, empty for a picture.
        kin: its parents or its children.
        again: whether it stands in the tree already, with its own kin there.
    """

    digest: str
    name: str
    path: Path | None = None
    made: str = ""
    how: Mapping[str, Any] = field(default_factory=dict)
    kin: list[Kin] = field(default_factory=list)
    again: bool = False

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Kin]]:
        """All of the tree, each before its kin, with how deep it lies."""
        yield depth, self
        for one in self.kin:
            yield from one.walk(depth + 1)


class Family:
    """The families of works that a ledger knows."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def ancestors(self, digest: str) -> Kin:
        """What a work was made from, and what that was made from. # sha256 of its file"""
        return self._up(digest, set())

    def descendants(self, digest: str) -> Kin:
        """What was made from a work, and what was made from that. # sha256 of its file"""
        return self._down(digest, set())

    def _up(self, digest: str, met: set[str]) -> Kin:
        found, act = self._known(digest)
        if not self._is_cut(found, met) and act is not None:
            found.kin = [self._up(parent, met) for parent in act.parents]
        return found

    def _down(self, digest: str, met: set[str]) -> Kin:
        found, _ = self._known(digest)
        if not self._is_cut(found, met):
            for act in self._ledger.used(digest):
                for made in act.outputs if act.what != PUBLISH else ():
                    found.kin += [self._down(work, met) for work in self._works(act.what, made)]
        return found

    def _is_cut(self, found: Kin, met: set[str]) -> bool:
        """Whether its kin are left out: they stand in the tree already, or there are too many."""
        found.again = found.digest in met
        if found.again or len(met) > _DEEP:
            return True
        met.add(found.digest)
        return False

    def _known(self, digest: str) -> tuple[Kin, WorkAct | None]:
        """One in a family without its kin, and the act that it was made by; None for what was drawn or came in."""
        work = Published.find(self._ledger, digest)
        # A print or an edition has an act of its own; that of its latent is the one of the work it was made from.
        act = WorkAct.find(self._ledger, digest) or (WorkAct.find(self._ledger, work.latent) if work else None)
        if work is None:
            if act is None or act.what != DRAW:
                return Kin(digest, f"picture {digest.removeprefix('sha256:')[:12]}"), None
            how = {name: value for name, value in act.how.items() if value is not None}
            return Kin(digest, f"seed {how.get('seed')}, no. {how.get('index')}", made=DRAW, how=how), None
        # That its latent was drawn before, for another work, is not how a published one was made.
        if act is not None and act.what != DRAW:
            return Kin(digest, work.title, work.path, act.what, act.how), act
        drawn = {"seed": work.seed, "index": work.index, "label": work.label}
        how = {name: value for name, value in drawn.items() if value is not None}
        return Kin(digest, work.title, work.path, work.made, how), None

    def _works(self, what: str, made: str) -> list[str]:
        """Digests of the works that came of what an act made: works of a latent, or the print itself."""
        if Published.find(self._ledger, made) is not None:
            return [made]
        works = [Published.of(act) for act in self._ledger.used(made) if act.what == PUBLISH]
        return [work.digest for work in works if not work.edition and work.made != ENLARGE]
