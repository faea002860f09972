"""Augmentation of what a discriminator sees (Zhao et al. 2020, "DiffAugment")."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor


class DiffAugment:
    """Differentiable changes of colour and place, and holes.

    One draw changes real and painted pictures alike, picture by picture.

    Attributes:
        strength: 0 (none) to 1; the adversarial stage changes it as the discriminator over-fits.
    """

    def __init__(self, strength: float) -> None:
        self.strength = strength

    def draw(self, count: int, like: Tensor) -> Callable[[Tensor], Tensor]:
        """One change for each of `count` pictures; the function returned makes it. # float [n, 3, h, w] in -1..1"""
        strength, (height, width) = self.strength, like.shape[-2:]
        brightness, contrast, saturation = (torch.rand(3, count, 1, 1, 1) * 2 - 1).to(like.device) * strength
        reach = round(strength * height / 6), round(strength * width / 6)
        shifts = [[int(torch.randint(-r, r + 1, ())) for r in reach] for _ in range(count)]
        hole = torch.ones(count, 1, height, width, device=like.device)
        for i in range(count):
            if float(torch.rand(())) < strength / 2:
                top, left = int(torch.randint(height, ())), int(torch.randint(width, ()))
                rows = slice(max(0, top - height // 5), top + height // 5)
                hole[i, :, rows, max(0, left - width // 5) : left + width // 5] = 0

        def augment(pictures: Tensor) -> Tensor:
            x = pictures + 0.4 * brightness
            x = (x - (middle := x.mean((1, 2, 3), keepdim=True))) * (1 + 0.6 * contrast) + middle
            x = (x - (grey := x.mean(1, keepdim=True))) * (1 + saturation) + grey
            down, across = reach
            x = F.pad(x, (across, across, down, down), mode="replicate")
            moved = [
                x[i, :, down + dy : down + dy + height, across + dx : across + dx + width]
                for i, (dy, dx) in enumerate(shifts)
            ]
            return (torch.stack(moved) * hole).contiguous(memory_format=torch.channels_last)

        return augment
