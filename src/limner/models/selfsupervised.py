"""Features that a small network learned from pictures alone, without labels: the yardstick that trains no model.

A plain residual network for 64 px, taught by `scripts/train_features.py` to tell pictures apart however they are
cropped and tinted (SimCLR, Chen et al. 2020). No generator of limner is ever trained by it, so none can have learned to
please it. Batch norm is folded into the convolutions; the weights lie beside this file. They were learned from
limner's paintings (public domain in the United States) and from emoji of OpenMoji (CC BY-SA 4.0), Twemoji (CC BY 4.0),
Noto Emoji (Apache-2.0) and Fluent Emoji (MIT).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from limner.models.latent_model import to_unit

SIDE = 64
"""Side of the pictures that the network sees, px."""

WEIGHTS = Path(__file__).with_name("selfsupervised.safetensors")
_WIDTHS = (32, 64, 128, 192)
_FEATURES = 256
_AT_ONCE = 64

Norm = Callable[[int], nn.Module]


class _Block(nn.Module):
    def __init__(self, channels: int, norm: Norm) -> None:
        super().__init__()
        layer = partial(nn.Conv2d, channels, channels, 3, padding=1)
        self.first, self.norm1, self.second, self.norm2 = layer(), norm(channels), layer(), norm(channels)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.norm1(self.first(x)))
        return F.relu(x + self.norm2(self.second(y)))


class _Stage(nn.Module):
    """Halves the sides, then one residual block. # [n, c, h, w] -> [n, out, h / 2, w / 2]"""

    def __init__(self, channels: int, out: int, kernel: int, norm: Norm) -> None:
        super().__init__()
        self.down = nn.Conv2d(channels, out, kernel, 2, 1)
        self.norm = norm(out)
        self.block = _Block(out, norm)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.block(F.relu(self.norm(self.down(x))))
        return found


class FeatureNetwork(nn.Module):
    """1.4 M parameters, 0.17 GFLOP a picture. # float [n, 3, 64, 64] in -1..1 -> [n, 256]

    Args:
        norm: what stands behind each convolution: batch norm while it learns, nothing once that is folded.
    """

    def __init__(self, norm: Norm = nn.Identity) -> None:
        super().__init__()
        widths = (3, *_WIDTHS)
        pairs = itertools.pairwise(widths)
        self.stages = nn.ModuleList(_Stage(a, b, 4 if a == 3 else 3, norm) for a, b in pairs)
        self.last = nn.Conv2d(widths[-1], _FEATURES, 1)
        self.norm = norm(_FEATURES)

    def forward(self, x: Tensor) -> Tensor:
        """Features. # float [n, 3, 64, 64] -> [n, 256]"""
        for stage in self.stages:
            x = stage(x)
        return F.relu(self.norm(self.last(x))).mean((2, 3))


class SelfSupervisedFeatures(nn.Module):
    """The trained network on pictures of any size. # uint8 [n, 3, h, w] -> float32 [n, 256]

    Raises:
        FileNotFoundError: the package was installed without its weights.
    """

    def __init__(self, weights: Path = WEIGHTS) -> None:
        super().__init__()
        self.network = FeatureNetwork()
        self.network.load_state_dict({name: tensor.float() for name, tensor in load_file(weights).items()})
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.eval().requires_grad_(False)

    @torch.inference_mode()
    def forward(self, pictures: Tensor) -> Tensor:
        """Features. # uint8 [n, 3, h, w] -> float32 [n, 256]"""
        return torch.cat([self.of_unit(to_unit(_fitted(chunk))) for chunk in pictures.split(_AT_ONCE)])

    def of_unit(self, pictures: Tensor) -> Tensor:
        """Features of pictures that were never rounded to bytes. # float32 [n, 3, h, w] in -1..1 -> float32 [n, 256]"""
        found: Tensor = self.network(_fitted(pictures))
        return found.float()


def _fitted(pictures: Tensor) -> Tensor:
    """Resized to 64 px where they are not. # [n, 3, h, w] -> [n, 3, 64, 64]"""
    if pictures.shape[-2:] == (SIDE, SIDE):
        return pictures
    return F.interpolate(pictures, (SIDE, SIDE), mode="bilinear", antialias=True)
