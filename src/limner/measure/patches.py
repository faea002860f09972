"""How alike the small details of two sets of pictures are, at each scale: no network, no features."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from limner.statistics import Estimate, jackknifed

_SIDE, _SMALLEST = 7, 16
_ROWS = 32768
_DIRECTIONS = 256
_GROUPS = 10


def laplacian_levels(pictures: Tensor) -> list[Tensor]:
    """A Laplacian pyramid down to 16 px (Burt and Adelson 1983): what each halving loses, and what is left.

    # float [n, 3, h, w] -> [n, 3, h, w], [n, 3, h / 2, w / 2], ...
    """
    levels = []
    while min(pictures.shape[-2:]) >= 2 * _SMALLEST:
        smaller = _halved(pictures)
        levels.append(pictures - F.interpolate(smaller, pictures.shape[-2:], mode="bilinear"))
        pictures = smaller
    return [*levels, pictures]


def sliced_wasserstein(real: Tensor, painted: Tensor, *, seed: int = 0) -> dict[int, Estimate]:
    """Sliced Wasserstein distance of 7x7 patches at each level of a Laplacian pyramid, times 1,000.

    Karras et al. 2018 ("Progressive growing of GANs", section 5), with 256 directions and at most 32,768 patches of
    each set. The interval is by jackknife over ten groups of pictures. Falls to a floor with the count of patches, so
    compare figures of equal counts only. # uint8 [n, 3, h, w] twice

    Returns:
        By the shorter side of the level in pixels: the largest holds the finest details.
    """
    count = len(real)
    each = max(1, min(128, _ROWS // count))
    shapes = [tuple(level.shape[-2:]) for level in laplacian_levels(real[:1].float())]
    found = {}
    for level, shape in enumerate(shapes):
        rng = np.random.default_rng([seed, level])
        rows = [_patches(pictures, level, each, rng) for pictures in (real, painted)]
        directions = torch.from_numpy(rng.normal(size=(rows[0].shape[1], _DIRECTIONS))).float()
        directions /= directions.norm(dim=0)
        group = torch.from_numpy(rng.permutation(count) % min(_GROUPS, count)).repeat_interleave(each)
        value, without = _distance(rows[0], rows[1], group, directions)
        found[min(shape)] = jackknifed(value, without, count)
    return found


def _distance(x: Tensor, y: Tensor, group: Tensor, directions: Tensor) -> tuple[float, list[list[float]]]:
    """Mean difference of sorted projections, and the same without each group of either set. # [n, d] twice, [n]"""
    groups = int(group.max()) + 1
    total, without = 0.0, np.zeros((2, groups))
    for some in directions.split(32, dim=1):
        (a, of_a), (b, of_b) = ((rows @ some).T.contiguous().sort(1) for rows in (x, y))  # [directions, n]
        total += float((a - b).abs().mean(1).sum())
        for i in range(groups):
            left_a, left_b = (v[group[of] != i].view(len(v), -1) for v, of in ((a, of_a), (b, of_b)))
            # With a group less on one side, the other side is read at as many even steps.
            steps = torch.linspace(0, a.shape[1] - 1, left_a.shape[1]).round().long()
            without[0, i] += float((left_a - b[:, steps]).abs().mean(1).sum())
            without[1, i] += float((a[:, steps] - left_b).abs().mean(1).sum())
    scale = 1000 / directions.shape[1]
    return total * scale, [(row * scale).tolist() for row in without if groups > 2]


def _patches(pictures: Tensor, level: int, each: int, rng: np.random.Generator) -> Tensor:
    """Random patches of one level, each channel to mean 0 and deviation 1 over the set. # -> [n * each, 147]"""
    found = []
    for chunk in pictures.split(128):
        x = laplacian_levels(chunk.float())[level]
        windows = x.unfold(2, _SIDE, 1).unfold(3, _SIDE, 1)  # [n, 3, down, across, 7, 7]
        down, across = (torch.from_numpy(rng.integers(0, s, (len(x), each))) for s in windows.shape[2:4])
        found.append(windows[torch.arange(len(x))[:, None], :, down, across].flatten(0, 1))  # [n * each, 3, 7, 7]
    rows = torch.cat(found)
    mean, deviation = rows.mean((0, 2, 3), keepdim=True), rows.std((0, 2, 3), keepdim=True)
    return ((rows - mean) / deviation.clamp_min(1e-6)).flatten(1)


def _halved(x: Tensor) -> Tensor:
    """Blurred by the five-tap kernel of Burt and Adelson and halved. # [n, 3, h, w] -> [n, 3, h / 2, w / 2]"""
    line = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
    kernel = (line[:, None] * line).expand(3, 1, 5, 5)
    return F.conv2d(F.pad(x, (2, 2, 2, 2), mode="reflect"), kernel, stride=2, groups=3)
