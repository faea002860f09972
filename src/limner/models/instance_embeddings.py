"""Instance embeddings: a new picture starts near, and between, the embeddings of training pictures.

A model that knows roughly where among its training pictures a picture lies learns from few of them what one without
learns from many (Casanova et al. 2021, "Instance-Conditioned GAN"; Li et al. 2023, "Return of Unconditional
Generation"). The embedding is a short vector: the leading principal axes of the whitened latents, each with deviation
1. It says roughly what is where and in which colours, and nothing of the drawing.

A new embedding is that of a training picture, moved towards one of its nearest neighbours of the same label, with noise
added. So a model holds `width` numbers of each view of a training picture; its card says so.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MOST_EMBEDDINGS = 12_288
"""Embeddings that a model keeps at most; of more latents some are drawn."""

_NEIGHBOURS = 8
_RIDGE = 1e-2
_RANK = 512
"""Axes of the Gaussian around an embedding that are kept; along all others it is equally wide."""


class InstanceEmbeddings(nn.Module):
    """The embeddings of training pictures, and the Gaussian of whitened latents around an embedding.

    Args:
        labels: how many labels there are (0 for none).
        noise: deviation of the noise that is added to an embedding, in deviations of the axis.
        interpolation: how far towards a neighbour an embedding is moved at most, 0 to 1.
    """

    mean: Tensor
    axes: Tensor
    points: Tensor
    labels: Tensor
    centres: Tensor
    basis: Tensor
    spread: Tensor

    def __init__(
        self, numbers: int, labels: int, *, width: int, count: int, noise: float, interpolation: float
    ) -> None:
        super().__init__()
        width, rank = min(width, numbers), min(numbers, _RANK)
        self.width, self.noise, self.interpolation = width, noise, interpolation
        self.kinds = max(1, labels)
        self.register_buffer("mean", torch.zeros(numbers))
        self.register_buffer("axes", torch.zeros(numbers, width))
        self.register_buffer("points", torch.zeros(count, width, dtype=torch.bfloat16))
        self.register_buffer("labels", torch.zeros(count, dtype=torch.int16))
        self.register_buffer("centres", torch.zeros(self.kinds + width, numbers))
        self.register_buffer("basis", torch.eye(numbers, rank))
        # Variance along each axis and, where axes are left out, along all of those.
        self.register_buffer("spread", torch.ones(rank + (rank < numbers)))

    @property
    def drawn(self) -> int:
        """How many numbers of noise `draw` needs for one embedding."""
        return self.width + 3

    @torch.no_grad()
    def fit(self, rows: Tensor, labels: Tensor | None, seed: int) -> None:
        """Measure axes, embeddings and the Gaussian around them. # whitened rows [n, numbers]; labels [n]"""
        rows = rows.float()
        labels = torch.zeros(len(rows), dtype=torch.long, device=rows.device) if labels is None else labels
        self.mean.copy_(rows.mean(0))
        values, vectors = _principal(rows - self.mean)
        values, vectors = values[-self.width :].flip(0), vectors[:, -self.width :].flip(1)
        self.axes.copy_((vectors / values.clamp_min(1e-6).sqrt()).float())
        embedded = self.embed(rows)
        generator = torch.Generator().manual_seed(seed)
        kept = torch.randperm(len(rows), generator=generator)[: len(self.points)].sort().values
        self.points[: len(kept)] = embedded[kept].to(self.points.dtype)
        self.labels[: len(kept)] = labels[kept].to(torch.int16)
        self._fit_gaussian(rows, labels, self.perturbed(embedded, torch.randn(embedded.shape, generator=generator)))

    def _fit_gaussian(self, rows: Tensor, labels: Tensor, embeddings: Tensor) -> None:
        """Fit the mean by ridge regression on label and embedding, the covariance to what that leaves."""
        known = self.condition(labels, embeddings).double()
        ridge = _RIDGE * torch.eye(known.shape[1], dtype=known.dtype, device=known.device)
        self.centres.copy_(torch.linalg.solve(known.T @ known + ridge, known.T @ rows.double()).float())
        values, vectors = _principal(rows - self.centre(labels, embeddings))
        # Few pictures span few axes; along the others the latents still vary a little.
        values, rank = values.clamp_min(1e-3), self.basis.shape[1]
        self.spread[:rank] = values[-rank:].float()
        self.spread[rank:] = values[:-rank].mean().float() if rank < len(values) else 0.0
        self.basis.copy_(vectors[:, -rank:].float())

    def embed(self, rows: Tensor) -> Tensor:
        """The embeddings of whitened latents. # [n, numbers] -> [n, width]"""
        return (rows - self.mean) @ self.axes

    def perturbed(self, embeddings: Tensor, noise: Tensor) -> Tensor:
        """Embeddings with standard noise added to them. # [n, width] twice -> [n, width]"""
        return embeddings + self.noise * noise.to(embeddings)

    def draw(self, noise: Tensor, labels: Tensor | None = None, truncation: float = 1.0) -> tuple[Tensor, Tensor]:
        """New embeddings from standard noise, and their labels; truncation scales the noise and how far they are moved.

        # [n, drawn], [n] -> [n, width], [n]
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
        away = torch.cdist(start, points).masked_fill(kind[:, None] != kinds[None], torch.inf)
        nearest = away.topk(min(_NEIGHBOURS, len(points)), largest=False).indices
        towards = nearest.gather(1, (uniform[:, 1:2] * nearest.shape[1]).long())[:, 0]
        # A label with fewer pictures than neighbours would lend from others.
        share = uniform[:, 2:] * self.interpolation * truncation * (kinds[towards] == kind)[:, None]
        moved = torch.lerp(start, points[towards], share)
        return self.perturbed(moved, noise[:, 3:] * truncation), kind if labels is None else labels

    def centre(self, labels: Tensor, embeddings: Tensor) -> Tensor:
        """The mean of whitened latents at an embedding. # [n], [n, width] -> [n, numbers]"""
        return self.condition(labels, embeddings) @ self.centres

    def velocity(self, rows: Tensor, time: Tensor, labels: Tensor, embeddings: Tensor) -> Tensor:
        """The best velocity if latents were Gaussian around an embedding: E[latent - noise | row at this time]."""
        time, centre = time[:, None], self.centre(labels, embeddings)
        gain = (time * self.spread - (1 - time)) / (time**2 * self.spread + (1 - time) ** 2)
        return centre + self._scaled(rows - time * centre, gain)

    def from_noise(self, noise: Tensor, time: float, centre: Tensor) -> Tensor:
        """Where noise is at a time on its way, if latents were Gaussian around an embedding.

        At 1 these are latents of that Gaussian. # [n, numbers] twice -> [n, numbers]
        """
        return time * centre + self._scaled(noise.float(), self._deviation(time))

    def noise_velocity(self, velocity: Tensor, time: float) -> Tensor:
        """A velocity of latents at a time as one of the noise they came from. # [n, numbers] -> same"""
        return self._scaled(velocity.float(), 1 / self._deviation(time))

    def condition(self, labels: Tensor, embeddings: Tensor) -> Tensor:
        """Label (one-hot) and embedding as one vector for a network. # [n], [n, width] -> [n, kinds + width]"""
        return torch.cat([F.one_hot(labels, self.kinds).to(embeddings.dtype), embeddings], dim=1)

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


def _principal(centred: Tensor) -> tuple[Tensor, Tensor]:
    """Variances along the principal axes, ascending, and the axes as columns. # [n, d] -> float64 [d], [d, d]"""
    values, vectors = torch.linalg.eigh((centred.T @ centred / len(centred)).double())
    return values, vectors


def _pick(allowed: Tensor, share: Tensor) -> Tensor:
    """Index of the allowed one at this share of them."""
    # An untrained model has no embeddings of some labels: any will do.
    there = (allowed if allowed.any() else torch.ones_like(allowed)).nonzero()[:, 0]
    return there[(share * len(there)).long()]
