"""How many pictures a step of the painter, and how many latents one of the prior looks at: few at first, more later.

A network that knows nothing learns more from many rough steps than from few exact ones, and what is wanted of a step
grows with what is known (Smith et al. 2018, "Don't Decay the Learning Rate, Increase the Batch Size"). On a slow
machine, or in two minutes, there are few steps at all: docs/decisions.md.
"""

from __future__ import annotations

_THIRD, _HALF = 400, 1000
"""Steps until which a batch is a third, and then half, of what it becomes."""
_FEWEST = 4


def batch_at(step: int, most: int) -> int:
    """Pictures in the batch of a step.

    Args:
        most: what it becomes.
    """
    share = 3 if step < _THIRD else 2 if step < _HALF else 1
    return min(most, max(_FEWEST, most // share))


def seen_before(step: int, most: int) -> int:
    """Pictures in all batches before a step."""
    third, half = min(step, _THIRD), min(max(step - _THIRD, 0), _HALF - _THIRD)
    return third * batch_at(0, most) + half * batch_at(_THIRD, most) + max(step - _HALF, 0) * most
