"""Intervals cover what they should."""

from __future__ import annotations

import numpy as np

from limner.statistics import interval, share


def test_the_interval_covers_the_mean() -> None:
    found = interval(np.random.default_rng(0).normal(3, 1, 400))
    assert found.low < 3 < found.high
    assert found.high - found.low < 0.3


def test_a_share_never_leaves_nought_to_one() -> None:
    for count in (0, 1, 30):
        found = share(np.arange(30) < count)
        assert 0 <= found.low <= found.value <= found.high <= 1
    # Wilson 1927 for 15 of 30.
    half = share(np.arange(30) < 15)
    assert (round(half.low, 3), round(half.high, 3)) == (0.332, 0.668)
