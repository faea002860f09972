"""What is minimised in the adversarial stage: painter, and a GAN's mapping, against a discriminator."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from limner.models.discriminators import Discriminator, TeacherDiscriminator
from limner.models.latent_model import LatentModel
from limner.models.painter import Latent
from limner.models.prior import Mapping
from limner.training.adversarial import Judged, carrying, judged, scale
from limner.training.artefacts import artefact_losses
from limner.training.diffaugment import DiffAugment

_COARSE = 16
_LEAST = 4


def coarse(pictures: Tensor) -> Tensor:
    """New pictures downsampled to 16 pixels of the shorter side: the forms and colours that they shall keep.

    What is finer is the adversarial loss's to find. # [n, 3, h, w] -> [n, 3, h / k, w / k], k from 4 on
    """
    return F.avg_pool2d(pictures, max(_LEAST, min(pictures.shape[-2:]) // _COARSE))


class AdversarialWeights(BaseModel):
    """How much each part counts in the adversarial stage."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    adversarial: float = 0.5
    """Length of the adversarial gradient at the pictures, as a share of that of reconstruction, for each size of them
    that the discriminator looks at."""
    teacher: float = 0.1
    """Perceptual distance by the teacher, within reconstruction."""
    coarse: float = 1.0
    """L1 between new pictures and what was painted of the same latents before, both downsampled (`coarse`)."""
    distillation: float = 0.1
    """Mean squared distance of what a GAN's mapping gives from where the flow arrives, in whitened numbers."""
    jitter: float = 0.1
    """Deviation of the noise on drawn latents before they are painted, in their own deviations, as the
    encoder leaves some. Meant against artefacts too fine for a discriminator; it did not cure them
    (docs/decisions.md)."""
    noise: float = 0.02
    """Noise of single pixels, and checkerboard artefacts that all pictures share, above what real pictures have
    (`artefacts`)."""
    grid: float = 0.1
    """The same for artefacts that keep to the painter's own grid."""
    spectrum: float = 0.3
    """Spectrum loss: distance of the energies by frequency and direction, in grey and in colours, from those of real
    pictures."""
    artefacts: float = 0.5
    """Length of the gradient of noise, grid and spectrum at most, as a share of that of reconstruction."""
    gamma: float = 0.005
    """Penalty on the square of the discriminator's slope, on real and on painted pictures."""
    sigma: float = 0.05
    """Deviation of the noise by which the slope is measured."""


class AdversarialObjective(nn.Module):
    """Painter, and a GAN's mapping, against discriminator: reconstructions stay true and get crisp; so do new pictures.

    Half of the painted pictures are reconstructions, half come from the prior. The adversarial gradient at the pictures
    is scaled to a share of that of reconstruction.

    The batch holds `pictures`, float [n, 3, h, w]; `rows`, whitened latents from the flow [k, numbers]; `coarse`, what
    the painter made of these before the stage, downsampled. For a GAN it holds what the latents were drawn from
    (`noise`, `labels`, `embeddings`), and its mapping also learns to arrive where the flow did. Where pairs are known,
    `things` and `source` say from whose content and style each reconstruction is painted.
    """

    def __init__(
        self, networks: LatentModel, discriminator: Discriminator, weights: AdversarialWeights, augment: DiffAugment
    ) -> None:
        super().__init__()
        self.networks, self.discriminator = networks, discriminator
        self.weights, self.augment = weights, augment

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Losses of one batch; `loss` carries the gradients of both sides, its value is the discriminator's."""
        pictures, networks = batch["pictures"], self.networks
        rows, distance = self._drawn(batch)
        rows = rows + self.weights.jitter * torch.randn_like(rows)
        kept = len(pictures) - len(rows)
        with torch.no_grad():
            own = networks.encoder(pictures[:kept])[0]
            if "things" in batch:
                own = Latent(own.content[batch["things"]], own.style[batch["source"]])
        drawn = networks.whitening.back(rows)
        latent = Latent(*(torch.cat([a.float(), b]) for a, b in zip(own, drawn, strict=True)))
        painted = networks.painter(latent).float()
        losses, gradient, loss = self.judge(pictures, painted.detach().requires_grad_(), kept, batch)
        loss = loss + carrying(painted, gradient)
        if distance is not None:
            loss, losses["distillation"] = loss + self.weights.distillation * distance, distance.detach()
        return {"loss": loss, **losses}

    def _drawn(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor | None]:
        """Whitened latents to paint and, for a GAN, their mean squared distance from the flow's."""
        prior = self.networks.prior
        if not isinstance(prior, Mapping):
            return batch["rows"], None
        rows = prior.stride(batch["noise"], batch["labels"], batch["embeddings"]).float()
        return rows, F.mse_loss(rows, batch["rows"])

    def judge(
        self, pictures: Tensor, painted: Tensor, kept: int, batch: dict[str, Tensor]
    ) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        """What is logged, the gradient at the painted pictures, and the discriminator's loss.

        Args:
            painted: of which the first `kept` are reconstructions; a leaf.
        """
        weights, discriminator, reconstructed = self.weights, self.discriminator, slice(kept)
        found, real, seen = self._judged(pictures, painted)
        losses = self._likeness(pictures, painted, kept, seen, real, batch)
        (towards_true,) = torch.autograd.grad(losses["likeness"], painted)
        share = weights.adversarial * discriminator.scales
        factor = scale(found.towards_real, towards_true, share, reconstructed)
        artefacts = artefact_losses(painted, pictures, self.networks.config.painter.factor)
        (from_artefacts,) = torch.autograd.grad(
            weights.noise * (artefacts["noise"] + artefacts["checkerboard"])
            + weights.grid * artefacts["grid"]
            + weights.spectrum * artefacts["spectrum"],
            painted,
        )
        # Left alone, this gradient was ten times the others': the adversarial stage stood still (docs/decisions.md).
        most = weights.artefacts * towards_true[reconstructed].norm()
        from_artefacts = from_artefacts * (most / from_artefacts.norm().clamp_min(1e-12)).clamp_max(1)
        logged = {**found.logged, **losses, **artefacts, "adversarial": factor}
        return (
            {name: value.detach() for name, value in logged.items()},
            towards_true + factor * found.towards_real + from_artefacts,
            found.loss,
        )

    def _judged(self, pictures: Tensor, painted: Tensor) -> tuple[Judged, list[Tensor], list[Tensor]]:
        """What the discriminator says of real and painted pictures, and the features that it sees of both."""
        discriminator, sigma = self.discriminator, self.weights.sigma
        augment = self.augment.draw(len(pictures), pictures)
        at = None if discriminator.scales == 1 else (float(torch.rand(())), float(torch.rand(())))
        crops_real, crops = (discriminator.crops(augment(shown), at) for shown in (pictures, painted))
        few = -(-len(pictures) // 4)
        with torch.no_grad():
            real = discriminator.see(crops_real)
            near_real, near = (
                discriminator.see([c[:few] + sigma * torch.randn_like(c[:few]) for c in shown])
                for shown in (crops_real, crops)
            )
        seen = discriminator.see(crops)
        found = judged(discriminator, real, seen, painted, (near_real, near), gamma=self.weights.gamma, sigma=sigma)
        return found, real, seen

    def _likeness(
        self,
        pictures: Tensor,
        painted: Tensor,
        kept: int,
        seen: list[Tensor],
        real: list[Tensor],
        batch: dict[str, Tensor],
    ) -> dict[str, Tensor]:
        """Reconstructions like their pictures; new pictures like themselves before, downsampled."""
        weights, share = self.weights, (len(painted) - kept) / max(1, kept)
        l1 = (painted[:kept] - pictures[:kept]).abs().mean()
        losses = {"l1": l1, "coarse": (coarse(painted[kept:]) - batch["coarse"]).abs().mean()}
        likeness = l1 + share * weights.coarse * losses["coarse"]
        if isinstance(self.discriminator, TeacherDiscriminator):
            # The same views of a picture and of its reconstruction, so what the discriminator has seen serves twice.
            found, wanted = self.discriminator.perceptual(seen), self.discriminator.perceptual(real)
            pairs = [pair for own in zip(found, wanted, strict=True) for pair in zip(*own, strict=True)]
            distances = [((a[:kept] - b[:kept]).float() ** 2).mean((0, 2, 3)).sum() / a.shape[1] for a, b in pairs]
            losses["teacher"] = torch.stack(distances).sum() / len(found)
            likeness = likeness + weights.teacher * losses["teacher"]
        return {**losses, "likeness": likeness}
