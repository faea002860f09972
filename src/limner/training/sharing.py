"""How minutes, steps and pictures are shared among the stages of a training."""

from __future__ import annotations

import bisect
import sys
from collections.abc import Sequence

from limner.models.painter import painter_config
from limner.training.batches import seen_before
from limner.training.growing import half_config
from limner.training.options import TrainOptions
from limner.training.stage import Budget, StageState

SMALL_SHARE = 0.6
"""Share of the painter's time at half the size, where pictures are large."""
LEAST_SECONDS = 5.0
"""What a stage gets at least, where minutes are few."""
_CHOOSING = 0.03
"""Share that is left for fitting and choosing a mixture."""
_FEWEST_STEPS = 200
"""Steps of the painter below which a flow after it does not pay: docs/decisions.md."""


def budget_until(
    options: TrainOptions, states: Sequence[StageState], share: float = 1.0, may_take: float | None = None
) -> Budget:
    """How long a stage may be that ends when this share of the whole is used.

    Args:
        states: of the stages before it.
        may_take: share that it takes where minutes are so few, or the machine so slow, that little is learned.
    """
    if options.steps is not None:
        return Budget(steps=max(1, round(options.steps * share) - sum(state.step for state in states)))
    assert options.minutes is not None
    total, spent = options.minutes * 60, sum(state.seconds for state in states)
    longer = None if may_take is None else total * may_take - spent
    return Budget(seconds=max(LEAST_SECONDS, total * share - spent), longer=longer, fewest=_FEWEST_STEPS)


def adversarial_share(options: TrainOptions) -> float:
    """Share of the whole that the adversarial stage gets."""
    return options.adversarial_share if options.crisp or options.family == "gan" else 0.0


def most_for_painter(options: TrainOptions) -> float:
    """Share of the whole until which the painter learns where no flow follows."""
    return 1 - adversarial_share(options) - _CHOOSING


def painter_until(options: TrainOptions) -> float:
    """Share of the whole until which the painter learns."""
    return most_for_painter(options) if options.prior == "mixture" else options.painter_share


def steps_for(pictures: int, options: TrainOptions) -> int:
    """The fewest steps of all stages in which the painter looks at so many pictures, at both of its sizes."""

    def seen(steps: int) -> int:
        until = painter_until(options)
        small = round(steps * until * SMALL_SHARE) if _begins_small(options) else 0
        return seen_before(small, options.batch) + seen_before(round(steps * until) - small, options.batch)

    return 1 + bisect.bisect_left(range(1, sys.maxsize), pictures, key=seen)


def _begins_small(options: TrainOptions) -> bool:
    return options.parent is None and half_config(painter_config(options.height, options.width)) is not None
