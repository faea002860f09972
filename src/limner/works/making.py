"""From a latent to a work: painted, finished, its latent kept, what was done recorded, published with papers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from limner import pictures
from limner.errors import UsageError
from limner.latent.latents import latent_digest
from limner.latent.pipeline import Pipeline
from limner.models.painter import Latent
from limner.papers.c2pa.provenance import Provenance
from limner.papers.publishing.publisher import Job, PublishedWork, Publisher
from limner.pictures.sheets import sheet
from limner.rights import RightsSummary, credit_line
from limner.synthesis.stores import CompositionStore
from limner.works.acts import DRAW, WorkAct
from limner.works.credits import credit_of_work, licences_of_work, rights_of
from limner.works.finish_record import FinishRecord
from limner.works.finishing import Finishing, FinishRequest, finishing_for
from limner.works.intake import Intake
from limner.works.origins import Origin, Origins

_QUALITY = 92
"""Of formats that lose something, 1 to 100."""


@dataclass(frozen=True)
class WorkRequest:
    """A work that is to be made, and what the artist did to get it.

    Attributes:
        latent: what the model paints it from. # one row
        made: a verb: `move`, `mix`, `restyle`, ...
        how: the words and numbers of what was done; plain JSON.
        composition: what is finished where that is no picture of the model. # uint8 [h, w, 3]
    """

    latent: Latent
    made: str
    origins: Sequence[Origin]
    how: dict[str, Any] = field(default_factory=dict)
    composition: NDArray[np.uint8] | None = None

    @property
    def parents(self) -> tuple[str, ...]:
        """Digests of what it is made from, each once."""
        return tuple(dict.fromkeys(origin.digest for origin in self.origins))


@dataclass(frozen=True)
class MadeWorks:
    """Works in the order of their requests, and why some were not finished that should have been; each reason once.

    Attributes:
        notes: what consents left out of the exemplars, and why.
    """

    works: list[PublishedWork]
    unfinished: tuple[str, ...]
    notes: tuple[str, ...] = ()


def provenance_of(
    pipeline: Pipeline,
    digest: str,
    creator: str,
    *,
    rights: RightsSummary | None = None,
    finish: FinishRecord | None = None,
    **more: Any,
) -> Provenance:
    """What the papers of a picture that this model paints say.

    Args:
        rights: in all pictures that models and tools learned from, where they are more than the model's (`rights_of`).
        more: the title, and any other field of `Provenance`.
    """
    card = pipeline.model.card
    learned = card.credit if rights in (None, card.rights) else credit_line(rights)
    parameters: dict[str, Any] = {"precision": pipeline.machine.precision, "device": pipeline.machine.device}
    if card.model_watermark:
        parameters["model_watermark"] = card.model_watermark
    if pipeline.superseded:
        parameters["superseded"] = pipeline.superseded
    return Provenance(
        creator=creator,
        model_name=card.name,
        model_digest=f"sha256:{pipeline.model.digest}",
        family=card.family,
        collection_name=card.collection.name,
        collection_digest=f"sha256:{card.collection.digest}",
        latent_digest=digest,
        credit=credit_of_work(learned, finish),
        licences=licences_of_work((rights or card.rights).licences, finish),
        model_parents=tuple(f"sha256:{parent}" for parent in card.parents),
        parameters=parameters,
        finish=finish.to_json() if finish else {},
        **more,
    )


def paths_for(origins: Origins, requests: Sequence[WorkRequest], to: Path | None) -> list[Path]:
    """Where works go: the one file `to`, that folder, or the workspace's works; named by model, act and latent."""
    if to is not None and to.suffix:
        return [to]
    workspace, name = origins.workspace, origins.pipeline.model.name
    place = workspace.make(to or workspace.works / name)
    digests = [latent_digest(one.latent).removeprefix("sha256:")[:10] for one in requests]
    return [place / f"{name}-{one.made}-{digest}.png" for one, digest in zip(requests, digests, strict=True)]


def make_works(
    origins: Origins,
    publisher: Publisher,
    requests: Sequence[WorkRequest],
    paths: Sequence[Path],
    *,
    title: str | None = None,
    finish: FinishRequest | None = None,
) -> MadeWorks:
    """Paint latents, finish and keep them, record what was done and publish the works.

    Papers and marks that are found on pictures from outside are kept or named in the papers of the works.

    Args:
        title: of the works; what was done and their number otherwise.
        finish: how; from what the model learned from, where that is here, if nothing is said.

    Raises:
        PapersError, UsageError, LedgerError: as `Publisher.publish` does.
    """
    _record(origins, requests)
    finishers, card = _Finishers(origins, finish or FinishRequest()), origins.pipeline.model.card

    def jobs() -> Iterator[Job]:
        with closing(Intake(origins.workspace)) as intake:
            for number, (one, path) in enumerate(zip(requests, paths, strict=True)):
                label = _label(origins.pipeline, one)
                pixels, finished = finishers.finished(one, label)
                papers = provenance_of(
                    origins.pipeline,
                    latent_digest(one.latent),
                    publisher.identity.name,
                    rights=rights_of(card.rights, origins.ledger, one.parents, one.how),
                    finish=finished,
                    title=title or f"{card.name}, {one.made}, no. {number + 1}",
                    made=one.made,
                    parents=one.parents,
                    how=one.how,
                    ingredients=intake.of(one.origins),
                    label=label,
                )
                yield pixels, path, papers

    works = publisher.publish_many(jobs(), quality=_QUALITY)
    return MadeWorks(works, tuple(finishers.unfinished), finishers.notes)


def write_sheet(sources: Sequence[Path], works: Sequence[Path], to: Path) -> None:
    """The sources in the first row, the works below, each fitted into the size of the first work."""
    shown = [Image.fromarray(pictures.read(path).pixels) for path in (*works, *sources)]
    size = shown[0].size
    made, given = shown[: len(works)], shown[len(works) :]
    columns = max(len(given), round(len(made) ** 0.5), 1)
    first = [*given, *[Image.new("RGB", size, "white")] * (-len(given) % columns)]
    tiles = [np.asarray(ImageOps.pad(one, size, color="white")) for one in (*first, *made)]
    pictures.write(sheet(np.stack(tiles), columns=columns), to)


def _record(origins: Origins, requests: Sequence[WorkRequest]) -> None:
    """Keep the latents and record what is done; pictures of a seed, too, that nobody published, for the family."""
    acts = []
    for one in requests:
        (digest,) = origins.latents.keep(one.latent, origins.model_digest)
        acts += [_drawn(origins, origin) for origin in one.origins if origin.kind == "seed"]
        acts.append(WorkAct(one.made, one.parents, origins.model_digest, digest, one.how))
    origins.ledger.record_many([act.entry() for act in acts])


def _drawn(origins: Origins, origin: Origin) -> WorkAct:
    (digest,) = origins.latents.keep(origin.latent, origins.model_digest)
    seed, _, index = origin.name.partition(":")
    how = {"seed": int(seed), "index": int(index), "label": origin.label}
    return WorkAct(DRAW, (), origins.model_digest, digest, how)


class _Finishers:
    """What finishes the pictures of each label, made ready when the first of them comes."""

    def __init__(self, origins: Origins, request: FinishRequest) -> None:
        self._origins, self._request = origins, request
        self._known: dict[str | None, Finishing | str] = {}
        self.unfinished: list[str] = []

    @property
    def notes(self) -> tuple[str, ...]:
        """What consents left out, each reason once."""
        found = (one.note for one in self._known.values() if not isinstance(one, str) and one.note)
        return tuple(dict.fromkeys(found))

    def finished(self, work: WorkRequest, label: str | None) -> tuple[NDArray[np.uint8], FinishRecord | None]:
        """The finished picture, and how that was done; None where nothing finishes it. # -> uint8 [h, w, 3]"""
        pipeline, finishing = self._origins.pipeline, self._of(label)
        composition = pipeline.composed(work.latent) if work.composition is None else work.composition
        if isinstance(finishing, str):
            if work.composition is not None:
                reason = f"has no pictures here to paint from: {finishing}"
                raise UsageError("--style", reason, "import them first")
            return composition, None
        chosen = None
        if work.made == "move" and work.composition is None:
            # From the same exemplars as what it was moved from, so that only what was moved changes.
            chosen = finishing.finisher.choose([pipeline.composed(work.origins[0].latent)])
        found = finishing.finisher.finish(composition, chosen=chosen)
        record = finishing.record(found, chosen=chosen is not None)
        if work.composition is not None:
            # Kept, so that the work can be made again.
            kept = CompositionStore(self._origins.workspace).keep(composition)
            record = record.model_copy(update={"composition": kept})
        return found.pixels, record

    def _of(self, label: str | None) -> Finishing | str:
        if label not in self._known:
            model, workspace = self._origins.pipeline.model, self._origins.workspace
            found = finishing_for(model, workspace, self._request, label=label)
            if isinstance(found, str) and not self._request.bare and found not in self.unfinished:
                self.unfinished.append(found)
            self._known[label] = found
        return self._known[label]


def _label(pipeline: Pipeline, work: WorkRequest) -> str | None:
    """The label whose pictures finish a work: that of the style that was asked for, or of what it is made from."""
    known = pipeline.model.card.config.labels
    named = [work.how.get("style"), work.how.get("label"), *(origin.label for origin in work.origins)]
    return next((str(one) for one in named if one in known), None)
