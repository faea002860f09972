"""The yardstick: features as the network's own package gives them, whatever the size of the pictures."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from limner.models.features import Lite2Features
from limner.statistics import Estimate
from limner.training.report import kid_in_words


def test_features_are_those_of_the_weights_own_package() -> None:
    """Values of `efficientnet-lite-pytorch` 0.1.0 with the same weights."""
    noise = torch.randint(0, 256, (2, 3, 16, 16), generator=torch.Generator().manual_seed(3)).float()
    pictures = F.interpolate(noise, (128, 128), mode="nearest").to(torch.uint8)
    found = Lite2Features()(pictures)
    assert found.shape == (2, 1280)
    wanted = torch.tensor([[1.6779, 1.9828, 2.3490, 3.4119], [1.7172, 1.8285, 2.3018, 3.3064]])
    assert torch.allclose(found[:, [123, 52, 749, 302]], wanted, atol=2e-3)


def test_pictures_of_any_size_are_seen_at_128_pixels() -> None:
    torch.manual_seed(0)
    small = (torch.rand(2, 3, 16, 24) * 255).to(torch.uint8)
    large = F.interpolate(small.float(), (256, 384), mode="bicubic").clamp(0, 255).to(torch.uint8)
    features = Lite2Features()
    one, other = (
        features(F.interpolate(small.float(), (128, 128), mode="bicubic").clamp(0, 255).byte()),
        features(large),
    )
    assert float(F.cosine_similarity(one, other).min()) > 0.9


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ((0.03, -0.01, 0.07), "cannot be distinguished"),
        ((0.09, 0.08, 0.10), "hard to distinguish"),
        ((0.30, 0.20, 0.40), "distinguishable from real ones"),
        ((0.90, 0.80, 1.00), "clearly distinguishable"),
    ],
)
def test_words_follow_the_distance(found: tuple[float, float, float], says: str) -> None:
    assert kid_in_words(Estimate(*found, 100), Estimate(0.006, -0.02, 0.03, 100)).startswith(says)


def test_a_wide_interval_does_not_make_pictures_real() -> None:
    said = kid_in_words(Estimate(0.5, -0.2, 1.2, 20), Estimate(0.0, -0.3, 0.3, 20))
    assert said == "clearly distinguishable from real ones"
