"""Discriminators: the networks that a painter is trained against. They judge pictures while it learns and are not kept
in a model.

`TeacherDiscriminator` looks through the eyes of the frozen teacher (Sauer et al. 2021, "Projected GANs Converge
Faster") and, for what the teacher does not see, at the pixels themselves; `PixelDiscriminator` learns from nothing but
the pictures.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limner.models.teacher import Teacher, load_teacher

_SLOPE = 0.2
_TAPS = (0, 2, 4, 10)
_WHOLE = 64
"""Pixels of the shorter side up to which a picture is looked at as it is."""


def scales_of(height: int, width: int) -> int:
    """How many sizes of a picture a discriminator looks at: 1 up to 127 pixels, one more for each doubling of 64."""
    return max(1, (min(height, width) // _WHOLE).bit_length())


class Discriminator(nn.Module, ABC):
    """What a discriminator looks at (`crops`), what features it sees (`see`), how real they look (calling it)."""

    scales = 1
    """How many sizes of a picture are looked at."""

    def crops(self, pictures: Tensor, at: tuple[float, float] | None = None) -> list[Tensor]:
        """What is looked at, coarse first. # float [n, 3, h, w] in -1..1 -> each [n, 3, h', w']

        Args:
            at: where, down and across, 0 to 1; the middle by default.
        """
        return [pictures]

    @abstractmethod
    def see(self, crops: list[Tensor]) -> list[Tensor]:
        """Maps of features. # each [n, 3, h, w] -> each [n, c, h', w']"""

    @abstractmethod
    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """What each head thinks of each place, high where it looks real. # -> one [n, places] a head"""


def leaky(*layers: nn.Module) -> nn.Sequential:
    """Layers with a leaky ReLU between each two."""
    parts = [part for layer in layers for part in (layer, nn.LeakyReLU(_SLOPE))]
    return nn.Sequential(*parts[:-1])


def _head(channels: int, width: int = 64, stride: int = 1) -> nn.Sequential:
    return leaky(nn.Conv2d(channels, width, 1), nn.Conv2d(width, width, 3, stride, 1), nn.Conv2d(width, 1, 1))


def _start(module: nn.Module) -> None:
    """He initialisation, last layers small: it has an opinion from the first step on, and no strong one."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, _SLOPE)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        if isinstance(layer, nn.Sequential) and isinstance(layer[-1], nn.Conv2d):
            with torch.no_grad():
                layer[-1].weight.mul_(0.3)


class TeacherDiscriminator(Discriminator):
    """Small heads on the frozen teacher's features at four strides, and one on pixels.

    The teacher's first layer has stride 2 and never sees some patterns of single pixels; the last head does. Of large
    pictures it sees the whole made small, and of each size up to their own a window as large as that: things as they
    are seen in small pictures, strokes as they are, at a part of the cost.

    Args:
        scales: how many sizes of a picture are looked at, each twice the one before (see `scales_of`).
    """

    def __init__(
        self, teacher: str = "efficientnet-lite0", dtype: torch.dtype = torch.float32, scales: int = 1
    ) -> None:
        super().__init__()
        self.scales = scales
        own: Teacher = load_teacher(teacher, taps=_TAPS)
        # In a list: the teacher's weights are no part of what is trained or saved.
        self._teacher = [own.to(dtype=dtype)]
        # The finest map has many places and little to say: its head goes over it in strides.
        self.heads = nn.ModuleList(
            _head(channels, stride=1 if i else 2) for _ in range(scales) for i, channels in enumerate(own.widths)
        )
        self.pixels = leaky(
            nn.Conv2d(12, 48, 3, padding=1),
            nn.Conv2d(48, 64, 2, stride=2),
            nn.Conv2d(64, 64, 3, padding=1),
            nn.Conv2d(64, 1, 1),
        )
        self.apply(_start)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> TeacherDiscriminator:
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        self._teacher[0]._apply(fn)  # type: ignore[no-untyped-call]
        return self

    def crops(self, pictures: Tensor, at: tuple[float, float] | None = None) -> list[Tensor]:
        """The whole made small; then of each size a window as large as that."""
        share, found = 2 ** (self.scales - 1), []
        down, across = at or (0.5, 0.5)
        height, width = (side // share for side in pictures.shape[-2:])
        for scale in range(self.scales - 1, -1, -1):
            sized = F.avg_pool2d(pictures, 2**scale) if scale else pictures
            top, left = (
                round(where * (side - own))
                for where, side, own in zip((down, across), sized.shape[-2:], (height, width), strict=True)
            )
            found.append(sized[..., top : top + height, left : left + width])
        return found

    def see(self, crops: list[Tensor]) -> list[Tensor]:
        """Pixels of the last crop, and the teacher's features of each at four strides."""
        teacher, fine = self._teacher[0], crops[-1]
        shown = torch.cat(crops) if len(crops) > 1 else fine
        with torch.autocast(fine.device.type, enabled=False):
            maps = teacher(shown.to(teacher.stem.weight.dtype))
        # The teacher's vectors have length 1; a head wants numbers of about that size each.
        maps = [m * m.shape[1] ** 0.5 for m in maps]
        apart = zip(*(m.chunk(len(crops)) for m in maps), strict=True)
        return [F.pixel_unshuffle(fine, 2), *(m for crop in apart for m in crop)]

    def perceptual(self, maps: list[Tensor]) -> list[list[Tensor]]:
        """The maps by which two pictures are compared: the teacher's three finest, crop by crop."""
        count = len(_TAPS)
        return [maps[1 + k * count :][: count - 1] for k in range(self.scales)]

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """What each head thinks of each place."""
        found = [self.pixels(maps[0]), *(head(m) for head, m in zip(self.heads, maps[1:], strict=True))]
        return [f.float().flatten(1) for f in found]


class PixelDiscriminator(Discriminator):
    """A residual network on three scales, with a head at each."""

    def __init__(self, widths: tuple[int, ...] = (48, 96, 160)) -> None:
        super().__init__()
        self.enter = nn.Conv2d(12, widths[0], 3, padding=1)
        self.blocks = nn.ModuleList(_Block(width) for width in widths)
        self.falls = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in itertools.pairwise(widths))
        self.heads = nn.ModuleList(_head(width) for width in widths)
        self.apply(_start)

    def see(self, crops: list[Tensor]) -> list[Tensor]:
        """Pixels."""
        return [F.pixel_unshuffle(crops[-1], 2)]

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
