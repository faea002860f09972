"""A small network that says from a latent how its picture will measure, and so which way to go to change that.

Pictures do not follow straight lines: what makes a forest warmer makes a face greener. So no fixed direction is walked
along for a measured attribute; the way is found for each latent, by Gauss and Newton: the shortest step, as the model's
latents themselves vary, that changes the attribute by what is wanted and the other attributes by little. Symmetry needs
no search: a content and its mirror image lie on either side of a symmetrical one.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limner.latent.attributes import ATTRIBUTES, measure_attributes
from limner.latent.pipeline import Pipeline
from limner.models.painter import Latent

_HIDDEN = 384
ROUNDS = 3
_STEPS, _BATCH, _RATE = 1500, 256, 2e-3
_AROUND = 6144
_INNER = 4
_RIDGE = 0.02
_LONGEST = 0.6
_OTHERS = {"contrast": 0.4, "hue": 0.1}
"""How much attributes that nobody asked to change count beside one that is to change, where it is not 0.55: on white
ground contrast cannot rise and brightness stay, nor colours turn and be as warm as before."""
_SYMMETRY = list(ATTRIBUTES).index("symmetry")
_MIRRORED = (-0.4, 0.5)
"""How far towards its mirror image a content may go; at 0.5 it is symmetrical."""


class Sense(nn.Module):
    """Whitened latents to attributes, in deviations of the model's own pictures."""

    mean: Tensor
    deviation: Tensor
    covariance: Tensor

    def __init__(self, numbers: int) -> None:
        super().__init__()
        self.first = nn.Linear(numbers, _HIDDEN)
        self.second = nn.Linear(_HIDDEN, _HIDDEN)
        self.last = nn.Linear(_HIDDEN, len(ATTRIBUTES))
        self.register_buffer("mean", torch.zeros(len(ATTRIBUTES)))
        self.register_buffer("deviation", torch.ones(len(ATTRIBUTES)))
        self.register_buffer("covariance", torch.eye(numbers))

    def forward(self, rows: Tensor) -> Tensor:
        """Attributes. # [n, numbers] -> [n, attributes]"""
        found: Tensor = self.last(F.silu(self.second(F.silu(self.first(rows)))))
        return found

    def slopes(self, rows: Tensor) -> Tensor:
        """How each attribute changes with each number. # [n, numbers] -> [n, attributes, numbers]"""
        one = self.first(rows)
        two = self.second(F.silu(one))
        back = self.last.weight * _slope(two)[:, None]
        found: Tensor = ((back @ self.second.weight) * _slope(one)[:, None]) @ self.first.weight
        return found

    def measured(self, pictures: Tensor) -> Tensor:
        """What pictures do measure, in the same deviations. # uint8 [n, 3, h, w] -> [n, attributes]"""
        return (measure_attributes(pictures) - self.mean) / self.deviation

    def seen(self, pipeline: Pipeline, rows: Tensor) -> Tensor:
        """What the pictures of rows measure. # [n, numbers] -> [n, attributes]"""
        return self.measured(pipeline.sketch(pipeline.model.generator.whitening.back(rows)))

    def learn(
        self,
        pipeline: Pipeline,
        rows: Tensor,
        attributes: Tensor,
        *,
        seed: int = 0,
        progress: Callable[[int, int], object] = lambda done, total: None,
    ) -> float:
        """Learn from the model's own latents, and from points around and between them.

        Args:
            rows: whitened latents that the model drew. # [n, numbers]
            attributes: what their pictures measure, as `measure_attributes` gives it. # [n, attributes]

        Returns:
            The share of the variance that it explains on latents that it has not seen.
        """
        generator = torch.Generator().manual_seed(seed)
        # Few pictures measure far out (a white one has no hue): they shall not set the unit for all others.
        low, middle, high = torch.quantile(attributes, torch.tensor([0.02, 0.5, 0.98]), dim=0)
        self.mean.copy_(middle)
        self.deviation.copy_(((high - low) / 4.1).clamp_min(1e-6))
        apart = rows - rows.mean(0)
        self.covariance.copy_(apart.T @ apart / len(rows) + 1e-3 * torch.eye(rows.shape[1]))
        unseen = len(rows) // 8
        xs, ys = [rows[unseen:]], [(attributes[unseen:] - self.mean) / self.deviation]
        for first in range(0, _AROUND, 64):
            pair = rows[unseen:][torch.randint(len(rows) - unseen, (2, 64), generator=generator)]
            share = torch.rand(64, 1, generator=generator)
            between = torch.lerp(pair[0], pair[1], share * 0.5)
            between = between + 0.3 * torch.randn(between.shape, generator=generator) * apart.std(0)
            xs.append(between)
            ys.append(self.seen(pipeline, between))
            progress(first + 64, _AROUND)
        self._fit(torch.cat(xs), torch.cat(ys).clamp(-4, 4), generator)
        with torch.no_grad():
            wanted = (attributes[:unseen] - self.mean) / self.deviation
            left = (self(rows[:unseen]) - wanted).square().mean(0) / wanted.var(0).clamp_min(1e-6)
        return float(1 - left.mean())

    def _fit(self, x: Tensor, y: Tensor, generator: torch.Generator) -> None:
        optimiser = torch.optim.AdamW(self.parameters(), _RATE, weight_decay=0.02)
        for step in range(_STEPS):
            for group in optimiser.param_groups:
                group["lr"] = _RATE * min(1.0, 1.2 * (1 - step / _STEPS))
            chosen = torch.randint(len(x), (_BATCH,), generator=generator)
            loss = F.smooth_l1_loss(self(x[chosen]), y[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()

    @torch.no_grad()
    def steer(
        self, pipeline: Pipeline, rows: Tensor, wanted: Tensor, kept: Tensor | None = None, rounds: int = ROUNDS
    ) -> Tensor:
        """Rows whose pictures measure otherwise by what is wanted.

        Args:
            rows: whitened latents. # [n, numbers]
            wanted: change of each attribute, in deviations. # [attributes]
            kept: 1 for numbers that may change, 0 for those that may not. # [numbers]
            rounds: after each but the last one the picture is measured and the rest of the way is gone.
        """
        covariance, weights = self.covariance, _weights(wanted)
        if kept is not None:
            covariance = covariance * kept[:, None] * kept[None]
        left = wanted.expand(len(rows), -1)
        start = there = self.seen(pipeline, rows) if rounds > 1 else self(rows)
        for turn in range(rounds):
            if turn:
                there = self.seen(pipeline, rows)
                left = wanted - (there - start)
            turned = self._turned(pipeline, rows, there, left) - rows
            rows = rows + (turned if kept is None else turned * kept)
            rows = self._gone(rows, left, covariance, weights)
        return rows

    def _turned(self, pipeline: Pipeline, rows: Tensor, there: Tensor, left: Tensor) -> Tensor:
        """Rows so much nearer to their mirror images that symmetry changes by what is left.

        Going a share t of the way leaves 1 - 2 t of what differs between both sides, and symmetry is measured by that.
        """
        unit, mean = self.deviation[_SYMMETRY], self.mean[_SYMMETRY]
        apart = (there[:, _SYMMETRY] * unit + mean).clamp_max(-1e-3)
        share = (-left[:, _SYMMETRY] * unit / (2 * apart)).clamp(*_MIRRORED)
        whitening = pipeline.model.generator.whitening
        latent = whitening.back(rows)
        mirrored = whitening(Latent(latent.content.flip(3), latent.style))
        return torch.lerp(rows, mirrored.to(rows), share[:, None])

    def _gone(self, rows: Tensor, wanted: Tensor, covariance: Tensor, weights: Tensor) -> Tensor:
        """Rows changed by what is wanted, as far as this network sees; weights of the attributes. # [attributes]"""
        goal = self(rows) + wanted
        ridge = _RIDGE * torch.eye(len(ATTRIBUTES))
        for _ in range(_INNER):
            slopes = self.slopes(rows) * weights[:, None]
            towards = slopes @ covariance  # [n, attributes, numbers]
            left = (goal - self(rows)) * weights
            # Far goals are gone to in short steps: slopes hold nearby only.
            left = left * (_LONGEST * 2 / left.norm(dim=1, keepdim=True).clamp_min(1e-6)).clamp_max(1)
            gain = torch.linalg.solve(towards @ slopes.transpose(1, 2) + ridge, left[..., None])
            rows = rows + (gain.transpose(1, 2) @ towards)[:, 0]
        return rows


def _weights(wanted: Tensor) -> Tensor:
    """How much each attribute counts, by what is wanted of all; symmetry is seen to otherwise. # [attributes]"""
    others = min((_OTHERS.get(name, 0.55) for name, own in zip(ATTRIBUTES, wanted, strict=True) if own), default=1.0)
    weights = torch.where(wanted != 0, 1.0, others)
    weights[_SYMMETRY] = 0.0
    return weights


def _slope(x: Tensor) -> Tensor:
    """Derivative of SiLU."""
    share = torch.sigmoid(x)
    return share * (1 + x * (1 - share))
