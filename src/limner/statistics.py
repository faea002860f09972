"""Numbers about groups, each with its 95 % interval and count."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


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


def share(of: ArrayLike) -> Estimate:
    """How many are true, with the 95 % interval of a share (Wilson 1927). # bool [n]"""
    from scipy.stats import binomtest

    among = np.asarray(of)
    found = binomtest(int(among.sum()), len(among)).proportion_ci(method="wilson")
    return Estimate(float(among.mean()), float(found.low), float(found.high), len(among))


def jackknife(value: Callable[..., float], groups: Sequence[int], count: int) -> Estimate:
    """A number with its 95 % interval by delete-a-group jackknife (Efron and Stein 1981) over independent sets.

    Args:
        value: computes it from which groups of each set take part. # float64 [groups] of zeros and ones, one a set
        groups: of how many groups each set consists; sets of fewer than three add nothing to the interval.
    """
    whole = [np.ones(number) for number in groups]

    def without(place: int, group: NDArray[np.float64]) -> float:
        return value(*(all_of_them - group if i == place else all_of_them for i, all_of_them in enumerate(whole)))

    parts = [[without(i, group) for group in np.eye(number)] for i, number in enumerate(groups) if number > 2]
    return jackknifed(value(*whole), parts, count)


def jackknifed(value: float, without: Sequence[Sequence[float]], count: int) -> Estimate:
    """As `jackknife`, from the numbers themselves.

    Args:
        without: for each set, the number with one of its groups left out, group by group.
    """
    # Not scipy.stats, which takes a second to import.
    from scipy.special import stdtrit

    parts = [np.asarray(values) for values in without if len(values)] or [np.zeros(2)]
    variance = sum((len(v) - 1) / len(v) * float(((v - v.mean()) ** 2).sum()) for v in parts)
    half = float(stdtrit(min(len(v) for v in parts) - 1, 0.975)) * variance**0.5
    return Estimate(value, value - half, value + half, count)
