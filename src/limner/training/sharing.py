"""How minutes, steps and pictures are shared among the stages of a training."""

from __future__ import annotations

from limner.models.painter import painter_config
from limner.training.batches import seen_before
from limner.training.growing import half_config
from limner.training.options import TrainOptions

__all__ = ["SMALL_SHARE", "game_share", "most_for_painter", "painter_until", "steps_for"]

SMALL_SHARE = 0.6
"""Share of the painter's time at half the size, where pictures are large."""
_CHOOSING = 0.03
"""Share that is left for fitting and choosing a mixture."""


def game_share(options: TrainOptions) -> float:
    """Share of the whole that the game gets."""
    return options.game_share if options.crisp or options.family == "gan" else 0.0


def most_for_painter(options: TrainOptions) -> float:
    """Share of the whole until which the painter learns where no flow follows."""
    return 1 - game_share(options) - _CHOOSING


def painter_until(options: TrainOptions) -> float:
    """Share of the whole until which the painter learns."""
    return most_for_painter(options) if options.prior == "mixture" else options.painter_share


def steps_for(pictures: int, options: TrainOptions) -> int:
    """The fewest steps of all stages in which the painter looks at so many pictures, at both of its sizes."""

    def seen(steps: int) -> int:
        until = painter_until(options)
        small = round(steps * until * SMALL_SHARE) if _begins_small(options) else 0
        return seen_before(small, options.batch) + seen_before(round(steps * until) - small, options.batch)

    low, high = 1, 2
    while seen(high) < pictures:
        high *= 2
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if seen(middle) >= pictures else (middle + 1, high)
    return low


def _begins_small(options: TrainOptions) -> bool:
    return options.parent is None and half_config(painter_config(options.height, options.width)) is not None
