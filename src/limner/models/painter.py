"""The painter: the network both families share, which paints a picture from a latent.

Notable features:
- content enters as a coarse map, style modulates every block (scale and shift of its input channels, as FiLM: Perez et
  al. 2018), one style vector a block, so that blocks can be mixed;
- most parameters sit at the coarse grid, where a convolution is cheap, and the last doubling is a pixel shuffle (Shi et
  al. 2016): no convolution ever runs at full resolution;
- of large pictures each level from an eighth of the grid's step on paints its own part, and the parts are enlarged and
  added (Karras et al. 2020, "StyleGAN2", section 4.2); the encoder looks at them made small: a content has no room for
  finer things, and what is learned at half the size goes over whole;
- a picture's content has no room for every stroke, and what is made of smooth numbers alone comes out hatched: the
  finest levels of large painters have noise inputs to make strokes of (Karras et al. 2019, "StyleGAN", section 3.2),
  the same for every picture, so that a picture follows from its latent alone; gates computed from the features scale
  the noise at each place, so that a sky is not as rough as foliage;
- no normalisation: residual branches start at zero (Zhang et al. 2019, "Fixup"), which is enough for so few blocks.
"""

from __future__ import annotations

import itertools
from typing import Annotated, NamedTuple

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn

WATERMARK_TILE = 64
"""Pixels after which the watermark that a painter adds repeats."""


class Latent(NamedTuple):
    """Points in a model's space.

    Attributes:
        content: where things are. # [n, content_channels, height / factor, width / factor]
        style: how they look, one vector for each block of the painter. # [n, blocks, style_width]
    """

    content: Tensor
    style: Tensor


class PainterConfig(BaseModel):
    """Everything that shapes the painter and the encoder; derived from the size by `painter_config`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    height: int = Field(ge=32, le=512, multiple_of=32)
    """Height of a picture in pixels, a multiple of 32."""
    width: int = Field(ge=32, le=512, multiple_of=32)
    """Width of a picture in pixels, a multiple of 32."""
    factor: int = Field(ge=4, le=32)
    """How many pixels of the picture one step of the content's grid is wide."""
    content_channels: int = Field(6, ge=1, le=64)
    """Numbers that the content holds for each step of its grid."""
    style_width: int = Field(16, ge=1, le=512)
    """Numbers in the style vector of one block."""
    widths: tuple[Annotated[int, Field(ge=4, le=1024)], ...] = Field(min_length=2, max_length=5)
    """Channels of the painter from the coarse grid up; one level for each doubling, the last at half size."""
    depths: tuple[Annotated[int, Field(ge=0, le=16)], ...]
    """Blocks of the painter at each level."""
    encoder_depths: tuple[Annotated[int, Field(ge=0, le=16)], ...]
    """Blocks of the encoder at each level, coarse first."""
    noise_maps: int = Field(0, ge=0, le=16)
    """Noise inputs of each of the finest levels; a painter that has any also smooths each doubling but the last, so
    that no grid artefacts remain (`_smoothed`)."""
    watermarked: bool = False
    """Whether the painter puts its model's mark into whatever it paints (`papers.watermark.model_watermark`)."""

    @model_validator(mode="after")
    def _fits(self) -> PainterConfig:
        if not len(self.widths) == len(self.depths) == len(self.encoder_depths):
            raise ValueError("widths, depths and encoder_depths differ in length")
        if self.factor != 2 ** len(self.widths) or self.height % (2 * self.factor) or self.width % (2 * self.factor):
            raise ValueError(f"a factor of {self.factor} fits neither the levels nor {self.width}x{self.height}")
        if not sum(self.depths):
            raise ValueError("a painter has one block at least")
        return self

    @property
    def grid(self) -> tuple[int, int]:
        """Height and width of the content."""
        return self.height // self.factor, self.width // self.factor

    @property
    def blocks(self) -> int:
        """How many blocks the painter has, and so how many style vectors."""
        return sum(self.depths)

    @property
    def numbers(self) -> int:
        """How many numbers one latent holds."""
        return self.content_channels * self.grid[0] * self.grid[1] + self.blocks * self.style_width


_NOISE_START = 0.1
"""Deviation that noise inputs give to the features of a level at first."""
_PLAIN = 3
"""Levels that a painter of small pictures has."""
_CHANNELS = {4: 6, 8: 6, 16: 6, 32: 24}
_LEVELS = {4: (192, 96), 8: (192, 96, 48), 16: (192, 96, 48, 32), 32: (192, 128, 64, 32, 16)}


def painter_config(height: int, width: int) -> PainterConfig:
    """The painter for a size: one dial, everything else follows.

    Args:
        height, width: pixels, multiples of 32 from 32 to 512.
    """
    smaller = min(height, width)
    coarse = 32 if height % 64 == 0 and width % 64 == 0 else 16
    factor = 4 if smaller <= 32 else 8 if smaller <= 64 else 16 if smaller <= 256 else coarse
    widths = _LEVELS[factor]
    levels = len(widths)
    return PainterConfig(
        height=height,
        width=width,
        factor=factor,
        content_channels=_CHANNELS[factor],
        widths=widths,
        depths=(3, 1, 1, 1, 1)[:levels],
        encoder_depths=(2, 0, 0, 0, 0)[:levels],
        noise_maps=4 if levels > _PLAIN else 0,
    )


class Block(nn.Module):
    """A residual block of two convolutions. # [n, c, h, w] -> [n, c, h, w]"""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor) -> Tensor:
        """The same map with what two convolutions add."""
        grown: Tensor = x + self.second(F.silu(self.first(F.silu(x))))
        return grown


class StyledBlock(Block):
    """A residual block whose input channels the style scales and shifts. # [n, c, h, w], [n, s] -> [n, c, h, w]"""

    def __init__(self, channels: int, style_width: int) -> None:
        super().__init__(channels)
        self.affine = nn.Linear(style_width, 2 * channels)
        nn.init.normal_(self.affine.weight, std=0.5 * style_width**-0.5)
        nn.init.zeros_(self.affine.bias)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:  # type: ignore[override]
        """The map, scaled and shifted by the style."""
        scale, shift = self.affine(style)[:, :, None, None].chunk(2, dim=1)
        y = F.silu(torch.addcmul(shift, x, 1 + scale))
        grown: Tensor = x + self.second(F.silu(self.first(y)))
        return grown


class Painter(nn.Module):
    """Paints a picture from a latent."""

    def __init__(self, config: PainterConfig) -> None:
        super().__init__()
        self.config = config
        widths = config.widths
        self.enter = nn.Conv2d(config.content_channels, widths[0], 3, padding=1)
        self.blocks = nn.ModuleList(
            StyledBlock(width, config.style_width)
            for width, depth in zip(widths, config.depths, strict=True)
            for _ in range(depth)
        )
        self.rises = nn.ModuleList(nn.Conv2d(a, 4 * b, 1) for a, b in itertools.pairwise(widths))
        self.coarse = nn.ModuleList(nn.Conv2d(width, 12, 3, padding=1) for width in widths[_PLAIN - 1 : -1])
        self.leave = nn.Conv2d(widths[-1], 12, 3, padding=1)
        for layer in (*self.rises, *self.coarse, self.leave):
            _even(layer)
        self.noise_inputs, self.noise_gates = nn.ModuleList(), nn.ModuleList()
        for level in range(_PLAIN - 1, len(widths)) if config.noise_maps else ():
            self.noise_inputs.append(_zeroed(nn.Conv2d(config.noise_maps, widths[level], 1, bias=False)))
            self.noise_gates.append(_zeroed(nn.Conv2d(widths[level], config.noise_maps, 1, bias=False)))
            self.register_buffer(f"noise{level}", _noise(config, level))
        if config.watermarked:
            # Of half the size, as the last level is, and repeated like tiles.
            self.register_buffer("watermark", torch.zeros(12, WATERMARK_TILE // 2, WATERMARK_TILE // 2))
        if self.coarse:
            # A large painter begins as the small one, enlarged.
            nn.init.zeros_(self.leave.weight)
            nn.init.zeros_(self.leave.bias)  # type: ignore[arg-type]

    def forward(self, latent: Latent) -> Tensor:
        """Pictures, roughly in -1..1 and not clamped. # -> [n, 3, height, width]"""
        x = self.enter(latent.content)
        at, parts = 0, []
        for level, depth in enumerate(self.config.depths):
            for _ in range(depth):
                x = self.blocks[at](x, latent.style[:, at])
                at += 1
            if level < len(self.rises):
                if level >= _PLAIN - 1:
                    parts.append(F.pixel_shuffle(self.coarse[level - _PLAIN + 1](F.silu(x)), 2))
                x = F.pixel_shuffle(self.rises[level](x), 2)
                if self.config.noise_maps:
                    x = self._with_noise(_smoothed(x), level + 1)
        last = self.leave(F.silu(x))
        if self.config.watermarked:
            last = last + self._watermark(last.shape[-2:])
        return _together([*parts, F.pixel_shuffle(last, 2)])

    @torch.no_grad()
    def start_noise(self) -> None:
        """Give noise inputs that are still zero a small weight: adversarial training needs it, reconstruction not."""
        for layer in self.noise_inputs:
            assert isinstance(layer, nn.Conv2d)
            if not layer.weight.any():
                nn.init.normal_(layer.weight, std=_NOISE_START * self.config.noise_maps**-0.5)

    def _with_noise(self, x: Tensor, level: int) -> Tensor:
        """Features of a level with its noise added, where it has any. # [n, c, h, w] -> [n, c, h, w]"""
        if level < _PLAIN - 1:
            return x
        at = level + 1 - _PLAIN
        noise = self.get_buffer(f"noise{level}")[..., : x.shape[2], : x.shape[3]]
        added: Tensor = x + self.noise_inputs[at](noise * (1 + self.noise_gates[at](F.silu(x))))
        return added

    def _watermark(self, size: torch.Size) -> Tensor:
        tile = self.get_buffer("watermark")
        down, across = (-(-side // there) for side, there in zip(size, tile.shape[1:], strict=True))
        return tile.repeat(1, down, across)[:, : size[0], : size[1]]


def _zeroed(layer: nn.Conv2d) -> nn.Conv2d:
    nn.init.zeros_(layer.weight)
    return layer


def _noise(config: PainterConfig, level: int) -> Tensor:
    """The noise maps of a level: the same numbers in every painter of its size. # [1, maps, h, w]"""
    height, width = (side * 2**level for side in config.grid)
    generator = torch.Generator().manual_seed(level)
    with torch.device("cpu"):
        return torch.randn(1, config.noise_maps, height, width, generator=generator)


def _smoothed(x: Tensor) -> Tensor:
    """Blurred by 1, 2, 1 each way: whatever differs from one of the four pixels of a shuffle to the next is gone.

    As in StyleGAN (Karras et al. 2019, section 2; Zhang 2019, "Making Convolutional Networks Shift-Invariant Again").
    # [n, c, h, w] -> [n, c, h, w]
    """
    return F.avg_pool2d(F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 2, 1), 2, 1)


def _together(parts: list[Tensor]) -> Tensor:
    """Parts of a picture, each twice as large as the one before, as one. # each [n, 3, h, w]"""
    picture = parts[0]
    for part in parts[1:]:
        picture = F.interpolate(picture, scale_factor=2.0, mode="bilinear") + part
    return picture


@torch.no_grad()
def _even(layer: nn.Module) -> None:
    """Let the four pixels that a shuffle makes of one start alike (Aitken et al. 2017, "ICNR").

    Otherwise a painter begins with a grid of dots in its pictures, and has to unlearn it first.
    """
    assert isinstance(layer, nn.Conv2d)
    assert layer.bias is not None
    for tensor in (layer.weight, layer.bias):
        tensor.copy_(tensor[::4].repeat_interleave(4, dim=0))


class Encoder(nn.Module):
    """Finds mean and log-variance of the latent of a picture, the painter's mirror with fewer blocks and levels."""

    def __init__(self, config: PainterConfig) -> None:
        super().__init__()
        self.config = config
        widths = config.widths[:_PLAIN][::-1]
        depths = config.encoder_depths[:_PLAIN][::-1]
        self.enter = nn.Conv2d(12, widths[0], 3, padding=1)
        self.falls = nn.ModuleList(nn.Conv2d(4 * a, b, 1) for a, b in itertools.pairwise(widths))
        self.levels = nn.ModuleList(
            nn.Sequential(*(Block(w) for _ in range(d))) for w, d in zip(widths, depths, strict=True)
        )
        self.content = nn.Conv2d(widths[-1], 2 * config.content_channels, 3, padding=1)
        self.style = nn.Sequential(
            nn.Linear(widths[-1], 256), nn.SiLU(), nn.Linear(256, 2 * config.blocks * config.style_width)
        )

    def forward(self, pictures: Tensor) -> tuple[Latent, Latent]:
        """Mean and log-variance. # [n, 3, height, width] in -1..1 -> two latents"""
        pictures = F.avg_pool2d(pictures, 2 ** max(0, len(self.config.widths) - _PLAIN))
        x = self.enter(F.pixel_unshuffle(pictures, 2))
        for level, blocks in enumerate(self.levels):
            if level:
                x = self.falls[level - 1](F.pixel_unshuffle(F.silu(x), 2))
            x = blocks(x)
        x = F.silu(x)
        content_mean, content_log = self.content(x).chunk(2, dim=1)
        style = self.style(x.mean((2, 3))).unflatten(1, (2, self.config.blocks, self.config.style_width))
        return Latent(content_mean, style[:, 0]), Latent(content_log, style[:, 1])
