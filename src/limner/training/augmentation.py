"""Views of pictures: crops, flips and small changes of colour, so that few pictures go far."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from limner.collection.cache import PictureCache

__all__ = ["Augmentation", "Disturbance", "Fit", "augmentation_for", "centred", "fitted", "plain_views", "views"]

Fit = Literal["crop", "pad", "stretch"]


class Augmentation(BaseModel):
    """How views are drawn."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zoom: tuple[float, float] = (0.85, 1.0)
    """Painter: side of the crop as a share of the largest crop that fits."""
    zoom_prior: tuple[float, float] = (1.0, 1.0)
    """Prior: the same; these crops are what new pictures will look like."""
    flip: bool = True
    """Whether a picture may be mirrored; not for writing."""
    colour: float = Field(0.0, ge=0, le=1)
    """Painter: strength of changes in brightness, contrast and saturation."""


def augmentation_for(shapes: NDArray[np.int64], size: tuple[int, int], flip: bool) -> Augmentation:
    """The augmentation that suits a collection: pictures made for the size stay whole, others are cropped.

    Args:
        shapes: height and width of each picture. # [n, 2]
        size: height and width of training.
    """
    aspect = (shapes[:, 1] / shapes[:, 0]) / (size[1] / size[0])
    whole = bool((np.abs(np.log(aspect)) < 0.03).mean() > 0.9)
    few = 1.0 if len(shapes) < 500 else 0.5 if len(shapes) < 2000 else 0.0
    if whole:
        return Augmentation(zoom=(0.8, 1.0), zoom_prior=(1.0, 1.0), flip=flip, colour=few)
    return Augmentation(zoom=(0.45, 1.0), zoom_prior=(0.6, 1.0), flip=flip, colour=few)


def views(
    cache: PictureCache,
    indices: NDArray[np.int64],
    size: tuple[int, int],
    rng: np.random.Generator,
    *,
    zoom: tuple[float, float],
    flip: bool,
    colour: float = 0.0,
    alike: NDArray[np.int64] | None = None,
) -> Tensor:
    """One random view of each picture; cut and mirrored as that at `alike` is. # -> uint8 [n, 3, height, width]"""
    draws = rng.random((len(indices), 7))
    if alike is not None:
        draws = draws[alike]
    out = torch.empty(len(indices), 3, *size, dtype=torch.uint8)
    for k, index in enumerate(indices):
        share = zoom[0] + (zoom[1] - zoom[0]) * draws[k, 0]
        picture = _crop(cache[int(index)], size, share, draws[k, 1], draws[k, 2])
        out[k] = picture.flip(2) if flip and draws[k, 3] < 0.5 else picture
    return _tinted(out, (draws[:, 4:] * 2 - 1) * colour, rng) if colour else out


def plain_views(cache: PictureCache, size: tuple[int, int]) -> Tensor:
    """The largest centred crop of each picture. # -> uint8 [n, 3, height, width]"""
    return torch.stack([centred(cache[i], size) for i in range(len(cache))])


def centred(pixels: NDArray[np.uint8], size: tuple[int, int]) -> Tensor:
    """The largest centred crop of a picture. # uint8 [h, w, 3] -> [3, height, width]"""
    return _crop(pixels, size, 1.0, 0.5, 0.5)


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
        canvas = np.empty((tall, wide, 3), np.uint8)
        canvas[:] = border.mean(0).round().astype(np.uint8)
        top, left = (tall - height) // 2, (wide - width) // 2
        canvas[top : top + height, left : left + width] = pixels
        pixels = canvas
    whole = torch.from_numpy(np.array(pixels)).permute(2, 0, 1)
    return F.interpolate(whole[None], size, mode="bilinear", antialias=True)[0]


def _crop(pixels: NDArray[np.uint8], size: tuple[int, int], share: float, down: float, across: float) -> Tensor:
    """A crop of the aspect of `size`, resized to it. # uint8 [h, w, 3] -> [3, height, width]"""
    height, width = pixels.shape[:2]
    fit = min(height / size[0], width / size[1]) * share
    tall, wide = max(1, round(size[0] * fit)), max(1, round(size[1] * fit))
    top, left = int(down * (height - tall) + 0.5), int(across * (width - wide) + 0.5)
    window = torch.from_numpy(np.array(pixels[top : top + tall, left : left + wide])).permute(2, 0, 1)
    if (tall, wide) == size:
        return window
    return F.interpolate(window[None], size, mode="bilinear", antialias=True)[0]


def _tinted(pictures: Tensor, strengths: NDArray[np.float64], rng: np.random.Generator) -> Tensor:
    """Half of the pictures with other brightness, contrast and saturation. # uint8 [n, 3, h, w]"""
    brightness, contrast, saturation = torch.from_numpy(strengths).float().T[:, :, None, None, None]
    x = pictures.float()
    changed = (x - 127.5) * (1 + 0.3 * contrast) + 127.5 + 30 * brightness
    grey = changed.mean(1, keepdim=True)
    changed = (grey + (changed - grey) * (1 + 0.5 * saturation)).clamp(0, 255).round().to(torch.uint8)
    keep = torch.from_numpy(rng.random(len(x)) < 0.5)
    return torch.where(keep[:, None, None, None], pictures, changed)


class Disturbance:
    """Changes that a discriminator sees through and a gradient passes (Zhao et al. 2020, "DiffAugment"): colour,
    place, holes.

    One draw changes real and painted pictures alike, picture by picture.

    Args:
        strength: 0 (none) to 1; the game changes it as the discriminator over-fits.
    """

    def __init__(self, strength: float) -> None:
        self.strength = strength

    def draw(self, count: int, like: Tensor) -> Callable[[Tensor], Tensor]:
        """One change for each of `count` pictures; the function returned makes it. # float [n, 3, h, w] in -1..1"""
        strength, (height, width) = self.strength, like.shape[-2:]
        brightness, contrast, saturation = (torch.rand(3, count, 1, 1, 1) * 2 - 1).to(like.device) * strength
        reach = round(strength * height / 6), round(strength * width / 6)
        shifts = [[int(torch.randint(-r, r + 1, ())) for r in reach] for _ in range(count)]
        hole = torch.ones(count, 1, height, width, device=like.device)
        for i in range(count):
            if float(torch.rand(())) < strength / 2:
                top, left = int(torch.randint(height, ())), int(torch.randint(width, ()))
                hole[
                    i, :, max(0, top - height // 5) : top + height // 5, max(0, left - width // 5) : left + width // 5
                ] = 0

        def disturb(pictures: Tensor) -> Tensor:
            x = pictures + 0.4 * brightness
            x = (x - (middle := x.mean((1, 2, 3), keepdim=True))) * (1 + 0.6 * contrast) + middle
            x = (x - (grey := x.mean(1, keepdim=True))) * (1 + saturation) + grey
            down, across = reach
            x = F.pad(x, (across, across, down, down), mode="replicate")
            moved = [
                x[i, :, down + dy : down + dy + height, across + dx : across + dx + width]
                for i, (dy, dx) in enumerate(shifts)
            ]
            return (torch.stack(moved) * hole).contiguous(memory_format=torch.channels_last)

        return disturb
