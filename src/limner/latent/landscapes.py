"""Landscapes in a few words: where the horizon lies, how warm it is, what time of the day, how far from things.

Pictures that come near to what is wanted are looked for among many that the model draws; the rest of the way is steered
(`Sense`). So little is bent that the model would not paint by itself.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from limner.errors import UsageError, check_range
from limner.latent.attributes import ATTRIBUTES, lab, measure_attributes
from limner.latent.directions import Directions
from limner.latent.latents import row_of, stacked
from limner.latent.pipeline import Pipeline
from limner.latent.sensing import Sense
from limner.models.painter import Latent

TIMES: dict[str, dict[str, float]] = {
    "dawn": {"brightness": 0.3, "contrast": -1.0, "warmth": 0.4, "detail": -0.6},
    "day": {"brightness": 1.0, "warmth": -0.6, "colourfulness": 0.4},
    "dusk": {"brightness": -0.8, "warmth": 0.8, "contrast": 0.8},
    "night": {"brightness": -1.7, "warmth": -0.9, "colourfulness": -0.7},
}
"""Times of the day, in deviations of the model's own pictures."""

_NAMES = tuple(ATTRIBUTES)
_ONWARD = 50.0
"""How far it is from side to side of a picture, in the unit of L*a*b*: place counts less than colour."""
_EACH, _FEWEST = 24, 96
_FARTHEST = 4.0
_MOST, _LEAST = 24, 3
_ROUNDS = 12


@dataclass(frozen=True)
class LandscapeRequest:
    """What a landscape shall be like.

    Attributes:
        horizon: how high it lies, 0 (bottom) to 1 (top); None leaves it open.
        steps: attributes and how far they lie from the model's usual picture, in deviations of its own pictures;
            they add to those of the time.
        abstraction: 0 leaves pictures as the model paints them, 1 is a few flat, large forms.
    """

    horizon: float | None = None
    time: str | None = None
    steps: Mapping[str, float] = field(default_factory=dict)
    abstraction: float = 0.0

    def __post_init__(self) -> None:
        check_range("--horizon", self.horizon, 0, 1, "; 0 is the bottom")
        if self.time is not None and self.time not in TIMES:
            raise UsageError(f"--time {self.time}", "is no time that limner knows", f"use one of: {', '.join(TIMES)}")
        check_range("--abstraction", self.abstraction, 0, 1)
        for name, size in self.steps.items():
            if name not in ATTRIBUTES:
                raise UsageError(f"--{name}", "is no attribute", f"use one of: {', '.join(ATTRIBUTES)}")
            if not abs(size) <= _FARTHEST:
                raise UsageError(f"--{name} {size:g}", "is too far", f"give -{_FARTHEST:g} to {_FARTHEST:g}")

    def goal(self, sense: Sense) -> tuple[Tensor, Tensor]:
        """What is wanted of each attribute, in deviations, and which are wanted. # [attributes], bool [attributes]"""
        wanted: dict[str, float] = dict(TIMES[self.time]) if self.time else {}
        for name, size in self.steps.items():
            wanted[name] = wanted.get(name, 0.0) + size
        if self.horizon is not None:
            at = _NAMES.index("horizon")
            wanted["horizon"] = float((self.horizon - sense.mean[at]) / sense.deviation[at])
        goal = torch.tensor([wanted.get(name, 0.0) for name in _NAMES])
        return goal, torch.tensor([name in wanted for name in _NAMES])


@dataclass(frozen=True)
class Landscape:
    """One that was found and steered.

    Attributes:
        seed, index: which picture of the model's it was made from.
        drawn: the latent of that picture. # one row
        wanted, measured: of each attribute that was asked for, in its own unit: what, and what came of it.
        flat: share of the picture's fine lines that abstraction took away; None where none was asked for.
    """

    seed: int
    index: int
    drawn: Latent
    latent: Latent
    wanted: dict[str, float]
    measured: dict[str, float]
    flat: float | None = None


def landscapes(
    pipeline: Pipeline, directions: Directions, request: LandscapeRequest, count: int, *, seed: int
) -> Iterator[Landscape]:
    """Landscapes as they are asked for, the nearest first.

    Args:
        directions: of the model, found by `attribute`.

    Raises:
        UsageError: the directions hold no attributes.
    """
    sense = directions.sense
    if sense is None:
        name = pipeline.model.card.name
        raise UsageError(name, "its directions know no attributes", f"find them: limner directions find {name}")
    goal, asked = request.goal(sense)
    whitening = pipeline.model.generator.whitening
    drawn, seen = _look_through(pipeline, sense, max(_FEWEST, _EACH * count), seed)
    far = ((seen - goal).clamp(-_FARTHEST, _FARTHEST).square() * asked).sum(1)
    for index in far.argsort(stable=True)[:count].tolist():
        own = row_of(drawn, index)
        latent, flat = own, None
        if asked.any():
            change = ((goal - seen[index]) * asked).clamp(-_FARTHEST, _FARTHEST)
            latent = whitening.back(sense.steer(pipeline, whitening(own).float(), change))
        if request.abstraction:
            latent, flat = _abstracted(pipeline, latent, request.abstraction)
        found = measure_attributes(pipeline.sketch(latent))[0]
        wanted = goal * sense.deviation + sense.mean
        named = [(_NAMES[i], float(wanted[i]), float(found[i])) for i in range(len(_NAMES)) if asked[i]]
        goals, measured = {name: one for name, one, _ in named}, {name: one for name, _, one in named}
        yield Landscape(seed, index, own, latent, goals, measured, flat)


def _look_through(pipeline: Pipeline, sense: Sense, count: int, seed: int) -> tuple[Latent, Tensor]:
    """Pictures of a seed, and what they measure, in deviations. # -> count latents, [count, attributes]"""
    latents, seen = [], []
    for first in range(0, count, 64):
        latents.append(pipeline.sample(min(64, count - first), seed=seed, first=first))
        seen.append(sense.measured(pipeline.sketch(latents[-1])))
    return stacked(latents), torch.cat(seen)


def _abstracted(pipeline: Pipeline, latent: Latent, strength: float) -> tuple[Latent, float]:
    """The picture in flat, large forms, as the model sees and paints them; and how many of its lines that took."""
    before = pipeline.sketch(latent)
    forms = round(_MOST * (_LEAST / _MOST) ** strength)
    flat = pipeline.encode(flattened(before, forms))
    share = min(1.0, 2 * strength)
    found = Latent(*(torch.lerp(own, other, share) for own, other in zip(latent, flat, strict=True)))
    lines = [_lines(pictures) for pictures in (before, pipeline.sketch(found))]
    return found, 1 - lines[1] / max(lines[0], 1e-6)


def flattened(pictures: Tensor, forms: int) -> Tensor:
    """Pictures in so many flat forms: k-means over colour and place. # uint8 [n, 3, h, w] -> the same

    The forms start at evenly spaced points, so that the same picture always gives the same ones.
    """
    found = []
    for picture in pictures:
        own = picture[None]
        height, width = own.shape[2:]
        down = torch.linspace(0, _ONWARD * height / max(height, width), height)
        across = torch.linspace(0, _ONWARD * width / max(height, width), width)
        y, x = torch.meshgrid(down, across, indexing="ij")
        smooth = F.avg_pool2d(F.pad(own.float(), (1, 1, 1, 1), mode="replicate"), 3, stride=1)
        points = torch.cat([lab(smooth.round().to(torch.uint8))[0], y[None], x[None]]).flatten(1).T
        member = _clusters(points, forms)
        colours = own[0].float().flatten(1).T
        means = torch.stack([colours[member == i].mean(0) for i in range(int(member.max()) + 1)])
        found.append(means[member].T.unflatten(1, (height, width)).round().to(torch.uint8))
    return torch.stack(found)


def _clusters(points: Tensor, forms: int) -> Tensor:
    """Which of so many clusters each point belongs to, by k-means. # [n, d] -> int [n], none left empty"""
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    centres = points[torch.linspace(0, len(points) - 1, forms).long()].numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a plain picture has fewer colours than forms
        member = KMeans(forms, init=centres, n_init=1, max_iter=_ROUNDS).fit_predict(points.numpy())
    found: Tensor = torch.from_numpy(member).unique(return_inverse=True)[1]
    return found


def _lines(pictures: Tensor) -> float:
    """How strong the fine lines of pictures are: mean change of L* from pixel to pixel."""
    light = lab(pictures)[:, 0]
    return float(light.diff(dim=1).abs().mean() + light.diff(dim=2).abs().mean())
