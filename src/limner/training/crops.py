"""What an up-scaler learns from: crops of pictures at full resolution, and the same crops made small.

An enlargement repeats one step, so it meets three kinds of small pictures, and all of them are here: sharp ones (made
small, of any size down to where the whole picture is 128 px), its own (made small twice and enlarged once), and a
painter's, which are softer (a model's reconstructions, where a model is given).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from limner.collection.cache import PictureCache
from limner.machine import Machine
from limner.models.bundle import Model
from limner.models.latent_model import to_unit
from limner.training.stage import seed_of

SMALLEST = 128
"""Shorter side, px, from which a picture is of use: it is made small twice, and 32 px hold too little."""
SEEN = 40
"""Side of the small picture that is enlarged in a step, px."""
_CROP = 112
_MOST_PAINTED = 240
_SHARE_PAINTED = 0.6


def painted_pictures(model: Model, cache: PictureCache, machine: Machine, seed: int) -> list[Painted]:
    """What the model's painter makes of training pictures that are at least twice as large."""
    config, rng = model.card.config.painter, np.random.default_rng([seed, 9])
    size = config.height, config.width
    if min(size) < _CROP // 2:
        return []
    found = []
    for index in rng.permutation(len(cache))[:_MOST_PAINTED]:
        pixels = cache[int(index)]
        fit = min(pixels.shape[0] / size[0], pixels.shape[1] / size[1])
        if fit >= 2:
            tall, wide = size[0] * fit, size[1] * fit
            top, left = rng.uniform(0, pixels.shape[0] - tall), rng.uniform(0, pixels.shape[1] - wide)
            sizes = [(size[1] * times, size[0] * times) for times in (1, 2, 4)[: 3 if fit >= 4 else 2]]
            box = (left, top, left + wide, top + tall)
            found.append(
                [np.array(Image.fromarray(pixels).resize(s, Image.Resampling.LANCZOS, box=box)) for s in sizes]
            )
    if not found:
        return []
    small = torch.from_numpy(np.stack([one[0] for one in found])).permute(0, 3, 1, 2)
    with machine.autocast():
        own = model.generator.paint(model.generator.encode(small)).permute(0, 2, 3, 1).contiguous().numpy()
    return [Painted(small, one[1], one[2] if len(one) > 2 else None) for small, one in zip(own, found, strict=True)]


@dataclass
class Painted:
    """What a painter makes of pictures, and the same pictures two and four times as large."""

    small: NDArray[np.uint8]
    twice: NDArray[np.uint8]
    four: NDArray[np.uint8] | None


class Crops:
    """Draws what one step learns from.

    Args:
        cache: pictures of at least 128 px.
        painted: pictures of a painter; may be empty.
    """

    def __init__(self, cache: PictureCache, painted: list[Painted], seed: int) -> None:
        self._cache, self._painted, self._seed = cache, painted, seed

    def batch(
        self, step: int, count: int, double: Callable[[Tensor, Tensor], Tensor], machine: Machine
    ) -> tuple[Tensor, Tensor]:
        """Small pictures and what they should become. # float [n, 3, 40, 40], [n, 3, 80, 80] in -1..1

        Args:
            double: the up-scaler; enlarges pictures made small twice, with noise.
        """
        rng = np.random.default_rng([self._seed, step])
        own = count // 2
        once = [self._pair(rng, 2) for _ in range(count - own)]
        twice = [self._pair(rng, 4) for _ in range(own)]
        small, large = (_stacked([pair[i] for pair in once]) for i in range(2))
        start, aim = (_stacked([pair[i] for pair in twice]) for i in range(2))
        with torch.no_grad(), machine.autocast():
            generator = torch.Generator().manual_seed(seed_of(self._seed, "crops", step))
            noise = torch.randn(own, 1, *(2 * side for side in start.shape[2:]), generator=generator)
            made = double(start.to(machine.device), noise.to(machine.device)).clamp(-1, 1)
        small = middle(torch.cat([small, made.float().cpu()]), SEEN)
        return small, middle(torch.cat([large, aim]), 2 * SEEN)

    def _pair(self, rng: np.random.Generator, times: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """A small picture and itself so many times as large. # uint8 [112 / times]^2, [112]^2"""
        flip = -1 if rng.random() < 0.5 else 1
        if self._painted and rng.random() < _SHARE_PAINTED:
            pair = self._of_painter(rng, times)
            if pair is not None:
                return pair[0][:, ::flip], pair[1][:, ::flip]
        large = _scaled_crop(self._cache[int(rng.integers(len(self._cache)))], rng)
        return _made_small(large, times, rng)[:, ::flip], large[:, ::flip]

    def _of_painter(self, rng: np.random.Generator, times: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]] | None:
        one = self._painted[int(rng.integers(len(self._painted)))]
        large = one.twice if times == 2 else one.four
        if large is None:
            return None
        side = _CROP // times
        top, left = (int(rng.integers(length - side + 1)) for length in one.small.shape[:2])
        window = large[top * times : top * times + _CROP, left * times : left * times + _CROP]
        return one.small[top : top + side, left : left + side], window


def _scaled_crop(pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A crop of the picture at a random size down to where its shorter side is 128 px. # -> uint8 [112, 112, 3]"""
    height, width = pixels.shape[:2]
    shorter = min(height, width)
    share = float(np.exp(rng.uniform(np.log(SMALLEST / shorter), 0.0)))
    side = min(_CROP / share, shorter)
    top, left = rng.uniform(0, height - side), rng.uniform(0, width - side)
    if share > 0.97:
        top, left = int(top), int(left)
        return pixels[top : top + _CROP, left : left + _CROP]
    box = (left, top, left + side, top + side)
    return np.asarray(Image.fromarray(pixels).resize((_CROP, _CROP), Image.Resampling.LANCZOS, box=box))


def _made_small(large: NDArray[np.uint8], times: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Made small in one of the ways that pictures are; half of them softened, as a painter's are."""
    picture = Image.fromarray(large)
    kind = [Image.Resampling.BOX, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS][int(rng.integers(3))]
    small = picture.resize((large.shape[1] // times, large.shape[0] // times), kind)
    if rng.random() < 0.5:
        # Softened: to between 1 and 1.6 times fewer pixels and back.
        side = round(small.width / rng.uniform(1.0, 1.6))
        small = small.resize((side, side), Image.Resampling.BICUBIC).resize(small.size, Image.Resampling.BICUBIC)
    return np.asarray(small)


def _stacked(crops: list[NDArray[np.uint8]]) -> Tensor:
    return to_unit(torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2))


def middle(pictures: Tensor, side: int) -> Tensor:
    """The middle of square pictures, or what fills it. # [n, 3, h, h] -> [n, 3, side, side]"""
    edge = (pictures.shape[-1] - side) // 2
    return pictures[:, :, edge : edge + side, edge : edge + side]
