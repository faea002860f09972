"""Mixing latents: by block, by weight and by region.

Blocks are counted from 0: block 0 is the content (where things are), 1 and on are the painter's styles (how they
look), coarse first.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from limner.errors import UsageError, check_range
from limner.latent.pipeline import Pipeline
from limner.models.painter import Latent

_RANGE = re.compile(r"(\d{1,2})(?:-(\d{1,2}))?")


def parse_range(given: str, blocks: int) -> range:
    """`3-6` or `2` as a range of blocks.

    Raises:
        UsageError: no range, or no such blocks.
    """
    found = _RANGE.fullmatch(given.strip())
    first = int(found[1]) if found else -1
    last = int(found[2] or first) if found else -1
    if not found or not 0 <= first <= last <= blocks:
        remedy = f"give e.g. 0-2; 0 is the content, 1-{blocks} styles"
        raise UsageError(f"--blocks {given}", "is no range of this model's blocks", remedy)
    return range(first, last + 1)


def parse_blocks(given: str, names: Sequence[str], blocks: int) -> list[int]:
    """`0-2:A,3-6:B` as the number of the one that each block is taken from. # -> [1 + blocks]

    Args:
        names: what may stand behind the colon, in their order.

    Raises:
        UsageError: a name, a range, or a block that is given twice or not at all.
    """
    chosen: list[int | None] = [None] * (blocks + 1)
    for part in given.split(","):
        ranged, _, name = part.partition(":")
        if name not in names:
            raise UsageError(f"--blocks {given}", f"{name or part!r} is none of them", f"use {', '.join(names)}")
        for block in parse_range(ranged, blocks):
            if chosen[block] is not None:
                raise UsageError(f"--blocks {given}", f"block {block} is given twice", "give each block once")
            chosen[block] = list(names).index(name)
    if None in chosen:
        missing = chosen.index(None)
        raise UsageError(f"--blocks {given}", f"block {missing} is missing", f"give all of 0-{blocks}")
    return [one for one in chosen if one is not None]


def mix_blocks(latents: Sequence[Latent], chosen: Sequence[int]) -> Latent:
    """Each block from one of them. # rows of one; chosen [1 + blocks]"""
    styles = [latents[number].style[:, block] for block, number in enumerate(chosen[1:])]
    return Latent(latents[chosen[0]].content.clone(), torch.stack(styles, dim=1))


def mix_weights(pipeline: Pipeline, latents: Sequence[Latent], weights: Sequence[float]) -> Latent:
    """All of them at once, by weight, as far from the mean as they are themselves.

    A plain average of points lies nearer to the middle than any of them, where pictures are grey; so the average is
    brought to the mean length of what went in.

    Args:
        weights: any numbers of which the sum is not 0; they are made to sum to 1.

    Raises:
        UsageError: too few or too many weights, or they sum to nothing.
    """
    if len(weights) != len(latents):
        raise UsageError(f"{len(weights)} weights", f"do not fit {len(latents)} pictures", "give one for each")
    total = sum(weights)
    if not math.isfinite(total) or abs(total) < 1e-6:
        raise UsageError(f"weights {', '.join(f'{w:g}' for w in weights)}", "sum to nothing", "give e.g. 0.7 and 0.3")
    whitening = pipeline.model.generator.whitening
    rows = torch.cat([whitening(one) for one in latents])
    shares = rows.new_tensor([w / total for w in weights])
    mixed, length = shares @ rows, shares.clamp_min(0) @ rows.norm(dim=1) / shares.clamp_min(0).sum()
    found: Latent = whitening.back((mixed * length / mixed.norm().clamp_min(1e-6))[None])
    return found


@dataclass(frozen=True)
class Region:
    """A part of the picture, in shares of its size from the upper left corner.

    Attributes:
        shape: `rectangle` or `ellipse`.
        left, top, right, bottom: 0 to 1.
        feather: width of the soft edge, as a share of the shorter side.
    """

    shape: str
    left: float
    top: float
    right: float
    bottom: float
    feather: float = 0.1

    @classmethod
    def parse(cls, given: str, feather: float = 0.1) -> Region:
        """`ellipse:0.2,0.1,0.8,0.6` as a region.

        Raises:
            UsageError: it is none.
        """
        shape, _, numbers = given.partition(":")
        try:
            left, top, right, bottom = (float(number) for number in numbers.split(","))
            fits = 0 <= left < right <= 1 and 0 <= top < bottom <= 1
        except ValueError:
            fits = False
        if not fits or shape not in ("rectangle", "ellipse"):
            remedy = "give e.g. ellipse:0.2,0.1,0.8,0.6 (left, top, right, bottom, 0 to 1)"
            raise UsageError(f"--region {given}", "is no region", remedy)
        check_range("--feather", feather, 0, 1)
        return cls(shape, left, top, right, bottom, feather)

    def mask(self, height: int, width: int) -> Tensor:
        """1 inside, 0 outside, soft between. # -> float [height, width]"""
        down = (torch.arange(height) + 0.5) / height
        across = (torch.arange(width) + 0.5) / width
        y, x = torch.meshgrid(down, across, indexing="ij")
        soft = max(self.feather, 1e-3)
        if self.shape == "ellipse":
            half = (self.right - self.left) / 2, (self.bottom - self.top) / 2
            from_middle = torch.hypot((x - self.left - half[0]) / half[0], (y - self.top - half[1]) / half[1])
            inside = (1 - from_middle) * min(half)
        else:
            sides = torch.stack([x - self.left, self.right - x, y - self.top, self.bottom - y])
            inside = sides.min(0).values
        return (inside / soft + 0.5).clamp(0, 1)


def mix_region(inside: Latent, outside: Latent, mask: Tensor) -> Latent:
    """One within a region, the other around it. # rows of one; mask float [h, w] in 0..1

    The content is taken place by place. Styles are of the whole picture: they are mixed by the share of the region.
    """
    grid = inside.content.shape[2:]
    share = F.interpolate(mask[None, None].float(), grid, mode="area").to(inside.content)
    style_share = mask.mean().to(inside.style)
    content = torch.lerp(outside.content, inside.content, share)
    return Latent(content, torch.lerp(outside.style, inside.style, style_share))
