"""What is minimised where two play: one paints and wants its pictures taken for real, a discriminator tells them apart.

Both sides of the game are in one objective and one step, so that what the painter paints is painted once.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from limner.models.discriminators import Discriminator, TeacherDiscriminator
from limner.models.gan import Mapping
from limner.models.latent_model import LatentModel
from limner.models.painter import Latent
from limner.training.augmentation import Disturbance
from limner.training.patterns import beyond

__all__ = ["GameObjective", "GameWeights", "held", "relativistic"]

_HELD = 16
_LEAST = 4


def held(pictures: Tensor) -> Tensor:
    """What new pictures are held to of themselves: forms and colours at 16 pixels of the shorter side.

    What is finer is the game's to find. # [n, 3, h, w] -> [n, 3, h / k, w / k], k from 4 on
    """
    return F.avg_pool2d(pictures, max(_LEAST, min(pictures.shape[-2:]) // _HELD))


class GameWeights(BaseModel):
    """How much each part counts in the game."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pull: float = 0.5
    """Length of the discriminator's gradient at the pictures, as a share of that of reconstruction, for each size of
    them that
    it looks at."""
    teacher: float = 0.1
    """Perceptual distance by the teacher, within reconstruction."""
    coarse: float = 1.0
    """How much new pictures are held to their own colours and forms (`held`)."""
    follow: float = 0.1
    """How much a GAN's mapping is held to where the flow arrives, mean square of whitened numbers."""
    jitter: float = 0.1
    """Deviation of the noise on drawn latents before they are painted, in their own deviations, as the
    encoder leaves some. Meant against marks too fine for a discriminator; it did not cure them (docs/decisions.md)."""
    grain: float = 0.02
    """How much patterns of single pixels, and one that all pictures share, are pushed down where real pictures show
    less of them (`patterns`)."""
    knit: float = 0.1
    """The same for marks that keep to the painter's own grid."""
    waves: float = 0.3
    """How much the strength of waves of each length and direction, in grey and in colours, is held to that in real
    pictures."""
    patterns: float = 0.5
    """Length of the gradient of all such patterns at most, as a share of that of reconstruction."""
    gamma: float = 0.005
    """Penalty on the square of the discriminator's slope, on real and on painted pictures."""
    sigma: float = 0.05
    """Deviation of the noise by which the slope is measured."""


class GameObjective(nn.Module):
    """Painter, and a GAN's mapping, against discriminator: reconstructions stay true and get crisp; so do new pictures.

    The loss of both is relativistic (Jolicoeur-Martineau 2019; Huang et al. 2024, "R3GAN", equation 2). The
    discriminator is kept smooth by a penalty on the change of its opinion under small noise on real and painted
    pictures, which stands for R1 and R2 without a second derivative (Lin et al. 2025, "APT", section 3.3). Half of the
    painted pictures are reconstructions, half come from the prior. The discriminator's gradient at the pictures is
    scaled to a share of that of reconstruction (as Esser et al. 2021, "Taming Transformers", equation 7, do with
    last-layer weights).

    The batch holds `pictures`, float [n, 3, h, w]; `rows`, whitened latents from the flow [k, numbers]; `coarse`, what
    the painter made of these before the game, made small (`held`). For a GAN it holds what
    the latents were drawn from (`noise`, `labels`, `embeddings`), and its mapping also learns to arrive where the flow
    did.
    Where pairs are known, `things` and `source` say from whose content and style each reconstruction is painted.
    """

    def __init__(
        self, networks: LatentModel, discriminator: Discriminator, weights: GameWeights, disturbance: Disturbance
    ) -> None:
        super().__init__()
        self.networks, self.discriminator, self.weights, self.disturbance = (
            networks,
            discriminator,
            weights,
            disturbance,
        )

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Losses of one batch; `loss` carries the gradients of both sides, its value is the discriminator's."""
        pictures, networks = batch["pictures"], self.networks
        rows, astray = self._drawn(batch)
        rows = rows + self.weights.jitter * torch.randn_like(rows)
        kept = len(pictures) - len(rows)
        with torch.no_grad():
            own = networks.encoder(pictures[:kept])[0]
            if "things" in batch:
                own = Latent(own.content[batch["things"]], own.style[batch["source"]])
        drawn = networks.whitening.back(rows)
        latent = Latent(*(torch.cat([a.float(), b]) for a, b in zip(own, drawn, strict=True)))
        painted = networks.painter(latent).float()
        losses, gradient, discriminator = self._play(pictures, painted.detach().requires_grad_(), kept, batch)
        # The product's gradient at the painted pictures is `gradient`; its value says nothing and is taken out.
        carried = (painted * gradient).sum()
        loss = discriminator + carried - carried.detach()
        if astray is not None:
            loss, losses["astray"] = loss + self.weights.follow * astray, astray.detach()
        return {"loss": loss, **losses}

    def _drawn(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor | None]:
        """Whitened latents to paint and, for a GAN, how far from the flow's they are (mean square)."""
        prior = self.networks.prior
        if not isinstance(prior, Mapping):
            return batch["rows"], None
        rows = prior.stride(batch["noise"], batch["labels"], batch["embeddings"]).float()
        return rows, F.mse_loss(rows, batch["rows"])

    def _play(
        self, pictures: Tensor, painted: Tensor, kept: int, batch: dict[str, Tensor]
    ) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        weights, discriminator = self.weights, self.discriminator
        draw = self.disturbance.draw(len(pictures), pictures)
        at = self._spot()
        shown_real, shown = discriminator.glimpses(draw(pictures), at), discriminator.glimpses(draw(painted), at)
        with torch.no_grad():
            real = discriminator.see(shown_real)
        seen = discriminator.see(shown)
        # The discriminator's side: features as they are, weights that learn. Each painted picture is held against
        # another real one than its own: against its own the discriminator wins at once.
        on_real, on_painted = [j.roll(1, 0) for j in discriminator(real)], discriminator([m.detach() for m in seen])
        game = relativistic(on_painted, on_real)
        slope = self._slope(shown_real, [j.roll(-1, 0) for j in on_real]) + self._slope(
            [s.detach() for s in shown], on_painted
        )
        # The painter's side: weights as they are, features that carry a gradient.
        fixed = {name: p.detach() for name, p in discriminator.named_parameters()}
        fooled = relativistic([j.detach() for j in on_real], torch.func.functional_call(discriminator, fixed, (seen,)))
        (towards_real,) = torch.autograd.grad(fooled, painted, retain_graph=True)
        losses = self._likeness(pictures, painted, kept, seen, real, batch)
        (towards_true,) = torch.autograd.grad(losses["likeness"], painted)
        share = (
            weights.pull
            * discriminator.scales
            * towards_true[:kept].norm()
            / towards_real[:kept].norm().clamp_min(1e-12)
        )
        patterns = beyond(painted, pictures, self.networks.config.painter.factor)
        (from_patterns,) = torch.autograd.grad(
            weights.grain * (patterns["grain"] + patterns["weave"])
            + weights.knit * patterns["knit"]
            + weights.waves * patterns["waves"],
            painted,
        )
        # Left alone, this gradient was ten times the others': the game stood still (docs/decisions.md).
        most = weights.patterns * towards_true[:kept].norm()
        from_patterns = from_patterns * (most / from_patterns.norm().clamp_min(1e-12)).clamp_max(1)
        told = {"discriminator": game, "fooled": fooled, **losses, **patterns, "pull": share}
        return (
            {name: value.detach() for name, value in told.items()},
            towards_true + share * towards_real + from_patterns,
            game + weights.gamma / 2 * slope,
        )

    def _spot(self) -> tuple[float, float] | None:
        """Where the discriminator looks in this step, if not at everything."""
        if self.discriminator.scales == 1:
            return None
        return float(torch.rand(())), float(torch.rand(()))

    def _likeness(
        self,
        pictures: Tensor,
        painted: Tensor,
        kept: int,
        seen: list[Tensor],
        real: list[Tensor],
        batch: dict[str, Tensor],
    ) -> dict[str, Tensor]:
        """Reconstructions like their pictures; new pictures like themselves made small (`held`)."""
        weights, share = self.weights, (len(painted) - kept) / max(1, kept)
        l1 = (painted[:kept] - pictures[:kept]).abs().mean()
        coarse = (held(painted[kept:]) - batch["coarse"]).abs().mean()
        losses = {"l1": l1, "coarse": coarse}
        likeness = l1 + share * weights.coarse * coarse
        if isinstance(self.discriminator, TeacherDiscriminator):
            # The same views of a picture and of its reconstruction, so what the discriminator has seen serves twice.
            found, wanted = self.discriminator.perceptual(seen), self.discriminator.perceptual(real)
            pairs = [pair for own in zip(found, wanted, strict=True) for pair in zip(*own, strict=True)]
            apart = [((a[:kept] - b[:kept]).float() ** 2).mean((0, 2, 3)).sum() / a.shape[1] for a, b in pairs]
            losses["teacher"] = torch.stack(apart).sum() / len(found)
            likeness = likeness + weights.teacher * losses["teacher"]
        return {**losses, "likeness": likeness}

    def _slope(self, shown: list[Tensor], judged: list[Tensor]) -> Tensor:
        """Mean square of the change of the discriminator's opinion, for each unit of noise on pictures.

        On a quarter of the batch: lazy in pictures, not in steps (Karras et al. 2020, "StyleGAN2", appendix B).
        """
        sigma, count = self.weights.sigma, -(-len(judged[0]) // 4)
        with torch.no_grad():
            maps = self.discriminator.see([s[:count] + sigma * torch.randn_like(s[:count]) for s in shown])
        other = self.discriminator(maps)
        changes = [((a[:count] - b) ** 2).mean() / sigma**2 for a, b in zip(judged, other, strict=True)]
        return torch.stack(changes).mean()


def relativistic(lower: list[Tensor], higher: list[Tensor]) -> Tensor:
    """Small where `higher` lies above `lower`, picture by picture and place by place; each head counts alike."""
    return torch.stack([F.softplus(a - b).mean() for a, b in zip(lower, higher, strict=True)]).mean()
