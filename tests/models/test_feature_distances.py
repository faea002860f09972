"""KID and memorising: sets whose answers are known."""

from __future__ import annotations

import math

import torch

from limner.models.feature_distances import kid, memorised
from limner.models.features import RandomFeatures
from pictures_made import made_picture


def _made(numbers: range) -> torch.Tensor:
    return torch.stack([torch.from_numpy(made_picture(n, 32)).permute(2, 0, 1) for n in numbers])


def test_kid_is_near_nothing_for_the_same_kind_and_far_for_another() -> None:
    features = RandomFeatures()
    one, two = features(_made(range(0, 240, 2))), features(_made(range(240, 480, 2)))
    other = features(_made(range(1, 241, 2)))
    same, different = kid(one, two), kid(one, other)
    assert same.low <= same.value <= same.high
    assert abs(same.value) < 0.1 * different.value
    assert same.count == 120


def test_memorising_is_seen() -> None:
    features = RandomFeatures()
    shown = _made(range(0, 200))
    training, held_out, new = (features(x) for x in (shown, _made(range(200, 300)), _made(range(300, 400))))
    assert memorised(training, held_out, new).value <= 0.1
    copies = features((shown[:50].int() + 1).clamp(0, 255).to(torch.uint8))
    assert memorised(training, held_out, copies).value > 0.9


def test_one_picture_has_no_distance() -> None:
    rows = torch.randn(5, 3)
    assert math.isnan(kid(rows[:1], rows[1:], by=rows).value)
