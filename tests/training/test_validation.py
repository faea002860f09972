"""The numbers: known cases come out as known."""

from __future__ import annotations

import math

import numpy as np
import torch

from limner.models.features import RandomFeatures
from limner.training.validation import interval, kid, memorised, psnr, ssim
from pictures_made import made_picture


def _made(numbers: range) -> torch.Tensor:
    return torch.stack([torch.from_numpy(made_picture(n, 32)).permute(2, 0, 1) for n in numbers])


def test_psnr_of_a_known_error() -> None:
    pictures = torch.full((2, 3, 8, 8), 100, dtype=torch.uint8)
    assert torch.allclose(psnr(pictures + 10, pictures), torch.tensor(10 * math.log10(255**2 / 100)))


def test_ssim_is_one_for_itself_and_falls_with_noise() -> None:
    pictures = _made(range(4))
    noise = torch.randint(-20, 21, pictures.shape)
    noisy = (pictures.int() + noise).clamp(0, 255).to(torch.uint8)
    assert torch.allclose(ssim(pictures, pictures), torch.ones(4), atol=1e-5)
    assert float(ssim(noisy, pictures).mean()) < 0.9


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
    assert memorised(training, held_out, new) <= 0.1
    copies = features((shown[:50].int() + 1).clamp(0, 255).to(torch.uint8))
    assert memorised(training, held_out, copies) > 0.9


def test_the_interval_covers_the_mean() -> None:
    found = interval(np.random.default_rng(0).normal(3, 1, 400))
    assert found.low < 3 < found.high
    assert found.high - found.low < 0.3
