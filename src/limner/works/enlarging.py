"""Enlarging a painted picture: a learned up-scaler doubles it as often as it takes, the rest is Lanczos."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from limner.errors import UsageError, check_range
from limner.machine import Machine
from limner.models.latent_model import to_bytes, to_unit
from limner.models.upscaler import STRENGTH, Upscaler

LARGEST = 8192
"""Longer side of the largest print, px: 69 cm at 300 pixels an inch."""
_TILE = 256
_SLACK = 1.05
"""How much of the last doubling Lanczos takes over: a step more for 5 % would cost four times the work."""

Progress = Callable[[int, int], object]


@dataclass(frozen=True)
class Enlargement:
    """How a picture gets to a size.

    Attributes:
        height, width: of the print, px.
        factor: how many times as long its longer side is.
        sizes: height and width before each doubling, px; where that is not what the last one gave, Lanczos fits it.
    """

    height: int
    width: int
    factor: float
    sizes: tuple[tuple[int, int], ...]

    @property
    def steps(self) -> int:
        """Doublings by the up-scaler; 0 is Lanczos alone."""
        return len(self.sizes)


def plan_enlargement(height: int, width: int, to: int, *, learned: bool = True) -> Enlargement:
    """How a picture gets to a longer side of `to` px.

    Lanczos does its part before the last doubling, so that memory is that of the print and its finest lines are the
    up-scaler's; a picture that is doubled once is fitted afterwards, for there is nothing to spare before.

    Raises:
        UsageError: the size is no larger than the picture, or larger than `LARGEST`.
    """
    longer = max(height, width)
    if to <= longer:
        raise UsageError(f"--to {to}", f"is no larger than the work ({width}x{height})", f"give {longer + 1} or more")
    if to > LARGEST:
        raise UsageError(f"--to {to}", "is larger than limner prints", f"give {LARGEST} at most")
    share = to / longer
    size = max(1, round(height * share)), max(1, round(width * share))
    steps = max(1, math.ceil(math.log2(share / _SLACK))) if learned else 0
    sizes = [(height * 2**step, width * 2**step) for step in range(steps)]
    if steps > 1:
        sizes[-1] = -(-size[0] // 2), -(-size[1] // 2)
    return Enlargement(*size, share, tuple(sizes))


def enlarge(
    pixels: NDArray[np.uint8],
    plan: Enlargement,
    upscaler: Upscaler | None = None,
    machine: Machine | None = None,
    *,
    seed: int = 0,
    strength: float = STRENGTH,
    progress: Progress = lambda done, total: None,
) -> NDArray[np.uint8]:
    """A picture at the size of the plan. # uint8 [h, w, 3] -> uint8 [plan.height, plan.width, 3]

    It is doubled in tiles with as much around each as the up-scaler sees, so that no seam can be: the same pixels come
    out of other tiles, and memory beside the two pictures does not grow with them.

    Args:
        upscaler: needed, with `machine`, where the plan has steps.
        seed: of the noise that becomes fine detail.
        strength: 0 to 1, share of the detail that the up-scaler adds.

    Raises:
        UsageError: the strength is out of range.
    """
    check_range("--strength", strength, 0, 1)
    total, done = sum(_count(size) for size in plan.sizes), 0
    for step, size in enumerate(plan.sizes):
        assert upscaler is not None
        assert machine is not None

        def tick(tiles: int, before: int = done) -> None:
            progress(before + tiles, total)

        pixels = _doubled(_fitted(pixels, size), upscaler, machine, seed * 64 + step, strength, tick)
        done += _count(size)
    if plan.steps > 1:
        return pixels[: plan.height, : plan.width]
    return _fitted(pixels, (plan.height, plan.width))


def _fitted(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    if pixels.shape[:2] == size:
        return pixels
    return np.asarray(Image.fromarray(pixels).resize((size[1], size[0]), Image.Resampling.LANCZOS))


def _starts(length: int, tile: int) -> list[int]:
    """Where tiles begin on a line; the last one ends where the line does."""
    return [min(start, length - tile) for start in range(0, length, tile)]


def _count(size: tuple[int, int]) -> int:
    return math.prod(-(-length // _TILE) for length in size)


def _doubled(
    pixels: NDArray[np.uint8],
    upscaler: Upscaler,
    machine: Machine,
    seed: int,
    strength: float,
    tick: Callable[[int], object],
    largest_tile: int = _TILE,
) -> NDArray[np.uint8]:
    """Twice the size. # uint8 [h, w, 3] -> uint8 [2h, 2w, 3]"""
    height, width = pixels.shape[:2]
    reach = upscaler.config.reach
    padded = np.pad(pixels, [(reach, reach), (reach, reach), (0, 0)], mode="symmetric")
    tall, wide = (2 * side for side in padded.shape[:2])
    noise = torch.randn(1, tall, wide, generator=torch.Generator().manual_seed(seed))
    out = np.empty((2 * height, 2 * width, 3), np.uint8)
    # All tiles are of one size: a processor may round otherwise in others.
    tile = min(largest_tile, height), min(largest_tile, width)
    places = [(top, left) for top in _starts(height, tile[0]) for left in _starts(width, tile[1])]
    for number, (top, left) in enumerate(places):
        own = noise[:, 2 * top : 2 * (top + tile[0] + 2 * reach), 2 * left : 2 * (left + tile[1] + 2 * reach)]
        window = padded[top : top + tile[0] + 2 * reach, left : left + tile[1] + 2 * reach]
        inner = _painted(window, own, upscaler, machine, strength)[2 * reach : -2 * reach, 2 * reach : -2 * reach]
        out[2 * top : 2 * (top + tile[0]), 2 * left : 2 * (left + tile[1])] = inner
        tick(number + 1)
    return out


@torch.inference_mode()
def _painted(
    pixels: NDArray[np.uint8], noise: Tensor, upscaler: Upscaler, machine: Machine, strength: float
) -> NDArray[np.uint8]:
    small = to_unit(torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None]).to(machine.device)
    with machine.autocast():
        made = upscaler(small, noise[None].to(machine.device), strength)
    found: NDArray[np.uint8] = to_bytes(made)[0].permute(1, 2, 0).cpu().numpy()
    return found


def noise_seed(latent_digest: str) -> int:
    """The seed of the noise in a work's print, from the digest of its latent."""
    return int(latent_digest.removeprefix("sha256:")[:12], 16)
