"""A small composition model: a VAE as limner trains them, at 32 px, on some of the pictures; seconds, not minutes.

Encoder and painter learn by reconstruction (Kingma and Welling 2014), then a mixture of Gaussians is fitted to the
latents (Ghosh et al. 2020), as `limner train --prior mixture` does at full size.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from limner.influence.sources import Learned
from limner.machine import Machine
from limner.models.latent_model import LatentModel, LatentModelConfig, to_unit
from limner.models.painter import Latent, PainterConfig
from limner.models.prior import MixturePrior, PriorConfig
from limner.training.loop import Loop
from limner.training.objectives import PainterObjective, PainterWeights
from limner.training.stage import Budget, Stage, seed_of

_SHAPE = PainterConfig(
    height=32, width=32, factor=8, content_channels=6, widths=(64, 32, 16), depths=(2, 1, 0), encoder_depths=(1, 0, 0)
)
_BATCH = 16
_PRIOR = PriorConfig(kind="mixture")


class _CompositionStage(Stage):
    """Encoder and painter learn by reconstruction, without a teacher: only these pictures speak."""

    name, title, learning_rate = "composition", "composition", 2e-3

    def __init__(self, model: LatentModel, learned: Learned, which: NDArray[np.int64], seed: int) -> None:
        model.prior.requires_grad_(False)
        model.painter.noise_inputs.requires_grad_(False)
        model.painter.noise_gates.requires_grad_(False)
        self._learned, self._which, self._seed = learned, which, seed
        self.objective = PainterObjective(model, PainterWeights(), None)

    def batch(self, step: int, share: float = 0.0) -> dict[str, Tensor]:
        """Views of pictures, drawn anew each time."""
        rng = np.random.default_rng([self._seed, step])
        pictures = self._learned.views(rng.choice(self._which, _BATCH), rng)
        return {"pictures": to_unit(pictures), "source": torch.arange(_BATCH), "turn": torch.tensor(0)}


class _Silent:
    """Says nothing of a training: the ensemble tells how far it is."""

    def note(self, text: str) -> None:
        """Not said."""

    def stage(self, title: str) -> None:
        """Not said."""

    def tick(self, share: float, seconds_left: float, rate: float, losses: dict[str, float]) -> None:
        """Not said."""


def painted_without(
    learned: Learned, which: NDArray[np.int64], *, seed: int, steps: int, count: int, folder: Path, machine: Machine
) -> Tensor:
    """Compositions that a small model paints which learned from these pictures alone.

    Args:
        which: of the training pictures.
        folder: for the checkpoint of the loop.

    Returns:
        # uint8 [count, 3, 32, 32]
    """
    torch.manual_seed(seed)
    model = LatentModel(LatentModelConfig(painter=_SHAPE, prior=_PRIOR)).to(machine.device)
    stage = _CompositionStage(model, learned, which, seed)
    loop = Loop(
        stage, Budget(steps=steps), folder, _Silent(), precision=machine.precision, device=machine.device, seed=seed
    )
    loop.run()
    model.eval()
    with machine.autocast():
        found = model.encode(learned.all_views(which, seed))
        latents = Latent(found.content.clone(), found.style.clone())
        model.whitening.fit(latents)
        prior = MixturePrior(_SHAPE, _PRIOR)
        prior.fit(model.whitening(latents), None, seed_of(seed, "mixture") % 2**31)
        model.prior = prior
        return model.paint(model.sample(count, seed=seed))
