"""Walks: a way from latent to latent in steps that look equally long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from limner.latent.pipeline import Pipeline
from limner.models.painter import Latent

_PROBES = 12
_ROUNDS = 2


class Walk:
    """A way through stations, spherical between them, with steps evened out by how much the picture changes.

    Args:
        stations: rows of one, two or more.
        loop: whether it goes back to the first.
    """

    def __init__(self, pipeline: Pipeline, stations: Sequence[Latent], *, loop: bool = False) -> None:
        self._pipeline, whitening = pipeline, pipeline.model.generator.whitening
        rows = [whitening(one)[0].float() for one in stations]
        self._rows = torch.stack([*rows, rows[0]] if loop else rows)
        legs = len(self._rows) - 1
        times = torch.linspace(0, 1, legs * _PROBES + 1, dtype=torch.float64)
        # Where pictures change fast, probes are too far apart to see it: measured again along the evened way.
        for number in range(_ROUNDS):
            length = self._lengths(times)
            self._times, self._length = times, length
            if number + 1 < _ROUNDS:
                even = torch.linspace(0, float(length[-1]), len(times), dtype=torch.float64)
                times = torch.cat([times, _interpolated(even, length, times)]).unique()

    def latents(self, frames: int, first: int = 0) -> Iterator[Latent]:
        """Latents of the frames from number `first` on, in chunks."""
        even = torch.linspace(0, float(self._length[-1]), frames, dtype=torch.float64)[first:]
        for chunk in _interpolated(even, self._length, self._times).split(64):
            yield self._at(chunk)

    def _at(self, times: Tensor) -> Latent:
        """Latents at times between 0 and 1. # [n]"""
        legs = len(self._rows) - 1
        at = (times * legs).clamp(0, legs)
        leg = at.long().clamp_max(legs - 1)
        rows = _spherical(self._rows[leg], self._rows[leg + 1], (at - leg).float()[:, None])
        found: Latent = self._pipeline.model.generator.whitening.back(rows)
        return found

    def _lengths(self, times: Tensor) -> Tensor:
        """How far it is from the start to each time, as the eye goes. # [n] -> [n]"""
        seen = torch.cat([_seen(self._pipeline.paint(self._at(chunk))) for chunk in times.split(64)])
        steps = (seen[1:] - seen[:-1]).norm(dim=1).double()
        # No step is nothing: a walk between two equal pictures still takes its time.
        return torch.cat([steps.new_zeros(1), (steps + 1e-6).cumsum(0)])


def _spherical(start: Tensor, end: Tensor, share: Tensor) -> Tensor:
    """From start to end on an arc, with the length going evenly from the one's to the other's. # [n, d], [n, 1]"""
    a, b = start.norm(dim=1, keepdim=True).clamp_min(1e-6), end.norm(dim=1, keepdim=True).clamp_min(1e-6)
    angle = torch.acos(((start / a) * (end / b)).sum(1, keepdim=True).clamp(-0.9995, 0.9995))
    way = (start / a) * torch.sin((1 - share) * angle) + (end / b) * torch.sin(share * angle)
    rows: Tensor = torch.lerp(a, b, share) * way / torch.sin(angle)
    return rows


def _seen(pictures: Tensor) -> Tensor:
    """What the eye compares: the picture at three sizes, each counting alike. # uint8 [n, 3, h, w] -> [n, d]"""
    unit = pictures.float() / 255
    levels = [unit, F.avg_pool2d(unit, 2), F.avg_pool2d(unit, 4)]
    return torch.cat([level.flatten(1) / level[0].numel() ** 0.5 for level in levels], dim=1)


def _interpolated(wanted: Tensor, known: Tensor, values: Tensor) -> Tensor:
    """Values at wanted places of an increasing line. # float64 [n], [m], [m] -> [n]"""
    return torch.from_numpy(np.interp(wanted.numpy(), known.numpy(), values.numpy()))
