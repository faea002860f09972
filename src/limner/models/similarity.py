"""How alike two pictures are, pair by pair: PSNR, SSIM, and the distance of a teacher's features."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from limner.models.card import Card
from limner.models.latent_model import to_unit
from limner.models.teacher import Teacher, load_teacher


def psnr(painted: Tensor, pictures: Tensor) -> Tensor:
    """Peak signal-to-noise ratio of each picture in dB. # uint8 [n, 3, h, w] twice -> [n]"""
    error = ((painted.float() - pictures.float()) ** 2).mean((1, 2, 3)).clamp_min(1e-3)
    return 10 * torch.log10(255**2 / error)


def ssim(painted: Tensor, pictures: Tensor) -> Tensor:
    """Structural similarity of each picture (Wang et al. 2004: Gaussian window of 11, sigma 1.5, on luminance).

    # uint8 [n, 3, h, w] twice -> [n]
    """
    weights = torch.tensor([0.299, 0.587, 0.114])[:, None, None]
    a, b = ((x.float() * weights).sum(1, keepdim=True) for x in (painted, pictures))
    line = torch.exp(-((torch.arange(11) - 5.0) ** 2) / (2 * 1.5**2))
    window = (line[:, None] * line[None] / line.sum() ** 2).expand(5, 1, 11, 11)
    return ssim_map(a, b, lambda maps: F.conv2d(maps, window, groups=5), 255).mean((1, 2, 3))


def ssim_map(a: Tensor, b: Tensor, window: Callable[[Tensor], Tensor], span: float) -> Tensor:
    """Structural similarity of two pictures place by place (Wang et al. 2004, equation 13).

    # [n, c, h, w] twice -> [n, c, h', w']

    Args:
        window: weighted local means of maps. # [n, 5 c, h, w] -> [n, 5 c, h', w']
        span: from black to white.
    """
    mean_a, mean_b, aa, bb, ab = window(torch.cat([a, b, a * a, b * b, a * b], dim=1)).chunk(5, dim=1)
    c1, c2 = (0.01 * span) ** 2, (0.03 * span) ** 2
    variances = (aa - mean_a * mean_a) + (bb - mean_b * mean_b)
    similar = (2 * mean_a * mean_b + c1) * (2 * (ab - mean_a * mean_b) + c2)
    return similar / ((mean_a * mean_a + mean_b * mean_b + c1) * (variances + c2))


def feature_distance(found: list[Tensor], wanted: list[Tensor]) -> Tensor:
    """Squared distance of unit feature vectors, summed over layers (Zhang et al. 2018, "LPIPS", without its weights).

    # each [n, c, h, w], of a teacher -> [n]
    """
    return torch.stack([(a - b).float().square().sum(1).mean((1, 2)) for a, b in zip(found, wanted, strict=True)]).sum(
        0
    )


class PerceptualDistance:
    """How far apart two pictures look.

    With a teacher it is `feature_distance` at strides 2, 4 and 8, the number that `limner reconstruct` and a card call
    perceptual; 0 is the same, 4 a place the most for each of three strides. Without one it is the mean difference of
    colours and of their edges at four sizes, 0 to 1 each: nothing in it was learned from anybody's pictures.

    Args:
        teacher: whose features are compared; None for colours and edges.
    """

    def __init__(self, teacher: Teacher | None) -> None:
        self._teacher = teacher
        self.name = "perceptual" if teacher else "multi-scale"
        self.weight = 0.1 if teacher else 1.0

    @classmethod
    def of(cls, card: Card, device: str = "cpu") -> PerceptualDistance:
        """With the teacher that helped to train a model; without one if none did, or it is not installed here."""
        if card.teacher.name == "none":
            return cls(None)
        try:
            return cls(load_teacher().to(device))
        except ImportError:
            return cls(None)

    def features(self, unit: Tensor) -> list[Tensor]:
        """What is compared of pictures. # float [n, 3, h, w] in -1..1 -> each [n, c, h', w']"""
        if self._teacher is not None:
            found: list[Tensor] = self._teacher(unit)
            return found
        parts, level = [], unit / 2
        for _ in range(4):
            parts += [level, level.diff(dim=2), level.diff(dim=3)]
            level = F.avg_pool2d(level, 2)
        return parts

    def between(self, found: list[Tensor], wanted: list[Tensor]) -> Tensor:
        """The distance of each pair, from the features of both. # -> [n]"""
        if self._teacher is not None:
            return feature_distance(found, wanted)
        parts = [(a - b).abs().mean((1, 2, 3)) for a, b in zip(found, wanted, strict=True)]
        return torch.stack(parts).mean(0)

    @torch.no_grad()
    def measure(self, painted: Tensor, pictures: Tensor, device: str = "cpu") -> Tensor:
        """The distance of each pair of pictures. # uint8 [n, 3, h, w] twice -> [n]"""
        pairs = zip(painted.split(64), pictures.split(64), strict=True)
        found = [self.between(*(self.features(to_unit(one.to(device))) for one in pair)).cpu() for pair in pairs]
        return torch.cat(found)
