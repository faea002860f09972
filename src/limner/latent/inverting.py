"""Inversion: the latent that a model paints a given picture from.

The search begins at the encoder's latent. A few dozen steps of Adam on whitened numbers bring the painting nearer to
the picture, with a pull back to the start: a latent far from what the encoder gives may show the picture and still be
of no use for moving and mixing (Zhu et al. 2020, "In-Domain GAN Inversion").
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from limner.errors import check_range
from limner.latent.latents import stacked
from limner.latent.pipeline import Pipeline
from limner.models.latent_model import to_unit
from limner.models.painter import Latent, Painter
from limner.models.similarity import PerceptualDistance, psnr

STEPS, LONGEST = 40, 1000
"""Steps by default, and at most."""
_RATE, _PULL = 0.1, 0.05
_AT_ONCE = 16 * 64 * 64
_DRAWN, _SEED = 64, 3_000_017
_FEWEST = 4

Progress = Callable[[int, int, float], object]


@dataclass(frozen=True)
class Inversion:
    """Pictures found in a model's space.

    Attributes:
        latent: where they lie. # n rows
        before: distance of what is painted from the encoder's latents. # [n]
        after: distance of what is painted from these latents, never above `before`. # [n]
        psnr: of what is painted from the encoder's latents, dB. # [n]
        far: how far from the mean the encoder's latents lie, in deviations of training pictures. # [n]
    """

    latent: Latent
    before: Tensor
    after: Tensor
    psnr: Tensor
    far: Tensor


def invert(
    pipeline: Pipeline,
    pictures: Tensor,
    perceptual: PerceptualDistance,
    *,
    steps: int = STEPS,
    progress: Progress = lambda done, total, distance: None,
) -> Inversion:
    """Find the latents that a model paints pictures from.

    Args:
        pictures: of the model's size. # uint8 [n, 3, height, width]
        steps: of the search, 1 to 1000; more come nearer, slowly.
        progress: called with the steps done, of how many, and the distance of the pictures at hand.

    Raises:
        UsageError: steps out of range.
    """
    check_range("--steps", steps, 1, LONGEST, f"; {STEPS} are usual")
    # In float32 whatever the model paints in: steps are finer than bfloat16 can tell.
    painter = copy.deepcopy(pipeline.model.generator.painter).float()
    chunks = pictures.split(max(1, _AT_ONCE // (pictures.shape[2] * pictures.shape[3])))
    found = []
    for number, chunk in enumerate(chunks):

        def tell(step: int, distance: float, begun: int = number * steps) -> None:
            progress(begun + step, len(chunks) * steps, distance)

        found.append(_search(pipeline, painter, perceptual, chunk, steps, tell))
    measured = [[one.before, one.after, one.psnr, one.far] for one in found]
    return Inversion(stacked([one.latent for one in found]), *map(torch.cat, zip(*measured, strict=True)))


def _search(
    pipeline: Pipeline,
    painter: Painter,
    perceptual: PerceptualDistance,
    pictures: Tensor,
    steps: int,
    tell: Callable[[int, float], None],
) -> Inversion:
    """The latents of a few pictures. # uint8 [n, 3, h, w]"""
    whitening, first = pipeline.model.generator.whitening, pipeline.encode(pictures)
    start = whitening(first).clone()
    rows = start.clone().requires_grad_(True)
    optimiser = torch.optim.Adam([rows], _RATE, betas=(0.9, 0.99))
    unit = to_unit(pictures.to(pipeline.machine.device))
    with torch.no_grad():
        wanted = perceptual.features(unit)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = _RATE * (1 + math.cos(math.pi * step / steps)) / 2
        painted = painter(whitening.back(rows))
        distance = perceptual.between(perceptual.features(painted), wanted)
        plain = (painted - unit).abs().mean((1, 2, 3))
        pull = (rows - start).square().mean(1)
        optimiser.zero_grad()
        (plain + perceptual.weight * distance + _PULL * pull).sum().backward()
        optimiser.step()
        tell(step + 1, float(distance.detach().mean()))
    return _nearer(pipeline, perceptual, pictures, first, whitening.back(rows.detach()))


def _nearer(
    pipeline: Pipeline, perceptual: PerceptualDistance, pictures: Tensor, first: Latent, last: Latent
) -> Inversion:
    """Of the encoder's latent and the one that was searched for, whichever is painted nearer to the picture."""
    once, again = pipeline.paint(first), pipeline.paint(last)
    before, after = (perceptual.measure(one, pictures, pipeline.machine.device) for one in (once, again))
    nearer = (after < before).to(last.content.device)
    content = torch.where(nearer[:, None, None, None], last.content, first.content)
    style = torch.where(nearer[:, None, None], last.style, first.style)
    far = _far(pipeline.model.generator.whitening(first))
    return Inversion(Latent(content, style), before, torch.minimum(before, after), psnr(once, pictures), far)


@dataclass(frozen=True)
class Reach:
    """What a model can paint, as far as is known of it.

    Attributes:
        measure: `perceptual` or `psnr`, what the card says of held-out pictures; empty where it says neither.
        limit: of that, what 19 of 20 held-out pictures keep to by the encoder alone.
        held_out: how many the card measured.
        farthest: how far from the mean the farthest of 64 latents lies that the model drew itself.
    """

    measure: str
    limit: float
    held_out: int
    farthest: float

    def objection(self, found: Inversion, index: int) -> str:
        """Why a picture is taken to lie outside what the model can paint, in words; empty where it is not."""
        distance, ratio, far = (float(part[index]) for part in (found.before, found.psnr, found.far))
        if self.measure == "perceptual" and distance > self.limit:
            usual = f"of {self.held_out} held-out pictures about 19 in 20 come within {self.limit:.2f}"
            return f"its encoder comes within a perceptual distance of {distance:.2f}; {usual}"
        if self.measure == "psnr" and ratio < self.limit:
            usual = f"of {self.held_out} held-out pictures about 19 in 20 come to {self.limit:.1f} dB or more"
            return f"its encoder comes to {ratio:.1f} dB; {usual}"
        if far > self.farthest:
            usual = f"the farthest of {_DRAWN} that the model drew {self.farthest:.2f}"
            return f"its latent lies {far:.2f} deviations from the mean, {usual}"
        return ""


def reach_of(pipeline: Pipeline, perceptual: PerceptualDistance) -> Reach:
    """What is compared to say that a picture lies outside what the model can paint.

    Two things, as either can fail. First, how like the picture the encoder's latent is painted, before any search: the
    limit is the one-sided 95 % prediction limit of a normal distribution, from the mean, interval and count of held-out
    pictures in the model's card. Second, how far out the encoder's latent lies (root mean square of whitened numbers,
    about 1 for a training picture), against 64 latents that the model draws: a model that paints softly comes as near
    to pictures of another kind, but with latents where moving and mixing go wrong.
    """
    noted = pipeline.model.card.quality
    names = ("perceptual", "psnr") if perceptual.name == "perceptual" else ("psnr",)
    known = ((name, _limit(noted.get(name), 1 if name == "perceptual" else -1)) for name in names)
    measure, (limit, held_out) = next(((name, one) for name, one in known if one), ("", (0.0, 0)))
    whitening = pipeline.model.generator.whitening
    farthest = _far(whitening(pipeline.sample(_DRAWN, seed=_SEED))).max()
    return Reach(measure, limit, held_out, float(farthest))


def _far(rows: Tensor) -> Tensor:
    """Root mean square of whitened numbers. # [n, numbers] -> [n]"""
    found: Tensor = rows.float().square().mean(1).sqrt().cpu()
    return found


def _limit(noted: object, side: int) -> tuple[float, int] | None:
    """What 19 of 20 held-out pictures keep to, and their count; None where a card says too little of them.

    Args:
        side: 1 for a limit above the mean, -1 for one below it.
    """
    from scipy.special import stdtrit

    values = [noted.get(name) for name in ("value", "low", "high", "count")] if isinstance(noted, dict) else []
    numbers = [float(one) for one in values if isinstance(one, int | float) and abs(one) < 1e9]
    if len(numbers) < 4 or numbers[3] < _FEWEST or not 0 < numbers[1] <= numbers[0] <= numbers[2]:
        return None
    value, low, high, count = numbers
    # A bootstrapped mean varies as the pictures do by their count, which is less than they vary by count - 1.
    deviation = (high - low) / (2 * 1.96) * count / math.sqrt(count - 1)
    return value + side * float(stdtrit(count - 1, 0.95)) * deviation * math.sqrt(1 + 1 / count), int(count)
