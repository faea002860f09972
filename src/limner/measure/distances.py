"""How far two sets of features lie apart: Fréchet distance; what one set holds of itself: diversity.

Their kernel distance (KID) is `limner.models.feature_distances.kid`, since trainings report it too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from limner.models.feature_distances import standardised
from limner.statistics import Estimate, jackknifed

__all__ = ["diversity", "frechet", "plain_frechet", "principal"]

_GROUPS = 20
_MOST = 128


def principal(rows: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Mean and leading principal directions of a set; others are projected as `(x - mean) @ directions`.

    # [n, d] -> [d], [d, min(count, d)]
    """
    mean = rows.mean(0)
    centred = (rows - mean).double()
    _, vectors = torch.linalg.eigh(centred.T @ centred)
    return mean, vectors.flip(1)[:, :count].float()


def frechet(
    real: Tensor, painted: Tensor, directions_of: Tensor, *, real_of: Tensor | None = None, seed: int = 0
) -> Estimate:
    """Fréchet distance of two sets of features, each taken as a normal distribution (Heusel et al. 2017, equation 6).

    Few pictures say little about a covariance: the distance of two halves of one set is far from nothing, and the
    fewer the pictures, the farther. So it is taken in the leading principal directions of `directions_of` (at most 128,
    and a third of the smaller set's pictures), both covariances are drawn to a sphere by the share that suits the
    smaller set (Chen et al. 2010, equation 23, OAS), and it is only to be read beside a floor with equal counts.

    Args:
        real, painted: features. # [n, d], [m, d]
        directions_of: features whose directions and deviations are used. # [k, d]
        real_of: which picture each real row is a view of; they stay together in the interval. # [n]
    """
    real_of = torch.arange(len(real)) if real_of is None else torch.unique(real_of, return_inverse=True)[1]
    fewest = min(int(real_of.max()) + 1, len(painted))
    scaled = standardised(directions_of, directions_of)
    mean, directions = principal(scaled, max(2, min(_MOST, fewest // 3)))
    x, y = ((standardised(rows, directions_of) - mean) @ directions for rows in (real, painted))
    return _with_interval(_Moments(x, real_of, seed), _Moments(y, torch.arange(len(y)), seed + 1), drawn=True)


def plain_frechet(real: Tensor, painted: Tensor, *, seed: int = 0) -> Estimate:
    """The same on all features as they are, with plain covariances, as papers compute FID. # [n, d], [m, d]"""
    own, others = (_Moments(rows, torch.arange(len(rows)), seed, groups=5) for rows in (real, painted))
    return _with_interval(own, others, drawn=False)


def _with_interval(own: _Moments, others: _Moments, *, drawn: bool) -> Estimate:
    def distance(without_x: int | None, without_y: int | None) -> float:
        (n, mean_x, cov_x), (m, mean_y, cov_y) = own.of(without_x), others.of(without_y)
        if drawn:
            share = _oas(cov_x, n) if n <= m else _oas(cov_y, m)
            cov_x, cov_y = _drawn(cov_x, share), _drawn(cov_y, share)
        return _normal_distance(mean_x, cov_x, mean_y, cov_y)

    without: Sequence[Sequence[float]] = (
        [distance(i, None) for i in range(own.groups) if own.groups > 2],
        [distance(None, i) for i in range(others.groups) if others.groups > 2],
    )
    return jackknifed(distance(None, None), without, others.pictures)


def diversity(rows: Tensor, real: Tensor, *, seed: int = 0) -> Estimate:
    """Mean distance of two pictures of a set, in deviations of the real pictures' features (random pairs: about 1.4).

    # [n, d], [m, d]
    """
    scaled = standardised(rows, real) / rows.shape[1] ** 0.5
    order = torch.from_numpy(np.random.default_rng(seed).permutation(len(rows)))
    groups = order.tensor_split(min(_GROUPS, len(rows)))
    sums = torch.zeros(len(groups), len(groups), dtype=torch.float64)
    for i, group in enumerate(groups):
        for j, other in enumerate(groups):
            sums[i, j] = sum(
                float(torch.cdist(part, scaled[other]).double().sum()) for part in scaled[group].split(512)
            )
    counts = torch.tensor([float(len(group)) for group in groups]).double()

    def mean(keep: Tensor) -> float:
        kept = float(keep @ counts)
        return float(keep @ sums @ keep) / (kept * (kept - 1))

    everything = torch.ones(len(groups)).double()
    without = [mean(everything - one) for one in torch.eye(len(groups)).double() if len(groups) > 2]
    return jackknifed(mean(everything), (without,), len(rows))


class _Moments:
    """Sums over each group of a set, from which mean and covariance without any group follow."""

    def __init__(self, rows: Tensor, of: Tensor, seed: int, groups: int = _GROUPS) -> None:
        rows = rows.double()
        pictures = int(of.max()) + 1
        self.groups = min(groups, pictures)
        group = torch.from_numpy(np.random.default_rng(seed).permutation(pictures) % self.groups)[of]
        parts = [rows[group == i] for i in range(self.groups)]
        self.counts = torch.tensor([float(len(part)) for part in parts]).double()
        self.pictures = pictures
        self.firsts = torch.stack([part.sum(0) for part in parts])
        self.seconds = torch.stack([part.T @ part for part in parts])

    def of(self, without: int | None) -> tuple[int, Tensor, Tensor]:
        """Pictures, mean and covariance. # -> n, [d], [d, d]"""
        keep = torch.ones(self.groups).double()
        if without is not None:
            keep[without] = 0
        count = float(keep @ self.counts)
        mean = keep @ self.firsts / count
        second = torch.einsum("g,gij->ij", keep, self.seconds)
        covariance = (second - count * torch.outer(mean, mean)) / max(1.0, count - 1)
        return max(2, round(self.pictures * count / float(self.counts.sum()))), mean, covariance


def _oas(covariance: Tensor, count: int) -> float:
    size = len(covariance)
    square, trace = float((covariance @ covariance).trace()), float(covariance.trace())
    below = (count + 1 - 2 / size) * (square - trace**2 / size)
    return 1.0 if below <= 0 else min(1.0, ((1 - 2 / size) * square + trace**2) / below)


def _drawn(covariance: Tensor, share: float) -> Tensor:
    ball = torch.eye(len(covariance)).double() * covariance.trace() / len(covariance)
    return (1 - share) * covariance + share * ball


def _normal_distance(mean_x: Tensor, cov_x: Tensor, mean_y: Tensor, cov_y: Tensor) -> float:
    values, vectors = torch.linalg.eigh(cov_x)
    root = (vectors * values.clamp_min(0).sqrt()) @ vectors.T
    between = torch.linalg.eigvalsh(root @ cov_y @ root).clamp_min(0).sqrt().sum()
    return float(((mean_x - mean_y) ** 2).sum() + cov_x.trace() + cov_y.trace() - 2 * between)
