"""Large pictures are learned small first: the coarse levels of encoder and painter at half the size, which is cheap.

Karras et al. 2018, "Progressive Growing of GANs". The content's grid is the same at both sizes, so every level but the
finest has the same place and shape in both, and what it has learned goes over.
"""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from limner.models.painter import PainterConfig
from limner.models.vae import VAE
from limner.training.data import TrainingData

__all__ = ["grow", "half_config", "half_data"]


def half_config(config: PainterConfig) -> PainterConfig | None:
    """The painter of half the size whose levels are all but the finest; None where a picture is small already."""
    if config.factor < 16 or sum(config.depths[:-1]) == 0 or min(config.height, config.width) < 128:
        return None
    return PainterConfig(
        height=config.height // 2,
        width=config.width // 2,
        factor=config.factor // 2,
        content_channels=config.content_channels,
        style_width=config.style_width,
        widths=config.widths[:-1],
        depths=config.depths[:-1],
        encoder_depths=config.encoder_depths[:-1],
    )


def half_data(data: TrainingData) -> TrainingData:
    """The same pictures at half the size."""

    def half(pictures: Tensor) -> Tensor:
        return F.interpolate(pictures, (data.size[0] // 2, data.size[1] // 2), mode="bilinear", antialias=True)

    size = data.size[0] // 2, data.size[1] // 2
    return replace(data, chooses=half(data.chooses), reports=half(data.reports), size=size)


@torch.no_grad()
def grow(whole: VAE, small: VAE) -> None:
    """Give the whole model what the small one has learned; its finest level stays as it was."""
    ours, theirs = whole.state_dict(), small.state_dict()
    for name, tensor in theirs.items():
        to = _place(name)
        if to is None:
            continue
        own = ours[to]
        if name.startswith("encoder.style.2."):
            _styles(own, tensor)
        else:
            own.copy_(tensor)


def _place(name: str) -> str | None:
    """Where a tensor of the small model lies in the whole one; None for what is of the small size alone."""
    part, _, rest = name.partition(".")
    if part == "painter":
        return None if rest.startswith("leave.") else name
    if part != "encoder" or rest.startswith("enter."):
        return None
    kind, _, numbered = rest.partition(".")
    if kind in ("falls", "levels"):
        number, _, last = numbered.partition(".")
        return f"encoder.{kind}.{int(number) + 1}.{last}"
    return name


def _styles(own: Tensor, tensor: Tensor) -> None:
    """Mean and log-variance of each block's style: the whole model has more blocks. # [2 * numbers, ...]"""
    for ours, theirs in zip(own.chunk(2), tensor.chunk(2), strict=True):
        ours[: len(theirs)] = theirs
