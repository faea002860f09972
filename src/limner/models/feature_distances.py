"""How far two sets of pictures are from each other, by features of them: KID, nearest neighbours, memorising."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from limner.statistics import Estimate, jackknifed

__all__ = ["kid", "memorised", "nearest_distances", "standardised"]


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
