"""Large pictures are learned small first: the coarse levels of encoder and painter at half the size, which is cheap.

Karras et al. 2018, "Progressive Growing of GANs". The content's grid is the same at both sizes, so every level but the
finest has the same place and shape in both, and what is learned goes over whole.
"""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from limner.models.latent_model import LatentModel
from limner.models.painter import PainterConfig
from limner.training.data import TrainingData


def half_config(config: PainterConfig) -> PainterConfig | None:
    """The painter of half the size whose levels are all but the finest.

    None where a picture is small already, or half of it is no size that a painter has (multiples of 32).
    """
    if config.factor < 16 or sum(config.depths[:-1]) == 0 or min(config.height, config.width) < 128:
        return None
    if config.height % 64 or config.width % 64:
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
        noise_maps=config.noise_maps,
    )


def half_data(data: TrainingData) -> TrainingData:
    """The same pictures at half the size."""

    def half(pictures: Tensor) -> Tensor:
        return F.interpolate(pictures, (data.size[0] // 2, data.size[1] // 2), mode="bilinear", antialias=True)

    size = data.size[0] // 2, data.size[1] // 2
    return replace(data, chooses=half(data.chooses), reports=half(data.reports), size=size)


@torch.no_grad()
def grow(whole: LatentModel, small: LatentModel) -> None:
    """Give the whole model what the small one has learned: it then paints the same pictures, enlarged."""
    ours = whole.state_dict()
    last = f"painter.coarse.{len(whole.painter.coarse) - 1}."
    for name, tensor in small.state_dict().items():
        if name.startswith("encoder.style.2."):
            _styles(ours[name], tensor)
        elif name.startswith("painter.leave."):
            ours[name.replace("painter.leave.", last)].copy_(tensor)
        elif name.startswith(("encoder.", "painter.")):
            ours[name].copy_(tensor)


def _styles(own: Tensor, tensor: Tensor) -> None:
    """Mean and log-variance of each block's style: the whole model has more blocks. # [2 * numbers, ...]"""
    for ours, theirs in zip(own.chunk(2), tensor.chunk(2), strict=True):
        ours[: len(theirs)] = theirs
