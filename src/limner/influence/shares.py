"""Shares in a composition, with their intervals, from how often models without one group paint something like it.

A model of several groups is, as far as what it paints goes, close to a mixture: a picture comes from the part of the
model that one group shaped. With p how often all together give a composition like this one, p_without how often the
models do that never saw a group, and w its portion of the pictures, the part of p that is there thanks to the group is

    1 - (1 - w) * p_without / p

It is w where the group matters as much as its pictures let expect, 1 where nobody paints so without it, and the parts
of all groups add up to 1, also where two groups show the same thing: leaving one out alone would blame neither. They
are scaled to add up to 1 exactly. How often is counted softly, by a kernel on the distance of compositions.

Leaving groups out one at a time: Koh et al. 2019 ("On the accuracy of influence functions for measuring group
effects"), Dai and Gifford 2023 ("Training data attribution for diffusion models", ensembles).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from limner.influence.ensemble import WHOLE
from limner.influence.groups import Grouping
from limner.statistics import Estimate

NEAR = 0.02
"""What part of all painted compositions counts as near to a work's."""
_DRAWS = 4000
_WIDER = 1.25
"""By what variances are taken larger, because those of few models are often too small: calibrated on two planted
collections, tested on others (docs/decisions/influence.md)."""
_UNLIKE = 0.99
"""A work further from what models paint than this part of what they paint themselves is unlike all of it."""
_ASKED = 256


class Verdict(StrEnum):
    """What shares say of who comes first."""

    FIRST = "first"
    CANNOT_TELL = "cannot tell"
    UNLIKE = "unlike"


class Method(StrEnum):
    """How shares were found."""

    ENSEMBLE = "ensemble"
    ESTIMATE = "estimate"


@dataclass(frozen=True)
class GroupShare:
    """The share of a group in a composition.

    Attributes:
        name: of the group.
        values: how many values of the column it holds.
        portion: of the training pictures, 0 to 1: the share to expect of it in any composition.
        share: with its 95 % interval, 0 to 1; its count is the group's pictures.
        without: how often models without the group paint such a composition, in times of those that saw everything;
            None in an estimate.
    """

    name: str
    values: int
    portion: float
    share: Estimate
    without: float | None = None

    @property
    def stands_out(self) -> bool:
        """Whether its whole interval lies above its portion of the pictures."""
        return self.share.low > self.portion


@dataclass(frozen=True)
class Influence:
    """Whose pictures shaped a composition.

    Attributes:
        by: the column by which pictures are grouped.
        shares: most first; they add up to 1.
        models: how many were asked; 0 for an estimate.
    """

    by: str
    method: Method
    verdict: Verdict
    shares: tuple[GroupShare, ...]
    models: int

    @property
    def first(self) -> GroupShare | None:
        """Who comes first; None where that cannot be told."""
        return self.shares[0] if self.verdict is Verdict.FIRST else None


def influence(work: Tensor, painted: Mapping[int, Sequence[Tensor]], groups: Grouping) -> Influence:
    """Shares in one composition from an ensemble.

    Args:
        work: described. # float32 [171]
        painted: what the models paint, by the group that they did not see (`Ensemble.load`).
    """
    everything = torch.cat([one for models in painted.values() for one in models])
    near = _nearness(work, everything)
    rates = {without: [_rate(work, one, near) for one in models] for without, models in painted.items()}
    order = range(len(groups.groups))
    means = np.array([np.mean(rates[group]) for group in order])
    whole = float(np.mean(rates[WHOLE]))
    portions = np.array(groups.portions)
    shares = _scaled(portions, means, whole)
    low, high = np.quantile(_drawn(portions, rates), [0.025, 0.975], axis=0)
    found = [
        GroupShare(
            one.name,
            one.values,
            float(portions[i]),
            Estimate(float(shares[i]), float(min(low[i], shares[i])), float(max(high[i], shares[i])), len(one.members)),
            float(means[i] / whole),
        )
        for i, one in enumerate(groups.groups)
    ]
    models = sum(len(one) for one in painted.values())
    unlike = near > _usual_nearness(torch.cat(list(painted[WHOLE])), everything)
    return ranked(groups.by, Method.ENSEMBLE, found, models, unlike=unlike)


def ranked(
    by: str, method: Method, shares: Sequence[GroupShare], models: int = 0, *, unlike: bool = False
) -> Influence:
    """Shares in their order, with the verdict: the first is first where its interval meets no other's."""
    order = sorted(shares, key=lambda one: (-one.share.value, one.name))
    apart = order[0].share.low > max(one.share.high for one in order[1:])
    verdict = Verdict.UNLIKE if unlike else Verdict.FIRST if apart else Verdict.CANNOT_TELL
    return Influence(by, method, verdict, tuple(order), models)


def kernel(distances: Tensor, near: float) -> Tensor:
    """How much each counts: 1 for the same composition, a seventh at `near`, nothing far away."""
    return torch.exp(-2 * (distances / near) ** 2)


def _rate(work: Tensor, painted: Tensor, near: float) -> float:
    return max(1e-12, float(kernel(torch.cdist(work[None], painted)[0], near).mean()))


def _nearness(work: Tensor, painted: Tensor) -> float:
    """The distance within which `NEAR` of all painted compositions lie."""
    return max(1e-6, float(np.quantile(torch.cdist(work[None], painted)[0].numpy(), NEAR)))


def _usual_nearness(whole: Tensor, painted: Tensor) -> float:
    """What `_nearness` is at most for nearly all that the models paint themselves."""
    asked = whole[:: max(1, len(whole) // _ASKED)]
    some = painted[:: max(1, len(painted) // 8192)]
    return float(np.quantile(np.quantile(torch.cdist(asked, some).numpy(), NEAR, axis=1), _UNLIKE))


def _scaled(
    portions: NDArray[np.float64], without: NDArray[np.float64], whole: NDArray[np.float64] | float
) -> NDArray[np.float64]:
    """Shares that add up to 1. # portions [g], without [..., g], whole [..., 1] or a number"""
    parts = np.clip(1 - (1 - portions) * without / whole, 1e-9, 1.0)
    found: NDArray[np.float64] = parts / parts.sum(axis=-1, keepdims=True)
    return found


def _drawn(portions: NDArray[np.float64], rates: Mapping[int, Sequence[float]]) -> NDArray[np.float64]:
    """Shares as they might have been with other seeds. # -> [draws, g]

    Rates of models of a kind differ as counts do: their variance grows with their mean. By what factor is taken from
    all kinds together (quasi-Poisson: Wedderburn 1974), so that few models of each are enough; a kind whose own models
    differ more keeps its own variance.
    """
    kinds = [*range(len(portions)), WHOLE]
    means = np.array([np.mean(rates[kind]) for kind in kinds])
    counts = np.array([len(rates[kind]) for kind in kinds])
    freedom = int((counts - 1).sum())
    spread = sum(float(np.var(rates[kind])) * n / m for kind, m, n in zip(kinds, means, counts, strict=True)) / freedom
    rng = np.random.default_rng(0)
    scale = np.sqrt(rng.chisquare(freedom, (_DRAWS, 1)) / freedom)
    own = np.array([np.var(rates[kind], ddof=1) for kind in kinds])
    variances = _WIDER * np.maximum(spread * means, own) / counts
    drawn = means + rng.standard_normal((_DRAWS, len(kinds))) / scale * np.sqrt(variances)
    drawn = np.maximum(drawn, 1e-12)
    return _scaled(portions, drawn[:, :-1], drawn[:, -1:])
