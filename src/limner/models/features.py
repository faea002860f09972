"""Features by which sets of pictures are compared: the teacher's, and ones that nobody trained."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limner.models.latent_model import to_unit
from limner.models.teacher import Teacher, load_teacher

__all__ = ["RandomFeatures", "TeacherFeatures"]


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
