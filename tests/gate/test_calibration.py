"""Thresholds follow from honest pictures."""

from __future__ import annotations

import numpy as np

from limner.gate.agreement import Agreement
from limner.gate.calibration import COPY, thresholds


def _honest(count: int, high: float) -> list[Agreement]:
    values = np.random.default_rng(1).beta(1, 12, count) * high
    return [Agreement(float(one), min(1.0, 1.3 * float(one)), 1.0) for one in values]


def test_honest_pictures_stay_below_and_copies_above() -> None:
    honest = _honest(3000, 0.9)
    found = thresholds(honest, 0)
    fresh = [found.score(Agreement(one.whole, one.most, 1.0)) for one in _honest(3000, 0.88)]
    assert found.above <= 3 and np.mean([score >= COPY for score in fresh]) <= 0.001
    assert found.score(Agreement(0.98, 1.0, 1.0)) > COPY


def test_a_collection_of_like_pictures_gets_higher_thresholds() -> None:
    assert thresholds(_honest(2000, 1.0), 0).whole > thresholds(_honest(2000, 0.4), 0).whole


def test_the_same_picture_twice_does_not_blind_the_gate() -> None:
    honest = _honest(1500, 0.5)
    twice = [Agreement(0.97, 1.0, 1.0)] * 10
    found, without = thresholds(honest + twice, 0), thresholds(honest, 0)
    assert found.whole == without.whole and found.above == without.above + 10


def test_few_pictures_get_careful_thresholds() -> None:
    few = thresholds(_honest(5, 0.2), 0)
    assert few.whole > 0.5 and few.honest == 5
