"""Numbers about groups, each with its 95 % interval and count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["Estimate", "interval", "jackknifed"]


@dataclass(frozen=True)
class Estimate:
    """A number about a group: its value, its 95 % interval and the group's count."""

    value: float
    low: float
    high: float
    count: int

    def as_dict(self) -> dict[str, float]:
        """For JSON."""
        return asdict(self)


def interval(values: ArrayLike, seed: int = 0) -> Estimate:
    """Mean with its 95 % interval by bootstrap over the group (1,000 draws)."""
    array = np.asarray(values, dtype=np.float64)
    rng = np.random.default_rng(seed)
    means = array[rng.integers(0, len(array), (1000, len(array)))].mean(1)
    low, high = np.quantile(means, [0.025, 0.975])
    return Estimate(float(array.mean()), float(low), float(high), len(array))


def jackknifed(value: float, without: Sequence[Sequence[float]], count: int) -> Estimate:
    """A number with its 95 % interval by delete-a-group jackknife, the sets being independent of each other.

    Args:
        without: for each set, the number with one of its groups left out, group by group.
        count: of the group that the number is about.
    """
    # Not scipy.stats, which takes a second to import.
    from scipy.special import stdtrit

    parts = [np.asarray(values) for values in without if len(values)] or [np.zeros(2)]
    variance = sum((len(v) - 1) / len(v) * float(((v - v.mean()) ** 2).sum()) for v in parts)
    half = float(stdtrit(min(len(v) for v in parts) - 1, 0.975)) * variance**0.5
    return Estimate(value, value - half, value + half, count)
