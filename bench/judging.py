"""A judge of style: a small network on pixels that learned from real pictures which style is which.

Features made for other ends see colour first; a line around a form is seen by pixels alone. So that the judge looks at
the hand and not at how crisp a picture is, half of what it learns from is blurred, or painted again by the model.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limner.machine import Machine
from limner.models.latent_model import to_unit

__all__ = ["StyleJudge"]

_STEPS, _BATCH, _RATE = 1200, 64, 2e-3
_AT_ONCE = 128
_FADE, _NOISE = 0.06, 0.04


class StyleJudge(nn.Module):
    """Which style a picture is of. # float [n, 3, 64, 64] in -1..1 -> [n, styles]"""

    def __init__(self, styles: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(12, 48, 3, padding=1), nn.BatchNorm2d(48), nn.ReLU(),
            nn.Conv2d(48, 64, 3, 2, padding=1), nn.BatchNorm2d(64), nn.ReLU(),
            nn.Conv2d(64, 96, 3, 2, padding=1), nn.BatchNorm2d(96), nn.ReLU(),
            nn.Conv2d(96, 128, 3, padding=1), nn.BatchNorm2d(128), nn.ReLU(),
        )  # fmt: skip
        self.last = nn.Linear(256, styles)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: Tensor) -> Tensor:
        """What speaks for each style."""
        maps = self.layers(F.pixel_unshuffle(x, 2)).float()
        # The strongest trace counts beside the mean: a line around a form is thin.
        seen = torch.cat([maps.mean((2, 3)), maps.amax((2, 3))], dim=1)
        found: Tensor = self.last(F.dropout(seen, 0.2, self.training))
        return found

    def learn(self, real: Tensor, again: Tensor, styles: Tensor, machine: Machine, seed: int = 0) -> None:
        """Learn from pictures.

        Args:
            real: # uint8 [n, 3, 64, 64]
            again: the same, painted again by the model.
            styles: number of the style of each. # [n]
        """
        generator = torch.Generator().manual_seed(seed)
        optimiser = torch.optim.AdamW(self.parameters(), _RATE, weight_decay=0.02)
        self.train()
        for step in range(_STEPS):
            for group in optimiser.param_groups:
                group["lr"] = _RATE * min(1.0, (step + 1) / 50, 1.5 * (1 - step / _STEPS))
            chosen = torch.randint(len(real), (_BATCH,), generator=generator)
            taken = torch.rand(_BATCH, 1, 1, 1, generator=generator) < 0.4
            x = _worn(to_unit(torch.where(taken, again[chosen], real[chosen])), generator)
            with machine.autocast():
                loss = F.cross_entropy(self(x), styles[chosen], label_smoothing=0.05)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        self.eval()

    @torch.inference_mode()
    def judged(self, pictures: Tensor) -> Tensor:
        """Number of the style of each picture. # uint8 [n, 3, 64, 64] -> [n]"""
        return torch.cat([self(to_unit(chunk)).argmax(1) for chunk in pictures.split(_AT_ONCE)])


def _worn(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Mirrored, moved, tinted a little (palettes tell styles), some blurred. # float [n, 3, h, w] -> the same"""
    count = len(pictures)

    def draw(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator)

    turned = torch.where(draw(count, 1, 1, 1) < 0.5, pictures, pictures.flip(3))
    down, across = (int(number) for number in torch.randint(-4, 5, (2,), generator=generator))
    moved = torch.roll(turned, (down, across), (2, 3))
    deviation = float(draw(1)) * 1.2 + 0.05
    reach = torch.arange(-3, 4) / deviation
    kernel = torch.exp(-(reach**2) / 2)
    kernel = (kernel / kernel.sum()).expand(3, 1, 1, 7)
    soft = F.conv2d(F.pad(moved, (3, 3, 3, 3), mode="replicate"), kernel, groups=3)
    soft = F.conv2d(soft, kernel.transpose(2, 3), groups=3)
    x = torch.where(draw(count, 1, 1, 1) < 0.5, moved, soft)
    x = x * (1 + _FADE * (draw(count, 3, 1, 1) - 0.5)) + _FADE * (draw(count, 3, 1, 1) - 0.5)
    return x + _NOISE * torch.randn(x.shape, generator=generator)
