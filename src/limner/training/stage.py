"""What a training is made of: stages, how long each may be, where each stands, and who hears of it."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from torch import Tensor, nn


def seed_of(*parts: int | str) -> int:
    """The seed, 0 to 2**63 - 1, of one random stream; the same in every process.

    Args:
        parts: what names the stream, such as the training's seed, the stage's name and the step.
    """
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


class Reporter(Protocol):
    """Where a training says what happens."""

    def note(self, text: str) -> None:
        """A line that stays."""

    def stage(self, title: str) -> None:
        """A new stage begins."""

    def tick(self, share: float, seconds_left: float, rate: float, losses: dict[str, float]) -> None:
        """How far the stage is; `rate` in pictures or latents a second."""


class Stage(ABC):
    """One part of a training: what is learned, from which batches, and how it is judged.

    Attributes:
        name: unique within a training; random choices and saved weights are named by it.
        title: for people.
        objective: a batch in, named losses out; its `loss` is minimised, its `networks` are what is kept.
        learning_rate: of AdamW at its height; `momentum` is AdamW's first beta, the second is 0.99.
        weight_decay: of matrices and kernels; vectors are not decayed.
        warmup_steps: steps in which the learning rate rises.
        decay_share: share of the stage, at its end, in which the learning rate comes down.
        average_power: of time, by which weights are averaged; the last 1 / (power + 2) of the steps count most.
        learning_rate_factors: by what the learning rate is multiplied for parameters of the objective whose names
            begin so; each factor's gradients are clipped by their own length.
        ends_early: whether the stage may come down early when its score no longer gains.
        remedy: what to try where its losses are no numbers at any learning rate.
        averages: the averaged weights by their names in the objective, kept up to date by the loop.
    """

    name: str
    title: str
    objective: nn.Module
    learning_rate: float
    momentum = 0.9
    weight_decay = 1e-3
    warmup_steps = 50
    decay_share = 0.3
    average_power = 16.0
    learning_rate_factors: Mapping[str, float] = {}
    ends_early = False
    remedy = "train anew with another --seed"
    averages: Mapping[str, Tensor] = {}

    @abstractmethod
    def batch(self, step: int, share: float = 0.0) -> dict[str, Tensor]:
        """The batch of a step; its first tensor has a row for each picture or latent.

        Args:
            share: how much of the stage is over, 0 to 1. The batch depends on the seed, the step and this alone.
        """

    def check(self) -> dict[str, float]:
        """Judge `objective.networks`; `score` (lower is better) chooses what is kept, of equal ones the latest."""
        return {"score": 0.0}

    def adapt(self, checks: Sequence[Mapping[str, float]]) -> None:  # noqa: B027  (optional)
        """Change what should change as training goes; what it becomes follows from the checks so far alone."""

    def draw(self, name: str) -> None:  # noqa: B027  (optional)
        """Save sheets of what `objective.networks` paints now."""


class Observer(Protocol):
    """Who watches a training; the networks are in evaluation mode meanwhile and are to be left as they are."""

    def begun(self, stage: Stage) -> None:
        """A stage begins, or goes on; the networks hold the weights of its start."""

    def checked(self, stage: Stage) -> None:
        """A stage was judged; the networks hold the averaged weights that were."""

    def ended(self, stage: Stage) -> None:
        """A stage is done; the networks hold the weights that are kept."""


@dataclass
class Budget:
    """How long a stage may be: by the clock or by steps.

    Attributes:
        seconds: by the clock, time of checks and sheets included.
        steps: in place of seconds; the same steps give the same weights.
        longer: seconds in place of those, where too few steps would fit into them.
        fewest: steps that are not too few.
    """

    seconds: float | None = None
    steps: int | None = None
    longer: float | None = None
    fewest: int = 0

    def share(self, seconds: float, step: int) -> float:
        """How much is used up, 0 to 1."""
        if self.steps is not None:
            return min(1.0, step / self.steps)
        assert self.seconds is not None
        return min(1.0, seconds / self.seconds)


@dataclass
class StageState:
    """Where a stage stands.

    Attributes:
        pictures: pictures or latents that were learned from, each as often as it was.
        restored: how often the loop went back because of a loss that is not a number.
        decay_from, stop_at: shares of the budget at which the learning rate begins to come down, and is down.
        history: losses of every tenth step; `checks`: what judged it.
    """

    stage: str
    step: int = 0
    seconds: float = 0.0
    pictures: int = 0
    resumed: int = 0
    learning_rate_scale: float = 1.0
    restored: int = 0
    decay_from: float | None = None
    stop_at: float = 1.0
    longer: bool = False
    best: float | None = None
    best_step: int = 0
    checks_done: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    checks: list[dict[str, float]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
