"""Precision, recall, density, coverage and the share memorised: sets with known answers."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from limner.measure import manifolds
from limner.measure.manifolds import compare_manifolds, radii
from limner.models.feature_distances import memorised


def modes(count: int, seed: int, kinds: int = 4) -> Tensor:
    """Rows about `kinds` far-apart points, equally many each. # -> [count, 8]"""
    generator = torch.Generator().manual_seed(seed)
    centres = torch.eye(8)[torch.arange(count) % kinds] * 20
    return centres + torch.randn(count, 8, generator=generator)


def test_alike_sets_lie_within_each_other() -> None:
    found = compare_manifolds(modes(800, 1), modes(800, 2))
    assert found["precision"].value > 0.75
    assert found["recall"].value > 0.75
    assert found["density"].low < 1.05
    assert found["density"].high > 0.95
    assert found["coverage"].value > 0.9
    assert found["coverage"].count == 800


def test_a_set_lies_within_itself() -> None:
    rows = modes(200, 1)
    found = compare_manifolds(rows, rows)
    assert found["precision"].value == found["recall"].value == found["coverage"].value == 1


def test_disjoint_sets_share_nothing() -> None:
    found = compare_manifolds(modes(300, 1), modes(300, 2) + 100)
    for estimate in (found["precision"], found["recall"], found["density"], found["coverage"]):
        assert estimate.value == 0
        assert estimate.low == 0


def test_a_kind_left_out_costs_recall_and_no_precision() -> None:
    whole, less = (compare_manifolds(modes(800, 1), modes(800, 2, kinds)) for kinds in (4, 2))
    assert less["recall"].value < 0.6 * whole["recall"].value
    assert less["coverage"].high < 0.6
    assert less["precision"].value > whole["precision"].low


def test_broken_pictures_cost_precision_and_no_coverage() -> None:
    painted = torch.cat([modes(400, 2), modes(400, 3) + 200])
    found = compare_manifolds(modes(800, 1), painted)
    assert found["precision"].high < 0.55
    assert found["density"].high < 0.6
    assert found["coverage"].value > 0.75


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = compare_manifolds(modes(300, 1), modes(300, 2))
    monkeypatch.setattr(manifolds, "_AT_ONCE", 7)
    assert compare_manifolds(modes(300, 1), modes(300, 2)) == whole


def test_radii_of_known_points() -> None:
    near, far = radii(torch.tensor([[0.0], [1.0], [3.0], [7.0]]), (1, 3))
    assert near.tolist() == [1, 1, 2, 4]
    assert far.tolist() == [7, 6, 4, 7]


def test_copies_are_memorised_and_new_pictures_are_not() -> None:
    training, held_out = modes(600, 1), modes(300, 2)
    fresh = memorised(training, held_out, modes(500, 3))
    assert fresh.value < 0.04
    assert fresh.low <= 0.01 <= fresh.high
    copied = torch.cat([training[:250] + 0.001, modes(250, 4)])
    found = memorised(training, held_out, copied)
    assert 0.48 < found.value < 0.55
    assert found.low > 0.4
