"""Anchors: where a new picture starts from, a place near and between the training pictures.

A model that is told a rough place among its training pictures learns from few of them what one without learns from many
(Casanova et al. 2021, "Instance-Conditioned GAN"; Li et al. 2023, "Return of Unconditional Generation"). The place is a
short vector: the leading principal axes of the whitened latents, each with deviation 1. It says roughly what is where
and in which colours, and nothing of the drawing.

Where new places come from: a training picture's place is taken, moved towards that of one of its nearest neighbours of
the same label, and shaken. So a model holds `width` numbers of each view of a training picture; its card says so.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["MOST_ANCHORS", "Anchors"]

MOST_ANCHORS = 12_288
"""Anchors that a model keeps at most; of more latents some are drawn."""

_NEAR = 8
_RIDGE = 1e-2
_RANK = 512
"""Axes of the Gaussian around a place that are kept; along all others it is equally wide."""


class Anchors(nn.Module):
    """The places of training pictures, and the Gaussian of whitened latents around a place.

    Args:
        numbers: numbers of a latent.
        labels: how many labels there are (0 for none).
        width: numbers of a place.
        count: how many anchors are kept.
        shake: deviation of what is added to a place, in deviations of the axis.
        reach: how far towards a neighbour a place is moved at most, 0 to 1.
    """

    mean: Tensor
    axes: Tensor
    points: Tensor
    labels: Tensor
    centres: Tensor
    basis: Tensor
    spread: Tensor

    def __init__(self, numbers: int, labels: int, *, width: int, count: int, shake: float, reach: float) -> None:
        super().__init__()
        width = min(width, numbers)
        self.width, self.shake, self.reach = width, shake, reach
        self.kinds = max(1, labels)
        self.register_buffer("mean", torch.zeros(numbers))
        self.register_buffer("axes", torch.zeros(numbers, width))
        self.register_buffer("points", torch.zeros(count, width, dtype=torch.bfloat16))
        self.register_buffer("labels", torch.zeros(count, dtype=torch.int16))
        self.register_buffer("centres", torch.zeros(self.kinds + width, numbers))
        rank = min(numbers, _RANK)
        self.register_buffer("basis", torch.eye(numbers, rank))
        # Variance along each axis and, where axes are left out, along all of those.
        self.register_buffer("spread", torch.ones(rank + (rank < numbers)))

    @property
    def drawn(self) -> int:
        """How many numbers of noise `draw` needs for one place."""
        return self.width + 3

    @torch.no_grad()
    def fit(self, rows: Tensor, labels: Tensor | None, seed: int) -> None:
        """Measure axes, places and the Gaussian around them. # whitened rows [n, numbers]; labels [n]"""
        rows = rows.float()
        labels = torch.zeros(len(rows), dtype=torch.long, device=rows.device) if labels is None else labels
        self.mean.copy_(rows.mean(0))
        apart = rows - self.mean
        values, vectors = torch.linalg.eigh((apart.T @ apart / len(rows)).double())
        values, vectors = values[-self.width :].flip(0), vectors[:, -self.width :].flip(1)
        self.axes.copy_((vectors / values.clamp_min(1e-6).sqrt()).float())
        places = self.place(rows)
        generator = torch.Generator().manual_seed(seed)
        kept = torch.randperm(len(rows), generator=generator)[: len(self.points)].sort().values
        self.points[: len(kept)] = places[kept].to(self.points.dtype)
        self.labels[: len(kept)] = labels[kept].to(torch.int16)
        shaken = places + self.shake * torch.randn(places.shape, generator=generator).to(places)
        known = self._known(labels, shaken).double()
        ridge = _RIDGE * torch.eye(known.shape[1], dtype=known.dtype, device=known.device)
        self.centres.copy_(torch.linalg.solve(known.T @ known + ridge, known.T @ rows.double()).float())
        rest = rows - self.centre(labels, shaken)
        values, vectors = torch.linalg.eigh((rest.T @ rest / len(rows)).double())
        # Few pictures span few axes; along the others the latents still vary a little.
        values, rank = values.clamp_min(1e-3), self.basis.shape[1]
        self.spread[:rank] = values[-rank:].float()
        self.spread[rank:] = values[:-rank].mean().float() if rank < len(values) else 0.0
        self.basis.copy_(vectors[:, -rank:].float())

    def place(self, rows: Tensor) -> Tensor:
        """Where whitened latents lie. # [n, numbers] -> [n, width]"""
        return (rows - self.mean) @ self.axes

    def near(self, places: Tensor, noise: Tensor) -> Tensor:
        """Places shaken by standard noise. # [n, width] twice -> [n, width]"""
        return places + self.shake * noise

    def draw(self, noise: Tensor, labels: Tensor | None = None, truncation: float = 1.0) -> tuple[Tensor, Tensor]:
        """New places from standard noise, and their labels. # [n, drawn], [n] -> [n, width], [n]

        Args:
            truncation: scales how far they are moved and shaken.
        """
        points, kinds = self.points.float(), self.labels.long()
        uniform = torch.special.ndtr(noise[:, :3].double()).float().clamp(0, 1 - 1e-6)
        if labels is None:
            chosen = (uniform[:, 0] * len(points)).long()
        else:
            chosen = torch.stack(
                [_pick(kinds == label, share) for label, share in zip(labels, uniform[:, 0], strict=True)]
            )
        start, kind = points[chosen], kinds[chosen]
        away = torch.cdist(start, points)
        away = away.masked_fill(kind[:, None] != kinds[None], torch.inf)
        nearest = away.topk(min(_NEAR, len(points)), largest=False).indices
        towards = nearest.gather(1, (uniform[:, 1:2] * nearest.shape[1]).long())[:, 0]
        # A label with fewer pictures than neighbours would lend from others.
        share = uniform[:, 2:] * self.reach * truncation * (kinds[towards] == kind)[:, None]
        return (
            self.near(torch.lerp(start, points[towards], share), noise[:, 3:] * truncation),
            kind if labels is None else labels,
        )

    def centre(self, labels: Tensor, places: Tensor) -> Tensor:
        """The mean of whitened latents at a place. # [n], [n, width] -> [n, numbers]"""
        return self._known(labels, places) @ self.centres

    def gaussian(self, labels: Tensor, places: Tensor, noise: Tensor) -> Tensor:
        """Latents from the Gaussian around a place. # [n], [n, width], [n, numbers] -> [n, numbers]"""
        return self.centre(labels, places) + self._scaled(noise, self.spread.sqrt()[None])

    def velocity(self, rows: Tensor, time: Tensor, labels: Tensor, places: Tensor) -> Tensor:
        """The best velocity if latents were Gaussian around a place: E[latent - noise | row at this time]."""
        time, centre = time[:, None], self.centre(labels, places)
        gain = (time * self.spread - (1 - time)) / (time**2 * self.spread + (1 - time) ** 2)
        return centre + self._scaled(rows - time * centre, gain)

    def spread_out(self, noise: Tensor, time: float, centre: Tensor) -> Tensor:
        """Where noise is at a time on its way, if latents were Gaussian around a place. # [n, numbers] twice -> same

        At 1 this is `gaussian`.
        """
        return time * centre + self._scaled(noise.float(), self._deviation(time))

    def drawn_in(self, velocity: Tensor, time: float) -> Tensor:
        """A velocity of latents at a time as one of the noise they came from. # [n, numbers] -> same"""
        return self._scaled(velocity.float(), 1 / self._deviation(time))

    def _deviation(self, time: float) -> Tensor:
        """Deviation along each axis on the way from noise to latents. # -> [1, of `spread`]"""
        return (time**2 * self.spread + (1 - time) ** 2).sqrt()[None]

    def _scaled(self, rows: Tensor, scale: Tensor) -> Tensor:
        """Rows scaled along each axis, and along all that are left out. # [n, numbers], [n or 1, of `spread`]"""
        rank = self.basis.shape[1]
        if rank == len(self.basis):
            return ((rows @ self.basis) * scale) @ self.basis.T
        along, others = scale[:, :rank], scale[:, rank:]
        return rows * others + ((rows @ self.basis) * (along - others)) @ self.basis.T

    def known(self, labels: Tensor, places: Tensor) -> Tensor:
        """Label and place as one vector for a network. # [n], [n, width] -> [n, kinds + width]"""
        return self._known(labels, places)

    def _known(self, labels: Tensor, places: Tensor) -> Tensor:
        return torch.cat([F.one_hot(labels, self.kinds).to(places.dtype), places], dim=1)


def _pick(allowed: Tensor, share: Tensor) -> Tensor:
    """Index of the allowed one at this share of them."""
    # An untrained model has no anchors of some labels: any will do.
    there = (allowed if allowed.any() else torch.ones_like(allowed)).nonzero()[:, 0]
    return there[(share * len(there)).long()]
