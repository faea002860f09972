"""Whether rights holders let a work be published: those of the pictures in it, and of those its model learned from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limner.errors import LimnerError
from limner.models.bundle import find_digest, read_card
from limner.models.learned import pictures_of
from limner.papers.c2pa.provenance import Provenance
from limner.rights import RightsSummary
from limner.rights.consent import Blocked, ConsentStore, Reason, Scope, refusal
from limner.synthesis.stores import SourceStore
from limner.workspace import Workspace

CHECK = "consent"
"""What papers call this check."""
_OWED = "owed"
"""Where an act keeps the rights in the pictures that its tool learned from (`works.credits`)."""
_MOST_NAMED = 8


@dataclass(frozen=True)
class Part:
    """A picture that has a part in a work.

    Attributes:
        pixel_sha256: empty where all pictures of a creator are meant, since the collection is not here.
        inside: whether patches of it are in the work; otherwise its model learned from it.
    """

    pixel_sha256: str
    creator: str
    title: str
    inside: bool


class Permission:
    """A check of a publisher (`papers.publishing.publisher.Check`): refuses what a consent does not grant.

    A picture without a consent is judged by its licence, which the credits name. What a model learned from and was
    withdrawn does not stop works that are made with a superseded model for a reason: papers and ledger hold that.

    Args:
        workspace: whose consents, models, collections and source maps are looked into; consents as they are now.
    """

    def __init__(self, workspace: Workspace) -> None:
        store = ConsentStore(workspace.root)
        self._workspace = workspace
        self._publish, self._sell = store.use(Scope.PUBLISH), store.use(Scope.SELL)
        self._learned = lru_cache(maxsize=16)(self._learned_from)

    def __call__(self, pixels: NDArray[np.uint8], path: Path, provenance: Provenance) -> Provenance:
        """The work's papers with what was found, where some picture has a consent.

        Raises:
            RightsError: the consent of one of the pictures does not grant it.
        """
        if not self._publish.number:
            return provenance
        # What is in the work comes first, and counts once.
        every: dict[tuple[str, str], Part] = {}
        for one in self._parts(provenance):
            every.setdefault((one.pixel_sha256, "" if one.pixel_sha256 else one.creator), one)
        parts = list(every.values())
        superseded = "superseded" in provenance.parameters
        blocked = [one for one in self._publish.blocked(parts) if not (superseded and _is_learned_and_withdrawn(one))]
        if blocked:
            raise refusal(blocked, len(parts))
        found = self._found(parts)
        if not found:
            return provenance
        checked = {**provenance.checked, CHECK: found}
        return replace(provenance, checked=checked, credit=self._credit(provenance.credit, parts))

    def _credit(self, credit: str, parts: list[Part]) -> str:
        """The credit line, with words that were agreed on after the model learned."""
        words = dict.fromkeys(self._publish.credit(one.pixel_sha256, one.creator) for one in parts)
        return "; ".join([one for one in (credit,) if one] + [one for one in words if one and one not in credit])

    def _found(self, parts: list[Part]) -> dict[str, Any]:
        agreed = self._publish.agreed
        known = [one for one in parts if agreed.of(one.pixel_sha256, one.creator) is not None]
        if not known:
            return {}
        unsold = {one.row.creator or one.row.title for one in self._sell.blocked(known)}
        sell: dict[str, Any] = {"granted": not unsold}
        if unsold:
            sell["not_by"] = sorted(unsold)[:_MOST_NAMED]
        return {"on": self._publish.on.isoformat(), "pictures": len(parts), "with_consent": len(known), "sell": sell}

    def _parts(self, provenance: Provenance) -> Iterator[Part]:
        yield from self._inside(provenance.finish)
        for digest in dict.fromkeys((provenance.model_digest, *provenance.model_parents)):
            yield from self._learned(digest)
        if owed := provenance.how.get(_OWED):
            yield from _creators(RightsSummary.model_validate(owed).creators)

    def _inside(self, finish: dict[str, Any]) -> Iterable[Part]:
        """The exemplars that are really in the work."""
        sources = SourceStore(self._workspace).load(str(finish["sources"])) if finish.get("sources") else None
        if sources is None:
            rows = finish.get("shares", ())
            return [Part(one["digest"].removeprefix("sha256:"), one["creator"], one["title"], True) for one in rows]
        used = (sources.exemplars[index] for index in np.unique(sources.places[..., 0]))
        return [Part(one.digest, one.creator, one.title, True) for one in used]

    def _learned_from(self, digest: str) -> tuple[Part, ...]:
        """What a model learned from; its creators where the collection is not here; nothing where the model is not."""
        path = find_digest(digest.removeprefix("sha256:"), self._workspace)
        if path is None:
            return ()
        card = read_card(path)
        try:
            rows = pictures_of(card, self._workspace)
        except LimnerError:
            rows = None
        if rows is None:
            return tuple(_creators(card.rights.creators))
        learned = [row for row in rows if row.split == "train"]
        return tuple(Part(row.pixel_sha256, row.creator, row.title or row.file, False) for row in learned)


def _creators(creators: Iterable[str]) -> list[Part]:
    return [Part("", one, f"pictures of {one}", False) for one in creators if one != "unknown"]


def _is_learned_and_withdrawn(blocked: Blocked[Part]) -> bool:
    return blocked.reason is Reason.WITHDRAWN and not blocked.row.inside
