"""PSNR and SSIM of pairs with known answers."""

from __future__ import annotations

import math

import torch

from limner.models.similarity import psnr, ssim
from pictures_made import made_picture


def test_psnr_of_a_known_error() -> None:
    pictures = torch.full((2, 3, 8, 8), 100, dtype=torch.uint8)
    assert torch.allclose(psnr(pictures + 10, pictures), torch.tensor(10 * math.log10(255**2 / 100)))


def test_ssim_is_one_for_itself_and_falls_with_noise() -> None:
    pictures = torch.stack([torch.from_numpy(made_picture(n, 32)).permute(2, 0, 1) for n in range(4)])
    noise = torch.randint(-20, 21, pictures.shape)
    noisy = (pictures.int() + noise).clamp(0, 255).to(torch.uint8)
    assert torch.allclose(ssim(pictures, pictures), torch.ones(4), atol=1e-5)
    assert float(ssim(noisy, pictures).mean()) < 0.9
