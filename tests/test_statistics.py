"""Intervals cover what they should."""

from __future__ import annotations

import numpy as np

from limner.statistics import interval


def test_the_interval_covers_the_mean() -> None:
    found = interval(np.random.default_rng(0).normal(3, 1, 400))
    assert found.low < 3 < found.high
    assert found.high - found.low < 0.3
