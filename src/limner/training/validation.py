"""What is measured as a training goes and when it ends: reconstruction, distance of sets, memorising."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from limner.models.teacher import Teacher
from limner.models.vae import to_unit

__all__ = ["Estimate", "interval", "kid", "memorised", "perceptual", "psnr", "ssim"]


@dataclass(frozen=True)
class Estimate:
    """A number about a group: its value, its 95 % interval and the group's count."""

    value: float
    low: float
    high: float
    count: int

    def as_dict(self) -> dict[str, float]:
        """For JSON."""
        return asdict(self)


def interval(values: Tensor | NDArray[np.float64], seed: int = 0) -> Estimate:
    """Mean with its 95 % interval by bootstrap over the group (1,000 draws)."""
    array = np.asarray(values, dtype=np.float64)
    rng = np.random.default_rng(seed)
    means = array[rng.integers(0, len(array), (1000, len(array)))].mean(1)
    low, high = np.quantile(means, [0.025, 0.975])
    return Estimate(float(array.mean()), float(low), float(high), len(array))


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


def kid(real: Tensor, painted: Tensor, *, blocks: int = 50, seed: int = 0) -> Estimate:
    """Kernel distance of two sets of features (Binkowski et al. 2018): cubic kernel, unbiased, mean over random blocks.

    Features are scaled by the real set's deviation, so that no single one rules.

    Args:
        real, painted: features. # [n, d], [m, d]
        blocks: how many blocks the mean and its interval are taken over.
    """
    mean, deviation = real.mean(0), real.std(0).clamp_min(1e-6)
    real, painted = (real - mean) / deviation, (painted - mean) / deviation
    size = min(len(real), len(painted), 200)
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(blocks):
        x = real[torch.from_numpy(rng.permutation(len(real))[:size])]
        y = painted[torch.from_numpy(rng.permutation(len(painted))[:size])]
        values.append(_mmd(x, y))
    array = np.array(values)
    half = 1.96 * float(array.std(ddof=1)) / min(blocks, max(1, len(painted) // size, len(real) // size)) ** 0.5
    return Estimate(float(array.mean()), float(array.mean()) - half, float(array.mean()) + half, len(painted))


def _mmd(x: Tensor, y: Tensor) -> float:
    xx, yy, xy = (((a @ b.T) / a.shape[1] + 1) ** 3 for a, b in ((x, x), (y, y), (x, y)))
    n = len(x)
    within = (xx.sum() - xx.diagonal().sum() + yy.sum() - yy.diagonal().sum()) / (n * (n - 1))
    return float(within - 2 * xy.mean())


def memorised(features: nn.Module, training: Tensor, held_out: Tensor, painted: Tensor) -> float:
    """Share of painted pictures that lie closer to a training picture than the closest 1 % of held-out ones do.

    About 0.01 where nothing is memorised. # uint8 [n, 3, h, w] each
    """
    known, kept, new = (features(x) for x in (training, held_out, painted))
    mean, deviation = known.mean(0), known.std(0).clamp_min(1e-6)
    known, kept, new = ((x - mean) / deviation for x in (known, kept, new))
    line = torch.quantile(_nearest(kept, known), 0.01)
    return float((_nearest(new, known) < line).float().mean())


def _nearest(rows: Tensor, among: Tensor) -> Tensor:
    return torch.cat([torch.cdist(chunk, among).amin(1) for chunk in rows.split(256)])
