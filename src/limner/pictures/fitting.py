"""Pictures brought to the size of a model: cropped, padded or stretched."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

Fit = Literal["crop", "pad", "stretch"]


def centred(pixels: NDArray[np.uint8], size: tuple[int, int]) -> Tensor:
    """The largest centred crop of a picture. # uint8 [h, w, 3] -> [3, height, width]"""
    return crop(pixels, size, 1.0, 0.5, 0.5)


def fitted(pixels: NDArray[np.uint8], size: tuple[int, int], fit: Fit = "crop") -> Tensor:
    """A picture of one's own at a model's size. # uint8 [h, w, 3] -> [3, height, width]

    Args:
        fit: `crop` takes the largest centred part; `pad` all of it, with the mean colour of its border around;
            `stretch` all of it, made wider or narrower.
    """
    if fit == "crop":
        return centred(pixels, size)
    height, width = pixels.shape[:2]
    if fit == "pad":
        tall, wide = max(height, round(width * size[0] / size[1])), max(width, round(height * size[1] / size[0]))
        border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
        padded = np.empty((tall, wide, 3), np.uint8)
        padded[:] = border.mean(0).round().astype(np.uint8)
        top, left = (tall - height) // 2, (wide - width) // 2
        padded[top : top + height, left : left + width] = pixels
        pixels = padded
    whole = torch.from_numpy(np.array(pixels)).permute(2, 0, 1)
    return F.interpolate(whole[None], size, mode="bilinear", antialias=True)[0]


def crop(pixels: NDArray[np.uint8], size: tuple[int, int], share: float, down: float, across: float) -> Tensor:
    """A crop of the aspect of `size`, resized to it. # uint8 [h, w, 3] -> [3, height, width]"""
    height, width = pixels.shape[:2]
    fit = min(height / size[0], width / size[1]) * share
    tall, wide = max(1, round(size[0] * fit)), max(1, round(size[1] * fit))
    top, left = int(down * (height - tall) + 0.5), int(across * (width - wide) + 0.5)
    window = torch.from_numpy(np.array(pixels[top : top + tall, left : left + wide])).permute(2, 0, 1)
    if (tall, wide) == size:
        return window
    return F.interpolate(window[None], size, mode="bilinear", antialias=True)[0]
