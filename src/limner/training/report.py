"""What is reported of a finished model, by features that trained nothing.

All of it on hold-out pictures that chose nothing, but for copying: what is close to a training picture is judged by
all pictures that were not learned from.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from limner.machine import Machine
from limner.models.feature_distances import kid, memorised
from limner.models.features import Lite2Features
from limner.models.latent_model import LatentModel
from limner.models.selfsupervised import SelfSupervisedFeatures
from limner.models.similarity import PerceptualDistance, psnr, ssim
from limner.models.teacher import load_teacher
from limner.statistics import Estimate, interval
from limner.training.data import TrainingData
from limner.training.options import TrainOptions

_FEWEST, _MOST = 128, 512
_COPIES, _LONG = 1024, 10
"""So many new pictures, and views of unseen ones at least, say whether a model copies, where it was trained for so many
minutes: 2 % of 128 are three pictures, and their closest 1 % is one."""
_FEWEST_REAL = 32
"""A distance from fewer pictures than these says nothing: its interval is wider than what it would tell."""


def measure_quality(model: LatentModel, data: TrainingData, machine: Machine, options: TrainOptions) -> dict[str, Any]:
    """Reconstruction, distance of sets with its floor, memorising; each with its count and interval."""
    shown = data.reports[:1024]
    closely = (options.minutes or 0) >= _LONG
    usual = min(_MOST, max(_FEWEST, 4 * len(shown)))
    with machine.autocast():
        painted = model.paint(model.encode(shown))
        drawn = model.paint(model.sample(_COPIES if closely else usual, seed=options.seed + 1_000_003))
    new = drawn[:usual]
    features = SelfSupervisedFeatures()
    views = max(2, min(8, -(-1024 // len(data.cache))))
    # View by view: all views of thousands of large pictures would not fit into memory.
    training = torch.cat([features(data.prior_views(number)[0]) for number in range(views)])
    # Unseen pictures are cut as training views and new pictures are: whole ones lie farther from crops than crops do.
    wanted = _COPIES if closely else max(_FEWEST, views * len(data.unseen))
    often = -(-(wanted if data.augmentation.zoom_prior[0] < 1 else _FEWEST) // len(data.unseen))
    unseen = torch.cat([features(data.unseen_views(number)) for number in range(often)])
    quality: dict[str, Any] = {
        "psnr": interval(psnr(painted, shown)).as_dict(),
        "ssim": interval(ssim(painted, shown)).as_dict(),
        "memorised": memorised(training, unseen, features(drawn)).value,
    }
    if len(shown) >= _FEWEST_REAL:
        quality |= _distances(shown[:_MOST], new, data)
    if options.teacher != "none":
        quality["perceptual"] = interval(PerceptualDistance(load_teacher()).measure(painted, shown)).as_dict()
    return quality


def _distances(real: Tensor, new: Tensor, data: TrainingData) -> dict[str, Any]:
    """How far new pictures are from real ones by the yardstick, and how far training pictures are; in words, too."""
    yardstick = Lite2Features()
    known = data.prior_views(0)[0]
    known = known[torch.from_numpy(np.random.default_rng(0).permutation(len(known))[:_MOST])]
    rows, learned = yardstick(real), yardstick(known)
    found, floor = kid(rows, yardstick(new), by=learned), kid(rows, learned, by=learned)
    return {
        "kid": found.as_dict(),
        "kid_floor": floor.as_dict(),
        "kid_features": "EfficientNet-Lite2 at 128 px; it trained no model",
        "kid_says": kid_in_words(found, floor),
    }


_HARD, _CLEAR = 0.1, 0.4


def kid_in_words(found: Estimate, floor: Estimate) -> str:
    """How well new pictures can be distinguished from real ones, in words, by their KID and that of real pictures."""
    if found.low <= floor.high and found.value <= _HARD:
        return "cannot be distinguished from real ones by these features"
    beyond = found.value - max(0.0, floor.value)
    return (
        "hard to distinguish from real ones" if beyond < _HARD else
        "distinguishable from real ones" if beyond < _CLEAR else
        "clearly distinguishable from real ones"
    )  # fmt: skip
