"""The first stage: encoder and painter learn by reconstruction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from limner.machine import Machine
from limner.models.latent_model import LatentModel, to_unit
from limner.models.similarity import psnr
from limner.pictures.sheets import save_sheet
from limner.training.batches import batch_at, seen_before
from limner.training.data import TrainingData
from limner.training.objectives import PainterObjective, frozen_teacher
from limner.training.options import TrainOptions
from limner.training.stage import Stage

_MEASURED = 128
_QUICKEST = 2.0


class PainterStage(Stage):
    """Encoder and painter learn by reconstruction."""

    remedy = "train anew with a lower --learning-rate, or with --precision fp32"

    def __init__(
        self, model: LatentModel, data: TrainingData, options: TrainOptions, machine: Machine, folder: Path
    ) -> None:
        self.name, self.title, self.ends_early = "painter", "painter", True
        model.prior.requires_grad_(False)
        # Reconstruction would take away noise that says nothing of a picture; the adversarial stage brings it in.
        model.painter.noise_inputs.requires_grad_(False)
        model.painter.noise_gates.requires_grad_(False)
        self.model, self.data, self.machine, self.folder = model, data, machine, folder
        self.weights = options.weights
        teacher = frozen_teacher(options.teacher, machine)
        self._reconstruction = PainterObjective(model, options.weights, teacher, label_is_style=options.label_is_style)
        self.objective = self._reconstruction
        self.most, self.learning_rate = options.batch, options.learning_rate

    def batch(self, step: int, share: float = 0.0) -> dict[str, Tensor]:
        """Views of the training pictures; few at first."""
        return self.data.painter_batch(step, batch_at(step, self.most), seen_before(step, self.most))

    def check(self) -> dict[str, float]:
        """PSNR on the half of the hold-out that chooses."""
        with self.machine.autocast():
            shown = self.data.chooses[:512]
            painted = self.model.paint(self.model.encode(shown))
            nats = self._nats(shown[:_MEASURED])
        found = float(psnr(painted, shown).mean())
        return {"score": -found, "psnr": found, "nats": nats}

    def adapt(self, checks: Sequence[Mapping[str, float]]) -> None:
        """Let a latent hold as much as it should: the KL weight falls where it holds too little.

        What suits a collection depends on how much its pictures vary and on their size: soft paintings held half as
        much as emoji with the same weight, and were painted again as a blur.
        """
        weight = self.weights.kl
        for check in checks:
            weight *= min(_QUICKEST, max(1 / _QUICKEST, (check["nats"] / self.weights.nats) ** 0.7))
            weight = min(self.weights.kl * 2, max(self.weights.kl / 20, weight))
        self._reconstruction.weights = self.weights.model_copy(update={"kl": weight})

    @torch.no_grad()
    def _nats(self, pictures: Tensor) -> float:
        """KL divergence of latents of pictures from standard noise, mean over their numbers. # uint8 [n, 3, h, w]"""
        mean, log = self.model.encoder(to_unit(pictures.to(self.machine.device)))
        found = [
            0.5 * (m.float() ** 2 + v.float().clamp(-10, 2).exp() - 1 - v.float().clamp(-10, 2)).flatten(1)
            for m, v in zip(mean, log, strict=True)
        ]
        return float(torch.cat(found, dim=1).mean())

    def draw(self, name: str) -> None:
        """32 held-out pictures, each with its reconstruction to the right."""
        shown = self.data.chooses[:32]
        with self.machine.autocast():
            painted = self.model.paint(self.model.encode(shown))
        pairs = torch.stack([shown, painted], dim=1).flatten(0, 1)
        save_sheet(pairs, self.folder / "sheets" / f"reconstructions-{name}.png")
