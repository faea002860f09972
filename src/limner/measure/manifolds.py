"""How much of one set lies where the other lies: precision, recall, density, coverage.

A set's manifold is the union of balls about its pictures, each as large as the way to its k-th nearest neighbour in the
set. Larger sets have smaller balls: compare figures of equal counts only.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from limner.statistics import Estimate, interval, share

_AT_ONCE = 512
_NEAR, _WIDE = 3, 5
"""Neighbour that sets a ball's size for precision and recall, and for density and coverage."""


def compare_manifolds(real: Tensor, painted: Tensor, *, seed: int = 0) -> dict[str, Estimate]:
    """Precision and recall (Kynkäänniemi et al. 2019, section 2), density and coverage (Naeem et al. 2020, section 3).

    - precision: share of the painted pictures that lie among real ones;
    - recall: share of the real pictures that lie among painted ones;
    - density: how many real balls a painted picture lies in, by k; 1 where both sets are alike; unlike precision not
      lifted by one odd real picture with a large ball;
    - coverage: share of the real pictures in whose ball a painted picture lies; unlike recall not lifted by odd painted
      pictures.

    Intervals are those of a share or mean over the pictures counted, the other set being given (Wilson; bootstrap).
    At most 20 MB beside the features for every 5,000 pictures.

    Args:
        real, painted: features, equally many and on the same scale. # [n, d], [n, d]
    """
    real_near, real_wide = radii(real, (_NEAR, _WIDE))
    (painted_near,) = radii(painted, (_NEAR,))
    inside = torch.zeros(len(painted), dtype=torch.bool)
    within = torch.zeros(len(painted))
    reached = torch.zeros(len(real), dtype=torch.bool)
    covered = torch.zeros(len(real), dtype=torch.bool)
    for start in range(0, len(painted), _AT_ONCE):
        stop = start + _AT_ONCE
        distances = torch.cdist(painted[start:stop], real)  # [chunk, n]
        inside[start:stop] = (distances <= real_near).any(1)
        within[start:stop] = (distances <= real_wide).sum(1) / _WIDE
        reached |= (distances <= painted_near[start:stop, None]).any(0)
        covered |= (distances <= real_wide).any(0)
    return {
        "precision": share(inside),
        "recall": share(reached),
        "density": interval(within, seed),
        "coverage": share(covered),
    }


def radii(rows: Tensor, neighbours: tuple[int, ...]) -> list[Tensor]:
    """Distance of each row to its k-th nearest other row, for each k. # [n, d] -> [n] each"""
    most = min(max(neighbours), len(rows) - 1)
    found = []
    for start in range(0, len(rows), _AT_ONCE):
        chunk = rows[start : start + _AT_ONCE]
        distances = torch.cdist(chunk, rows)
        distances[torch.arange(len(chunk)), torch.arange(start, start + len(chunk))] = math.inf
        found.append(distances.topk(most, largest=False).values)
    nearest = torch.cat(found)
    return [nearest[:, min(k, most) - 1] for k in neighbours]
