"""Which works a work was made from, and which were made from it: read from the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from limner.ledger import Act, Ledger

__all__ = ["Kin", "Lineage"]

_DEEP = 300
"""Kin that are followed at most; a longer family is cut there."""


@dataclass
class Kin:
    """One in a family of works.

    Attributes:
        digest: sha256 of the work's file, or of a picture's, or of the latent for a picture of a seed.
        name: the work's title, or what the artist called the picture.
        path: where it was published; None for what was not published here.
        deed: what was done to get it; `sample` for a work that was drawn from a seed, empty for a picture.
        how: the words and numbers of that.
        kin: its parents or its children.
        again: whether it stands in the tree already, with its own kin there.
    """

    digest: str
    name: str
    path: Path | None = None
    deed: str = ""
    how: dict[str, Any] = field(default_factory=dict)
    kin: list[Kin] = field(default_factory=list)
    again: bool = False

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Kin]]:
        """All of the tree, each before its kin, with how deep it lies."""
        yield depth, self
        for one in self.kin:
            yield from one.walk(depth + 1)


class Lineage:
    """Families of works, as the ledger knows them."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def ancestors(self, digest: str) -> Kin:
        """What a work was made from, and what that was made from. # sha256 of its file"""
        return self._up(digest, set())

    def descendants(self, digest: str) -> Kin:
        """What was made from a work, and what was made from that. # sha256 of its file"""
        return self._down(digest, set())

    def _up(self, digest: str, met: set[str]) -> Kin:
        published, deed = self._published(digest), None
        found = _kin(digest, published) if published else self._unpublished(digest)
        if digest in met or len(met) > _DEEP:
            found.again = digest in met
            return found
        met.add(digest)
        if published is not None:
            # An enlarged work shares its latent with the work it was made from: its own act comes first.
            deed = self._deed(digest) or self._deed(published.inputs[-1])
        # That its latent was drawn before, for another work, is not how a published one was made.
        if deed is not None and deed.what != "draw":
            found.deed, found.how = deed.what, deed.parameters
            # The last input is the model.
            found.kin = [self._up(parent, met) for parent in deed.inputs[:-1]]
        return found

    def _down(self, digest: str, met: set[str]) -> Kin:
        published = self._published(digest)
        found = _kin(digest, published)
        if digest in met or len(met) > _DEEP:
            found.again = digest in met
            return found
        met.add(digest)
        if (
            published is not None
            and (own := self._deed(digest) or self._deed(published.inputs[-1])) is not None
            and own.what != "draw"
        ):
            found.deed, found.how = own.what, own.parameters
        for deed in self._ledger.used(digest):
            for latent in deed.outputs if deed.what != "publish" else ():
                found.kin += [self._down(work, met) for work in self._works(deed, latent)]
        return found

    def _works(self, deed: Act, made: str) -> list[str]:
        """Digests of the works that came of what a deed made: works of a latent, or the enlarged work itself."""
        if self._published(made) is not None:
            return [made]
        acts = [act for act in self._ledger.used(made) if act.what == "publish" and "edition" not in act.parameters]
        return [act.outputs[0] for act in acts if act.parameters.get("made", deed.what) != "enlarge"]

    def _unpublished(self, digest: str) -> Kin:
        """A picture of a seed, or one that came from outside."""
        act = self._deed(digest)
        if act is None or act.what != "draw":
            return _kin(digest, None)
        told = {name: value for name, value in act.parameters.items() if value is not None}
        return Kin(digest, f"seed {told.get('seed')}, no. {told.get('index')}", deed="draw", how=told)

    def _published(self, digest: str) -> Act | None:
        acts = [act for act in self._ledger.made(digest) if act.what == "publish"]
        return acts[-1] if acts else None

    def _deed(self, latent: str) -> Act | None:
        acts = [act for act in self._ledger.made(latent) if act.what != "publish"]
        return acts[-1] if acts else None


def _kin(digest: str, published: Act | None) -> Kin:
    if published is None:
        return Kin(digest, f"picture {digest.removeprefix('sha256:')[:12]}")
    told = published.parameters
    how = {name: told[name] for name in ("seed", "index", "label") if told.get(name) is not None}
    return Kin(digest, str(told.get("title", "")), Path(told["path"]), str(told.get("made", "sample")), how)
