"""Breeding: children of latents, by crossing and by mutation.

A child takes its content from one parent, in half of the cases with a second one's content within a soft ellipse, and
each style by the toss of a coin. Then it is moved on an arc towards a new picture that the model draws, which keeps
things whole where Gaussian steps tear them apart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import torch

from limner.errors import UsageError, check_range
from limner.latent.latents import stacked
from limner.latent.mixing import Region, mix_region
from limner.latent.pipeline import Pipeline
from limner.models.painter import Latent

MUTATION = 0.3
"""How far children are moved by default."""
_BESIDE = 0.5


def breed(
    pipeline: Pipeline,
    parents: Sequence[Latent],
    count: int,
    *,
    mutation: float,
    chances: str,
    label: str | None = None,
) -> tuple[Latent, list[tuple[int, int]]]:
    """Children, each parent's turn coming after the other's.

    Args:
        parents: rows of one, one or more.
        mutation: 0 to 1, the sine of the angle by which they are moved; 0 stays, 1 arrives at a drawn picture.
        chances: what the dice follow from; the same text gives the same children.

    Returns:
        Their latents, and the numbers of the two parents of each, which may be the same. # count rows

    Raises:
        UsageError: mutation out of range, or one parent and none.
    """
    check_range("--mutation", mutation, 0, 1)
    if len(parents) == 1 and mutation == 0:
        raise UsageError("--mutation 0", "has no other child of one picture", "keep two or more, or raise it")
    dice = hashlib.sha256(f"limner evolve/{chances}".encode()).digest()
    rng = np.random.default_rng(list(dice))
    born, pairs = [], []
    for i in range(count):
        own = i % len(parents)
        other = int(rng.choice([j for j in range(len(parents)) if j != own] or [own]))
        born.append(_crossed(pipeline, parents[own], parents[other], rng))
        pairs.append((own, other))
    latent, whitening = stacked(born), pipeline.model.generator.whitening
    if mutation > 0:
        drawn = pipeline.sample(count, seed=int.from_bytes(dice[:7], "big"), label=label)
        latent = whitening.back((1 - mutation**2) ** 0.5 * whitening(latent) + mutation * whitening(drawn))
    return latent, pairs


def _crossed(pipeline: Pipeline, own: Latent, other: Latent, rng: np.random.Generator) -> Latent:
    """A child of two. # rows of one"""
    config = pipeline.model.card.config.painter
    down, across, tall, wide = rng.uniform([0.3, 0.3, 0.2, 0.2], [0.7, 0.7, 0.3, 0.3])
    beside, coins = rng.random() < _BESIDE, rng.random(config.blocks) < 0.5
    content = own.content
    if beside:
        region = Region("ellipse", across - wide, down - tall, across + wide, down + tall, feather=0.2)
        content = mix_region(other, own, region.mask(config.height, config.width)).content
    taken = torch.from_numpy(coins).to(own.style.device)[None, :, None]
    return Latent(content, torch.where(taken, other.style, own.style))
