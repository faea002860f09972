"""How much of one set lies where the other lies: precision, recall, density, coverage; and the share of copies.

A set's manifold is the union of balls about its pictures, each as large as the way to its k-th nearest neighbour in the
set. Larger sets have smaller balls: compare figures of equal counts only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from limner.statistics import Estimate, interval

__all__ = ["Manifolds", "compare_manifolds", "memorised_share", "radii", "share"]

_AT_ONCE = 512


@dataclass(frozen=True)
class Manifolds:
    """What `compare_manifolds` finds.

    Attributes:
        precision: share of the painted pictures that lie among real ones: low where pictures look unlike any real one.
        recall: share of the real pictures that lie among painted ones: low where kinds are missing.
        density: how many real balls a painted picture lies in, by k; 1 where both sets are alike; unlike precision not
            lifted by one odd real picture with a large ball.
        coverage: share of the real pictures in whose ball a painted picture lies; unlike recall not lifted by odd
            painted pictures.
    """

    precision: Estimate
    recall: Estimate
    density: Estimate
    coverage: Estimate


def compare_manifolds(real: Tensor, painted: Tensor, *, near: int = 3, wide: int = 5, seed: int = 0) -> Manifolds:
    """Precision and recall (Kynkäänniemi et al. 2019, section 2), density and coverage (Naeem et al. 2020, section 3).

    Intervals are those of a share or mean over the pictures counted, the other set being given (Wilson; bootstrap).
    At most 20 MB beside the features for every 5,000 pictures.

    Args:
        real, painted: features, equally many and on the same scale. # [n, d], [n, d]
        near: neighbour that sets a ball's size for precision and recall.
        wide: the same for density and coverage.
    """
    real_near, real_wide = radii(real, (near, wide))
    (painted_near,) = radii(painted, (near,))
    inside = torch.zeros(len(painted), dtype=torch.bool)
    within = torch.zeros(len(painted))
    reached = torch.zeros(len(real), dtype=torch.bool)
    covered = torch.zeros(len(real), dtype=torch.bool)
    for start in range(0, len(painted), _AT_ONCE):
        stop = start + _AT_ONCE
        distances = torch.cdist(painted[start:stop], real)  # [chunk, n]
        inside[start:stop] = (distances <= real_near).any(1)
        within[start:stop] = (distances <= real_wide).sum(1) / wide
        reached |= (distances <= painted_near[start:stop, None]).any(0)
        covered |= (distances <= real_wide).any(0)
    return Manifolds(share(inside), share(reached), interval(within, seed), share(covered))


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


def share(among: Tensor) -> Estimate:
    """How many are true, with the 95 % interval of a share (Wilson 1927). # bool [n]"""
    count, z = len(among), 1.96
    value = float(among.float().mean())
    middle = (value + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * math.sqrt(value * (1 - value) / count + z**2 / (4 * count**2))
    return Estimate(value, max(0.0, middle - half), min(1.0, middle + half), count)


def memorised_share(painted: Tensor, held_out: Tensor, seed: int = 0) -> Estimate:
    """Share of painted pictures nearer to a training picture than the closest 1 % of held-out ones are.

    About 0.01 where nothing is memorised. The interval (bootstrap, 1,000 draws of both) holds that the closest 1 % of a
    few hundred pictures are a few pictures.

    Args:
        painted, held_out: distances to the nearest training picture, on one scale. # [n], [m]
    """
    new, kept = painted.double().numpy(), held_out.double().numpy()
    value = float((new < np.quantile(kept, 0.01)).mean())
    rng = np.random.default_rng(seed)
    drawn = np.empty(1000)
    for i in range(len(drawn)):
        line = np.quantile(kept[rng.integers(0, len(kept), len(kept))], 0.01)
        drawn[i] = (new[rng.integers(0, len(new), len(new))] < line).mean()
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Estimate(value, min(value, float(low)), max(value, float(high)), len(new))
