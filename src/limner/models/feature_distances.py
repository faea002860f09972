"""How far two sets of pictures are from each other, by features of them: KID, nearest neighbours, memorising."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from limner.statistics import Estimate, jackknife


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

    The interval is by `jackknife` over groups of either set, so it holds what both sets owe to chance (one picture has
    no distance: NaN). At most 100 MB beside the features.

    Args:
        real, painted: features. # [n, d], [m, d]
        by: rows whose mean and deviation scale both; `real` where nothing is said. Give the training pictures: among
            few held-out ones a feature may hardly differ by chance, and the cube of it then rules. # [l, d]
        real_of: which picture each real row is a view of; pairs of one picture are left out. # [n]
        groups: how many are left out in turn.
    """
    by = real if by is None else by
    real, painted = standardised(real, by), standardised(painted, by)
    real_of, painted_of = picture_numbers(real_of, len(real)), torch.arange(len(painted))
    x, y = _grouped(real_of, groups, seed), _grouped(painted_of, groups, seed + 1)
    sums = [_kernel_sums(real, real, x, x, real_of), _kernel_sums(painted, painted, y, y, painted_of)]
    sums.append(_kernel_sums(real, painted, x, y, None))

    def distance(of_real: NDArray[np.float64], of_painted: NDArray[np.float64]) -> float:
        sides = ((of_real, of_real), (of_painted, of_painted), (of_real, of_painted))
        with np.errstate(invalid="ignore"):  # one picture has no pairs
            means = [float(a @ total @ b / (a @ pairs @ b)) for (total, pairs), (a, b) in zip(sums, sides, strict=True)]
        return means[0] + means[1] - 2 * means[2]

    return jackknife(distance, (x.shape[1], y.shape[1]), len(painted))


def picture_numbers(of: Tensor | None, count: int) -> Tensor:
    """Which picture each of `count` rows is of, numbered from 0; each is of its own where nothing is said. # -> [n]"""
    return torch.arange(count) if of is None else torch.unique(of, return_inverse=True)[1]


def _grouped(of: Tensor, groups: int, seed: int) -> Tensor:
    """A random group for each picture, of equal sizes as far as that goes. # [n] -> one-hot float32 [n, g]"""
    pictures = int(of.max()) + 1
    groups = min(groups, pictures)
    order = torch.from_numpy(np.random.default_rng(seed).permutation(pictures) % groups)
    return F.one_hot(order[of], groups).float()


def _kernel_sums(
    a: Tensor, b: Tensor, in_a: Tensor, in_b: Tensor, of: Tensor | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
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
    return total.numpy(), pairs.numpy()


def memorised(training: Tensor, held_out: Tensor, painted: Tensor, seed: int = 0) -> Estimate:
    """Share of painted pictures nearer to a training picture than the closest 1 % of held-out ones are.

    About 0.01 where nothing is memorised. The interval (bootstrap, 1,000 draws of both) holds that the closest 1 % of a
    few hundred pictures are a few pictures. # features [n, d], [m, d], [k, d]
    """
    known = standardised(training, training)
    kept, new = (nearest(standardised(rows, training), known)[0].double().numpy() for rows in (held_out, painted))
    value = float((new < np.quantile(kept, 0.01)).mean())
    rng = np.random.default_rng(seed)
    drawn = np.empty(1000)
    for i in range(len(drawn)):
        closest = np.quantile(kept[rng.integers(0, len(kept), len(kept))], 0.01)
        drawn[i] = (new[rng.integers(0, len(new), len(new))] < closest).mean()
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Estimate(value, min(value, float(low)), max(value, float(high)), len(new))


def nearest(rows: Tensor, among: Tensor) -> tuple[Tensor, Tensor]:
    """Distance of each row to the nearest of the others, and which that is. # [n, d], [m, d] -> [n], [n]"""
    found = [torch.cdist(chunk, among).min(1) for chunk in rows.split(256)]
    return torch.cat([one.values for one in found]), torch.cat([one.indices for one in found])
