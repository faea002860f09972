"""Watching a training: at the start of each stage and at each check, what the model can do is kept as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from limner.machine import Machine
from limner.training.adversarial_stage import AdversarialStage
from limner.training.data import TrainingData
from limner.training.painter_stage import PainterStage
from limner.training.prior_stage import PriorStage
from limner.training.stage import Stage

PAINTER, PRIOR, ADVERSARIAL = "painter", "prior", "adversarial"
_PAINTING = ("small-painter", PAINTER)
_COUNT = 16
_PAIRS = 8


@dataclass(frozen=True)
class Snapshot:
    """What the model painted at one moment of a stage.

    Attributes:
        pictures: uint8 [n, 3, h, w]; reconstructions for the painter, new pictures of fixed latents for the prior.
    """

    stage: str
    pictures: Tensor


class Watch:
    """An observer of a training that keeps snapshots; what is learned is the same without it.

    Attributes:
        originals: held-out pictures that chose nothing, whose reconstructions are kept.
    """

    seed = 1
    data: TrainingData
    originals: Tensor
    machine: Machine

    def __init__(self) -> None:
        self.snapshots: list[Snapshot] = []

    def begun(self, stage: Stage) -> None:
        """What could be painted before."""
        assert isinstance(stage, PainterStage | PriorStage | AdversarialStage)
        self.data, self.machine = stage.data, stage.machine
        self.originals = self.data.reports[:_PAIRS]
        self.checked(stage)

    def checked(self, stage: Stage) -> None:
        """What can be painted now."""
        assert isinstance(stage, PainterStage | PriorStage | AdversarialStage)
        model, painting = stage.model, stage.name in _PAINTING
        with torch.no_grad(), self.machine.autocast():
            latent = model.encode(self.originals) if painting else model.sample(_COUNT, seed=self.seed)
            self.snapshots.append(Snapshot(stage.name, model.paint(latent)))

    def ended(self, stage: Stage) -> None:
        """The last check has shown it."""


def three_of(snapshots: Sequence[Snapshot], *stages: str) -> list[Tensor]:
    """What stages painted at their start, in their middle and at their end."""
    own = [snapshot.pictures for snapshot in snapshots if snapshot.stage in stages]
    return [own[0], own[len(own) // 2], own[-1]] if len(own) > 2 else own
