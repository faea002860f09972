"""What was done to get a work: the act that stands in the ledger before the act of publishing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from limner.ledger import Act, Entry, Ledger
from limner.papers.publishing.published import ALLOW_COPY, PUBLISH

DRAW, ENLARGE = "draw", "enlarge"
"""The acts that made a picture of a seed which was never published, and a larger print."""


@dataclass(frozen=True)
class WorkAct:
    """One act by which something was made from works, pictures or a seed.

    Attributes:
        what: a verb: `draw`, `move`, `mix`, `restyle`, `enlarge`, ...
        parents: digests of the files, or latents of seeds, that it was made from; none for `draw`.
        made: digest of what was made: of a latent, or of the file where that has its own act (a print, an edition).
        how: the words and numbers of the act; plain JSON.
    """

    what: str
    parents: tuple[str, ...]
    model: str
    made: str
    how: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, act: Act) -> WorkAct:
        """What an act of the ledger says."""
        *parents, model = act.inputs
        return cls(act.what, tuple(parents), model, act.outputs[0], act.parameters)

    @classmethod
    def find(cls, ledger: Ledger, digest: str) -> WorkAct | None:
        """The last act that made a latent or a file; None where there is none."""
        acts = [act for act in ledger.made(digest) if act.what not in (PUBLISH, ALLOW_COPY) and act.inputs]
        return cls.of(acts[-1]) if acts else None

    def entry(self) -> Entry:
        """The act, as the ledger keeps it."""
        return Entry("artist", self.what, [*self.parents, self.model], [self.made], self.how)
