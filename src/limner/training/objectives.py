"""What is minimised: networks and a batch in, losses out. No optimiser, device, file or progress bar here."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from limner.machine import Machine
from limner.models.latent_model import LatentModel
from limner.models.painter import Latent
from limner.models.prior import FlowPrior
from limner.models.similarity import feature_distance, ssim_map
from limner.models.teacher import Teacher, load_teacher


class FrozenTeacher:
    """A teacher whose weights are no part of what is trained or saved; it sees in its own precision."""

    def __init__(self, teacher: Teacher) -> None:
        self.teacher = teacher

    def maps(self, pictures: Tensor) -> list[Tensor]:
        """Its features. # float [n, 3, h, w] in -1..1 -> each [n, c, h', w'], vectors of length 1"""
        with torch.autocast(pictures.device.type, enabled=False):
            return self.teacher(pictures.to(self.teacher.stem.weight.dtype))  # type: ignore[no-any-return]

    def distance(self, painted: Tensor, pictures: Tensor) -> Tensor:
        """Mean perceptual distance of pairs of pictures. # float [n, 3, h, w] in -1..1 twice"""
        with torch.no_grad():
            wanted = self.maps(pictures)
        return feature_distance(self.maps(painted), wanted).mean()


def frozen_teacher(name: str, machine: Machine, taps: tuple[int, ...] | None = None) -> FrozenTeacher | None:
    """The teacher of this name on the machine and in its precision; None for `none`.

    Args:
        taps: its layers, where they are to be others than usual.
    """
    if name == "none":
        return None
    teacher = load_teacher(name) if taps is None else load_teacher(name, taps=taps)
    return FrozenTeacher(teacher.to(machine.device, torch.bfloat16 if machine.precision == "bf16" else torch.float32))


class PainterWeights(BaseModel):
    """How much each term counts in the painter's loss."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    teacher: float = 0.1
    """Perceptual distance by the teacher."""
    structure: float = 0.5
    """Multi-scale structural dissimilarity, where there is no teacher."""
    frequency: float = 0.5
    """Difference of the amplitudes of frequencies, where there is no teacher."""
    kl: float = 1e-2
    """KL weight at the start: of the divergence of the latent from standard noise, per number."""
    nats: float = 1.8
    """KL divergence per number to aim at; the KL weight is changed until it is reached."""
    free_bits: float = 0.25
    """Nats of each number that cost nothing (Kingma et al. 2016, "free bits")."""
    separate: float = 0.05
    """Where labels say how pictures look: how hard the content is kept from telling the label; the style has to."""
    teacher_share: float = 0.375
    """Share of a batch that the teacher looks at; its gradient costs as much as the painter's."""


class PainterObjective(nn.Module):
    """Learn to encode and to paint: reconstruction, likeness, a calm latent, and content and style that mean something.

    The batch holds `pictures` and `source`, which says whose style each picture is painted with (its own, or that of
    another view of the same picture or of a picture with the same label), so that style learns the look and content the
    place. Where it holds `things` too, they say whose content each is painted with: its own, or that of the same thing
    in another style. With `turn`, content is mirrored or shrunk before it is painted, and the picture is compared with
    itself treated alike (Kouzelis et al. 2025, "EQ-VAE").
    """

    def __init__(
        self,
        networks: LatentModel,
        weights: PainterWeights,
        teacher: FrozenTeacher | None,
        *,
        label_is_style: bool = False,
    ) -> None:
        super().__init__()
        self.networks, self.weights, self._teacher = networks, weights, teacher
        labels, channels = len(networks.config.labels), networks.config.painter.content_channels
        self.guess = LabelGuess(channels, labels) if label_is_style and labels > 1 else None

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Losses of one batch. # pictures: float [n, 3, h, w] in -1..1; source, things: [n]; turn: scalar code"""
        pictures, weights = batch["pictures"], self.weights
        mean, log = self.networks.encoder(pictures)
        content, content_kl = _draw(mean.content, log.content, weights.free_bits)
        style, style_kl = _draw(mean.style, log.style, weights.free_bits)
        content, pictures = _turned(content, pictures, int(batch["turn"]))
        shown = content[batch["things"]] if "things" in batch else content
        painted = self.networks.painter(Latent(shown, style[batch["source"]])).float()
        numbers = self.networks.config.painter.numbers
        losses = {"l1": (painted - pictures).abs().mean(), "kl": (content_kl + style_kl) / (len(pictures) * numbers)}
        loss = losses["l1"] + weights.kl * losses["kl"]
        if self.guess is not None:
            # Its value is the content's, its gradient is turned round (Ganin and Lempitsky 2015; Lample et al. 2017).
            against = content.detach() * (1 + weights.separate) - content * weights.separate
            losses["guess"] = F.cross_entropy(self.guess(against), batch["labels"])
            loss = loss + losses["guess"]
        if self._teacher:
            count = max(1, round(len(painted) * weights.teacher_share))
            losses["teacher"] = self._teacher.distance(painted[:count], pictures[:count])
            loss = loss + weights.teacher * losses["teacher"]
        else:
            losses["structure"], losses["frequency"] = _structure(painted, pictures), _frequency(painted, pictures)
            loss = loss + weights.structure * losses["structure"] + weights.frequency * losses["frequency"]
        return {"loss": loss, **losses}


class LabelGuess(nn.Module):
    """Guesses the label from a content. # [n, c, h, w] -> [n, labels]"""

    def __init__(self, channels: int, labels: int, width: int = 96) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.last = nn.Linear(2 * width, labels)

    def forward(self, content: Tensor) -> Tensor:
        """How likely each label is, from the content alone: logits."""
        x = F.silu(self.second(F.silu(self.first(content))))
        found: Tensor = self.last(torch.cat([x.mean((2, 3)), x.amax((2, 3))], dim=1))
        return found.float()


class FlowObjective(nn.Module):
    """Learn the velocity from noise to latents (Lipman et al. 2023, equation 23), times drawn near the middle (Esser et
    al. 2024, section 3.1). The batch holds `rows`, whitened latents, their `labels` and perturbed `embeddings`.
    """

    def __init__(self, prior: FlowPrior) -> None:
        super().__init__()
        self.networks = prior

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Losses of one batch. # rows, noise: float [n, numbers]; time, labels: [n]; embeddings: [n, width]"""
        rows, noise, time = batch["rows"], batch["noise"], batch["time"]
        between = torch.lerp(noise, rows, time[:, None])
        velocity = self.networks.velocity(between, time, batch["labels"], batch["embeddings"])
        return {"loss": F.mse_loss(velocity, rows - noise)}


def _draw(mean: Tensor, log: Tensor, free: float) -> tuple[Tensor, Tensor]:
    """A draw from N(mean, exp(log)) and its divergence from N(0, 1), summed, what is below `free` nats not counted."""
    mean, log = mean.float(), log.float().clamp(-10, 2)
    divergence = 0.5 * (mean**2 + log.exp() - 1 - log)
    return mean + torch.randn_like(mean) * (0.5 * log).exp(), divergence.clamp_min(free).sum()


def _turned(content: Tensor, pictures: Tensor, turn: int) -> tuple[Tensor, Tensor]:
    """Content and pictures treated alike: 0 left alone, 1 mirrored, 2 upside down, 3 at three quarters, 4 at half."""
    if turn in (1, 2):
        axis = 4 - turn
        return content.flip(axis), pictures.flip(axis)
    if turn in (3, 4):
        share = {3: 0.75, 4: 0.5}[turn]
        grid = [round(side * share) for side in content.shape[-2:]]
        factor = pictures.shape[-1] // content.shape[-1]
        size = [side * factor for side in grid]
        smaller = F.interpolate(pictures, size, mode="bilinear", antialias=True)
        return F.interpolate(content, grid, mode="bilinear", antialias=True), smaller
    return content, pictures


def _structure(painted: Tensor, pictures: Tensor) -> Tensor:
    """1 - structural similarity (Wang et al. 2004), mean over four scales, windows of 7 (box)."""
    terms = []
    for _ in range(4):
        if min(painted.shape[-2:]) < 8:
            break
        terms.append(1 - ssim_map(painted, pictures, lambda maps: F.avg_pool2d(maps, 7, 2), 2).mean())
        painted, pictures = F.avg_pool2d(painted, 2), F.avg_pool2d(pictures, 2)
    return torch.stack(terms).mean()


def _frequency(painted: Tensor, pictures: Tensor) -> Tensor:
    """Mean difference of log amplitudes of the two-dimensional spectrum (after Jiang et al. 2021)."""
    spectra = [torch.fft.rfft2(x.float(), norm="ortho").abs() for x in (painted, pictures)]
    return (torch.log1p(spectra[0]) - torch.log1p(spectra[1])).abs().mean()
