"""How alike two pictures are, pair by pair: PSNR, SSIM, and the distance of a teacher's features."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from limner.models.latent_model import to_unit
from limner.models.teacher import Teacher

__all__ = ["perceptual", "psnr", "ssim"]


def psnr(painted: Tensor, pictures: Tensor) -> Tensor:
    """Peak signal-to-noise ratio of each picture in dB. # uint8 [n, 3, h, w] twice -> [n]"""
    error = ((painted.float() - pictures.float()) ** 2).mean((1, 2, 3)).clamp_min(1e-3)
    return 10 * torch.log10(255**2 / error)


def ssim(painted: Tensor, pictures: Tensor) -> Tensor:
    """Structural similarity of each picture (Wang et al. 2004: Gaussian window of 11, sigma 1.5, on luminance).

    # uint8 [n, 3, h, w] twice -> [n]
    """
    weights = torch.tensor([0.299, 0.587, 0.114])[:, None, None]
    a, b = ((x.float() * weights).sum(1, keepdim=True) for x in (painted, pictures))
    line = torch.exp(-((torch.arange(11) - 5.0) ** 2) / (2 * 1.5**2))
    window = (line[:, None] * line[None] / line.sum() ** 2)[None, None]
    mean_a, mean_b = F.conv2d(a, window), F.conv2d(b, window)
    variance_a, variance_b = F.conv2d(a * a, window) - mean_a**2, F.conv2d(b * b, window) - mean_b**2
    covariance = F.conv2d(a * b, window) - mean_a * mean_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    similar = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    similar = similar / ((mean_a**2 + mean_b**2 + c1) * (variance_a + variance_b + c2))
    return similar.mean((1, 2, 3))


@torch.inference_mode()
def perceptual(painted: Tensor, pictures: Tensor, teacher: Teacher) -> Tensor:
    """Perceptual distance of each picture by a teacher's features. # uint8 [n, 3, h, w] twice -> [n]"""
    distances = []
    for a, b in zip(painted.split(64), pictures.split(64), strict=True):
        pairs = zip(teacher(to_unit(a)), teacher(to_unit(b)), strict=True)
        distances.append(torch.stack([((x - y) ** 2).sum(1).mean((1, 2)) for x, y in pairs]).sum(0))
    return torch.cat(distances)
