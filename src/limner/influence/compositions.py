"""What is compared of compositions: where it is light and dark, and roughly in which colours."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

SIDE = 32
"""Side at which compositions are learned and compared, px; others are made square first."""
_LIGHT, _COLOUR = 12, 3
_FLATTEST = 0.1
"""Contrast below which a picture is not stretched: noise in a plain one is no composition."""
NUMBERS = _LIGHT**2 + 3 * _COLOUR**2
"""How many numbers describe a composition."""
_LUMINANCE = (0.299, 0.587, 0.114)


def squared(pictures: Tensor) -> Tensor:
    """Pictures at the size of compositions. # uint8 [n, 3, h, w] -> uint8 [n, 3, 32, 32]"""
    if pictures.shape[2:] == (SIDE, SIDE):
        return pictures
    parts = [F.interpolate(p, (SIDE, SIDE), mode="bilinear", antialias=True) for p in pictures.split(256)]
    return torch.cat(parts)


def describe(pictures: Tensor) -> Tensor:
    """Light and dark on a grid of 12 x 12, whatever the contrast; colours on one of 3 x 3.

    Euclidean distances of these say how alike two compositions are: 0 is the same; lightness counts about as much as
    colour.

    # uint8 [n, 3, h, w] -> float32 [n, 171]
    """
    unit = squared(pictures).float() / 127.5 - 1
    grey = (unit * torch.tensor(_LUMINANCE)[:, None, None]).sum(1, keepdim=True)
    light = F.interpolate(grey, (_LIGHT, _LIGHT), mode="area").flatten(1)
    light = (light - light.mean(1, keepdim=True)) / (light.std(1, keepdim=True) + _FLATTEST)
    colour = F.interpolate(unit, (_COLOUR, _COLOUR), mode="area").flatten(1)
    return torch.cat([light / _LIGHT, colour / (3 * _COLOUR**2) ** 0.5], dim=1)
