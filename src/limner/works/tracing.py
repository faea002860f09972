"""Whose pictures are in a work: the nearest ones, what its finish took, and who shaped its composition."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from limner.collection import Row
from limner.errors import UsageError
from limner.gate import gate_for
from limner.influence.compositions import describe
from limner.influence.ensemble import Ensemble, EnsembleOptions, Progress
from limner.influence.estimate import Alike, composed_alike, distances_to, estimate
from limner.influence.groups import Grouping, grouping
from limner.influence.shares import Influence, influence
from limner.influence.sources import Learned, learned_by
from limner.machine import Machine
from limner.models.bundle import find_digest, load_model, read_card
from limner.models.card import Card
from limner.papers.publishing.copies import CHECK
from limner.papers.publishing.published import Published
from limner.rights.consent import Blocked, ConsentStore, Scope, blocked
from limner.synthesis.stores import CompositionStore, SourceStore
from limner.works.credits import Credits
from limner.works.finish_record import FinishRecord
from limner.works.origins import Origins, pixels_of
from limner.workspace import Workspace

_SHOWN = 3


@dataclass(frozen=True)
class Nearest:
    """A training picture that looks like the work, as the copy gate found it.

    Attributes:
        score: how surely the work copies it, 0 to 1.
    """

    digest: str
    title: str
    creator: str
    licence: str
    score: float

    @classmethod
    def of(cls, recorded: object) -> tuple[Nearest, ...]:
        """What an act recorded; what is no such record is left out."""
        found = []
        for one in recorded if isinstance(recorded, list | tuple) else ():
            if isinstance(one, dict) and isinstance(one.get("score"), int | float):
                texts = {name: str(one.get(name, "")) for name in ("digest", "title", "creator", "licence")}
                found.append(cls(**texts, score=float(one["score"])))
        return tuple(found)


class ComposedFrom(StrEnum):
    """Where the composition that is looked at is from."""

    LATENT = "latent"
    WORK = "work"


@dataclass(frozen=True)
class Composition:
    """What was there before the finish.

    Attributes:
        pixels: as its model paints it or, where its latent is gone, the work itself. # uint8 [h, w, 3]
    """

    pixels: NDArray[np.uint8]
    source: ComposedFrom

    @property
    def described(self) -> Tensor:
        """In the numbers by which compositions are compared. # float32 [171]"""
        return describe(torch.from_numpy(np.array(self.pixels)).permute(2, 0, 1)[None])[0]


class Tracing:
    """One work, with what its model learned from; opened once, asked several things.

    Args:
        work: the file of a work that was published here.
        by: `creator`, `source`, `licence` or a label column.
        each: models of the ensemble without each group; twice as many learn from all pictures.

    Raises:
        UsageError: it is no work of this workspace, or its model or the collection of that is not here; no such
            column.
    """

    def __init__(
        self,
        work: Path,
        workspace: Workspace,
        by: str = "creator",
        each: int = 3,
        progress: Progress | None = None,
    ) -> None:
        if not work.is_file():
            raise UsageError(work, "is no file", "give a work's file")
        self.path, self.workspace = work, workspace
        self._nearest: tuple[Nearest, ...] | None = None
        origins = Origins(workspace, looks=True)
        self.published: Published = origins.work(work)
        self.card: Card = _card_of(self.published, workspace)
        self.learned: Learned = learned_by(self.card, workspace, progress)
        self.groups: Grouping = grouping(self.learned.rows, by)
        options = EnsembleOptions(each=each, whole=2 * each)
        self.ensemble = Ensemble(self.published.model, self.learned, self.groups, workspace, options)
        self.finish = FinishRecord.of(self.published.finish)
        self.composition = self._composition(origins)

    def nearest(self, progress: Progress | None = None) -> tuple[Nearest, ...]:
        """The training pictures that look most like the work: as its papers recorded them, or looked at anew.

        Empty where what the model learned from is no more here.

        Args:
            progress: called where the index of the copy gate is made, once a model.
        """
        if self._nearest is None:
            recorded = self.published.checked.get(CHECK)
            found = Nearest.of(recorded.get("nearest")) if isinstance(recorded, dict) else ()
            self._nearest = found or self._looked_at_anew(progress)
        return self._nearest

    def _looked_at_anew(self, progress: Progress | None) -> tuple[Nearest, ...]:
        file = find_digest(self.published.model, self.workspace)
        gate = "" if file is None else gate_for(load_model(file), self.workspace, progress)
        if isinstance(gate, str):
            return ()
        (looked,) = gate.look([pixels_of(self.path)])
        return Nearest.of([one.as_dict() for one in looked.nearest])

    def alike(self, count: int = _SHOWN) -> tuple[Alike, ...]:
        """The training pictures that are composed most like the work, nearest first."""
        return composed_alike(self._distances, self.learned, count)

    def credits(self) -> Credits | None:
        """What the finish took, from the map of its sources; None for a work that was not finished.

        Raises:
            UsageError: its map is gone.
        """
        if self.finish is None:
            return None
        sources = SourceStore(self.workspace).load(self.finish.sources)
        if sources is None:
            remedy = "`limner sample` with its seed makes it again"
            raise UsageError(self.path, "the map of its sources is not here any more", remedy)
        return Credits(sources, self.finish)

    def influence(self) -> Influence:
        """Who shaped the composition: by the ensemble where that is complete, otherwise as a quick estimate."""
        if self.ensemble.status().complete:
            return influence(self.composition.described, self.ensemble.load(), self.groups)
        return estimate(self._distances, self.groups)

    def measure(self, machine: Machine, progress: Progress | None = None) -> None:
        """Train what the ensemble lacks.

        Raises:
            UsageError: pictures may not be learned from any more, or another process trains it.
        """
        self.check()
        self.ensemble.train(machine, self.workspace, progress)

    def check(self) -> None:
        """That the ensemble may be trained.

        Raises:
            UsageError: pictures may not be learned from any more.
        """
        if found := self.blocked():
            names = sorted({one.row.creator or one.row.title or one.row.file for one in found})
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            raise UsageError(
                f"{len(found)} of {len(self.learned.rows)} training pictures ({', '.join(names[:3])}{more})",
                "may not be learned from any more, so no ensemble is trained",
                "trace without --measure: that learns nothing",
            )

    def blocked(self) -> list[Blocked[Row]]:
        """Pictures whose consent forbids to learn from them today."""
        return blocked(self.learned.rows, Scope.TRAIN, ConsentStore(self.workspace.root), date.today())

    @cached_property
    def _distances(self) -> Tensor:
        return distances_to(self.composition.described, self.learned)

    def _composition(self, origins: Origins) -> Composition:
        if self.finish is not None and self.finish.composition is not None:
            kept = CompositionStore(self.workspace).load(self.finish.composition)
            if kept is not None:
                return Composition(kept, ComposedFrom.LATENT)
        latent = origins.latent_of(self.published)
        if latent is None:
            return Composition(pixels_of(self.path), ComposedFrom.WORK)
        return Composition(origins.pipeline.composed(latent), ComposedFrom.LATENT)


def _card_of(work: Published, workspace: Workspace) -> Card:
    file = find_digest(work.model, workspace)
    if file is None:
        raise UsageError(work.model[:19], "no model here has this digest", "copy the model back that painted the work")
    return read_card(file)
