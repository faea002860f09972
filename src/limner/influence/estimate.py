"""An estimate at once, without any model: whose training pictures are composed like the work."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from limner.collection import Row
from limner.influence.compositions import describe
from limner.influence.groups import Grouping
from limner.influence.shares import NEAR, GroupShare, Influence, Method, kernel, ranked
from limner.influence.sources import Learned
from limner.statistics import Estimate

_DRAWS = 1000


def distances_to(work: Tensor, learned: Learned) -> Tensor:
    """How far each training picture is composed from a work, in the view that is most like it. # -> [pictures]

    Args:
        work: described. # float32 [171]
    """
    which = np.arange(len(learned.rows))
    rows = describe(learned.all_views(which, seed=0)).unflatten(0, (-1, len(which)))
    found: Tensor = torch.cdist(work[None, None], rows)[:, 0].min(0).values
    return found


def estimate(distances: Tensor, groups: Grouping) -> Influence:
    """Each group's part of the likeness of all training pictures to a composition.

    The intervals are of a bootstrap over pictures: they say how much hangs on single ones, not what a model learned.

    Args:
        distances: of all training pictures from the work (`distances_to`).
    """
    near = max(1e-6, float(np.quantile(distances.numpy(), NEAR)))
    weights = np.maximum(kernel(distances, near).double().numpy(), 1e-12)
    owner = np.empty(len(weights), dtype=np.int64)
    for number, one in enumerate(groups.groups):
        owner[list(one.members)] = number
    count = len(groups.groups)
    shares = np.bincount(owner, weights, count) / weights.sum()
    rng = np.random.default_rng(0)
    drawn = np.empty((_DRAWS, count))
    for k in range(_DRAWS):
        chosen = rng.integers(0, len(weights), len(weights))
        drawn[k] = np.bincount(owner[chosen], weights[chosen], count)
    drawn /= np.maximum(drawn.sum(1, keepdims=True), 1e-12)
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    found = [
        GroupShare(one.name, one.values, portion, Estimate(float(share), float(a), float(b), len(one.members)))
        for one, portion, share, a, b in zip(groups.groups, groups.portions, shares, low, high, strict=True)
    ]
    return ranked(groups.by, Method.ESTIMATE, found)


@dataclass(frozen=True)
class Alike:
    """A training picture that is composed like a work; `distance` is that of their descriptions, 0 for the same."""

    row: Row
    distance: float


def composed_alike(distances: Tensor, learned: Learned, count: int) -> tuple[Alike, ...]:
    """The training pictures that are composed most like a work, nearest first.

    Args:
        distances: of all training pictures from the work (`distances_to`).
    """
    return tuple(Alike(learned.rows[int(i)], float(distances[i])) for i in distances.argsort()[:count])
