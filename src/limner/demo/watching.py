"""A training that is watched: at its start, at each check and at its end, what the model can do is kept as pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from limner.machine import Machine
from limner.models.latent_model import LatentModel
from limner.training.data import TrainingData
from limner.training.game import GameStage
from limner.training.loop import Stage, StageState
from limner.training.stages import PainterStage, PriorStage
from limner.training.trainer import Training

__all__ = ["GAME", "PAINTER", "PRIOR", "Glimpse", "WatchedTraining", "three_of"]

PAINTER, PRIOR, GAME = "painter", "prior", "game"
_PAINTING = ("small-painter", PAINTER)
_COUNT = 16
_PAIRS = 8


@dataclass(frozen=True)
class Glimpse:
    """What the model painted at one moment of a stage.

    Attributes:
        pictures: uint8 [n, 3, h, w]; reconstructions for the painter, new pictures of fixed latents for the prior.
    """

    stage: str
    pictures: Tensor


class WatchedTraining(Training):
    """A training that keeps glimpses; it learns what an unwatched one learns.

    Attributes:
        glimpses: in order of time.
        data: the pictures, once training has begun.
        originals: held-out pictures that chose nothing, whose reconstructions are kept.
        machine: what it runs on.
        seed: of the new pictures.
    """

    seed = 1

    def _loop(self, stage: Stage, machine: Machine, share: float | None, may_take: float | None = None) -> StageState:
        assert isinstance(stage, PainterStage | PriorStage | GameStage)
        self.data: TrainingData = stage.data
        self.machine = machine
        self.originals = self.data.reports[:_PAIRS]
        self.glimpses: list[Glimpse] = getattr(self, "glimpses", [])
        modes = {module: module.training for module in stage.model.modules()}
        stage.model.eval()
        self._look(stage.name, stage.model)
        for module, mode in modes.items():
            module.training = mode
        return super()._loop(_Watched(stage, self), machine, share, may_take)

    def _remedy(self) -> str:
        return GameStage.remedy

    def _how_to_go_on(self) -> str:
        return "the same command begins anew"

    def _look(self, name: str, model: LatentModel) -> None:
        with torch.no_grad(), self.machine.autocast():
            latent = model.encode(self.originals) if name in _PAINTING else model.sample(_COUNT, seed=self.seed)
            self.glimpses.append(Glimpse(name, model.paint(latent)))


class _Watched:
    """A stage whose checks are glimpses too; everything else is the stage's own."""

    def __init__(self, stage: PainterStage | PriorStage | GameStage, training: WatchedTraining) -> None:
        self._stage, self._training = stage, training
        self.name, self.title, self.objective = stage.name, stage.title, stage.objective
        self.rate, self.momentum = stage.rate, stage.momentum
        self.rates, self.ends_early, self.steadier = stage.rates, stage.ends_early, GameStage.remedy

    def size(self, step: int) -> int:
        return self._stage.size(step)

    def batch(self, step: int) -> dict[str, Tensor]:
        return self._stage.batch(step)

    def check(self) -> dict[str, float]:
        found = self._stage.check()
        self._training._look(self.name, self._stage.model)
        return found

    def adapt(self, checks: Sequence[Mapping[str, float]]) -> None:
        self._stage.adapt(checks)

    def draw(self, name: str) -> None:
        self._stage.draw(name)


def three_of(glimpses: Sequence[Glimpse], *stages: str) -> list[Tensor]:
    """What stages painted at their start, in their middle and at their end."""
    own = [glimpse.pictures for glimpse in glimpses if glimpse.stage in stages]
    return [own[0], own[len(own) // 2], own[-1]] if len(own) > 2 else own
