"""The second stage: a flow learns which latents are likely; and what compares it with a mixture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from limner.machine import Machine
from limner.models.feature_distances import kid
from limner.models.features import RandomFeatures, TeacherFeatures
from limner.models.latent_model import LatentModel
from limner.models.painter import Latent
from limner.models.prior import FlowPrior
from limner.pictures.sheets import save_sheet
from limner.training.batches import batch_at
from limner.training.data import TrainingData
from limner.training.objectives import FlowObjective
from limner.training.options import TrainOptions
from limner.training.stage import Stage, seed_of

_SHEET_SEED = 1
_FEWEST_LATENTS = 6000
_DISTANCE_EVERY = 3
_SCALED_BY = 512
"""Training pictures by whose deviation features are scaled, at most."""


def view_count(data: TrainingData) -> int:
    """In how many views the prior sees each training picture."""
    count = 2 if data.augmentation.flip else 1
    if data.augmentation.zoom_prior[0] < 1:
        count = max(count, min(64, -(-_FEWEST_LATENTS // len(data.cache))))
    return count


class Latents:
    """The whitened latents of the training pictures, in several views.

    Args:
        fit: measure the whitening (and the flow's instance embeddings) on them first.
    """

    def __init__(self, model: LatentModel, data: TrainingData, machine: Machine, *, fit: bool) -> None:
        found, labels = [], []
        for number in range(view_count(data)):
            pictures, own = data.prior_views(number)
            with machine.autocast():
                found.append(model.encode(pictures))
            labels.append(own)
        # Cloned: what was made in inference mode cannot be trained on.
        latents = Latent(torch.cat([f.content for f in found]).clone(), torch.cat([f.style for f in found]).clone())
        if fit:
            model.whitening.fit(latents)
        self.rows = model.whitening(latents)
        known = [own for own in labels if own is not None]
        self.labels = torch.cat(known).to(self.rows.device) if known else None
        if fit and isinstance(model.prior, FlowPrior):
            model.prior.embeddings.fit(self.rows, self.labels, data.seed)


class Judge:
    """Tells how far new pictures are from the half of the hold-out that chooses."""

    def __init__(self, data: TrainingData, teacher: bool) -> None:
        self.features = TeacherFeatures() if teacher else RandomFeatures(seed=1)
        self.real = self.features(data.chooses)
        self.learned = self.features(data.prior_views(0)[0][:_SCALED_BY])

    def distance(self, model: LatentModel, machine: Machine, count: int) -> float:
        """KID of `count` new pictures."""
        with machine.autocast():
            painted = model.paint(model.sample(count, seed=77))
        return kid(self.real, self.features(painted), by=self.learned).value


class PriorStage(Stage):
    """The flow learns which latents are likely."""

    name, title, ends_early = "prior", "prior (flow)", True
    remedy = "train anew with --precision fp32, or a VAE with --prior mixture"

    def __init__(
        self, model: LatentModel, data: TrainingData, options: TrainOptions, machine: Machine, folder: Path
    ) -> None:
        assert isinstance(model.prior, FlowPrior)
        self.model, self.data, self.machine, self.folder = model, data, machine, folder
        self.embeddings = model.prior.embeddings
        self.most, self.learning_rate, self.seed = options.latents, options.prior_learning_rate, options.seed
        self.latents = Latents(model, data, machine, fit=True)
        with machine.autocast():
            kept = model.encode(data.chooses)
        self.kept = model.whitening(Latent(kept.content.clone(), kept.style.clone()))
        model.requires_grad_(False)
        model.prior.requires_grad_(True)
        self.objective = FlowObjective(model.prior)
        self.judge = Judge(data, options.teacher != "none")
        self._checks = 0

    def batch(self, step: int, share: float = 0.0) -> dict[str, Tensor]:
        """Latents, noise and times; few at first."""
        return self._some(step, batch_at(step, self.most))

    def _some(self, step: int, count: int) -> dict[str, Tensor]:
        generator = torch.Generator().manual_seed(seed_of(self.seed, "prior batch", step))
        rows, labels = self.latents.rows, self.latents.labels
        chosen = torch.randint(len(rows), (count,), generator=generator)
        return self._batch(rows[chosen], None if labels is None else labels[chosen], generator)

    def check(self) -> dict[str, float]:
        """The flow's loss on the hold-out that chooses; every third time the distance of 128 new pictures from it."""
        generator = torch.Generator().manual_seed(11)
        repeats = max(1, 512 // len(self.kept))
        labels = self.data.chooses_labels
        batch = self._batch(self.kept.repeat(repeats, 1), None if labels is None else labels.repeat(repeats), generator)
        training = self._some(0, self.most)
        with torch.inference_mode(), self.machine.autocast():
            loss, seen = (float(self.objective(b)["loss"]) for b in (batch, training))
        if (self._checks + 1) % _DISTANCE_EVERY:
            return {"score": loss, "training": seen}
        return {"score": loss, "training": seen, "kid": self.judge.distance(self.model, self.machine, 128)}

    def _batch(self, rows: Tensor, labels: Tensor | None, generator: torch.Generator) -> dict[str, Tensor]:
        embeddings, device = self.embeddings, rows.device
        time = torch.sigmoid(torch.randn(len(rows), generator=generator))
        noise = torch.randn(rows.shape, generator=generator)
        noises = torch.randn(len(rows), embeddings.width, generator=generator)
        if labels is None:
            labels = torch.zeros(len(rows), dtype=torch.long)
        return {
            "rows": rows,
            "noise": noise.to(device),
            "time": time.to(device),
            "labels": labels.to(device),
            "embeddings": embeddings.perturbed(embeddings.embed(rows), noises.to(device)),
        }

    def adapt(self, checks: Sequence[Mapping[str, float]]) -> None:
        """Count the checks."""
        self._checks = len(checks)

    def draw(self, name: str) -> None:
        """64 pictures of fixed noise."""
        draw_new(self.model, self.data, self.machine, self.folder / "sheets" / f"samples-{name}.png")


def draw_new(model: LatentModel, data: TrainingData, machine: Machine, path: Path) -> None:
    """A sheet of 64 pictures of fixed noise, by label in turn where there are labels."""
    labels: list[int | None] = list(range(len(data.names))) or [None]
    each = -(-64 // len(labels))
    with machine.autocast():
        painted = [model.paint(model.sample(each, seed=_SHEET_SEED, label=label)) for label in labels[:64]]
    save_sheet(torch.cat(painted)[:64], path)
