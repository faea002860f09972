"""Fréchet distance of two sets of features; how much one set differs in itself: diversity and path length.

Their kernel distance (KID) is `limner.models.feature_distances.kid`, since trainings report it too.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from limner.models.feature_distances import picture_numbers, standardised
from limner.statistics import Estimate, interval, jackknife

_GROUPS = 20
_MOST = 128
_PATHS_AT_ONCE = 32


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
    real_of = picture_numbers(real_of, len(real))
    fewest = min(int(real_of.max()) + 1, len(painted))
    scaled = standardised(directions_of, directions_of)
    mean, directions = principal(scaled, max(2, min(_MOST, fewest // 3)))
    x, y = ((standardised(rows, directions_of) - mean) @ directions for rows in (real, painted))
    return _normal_distance(_Moments(x, real_of, seed), _Moments(y, torch.arange(len(y)), seed + 1), shrunk=True)


def plain_frechet(real: Tensor, painted: Tensor, *, seed: int = 0) -> Estimate:
    """The same on all features as they are, with plain covariances, as papers compute FID. # [n, d], [m, d]"""
    own, others = (_Moments(rows, torch.arange(len(rows)), seed, groups=5) for rows in (real, painted))
    return _normal_distance(own, others, shrunk=False)


def diversity(rows: Tensor, real: Tensor, *, seed: int = 0) -> Estimate:
    """Mean distance of two pictures of a set, in deviations of the real pictures' features (random pairs: about 1.4).

    # [n, d], [m, d]
    """
    scaled = standardised(rows, real) / rows.shape[1] ** 0.5
    order = torch.from_numpy(np.random.default_rng(seed).permutation(len(rows)))
    groups = order.tensor_split(min(_GROUPS, len(rows)))
    sums, counts = np.zeros((len(groups), len(groups))), np.array([len(group) for group in groups])
    for i, group in enumerate(groups):
        for j, other in enumerate(groups):
            parts = scaled[group].split(512)
            sums[i, j] = sum(float(torch.cdist(part, scaled[other]).double().sum()) for part in parts)

    def mean(keep: NDArray[np.float64]) -> float:
        kept = keep @ counts
        return float(keep @ sums @ keep / (kept * (kept - 1)))

    return jackknife(mean, (len(groups),), len(rows))


@torch.inference_mode()
def perceptual_path_length(
    paint: Callable[[Tensor, Tensor], Tensor],
    distance: Callable[[Tensor, Tensor], Tensor],
    count: int,
    *,
    epsilon: float = 1e-4,
    seed: int = 0,
) -> Estimate:
    """Mean squared perceptual change by squared step at the start of `count` paths (Karras et al. 2019, section 4.1).

    At the ends of paths, as the authors have it since their second version: every latent that is measured was drawn,
    none lies between. `paint` has to give float32 pictures of a network in float32: in bfloat16, or in bytes, a step of
    1e-4 changes less than rounding does. Where only those can be had, take 1e-2 at least and say so beside the figure.

    Args:
        paint: pictures on paths; given which paths and how far on each, 0 to 1. # int [n], float [n] -> [n, 3, h, w]
        distance: squared perceptual distance of pairs. # [n, 3, h, w] twice -> [n]
    """
    found = []
    for start in range(0, count, _PATHS_AT_ONCE):
        paths = torch.arange(start, min(count, start + _PATHS_AT_ONCE))
        at = torch.zeros(len(paths))
        found.append(distance(paint(paths, at), paint(paths, at + epsilon)) / epsilon**2)
    return interval(torch.cat(found), seed)


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

    def of(self, groups: NDArray[np.float64]) -> tuple[int, Tensor, Tensor]:
        """Pictures, mean and covariance of the groups that take part. # [groups] -> n, [d], [d, d]"""
        keep = torch.from_numpy(groups)
        count = float(keep @ self.counts)
        mean = keep @ self.firsts / count
        second = torch.einsum("g,gij->ij", keep, self.seconds)
        covariance = (second - count * torch.outer(mean, mean)) / max(1.0, count - 1)
        return max(2, round(self.pictures * count / float(self.counts.sum()))), mean, covariance


def _normal_distance(own: _Moments, others: _Moments, *, shrunk: bool) -> Estimate:
    def distance(of_own: NDArray[np.float64], of_others: NDArray[np.float64]) -> float:
        (n, mean_x, cov_x), (m, mean_y, cov_y) = own.of(of_own), others.of(of_others)
        if shrunk:
            share = _oas(cov_x, n) if n <= m else _oas(cov_y, m)
            cov_x, cov_y = _shrunk(cov_x, share), _shrunk(cov_y, share)
        values, vectors = torch.linalg.eigh(cov_x)
        half = (vectors * values.clamp_min(0).sqrt()) @ vectors.T
        between = torch.linalg.eigvalsh(half @ cov_y @ half).clamp_min(0).sqrt().sum()
        return float(((mean_x - mean_y) ** 2).sum() + cov_x.trace() + cov_y.trace() - 2 * between)

    return jackknife(distance, (own.groups, others.groups), others.pictures)


def _oas(covariance: Tensor, count: int) -> float:
    """The share by which OAS shrinks; scikit-learn's takes rows, and here are only sums."""
    size = len(covariance)
    square, trace = float((covariance @ covariance).trace()), float(covariance.trace())
    below = (count + 1 - 2 / size) * (square - trace**2 / size)
    return 1.0 if below <= 0 else min(1.0, ((1 - 2 / size) * square + trace**2) / below)


def _shrunk(covariance: Tensor, share: float) -> Tensor:
    return (1 - share) * covariance + share * covariance.trace() / len(covariance) * torch.eye(len(covariance)).double()
