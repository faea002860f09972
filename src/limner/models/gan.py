"""The GAN's mapping: from noise to a latent in one evaluation (Goodfellow et al. 2014), played against a discriminator.

Painter, encoder and everything else are the VAE's; only what draws the latents differs. The mapping begins as a flow's
network, takes its first part of the way by the Gaussian around a place among the training pictures, where no network is
needed, and the rest in one stride; what that stride loses, the game brings back (Sauer et al. 2024, "Adversarial
Diffusion Distillation").
"""

from __future__ import annotations

from torch import Tensor

from limner.models.prior import FlowPrior

__all__ = ["Mapping"]


class Mapping(FlowPrior):
    """Noise to whitened latents in one evaluation."""

    def stride(self, noise: Tensor, labels: Tensor, places: Tensor) -> Tensor:
        """Latents at places. # [n, numbers], [n], [n, width of a place] -> [n, numbers]"""
        start = self.config.jump
        if self.config.frame == "gaussian":
            return self._along(noise, [start, 1.0], labels, places)
        rows = (1 - start) * noise + start * self.anchors.centre(labels, places)
        time = rows.new_full((len(rows),), start)
        return rows + (1 - start) * self.velocity(rows, time, labels, places)

    def forward(self, noise: Tensor, labels: Tensor | None = None, truncation: float = 1.0) -> Tensor:
        """Whitened latents of standard noise. # [n, noise_numbers] -> [n, numbers]"""
        rows, for_places = noise.split([self.painter.numbers, self.anchors.drawn], dim=1)
        places, labels = self.anchors.draw(for_places, labels, truncation)
        return self.stride(rows * truncation, labels, places)
