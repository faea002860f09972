"""Finished works: what is done between composition and papers, and how it is done again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from itertools import tee
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limner.errors import UsageError
from limner.latent.pipeline import Painted
from limner.models.bundle import Model
from limner.rights.consent import Blocked, ConsentStore, Scope, left_out, refusal
from limner.rights.consent.wording import summed_up
from limner.synthesis import Exemplar, Finished, Finisher, FinishOptions
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
        without: digests of the exemplars that were left out.
        note: in words, what a consent leaves out and why; empty where nothing is.
    """

    def __init__(
        self,
        exemplars: ExemplarSet,
        options: FinishOptions,
        workspace: Workspace,
        threads: int | None = None,
        without: Sequence[str] = (),
        note: str = "",
    ) -> None:
        self.exemplars, self._store, self.without = exemplars, SourceStore(workspace), tuple(sorted(without))
        self.note = note
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
            without=self.without or None,
        )

    def again(self, record: FinishRecord, composition: NDArray[np.uint8]) -> Finished:
        """A composition finished from the exemplars that a record names, where it names any. # uint8 [h, w, 3]"""
        numbers = {digest: index for index, digest in enumerate(self._digests())}
        named = [numbers[digest] for digest in record.chosen or () if digest in numbers]
        return self.finisher.finish(composition, chosen=named or None)

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
    without: Set[str] | None = None,
) -> Finishing | str:
    """What finishes a model's compositions as asked, or in words why they stay bare.

    Exemplars whose consent does not grant it, or was withdrawn, are left out.

    Args:
        progress: called with the exemplars that were made small, and of how many.
        digest: of the exemplars that are meant, where several sets are the model's own.
        without: digests of the exemplars that are left out, in place of those that a consent blocks by now.

    Raises:
        UsageError: the exemplars that were named are none.
        RightsError: all that were named are blocked.
    """
    if request.bare:
        return "asked for bare pictures"
    if request.exemplars is not None:
        found: ExemplarSet | str = named_exemplars(request.exemplars, model, workspace, progress)
    else:
        found = own_exemplars(model, workspace, label, progress, digest=digest)
    if isinstance(found, str):
        return found
    items = found.exemplars.items
    blocked = blocked_among(items, workspace) if without is None else []
    gone = {one.row.digest for one in blocked} if without is None else without
    left = found.exemplars.without(gone)
    if left is None and blocked and found.name:
        raise refusal(blocked, len(items))
    if left is None:
        return f"every picture that could finish it is left out ({summed_up(blocked)})" if blocked else "none is left"
    out = [one.digest for one in items if one.digest in gone]
    return Finishing(ExemplarSet(left, found.name), request.options, workspace, threads, out, left_out(blocked))


def blocked_among(exemplars: Sequence[Exemplar], workspace: Workspace) -> list[Blocked[Exemplar]]:
    """The exemplars whose consent, their own or their creator's, does not let patches of them be used today."""
    return ConsentStore(workspace.root).use(Scope.EXEMPLAR).blocked(exemplars)


def withdrawn_among(exemplars: Sequence[Exemplar], workspace: Workspace) -> set[str]:
    """Digests of the exemplars that a consent blocks by now."""
    return {one.row.digest for one in blocked_among(exemplars, workspace)}


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
        size: another shorter side than that of then, px; what was withdrawn since is left out.

    Raises:
        UsageError: its exemplars are not here any more, or are others now.
    """
    options = record.options.model_copy(update={"size": size}) if size else record.options
    request = FinishRequest(options, exemplars=record.exemplars.name or None)
    then = set(record.without or ())
    how: dict[str, Any] = {"label": label, "threads": 1, "digest": record.exemplars.digest}
    found = finishing_for(model, workspace, request, without=then, **how)
    if size and not isinstance(found, str) and found.digest == record.exemplars.digest:
        gone = withdrawn_among(found.exemplars.exemplars.items, workspace)
        return _left(finishing_for(model, workspace, request, without=then | gone, **how)) if gone else found
    if isinstance(found, str) or found.digest != record.exemplars.digest:
        why = found if isinstance(found, str) else "they are others now"
        remedy = "bring back the collection that they are from"
        raise UsageError("exemplars of the work", f"are not here ({why})", remedy)
    return found


def _left(found: Finishing | str) -> Finishing:
    if isinstance(found, str):
        raise UsageError("exemplars of the work", f"are not here ({found})", "give others with --exemplars")
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
