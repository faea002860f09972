"""Critics: the networks that a painter plays against. They judge pictures while it learns and are not kept in a model.

`TeacherCritic` looks through the eyes of the frozen teacher (Sauer et al. 2021, "Projected GANs Converge Faster") and,
for what the teacher does not see, at the pixels themselves; `PixelCritic` learns from nothing but the pictures.
"""

from __future__ import annotations

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limner.models.teacher import Teacher, load_teacher

__all__ = ["Critic", "PixelCritic", "TeacherCritic"]

_SLOPE = 0.2
_TAPS = (0, 2, 4, 10)


class Critic(nn.Module):
    """What pictures look like to a critic (`see`), and what it thinks of that (calling it)."""

    def see(self, pictures: Tensor) -> list[Tensor]:
        """Maps of features. # float [n, 3, h, w] in -1..1 -> each [n, c, h', w']"""
        raise NotImplementedError

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """What each head thinks of each place, high where it looks real. # -> one [n, places] a head"""
        raise NotImplementedError


def _head(channels: int, width: int = 64, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, width, 1),
        nn.LeakyReLU(_SLOPE),
        nn.Conv2d(width, width, 3, stride, 1),
        nn.LeakyReLU(_SLOPE),
        nn.Conv2d(width, 1, 1),
    )


def _start(module: nn.Module) -> None:
    """He initialisation, last layers small: a critic has an opinion from the first step on, and no strong one."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, _SLOPE)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        if isinstance(layer, nn.Sequential) and isinstance(layer[-1], nn.Conv2d):
            with torch.no_grad():
                layer[-1].weight.mul_(0.3)


class TeacherCritic(Critic):
    """Small heads on the frozen teacher's features at four strides, and one on pixels.

    The teacher's first layer has stride 2 and never sees some patterns of single pixels; the last head does.
    """

    def __init__(self, teacher: str = "efficientnet-lite0", dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        own: Teacher = load_teacher(teacher, taps=_TAPS)
        # In a list: the teacher's weights are no part of what is trained or saved.
        self._teacher = [own.to(dtype=dtype)]
        # The finest map has many places and little to say: its head goes over it in strides.
        self.heads = nn.ModuleList(_head(channels, stride=1 if i else 2) for i, channels in enumerate(own.widths))
        self.pixels = _pixel_head()
        self.apply(_start)

    def see(self, pictures: Tensor) -> list[Tensor]:
        """Pixels, and the teacher's features at four strides."""
        teacher = self._teacher[0]
        with torch.autocast(pictures.device.type, enabled=False):
            maps = teacher(pictures.to(teacher.stem.weight.dtype))
        # The teacher's vectors have length 1; a head wants numbers of about that size each.
        return [F.pixel_unshuffle(pictures, 2), *(m * m.shape[1] ** 0.5 for m in maps)]

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """What each head thinks of each place."""
        found = [self.pixels(maps[0]), *(head(m) for head, m in zip(self.heads, maps[1:], strict=True))]
        return [f.float().flatten(1) for f in found]


class PixelCritic(Critic):
    """A residual network on three scales, with a head at each."""

    def __init__(self, widths: tuple[int, ...] = (48, 96, 160)) -> None:
        super().__init__()
        self.enter = nn.Conv2d(12, widths[0], 3, padding=1)
        self.blocks = nn.ModuleList(_Block(width) for width in widths)
        self.falls = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in itertools.pairwise(widths))
        self.heads = nn.ModuleList(_head(width) for width in widths)
        self.apply(_start)

    def see(self, pictures: Tensor) -> list[Tensor]:
        """Pixels."""
        return [F.pixel_unshuffle(pictures, 2)]

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """What each head thinks of each place."""
        x, found = self.enter(maps[0]), []
        for level, block in enumerate(self.blocks):
            if level:
                x = self.falls[level - 1](x)
            x = block(x)
            found.append(self.heads[level](F.leaky_relu(x, _SLOPE)).float().flatten(1))
        return found


class _Block(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        grown: Tensor = x + 0.5 * self.second(F.leaky_relu(self.first(F.leaky_relu(x, _SLOPE)), _SLOPE))
        return grown


def _pixel_head() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(12, 48, 3, padding=1),
        nn.LeakyReLU(_SLOPE),
        nn.Conv2d(48, 64, 2, stride=2),
        nn.LeakyReLU(_SLOPE),
        nn.Conv2d(64, 64, 3, padding=1),
        nn.LeakyReLU(_SLOPE),
        nn.Conv2d(64, 1, 1),
    )
