"""What is measured as a training goes and when it ends: reconstruction, distance of sets, memorising."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from limner.models.latent_model import to_unit
from limner.models.teacher import Teacher

__all__ = [
    "Estimate",
    "interval",
    "jackknifed",
    "kid",
    "memorised",
    "nearest_distances",
    "perceptual",
    "psnr",
    "ssim",
    "standardised",
    "told_apart",
]


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


_HARD, _CLEAR = 0.1, 0.4


def told_apart(found: Estimate, floor: Estimate) -> str:
    """How well new pictures can be told from real ones, in words, by their KID and that of real pictures."""
    if found.low <= floor.high and found.value <= _HARD:
        return "cannot be told from real ones by these features"
    beyond = found.value - max(0.0, floor.value)
    return (
        "hard to tell from real ones" if beyond < _HARD else
        "told from real ones" if beyond < _CLEAR else
        "clearly told from real ones"
    )  # fmt: skip


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


def standardised(rows: Tensor, by: Tensor) -> Tensor:
    """Each feature less its mean and by its deviation among the rows of `by`, so that no single one rules.

    One that hardly ever differs among them (under 1 % of the median deviation) is not blown up. # [n, d], [m, d]
    """
    deviation = by.std(0)
    least = max(1e-6, 0.01 * float(deviation.median()))
    return (rows - by.mean(0)) / deviation.clamp_min(least)


def kid(
    real: Tensor,
    painted: Tensor,
    *,
    by: Tensor | None = None,
    real_of: Tensor | None = None,
    seed: int = 0,
    groups: int = 20,
) -> Estimate:
    """Kernel distance of two sets of features (Binkowski et al. 2018, section 4): cubic kernel, unbiased, all pairs.

    The interval is from leaving out a group of either set at a time (jackknife: Efron and Stein 1981), so it holds what
    both sets owe to chance (a set of fewer than three pictures adds nothing to it; one picture has no distance: NaN).
    At most 100 MB beside the features.

    Args:
        real, painted: features. # [n, d], [m, d]
        by: rows whose mean and deviation scale both; `real` where nothing is said. Give the training pictures: among
            few held-out ones a feature may hardly differ by chance, and the cube of it then rules. # [l, d]
        real_of: which picture each real row is a view of; pairs of one picture are left out. # [n]
        groups: how many are left out in turn.
    """
    by = real if by is None else by
    real, painted = standardised(real, by), standardised(painted, by)
    real_of = torch.arange(len(real)) if real_of is None else torch.unique(real_of, return_inverse=True)[1]
    x, y = _grouped(real_of, groups, seed), _grouped(torch.arange(len(painted)), groups, seed + 1)
    xx, xx_pairs = _kernel_sums(real, real, x, x, real_of)
    yy, yy_pairs = _kernel_sums(painted, painted, y, y, torch.arange(len(painted)))
    xy, xy_pairs = _kernel_sums(real, painted, x, y, None)

    def distance(keep_x: Tensor, keep_y: Tensor) -> float:
        parts = ((xx, xx_pairs, keep_x, keep_x), (yy, yy_pairs, keep_y, keep_y), (xy, xy_pairs, keep_x, keep_y))
        within_x, within_y, between = (float(a @ total @ b / (a @ pairs @ b)) for total, pairs, a, b in parts)
        return within_x + within_y - 2 * between

    all_x, all_y = torch.ones(x.shape[1]).double(), torch.ones(y.shape[1]).double()
    without_x = [distance(all_x - one, all_y) for one in torch.eye(len(all_x)).double() if len(all_x) > 2]
    without_y = [distance(all_x, all_y - one) for one in torch.eye(len(all_y)).double() if len(all_y) > 2]
    return jackknifed(distance(all_x, all_y), (without_x, without_y), len(painted))


def jackknifed(value: float, without: Sequence[Sequence[float]], count: int) -> Estimate:
    """A number with its 95 % interval by delete-a-group jackknife, the sets being independent of each other.

    Args:
        without: for each set, the number with one of its groups left out, group by group.
        count: of the group that the number is about.
    """
    # Not scipy.stats, which takes a second to import.
    from scipy.special import stdtrit

    parts = [np.asarray(values) for values in without if len(values)] or [np.zeros(2)]
    variance = sum((len(v) - 1) / len(v) * float(((v - v.mean()) ** 2).sum()) for v in parts)
    half = float(stdtrit(min(len(v) for v in parts) - 1, 0.975)) * variance**0.5
    return Estimate(value, value - half, value + half, count)


def _grouped(of: Tensor, groups: int, seed: int) -> Tensor:
    """A random group for each picture, of equal sizes as far as that goes. # [n] -> one-hot float32 [n, g]"""
    pictures = int(of.max()) + 1
    groups = min(groups, pictures)
    order = torch.from_numpy(np.random.default_rng(seed).permutation(pictures) % groups)
    return F.one_hot(order[of], groups).float()


def _kernel_sums(a: Tensor, b: Tensor, in_a: Tensor, in_b: Tensor, of: Tensor | None) -> tuple[Tensor, Tensor]:
    """Sums of the kernel over the pairs of each two groups, and how many pairs; without those of one picture.

    # [n, d], [m, d], [n, g], [m, h] -> float64 [g, h] twice
    """
    total = torch.zeros(in_a.shape[1], in_b.shape[1], dtype=torch.float64)
    pairs = torch.zeros_like(total)
    for i in range(0, len(a), 512):
        kernel = (a[i : i + 512] @ b.T).div_(a.shape[1]).add_(1).pow_(3)
        allowed = torch.ones_like(kernel) if of is None else (of[i : i + 512, None] != of[None]).float()
        total += (in_a[i : i + 512].T @ kernel.mul_(allowed) @ in_b).double()
        pairs += (in_a[i : i + 512].T @ allowed @ in_b).double()
    return total, pairs


def memorised(training: Tensor, held_out: Tensor, painted: Tensor) -> float:
    """Share of painted pictures that lie closer to a training picture than the closest 1 % of held-out ones do.

    About 0.01 where nothing is memorised. # features [n, d] each
    """
    known, kept, new = (standardised(x, training) for x in (training, held_out, painted))
    line = torch.quantile(nearest_distances(kept, known), 0.01)
    return float((nearest_distances(new, known) < line).float().mean())


def nearest_distances(rows: Tensor, among: Tensor) -> Tensor:
    """Distance of each row to the nearest of the others. # [n, d], [m, d] -> [n]"""
    return torch.cat([torch.cdist(chunk, among).amin(1) for chunk in rows.split(256)])
