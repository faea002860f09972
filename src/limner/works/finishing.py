"""Finished works: what is done between composition and papers, and how it is done again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import tee

import numpy as np
from numpy.typing import NDArray

from limner.errors import UsageError
from limner.latent.pipeline import Painted
from limner.models.bundle import Model
from limner.synthesis import Finished, Finisher, FinishOptions
from limner.synthesis.finding import ExemplarSet, named_exemplars, own_exemplars
from limner.synthesis.stores import CompositionStore, SourceStore
from limner.works.credits import owed_to
from limner.works.finish_record import Bounds, Exemplars, FinishRecord, Others, ShareRow
from limner.workspace import Workspace

_NAMED = 16
"""Pictures that papers name one by one; the rest is summed up."""


@dataclass(frozen=True)
class FinishRequest:
    """What the artist asks of a finish.

    Attributes:
        exemplars: other pictures than the model's own: a label of the model, a collection, a folder or a picture.
    """

    options: FinishOptions = field(default_factory=FinishOptions)
    bare: bool = False
    exemplars: str | None = None


class Finishing:
    """Finishes the compositions of a model, and keeps where their patches came from.

    Args:
        threads: pictures finished at once; one a core where nothing is said.
    """

    def __init__(
        self, exemplars: ExemplarSet, options: FinishOptions, workspace: Workspace, threads: int | None = None
    ) -> None:
        self.exemplars, self._store = exemplars, SourceStore(workspace)
        self.finisher = Finisher(exemplars.exemplars, options, threads or os.cpu_count() or 1)

    @property
    def digest(self) -> str:
        """Of the exemplars."""
        return self.exemplars.exemplars.digest

    @property
    def options(self) -> FinishOptions:
        """How it is finished, its size among them."""
        return self.finisher.options.model_copy(update={"size": self.finisher.side})

    def paired(self, painted: Iterable[Painted]) -> Iterator[tuple[Painted, Finished]]:
        """Each composition with its finished picture."""
        own, composed = tee(painted)
        return zip(own, self.finisher.finish_many(one.pixels for one in composed), strict=True)

    def record(self, finished: Finished, *, chosen: bool = False) -> FinishRecord:
        """What acts and papers say of a finish; its source map is kept.

        Args:
            chosen: whether its exemplars were chosen for another composition, and are to be named.
        """
        plan, sources, digests = self.finisher.plan, finished.sources, self._digests()
        shares = sources.shares()
        rest = shares[_NAMED:]
        return FinishRecord(
            options=self.options,
            exemplars=Exemplars(name=self.exemplars.name, digest=self.digest),
            sources=self._store.keep(sources),
            shares=tuple(ShareRow.of(one.exemplar, one.share) for one in shares[:_NAMED]),
            others=Others(pictures=len(rest), share=round(sum(one.share for one in rest), 4)),
            **owed_to(one.exemplar for one in shares),
            largest_piece=round(sources.largest_piece(flat_counts=plan.flat_counts), 4),
            bounds=Bounds(piece=round(plan.piece, 4), share=round(plan.share, 4), flat_counts=plan.flat_counts),
            chosen=tuple(digests[index] for index in finished.chosen) if chosen else None,
        )

    def again(self, record: FinishRecord, composition: NDArray[np.uint8]) -> Finished:
        """A composition finished from the exemplars that a record names, where it names any. # uint8 [h, w, 3]"""
        numbers = {digest: index for index, digest in enumerate(self._digests())}
        chosen = None if record.chosen is None else [numbers[digest] for digest in record.chosen]
        return self.finisher.finish(composition, chosen=chosen)

    def _digests(self) -> list[str]:
        return [f"sha256:{one.digest}" for one in self.exemplars.exemplars.items]


def finishing_for(
    model: Model,
    workspace: Workspace,
    request: FinishRequest,
    *,
    label: str | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    digest: str | None = None,
) -> Finishing | str:
    """What finishes a model's compositions as asked, or in words why they stay bare.

    Args:
        progress: called with the exemplars that were made small, and of how many.
        digest: of the exemplars that are meant, where several sets are the model's own.

    Raises:
        UsageError: the exemplars that were named are none.
    """
    if request.bare:
        return "asked for bare pictures"
    if request.exemplars is not None:
        found: ExemplarSet | str = named_exemplars(request.exemplars, model, workspace, progress)
    else:
        found = own_exemplars(model, workspace, label, progress, digest=digest)
    return found if isinstance(found, str) else Finishing(found, request.options, workspace, threads)


def finished(
    finishing: Finishing | str, painted: Iterable[Painted]
) -> Iterator[tuple[Painted, NDArray[np.uint8], FinishRecord | None]]:
    """Compositions with their finished pictures and the records of those; bare ones where nothing finishes."""
    if isinstance(finishing, str):
        yield from ((one, one.pixels, None) for one in painted)
        return
    for one, finish in finishing.paired(painted):
        yield one, finish.pixels, finishing.record(finish)


def finishing_as(
    record: FinishRecord, model: Model, workspace: Workspace, label: str | None, size: int | None = None
) -> Finishing:
    """What finishes as an act says that it was done.

    Args:
        size: another shorter side than that of then, px.

    Raises:
        UsageError: its exemplars are not here any more, or are others now.
    """
    options = record.options.model_copy(update={"size": size}) if size else record.options
    request = FinishRequest(options, exemplars=record.exemplars.name or None)
    found = finishing_for(model, workspace, request, label=label, threads=1, digest=record.exemplars.digest)
    if isinstance(found, str) or found.digest != record.exemplars.digest:
        why = found if isinstance(found, str) else "they are others now"
        remedy = "bring back the collection that they are from"
        raise UsageError("exemplars of the work", f"are not here ({why})", remedy)
    return found


def composition_of(record: FinishRecord, workspace: Workspace, composition: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What a recorded finish was made of: what the model painted, or the picture from outside that was kept.

    # uint8 [h, w, 3] -> [h', w', 3]

    Raises:
        UsageError: it is not kept here any more.
    """
    if record.composition is None:
        return composition
    kept = CompositionStore(workspace).load(record.composition)
    if kept is None:
        raise UsageError("composition of the work", "is not kept here", "make it again from the picture")
    return kept
