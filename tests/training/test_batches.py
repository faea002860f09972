"""Batches grow, every epoch shows each picture once, and what a step sees follows from its number alone."""

from __future__ import annotations

import pytest

from limner.training.batches import batch_at, seen_before


@pytest.mark.parametrize("most", [2, 8, 48, 1024])
def test_batches_never_shrink_and_become_what_was_asked_for(most: int) -> None:
    sizes = [batch_at(step, most) for step in range(2000)]
    assert sizes == sorted(sizes)
    assert sizes[-1] == most
    assert sizes[0] == min(most, max(4, most // 3))


@pytest.mark.parametrize("most", [2, 8, 48])
def test_what_was_seen_before_is_the_sum_of_all_batches(most: int) -> None:
    total = 0
    for step in range(1500):
        assert seen_before(step, most) == total
        total += batch_at(step, most)
