"""What can be measured of any picture without labels: the words by which an artist steers."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

_SIDE = 64
_CHUNK = 256
_WHITE = (0.95047, 1.0, 1.08883)
_TO_XYZ = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)


def lab(pictures: Tensor) -> Tensor:
    """CIE L*a*b* (D65) of sRGB pictures; L* is 0 to 100. # uint8 [n, 3, h, w] -> float [n, 3, h, w]"""
    unit = pictures.float() / 255
    linear = torch.where(unit <= 0.04045, unit / 12.92, ((unit + 0.055) / 1.055) ** 2.4)
    xyz = torch.einsum("ij,njhw->nihw", linear.new_tensor(_TO_XYZ), linear)
    ratio = xyz / xyz.new_tensor(_WHITE)[:, None, None]
    f = torch.where(ratio > (6 / 29) ** 3, ratio.clamp_min(1e-9) ** (1 / 3), ratio * (29 / 6) ** 2 / 3 + 4 / 29)
    x, y, z = f.unbind(1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=1)


def _brightness(seen: Tensor) -> Tensor:
    return seen[:, 0].mean((1, 2))


def _warmth(seen: Tensor) -> Tensor:
    return seen[:, 2].mean((1, 2))


def _colourfulness(seen: Tensor) -> Tensor:
    colours = seen[:, 1:].flatten(2)  # Hasler and Süsstrunk 2003, "Measuring Colourfulness", equation 4, for CIE Lab
    middle: Tensor = colours.mean(2).norm(dim=1)
    return colours.var(2).sum(1).sqrt() + 0.37 * middle


def _contrast(seen: Tensor) -> Tensor:
    return seen[:, 0].std((1, 2))


def _horizon(seen: Tensor) -> Tensor:
    rows = seen.mean(3)
    # Four rows above against four below: a horizon is a change that lasts, an edge of a thing is none.
    smooth = F.avg_pool1d(rows, 4, stride=1)
    change = (smooth[:, :, 4:] - smooth[:, :, :-4]).square().sum(1) + 1e-3
    heights = torch.linspace(1, 0, change.shape[1], device=seen.device)
    return (change.square() * heights).sum(1) / change.square().sum(1)


def _symmetry(seen: Tensor) -> Tensor:
    apart: Tensor = (seen - seen.flip(3)).norm(dim=1)
    varied: Tensor = (seen - seen.mean((2, 3), keepdim=True)).norm(dim=1)
    return -apart.mean((1, 2)) / varied.mean((1, 2)).clamp_min(1e-3)


def _detail(seen: Tensor) -> Tensor:
    light = seen[:, :1]
    coarse = F.avg_pool2d(light, 2)
    fine = (light - F.interpolate(coarse, light.shape[2:], mode="nearest")).square().mean((1, 2, 3))
    forms = coarse.var((1, 2, 3))
    return 10 * torch.log10((fine + 0.1) / (forms + 0.1))


def _hue(seen: Tensor) -> Tensor:
    a, b = seen[:, 1:].mean((2, 3)).unbind(1)
    # From green over yellow to red; seen from where most pictures are, warm, the circle is cut at blue.
    return torch.rad2deg(torch.atan2(a, b + 20))


ATTRIBUTES: dict[str, tuple[str, Callable[[Tensor], Tensor]]] = {
    "brightness": ("mean L*", _brightness),
    "warmth": ("mean b*: blue below 0, yellow above", _warmth),
    "colourfulness": ("deviation of a* and b*, and a part of their mean", _colourfulness),
    "contrast": ("deviation of L*", _contrast),
    "horizon": ("height of the strongest lasting change from row to row, 0 bottom, 1 top", _horizon),
    "symmetry": ("likeness to the mirrored picture, 0 is the same", _symmetry),
    "detail": ("strength of the finest lines against larger forms, dB", _detail),
    "hue": ("angle of the mean colour, degrees: green below 0, red above", _hue),
}
"""Name of each attribute, what it means and in which unit, and how it is measured on L*a*b*."""


def measure_attributes(pictures: Tensor) -> Tensor:
    """All attributes, in the order of `ATTRIBUTES`. # uint8 [n, 3, h, w] -> float [n, attributes]"""
    height, width = pictures.shape[2:]
    share = _SIDE / min(height, width)
    found = []
    for chunk in pictures.split(_CHUNK):
        seen = lab(chunk)
        if share < 1:
            size = max(16, math.ceil(height * share)), max(16, math.ceil(width * share))
            seen = F.interpolate(seen, size, mode="bilinear", antialias=True)
        found.append(torch.stack([measure(seen) for _, measure in ATTRIBUTES.values()], dim=1))
    return torch.cat(found)
