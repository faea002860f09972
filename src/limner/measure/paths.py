"""How evenly pictures change on the way from one latent to another."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from limner.statistics import Estimate, interval

__all__ = ["perceptual_path_length"]

_AT_ONCE = 32


@torch.inference_mode()
def perceptual_path_length(
    paint: Callable[[Tensor, Tensor], Tensor],
    distance: Callable[[Tensor, Tensor], Tensor],
    count: int,
    *,
    epsilon: float = 1e-4,
    seed: int = 0,
) -> Estimate:
    """Mean squared perceptual change by squared step at the start of many paths (Karras et al. 2019, section 4.1).

    At the ends of paths, as the authors have it since their second version: every latent that is measured was drawn,
    none lies between. `paint` has to give float32 pictures of a network in float32: in bfloat16, or in bytes, a step of
    1e-4 changes less than rounding does. Where only those can be had, take 1e-2 at least and say so beside the figure.

    Args:
        paint: pictures on paths; told which paths and how far on each, 0 to 1. # int [n], float [n] -> [n, 3, h, w]
        distance: squared perceptual distance of pairs. # [n, 3, h, w] twice -> [n]
        count: how many paths.
        epsilon: the step.
        seed: of the interval.
    """
    found = []
    for start in range(0, count, _AT_ONCE):
        paths = torch.arange(start, min(count, start + _AT_ONCE))
        at = torch.zeros(len(paths))
        found.append(distance(paint(paths, at), paint(paths, at + epsilon)) / epsilon**2)
    return interval(torch.cat(found), seed)
