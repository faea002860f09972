"""Distances of sets with known answers: KID, Fréchet distance, diversity, patches, path length."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from limner.measure.distances import diversity, frechet, perceptual_path_length, plain_frechet
from limner.measure.patches import laplacian_levels, sliced_wasserstein
from limner.models.feature_distances import kid, standardised


def rows(count: int, seed: int, *, shift: float = 0.0, scale: float = 1.0) -> Tensor:
    return torch.randn(count, 16, generator=torch.Generator().manual_seed(seed)) * scale + shift


def test_kid_of_alike_sets_has_nothing_in_its_interval() -> None:
    inside = 0
    for seed in range(20):
        found = kid(rows(200, 2 * seed), rows(300, 2 * seed + 1), seed=seed)
        inside += found.low <= 0 <= found.high
    assert inside >= 17


def test_kid_agrees_with_its_definition() -> None:
    real, painted = rows(40, 1), rows(50, 2, shift=0.3)
    x, y = standardised(real, real), standardised(painted, real)
    xx, yy, xy = (((a @ b.T) / 16 + 1).double() ** 3 for a, b in ((x, x), (y, y), (x, y)))
    within = (xx.sum() - xx.trace()) / (40 * 39) + (yy.sum() - yy.trace()) / (50 * 49)
    assert kid(real, painted).value == pytest.approx(float(within - 2 * xy.mean()), rel=1e-4)


def test_a_feature_that_few_held_out_pictures_lack_does_not_rule() -> None:
    training, real, painted = rows(1000, 1), rows(20, 2), rows(300, 3)
    real[:, 0] = 0.02 * real[:, 0]  # By chance these twenty hardly differ there.
    blown, scaled = kid(real, painted), kid(real, painted, by=training)
    assert abs(blown.value) > 100
    assert abs(scaled.value) < 0.01 * abs(blown.value)


def test_kid_leaves_out_pairs_of_one_picture() -> None:
    once, painted = rows(150, 1), rows(300, 2)
    twice, of = once.repeat(2, 1), torch.arange(150).repeat(2)
    found = kid(twice, painted, real_of=of)
    assert found.low <= 0 <= found.high
    blind = kid(twice, painted).value
    assert blind > found.value


def test_kid_of_very_few_pictures_is_a_number() -> None:
    found = kid(rows(2, 1), rows(20, 2))
    assert found.low <= found.value <= found.high


def test_frechet_of_a_known_shift() -> None:
    # Two balls of deviation 1 whose middles lie 0.5 apart in each of 16 directions: 16 * 0.25 = 4.
    found = plain_frechet(rows(4000, 1), rows(4000, 2, shift=0.5))
    assert found.low < 4 < found.high
    assert found.high - found.low < 0.6


def test_frechet_grows_with_damage_and_knows_views() -> None:
    real, training = rows(300, 1), rows(600, 2)
    same, near, far = (frechet(real, rows(400, 3, shift=s), training) for s in (0.0, 0.3, 0.9))
    assert same.high < near.low < near.high < far.low
    views = frechet(real.repeat(2, 1), rows(400, 3), training, real_of=torch.arange(300).repeat(2))
    assert views.value == pytest.approx(same.value, rel=0.05)


def test_diversity_falls_where_pictures_look_alike() -> None:
    real = rows(400, 1)
    whole, half = diversity(rows(300, 2), real), diversity(rows(300, 2, scale=0.5), real)
    assert whole.low < 2**0.5 < whole.high + 0.03
    assert half.value == pytest.approx(whole.value / 2, rel=1e-3)


def test_a_pyramid_gives_the_picture_back() -> None:
    picture = torch.rand(1, 3, 64, 64)
    levels = laplacian_levels(picture)
    assert [level.shape[-1] for level in levels] == [64, 32, 16]
    back = levels[-1]
    for level in reversed(levels[:-1]):
        back = level + torch.nn.functional.interpolate(back, level.shape[-2:], mode="bilinear")
    assert torch.allclose(back, picture, atol=1e-5)


def test_blurred_pictures_differ_in_the_finest_patches() -> None:
    noise = torch.randint(0, 256, (80, 3, 32, 32), generator=torch.Generator().manual_seed(1)).to(torch.uint8)
    one, other = noise[:40], noise[40:]
    blurred = torch.nn.functional.avg_pool2d(other.float(), 3, 1, 1).to(torch.uint8)
    same, soft = sliced_wasserstein(one, other), sliced_wasserstein(one, blurred)
    assert list(same) == [32, 16]
    assert soft[32].low > same[32].high


def test_the_length_of_a_straight_path_is_known() -> None:
    starts, ends = rows(50, 1), rows(50, 2)

    def paint(paths: Tensor, at: Tensor) -> Tensor:
        return torch.lerp(starts[paths].double(), ends[paths].double(), at[:, None].double())

    found = perceptual_path_length(paint, lambda a, b: ((a - b) ** 2).sum(1), 50)
    assert found.value == pytest.approx(float(((starts - ends) ** 2).sum(1).mean()), rel=1e-3)
    assert found.count == 50


def test_dead_features_are_not_blown_up() -> None:
    real = torch.cat([rows(50, 1), torch.zeros(50, 1)], dim=1)
    painted = real.clone()
    painted[:, -1] = 1e-3
    assert float(standardised(painted, real)[:, -1].abs().max()) < 1
    assert kid(real, painted).value < 0.01
