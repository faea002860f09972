"""From a latent to a work: painted, finished, its latent kept, what was done recorded, published with papers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limner.errors import UsageError
from limner.latent.latents import latent_digest
from limner.latent.pipeline import Pipeline
from limner.ledger import Entry
from limner.models.painter import Latent
from limner.papers.c2pa.provenance import Provenance
from limner.papers.publishing.publisher import Job, PublishedWork, Publisher
from limner.rights import RightsSummary, credit_line
from limner.synthesis.stores import CompositionStore
from limner.works.finishing import Finishing, FinishRequest, finishing_for
from limner.works.intake import Intake
from limner.works.origins import Origin, Origins
from limner.works.owing import credit_of, licences_of, rights_of

__all__ = ["Deed", "make_works", "provenance_of"]


def provenance_of(
    pipeline: Pipeline, digest: str, creator: str, rights: RightsSummary | None = None, **told: Any
) -> Provenance:
    """What the papers of a picture that this model paints say.

    Args:
        digest: sha256 of the latent.
        rights: in all pictures that models and tools learned from, where they are more than the model's (`owing`).
        told: what else is known of it: `title`, and any other field of `Provenance`.
    """
    card = pipeline.model.card
    learned = card.credit if rights in (None, card.rights) else credit_line(rights)
    finish = told.get("finish") or {}
    watermark = {"model_watermark": card.model_watermark} if card.model_watermark else {}
    return Provenance(
        creator=creator,
        model_name=card.name,
        model_digest=f"sha256:{pipeline.model.digest}",
        family=card.family,
        collection_name=card.collection.name,
        collection_digest=f"sha256:{card.collection.digest}",
        latent_digest=digest,
        credit=credit_of(learned, finish),
        licences=licences_of((rights or card.rights).licences, finish),
        model_parents=tuple(f"sha256:{parent}" for parent in card.parents),
        parameters={"precision": pipeline.machine.precision, "device": pipeline.machine.device, **watermark},
        **told,
    )


@dataclass(frozen=True)
class Deed:
    """What the artist did to get a picture.

    Attributes:
        what: a verb: `move`, `mix`, `restyle`, ...
        origins: what it was made from.
        how: its words and numbers; plain JSON.
        composition: what is finished where that is no picture of the model. # uint8 [h, w, 3]
    """

    what: str
    origins: Sequence[Origin]
    how: dict[str, Any] = field(default_factory=dict)
    composition: NDArray[np.uint8] | None = None

    @property
    def parents(self) -> tuple[str, ...]:
        """Digests of what it was made from, each once."""
        return tuple(dict.fromkeys(origin.digest for origin in self.origins))


def make_works(
    origins: Origins,
    publisher: Publisher,
    made: Sequence[tuple[Latent, Deed, Path]],
    *,
    title: str | None = None,
    training_mining: str = "notAllowed",
    quality: int = 92,
    wish: FinishRequest | None = None,
    bare: Callable[[str], object] = lambda reason: None,
) -> list[PublishedWork]:
    """Paint latents, finish and keep them, record what was done and publish the works.

    Papers and marks that are found on pictures from outside are kept or named in the papers of the works.

    Args:
        made: rows of one, how each came about, and the file that it goes to.
        title: of the works; what was done and their number otherwise.
        wish: how they are finished; from what the model learned from, where that is here, if nothing is said.
        bare: told once why works are not finished, in words, where they are not.

    Raises:
        PapersError, UsageError, LedgerError: as `Publisher.publish` does.
    """
    pipeline = origins.pipeline
    entries = []
    for latent, deed, _ in made:
        (digest,) = origins.latents.keep(latent, origins.model_digest)
        entries += [_drawn(origins, one) for one in deed.origins if one.kind == "seed"]
        entries.append(Entry("artist", deed.what, [*deed.parents, origins.model_digest], [digest], deed.how))
    origins.ledger.record_many(entries)
    with closing(Intake(origins.workspace)) as intake:
        taken_in = [intake.of(deed.origins) for _, deed, _ in made]

    hands = _Hands(origins, wish or FinishRequest(), bare)

    def jobs() -> Iterator[Job]:
        for number, (latent, deed, path) in enumerate(made):
            label = _label(pipeline, deed)
            if deed.composition is None:
                former = pipeline.composed(deed.origins[0].latent) if deed.what == "move" else None
                pixels, finish = hands.finished(pipeline.composed(latent), label, former)
            else:
                pixels, finish = hands.restyled(deed.composition, label)
            named = title or f"{pipeline.model.card.name}, {deed.what}, no. {number + 1}"
            papers = provenance_of(
                pipeline,
                latent_digest(latent),
                publisher.identity.name,
                rights=rights_of(pipeline.model.card.rights, origins.ledger, deed.parents, deed.how),
                title=named,
                made=deed.what,
                parents=deed.parents,
                how=deed.how,
                ingredients=taken_in[number],
                training_mining=training_mining,
                label=label,
                finish=finish,
            )
            yield pixels, path, papers

    return publisher.publish_many(jobs(), quality=quality)


class _Hands:
    """What finishes the pictures of each label, made ready when the first of them comes."""

    def __init__(self, origins: Origins, wish: FinishRequest, bare: Callable[[str], object]) -> None:
        self._origins, self._wish, self._bare = origins, wish, bare
        self._known: dict[str | None, Finishing | str] = {}

    def finished(
        self, composition: NDArray[np.uint8], label: str | None, former: NDArray[np.uint8] | None = None
    ) -> tuple[NDArray[np.uint8], dict[str, Any]]:
        """The finished picture and what papers say of the finish; as it is where nothing finishes it.

        Args:
            former: what it was moved from: its exemplars are taken, so that the picture stays in one hand.

        # uint8 [h, w, 3] -> [height, width, 3]
        """
        if label not in self._known:
            self._known[label] = self._hand(label)
        hand = self._known[label]
        if isinstance(hand, str):
            return composition, {}
        chosen = None if former is None else hand.finisher.choose([former])
        finished = hand.finisher.finish(composition, chosen=chosen)
        return finished.pixels, hand.told(finished, chosen=chosen is not None)

    def restyled(self, composition: NDArray[np.uint8], label: str | None) -> tuple[NDArray[np.uint8], dict[str, Any]]:
        """The same of a picture from outside, which is kept small, so that the work can be made again.

        Raises:
            UsageError: nothing is here to finish it from.
        """
        pixels, finish = self.finished(composition, label)
        if not finish:
            raise UsageError(
                "--style", f"has no pictures here to paint from: {self._known[label]}", "import them first"
            )
        return pixels, {**finish, "composition": CompositionStore(self._origins.workspace).keep(composition)}

    def _hand(self, label: str | None) -> Finishing | str:
        model, workspace = self._origins.pipeline.model, self._origins.workspace
        found = finishing_for(model, workspace, self._wish, label=label, threads=os.cpu_count() or 1)
        if isinstance(found, str) and not self._wish.bare and found not in self._known.values():
            self._bare(found)
        return found


def _label(pipeline: Pipeline, deed: Deed) -> str | None:
    """The label in whose hand a work is finished: that of the style that was asked for, or of what it was made from."""
    known = pipeline.model.card.config.labels
    named = [deed.how.get("style"), deed.how.get("label"), *(origin.label for origin in deed.origins)]
    return next((str(one) for one in named if one in known), None)


def _drawn(origins: Origins, origin: Origin) -> Entry:
    """A picture of a seed that nobody published, so that its children's family is known."""
    (digest,) = origins.latents.keep(origin.latent, origins.model_digest)
    seed, _, index = origin.told.partition(":")
    told = {"seed": int(seed), "index": int(index), "label": origin.label}
    return Entry("artist", "draw", [origins.model_digest], [digest], told)
