"""Views of a collection's pictures: crops, flips and small changes of colour, so that few pictures go far."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from limner.collection.cache import PictureCache
from limner.pictures.fitting import centred, crop


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
        picture = crop(cache[int(index)], size, share, draws[k, 1], draws[k, 2])
        out[k] = picture.flip(2) if flip and draws[k, 3] < 0.5 else picture
    return _tinted(out, (draws[:, 4:] * 2 - 1) * colour, rng) if colour else out


def plain_views(cache: PictureCache, size: tuple[int, int]) -> Tensor:
    """The largest centred crop of each picture. # -> uint8 [n, 3, height, width]"""
    return torch.stack([centred(cache[i], size) for i in range(len(cache))])


def _tinted(pictures: Tensor, strengths: NDArray[np.float64], rng: np.random.Generator) -> Tensor:
    """Half of the pictures with other brightness, contrast and saturation. # uint8 [n, 3, h, w]"""
    brightness, contrast, saturation = torch.from_numpy(strengths).float().T[:, :, None, None, None]
    x = pictures.float()
    changed = (x - 127.5) * (1 + 0.3 * contrast) + 127.5 + 30 * brightness
    grey = changed.mean(1, keepdim=True)
    changed = (grey + (changed - grey) * (1 + 0.5 * saturation)).clamp(0, 255).round().to(torch.uint8)
    keep = torch.from_numpy(rng.random(len(x)) < 0.5)
    return torch.where(keep[:, None, None, None], pictures, changed)
