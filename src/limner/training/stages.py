"""The stages of a VAE's training: the painter by reconstruction, then the prior on its latents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from limner import pictures
from limner.machine import Machine
from limner.models.feature_distances import kid
from limner.models.features import RandomFeatures, TeacherFeatures
from limner.models.latent_model import LatentModel, to_unit
from limner.models.painter import Latent
from limner.models.prior import FlowPrior
from limner.models.similarity import psnr
from limner.models.teacher import load_teacher
from limner.pictures.sheets import sheet
from limner.training.batches import batch_at, seen_before
from limner.training.data import TrainingData
from limner.training.objectives import FlowObjective, PainterObjective
from limner.training.options import TrainOptions

__all__ = ["Judge", "Latents", "PainterStage", "PriorStage", "draw_new", "save_sheet", "view_count"]

_SHEET_SEED = 1
_FEWEST_LATENTS = 6000
_DISTANCE_EVERY = 3
_MEASURED = 128
_SCALED_BY = 512
"""Training pictures by whose deviation features are scaled, at most."""
_QUICKEST = 2.0


def save_sheet(painted: Tensor, path: Path, columns: int = 8) -> None:
    """Save pictures as one sheet. # uint8 [n, 3, h, w]"""
    pictures.write(sheet(painted.permute(0, 2, 3, 1).numpy(), columns=columns), path)


class PainterStage:
    """Encoder and painter learn by reconstruction."""

    momentum = 0.9
    steadier = "train anew with a lower --rate, or with --precision fp32"
    rates: Mapping[str, float] = {}

    def __init__(
        self, model: LatentModel, data: TrainingData, options: TrainOptions, machine: Machine, folder: Path
    ) -> None:
        self.name, self.title, self.ends_early = "painter", "painter", True
        model.prior.requires_grad_(False)
        # Reconstruction would take away noise that says nothing of a picture; the game brings it in.
        model.painter.noise_inputs.requires_grad_(False)
        model.painter.noise_gates.requires_grad_(False)
        teacher = None
        if options.teacher != "none":
            teacher = load_teacher(options.teacher)
            teacher.to(machine.device, torch.bfloat16 if machine.precision == "bf16" else torch.float32)
        self.model, self.data, self.machine, self.folder = model, data, machine, folder
        self.weights = options.weights
        self._reconstruction = PainterObjective(model, options.weights, teacher, label_is_style=options.label_is_style)
        self.objective: nn.Module = self._reconstruction
        self.most, self.rate = options.batch, options.rate

    def size(self, step: int) -> int:
        """Few pictures at first."""
        return batch_at(step, self.most)

    def batch(self, step: int) -> dict[str, Tensor]:
        """Views of the training pictures."""
        return self.data.painter_batch(step, self.size(step), seen_before(step, self.most))

    def check(self) -> dict[str, float]:
        """PSNR on the half of the hold-out that chooses."""
        with self.machine.autocast():
            shown = self.data.chooses[:512]
            painted = self.model.paint(self.model.encode(shown))
            nats = self._nats(shown[:_MEASURED])
        found = float(psnr(painted, shown).mean())
        return {"score": -found, "psnr": found, "nats": nats}

    def adapt(self, checks: Sequence[Mapping[str, float]]) -> None:
        """Let a latent hold as much as it should: the weight of its divergence falls where it holds too little.

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
        """Divergence of the latents of pictures from standard noise, for each number. # uint8 [n, 3, h, w]"""
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


def view_count(data: TrainingData) -> int:
    """In how many views the prior sees each training picture."""
    count = 2 if data.augmentation.flip else 1
    if data.augmentation.zoom_prior[0] < 1:
        count = max(count, min(64, -(-_FEWEST_LATENTS // len(data.cache))))
    return count


class Latents:
    """The whitened latents of the training pictures, in several views.

    Args:
        fit: measure the whitening (and the flow's embeddings) on them first.
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


class PriorStage:
    """The flow learns which latents are likely."""

    name, title, momentum = "prior", "prior (flow)", 0.9
    ends_early = True
    steadier = "train anew with --precision fp32, or a VAE with --prior mixture"
    rates: Mapping[str, float] = {}

    def __init__(
        self, model: LatentModel, data: TrainingData, options: TrainOptions, machine: Machine, folder: Path
    ) -> None:
        assert isinstance(model.prior, FlowPrior)
        self.model, self.data, self.machine, self.folder = model, data, machine, folder
        self.embeddings = model.prior.embeddings
        self.most, self.rate, self.seed = options.latents, options.prior_rate, options.seed
        self.latents = Latents(model, data, machine, fit=True)
        with machine.autocast():
            kept = model.encode(data.chooses)
        self.kept = model.whitening(Latent(kept.content.clone(), kept.style.clone()))
        model.requires_grad_(False)
        model.prior.requires_grad_(True)
        self.objective: nn.Module = FlowObjective(model.prior)
        self.judge = Judge(data, options.teacher != "none")
        self._checks = 0

    def size(self, step: int) -> int:
        """Few latents at first."""
        return batch_at(step, self.most)

    def batch(self, step: int) -> dict[str, Tensor]:
        """Latents, noise and times."""
        return self._some(step, self.size(step))

    def _some(self, step: int, count: int) -> dict[str, Tensor]:
        generator = torch.Generator().manual_seed(hash((self.seed, 5, step)) & (2**63 - 1))
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
        self._checks += 1
        if self._checks % _DISTANCE_EVERY:
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
        """Nothing changes as training goes."""

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
