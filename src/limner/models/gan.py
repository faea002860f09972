"""The GAN's mapping: noise to a latent in one evaluation, trained against a discriminator (Goodfellow et al. 2014).

Painter, encoder and everything else are as in a VAE; only what draws the latents differs. The mapping begins as a
flow's network. It takes the first part of the way by the Gaussian around an instance embedding, where no network is
needed, and the rest in one stride; what that stride loses, adversarial training brings back (Sauer et al. 2024,
"Adversarial Diffusion Distillation").
"""

from __future__ import annotations

from torch import Tensor

from limner.models.prior import FlowPrior

__all__ = ["Mapping"]


class Mapping(FlowPrior):
    """Noise to whitened latents in one evaluation."""

    def stride(self, noise: Tensor, labels: Tensor, embeddings: Tensor) -> Tensor:
        """Latents at embeddings. # [n, numbers], [n], [n, width of an embedding] -> [n, numbers]"""
        start = self.config.jump
        if self.config.path == "gaussian":
            return self._along(noise, [start, 1.0], labels, embeddings)
        rows = (1 - start) * noise + start * self.embeddings.centre(labels, embeddings)
        time = rows.new_full((len(rows),), start)
        return rows + (1 - start) * self.velocity(rows, time, labels, embeddings)

    def forward(self, noise: Tensor, labels: Tensor | None = None, truncation: float = 1.0) -> Tensor:
        """Whitened latents of standard noise. # [n, noise_numbers] -> [n, numbers]"""
        rows, for_embeddings = noise.split([self.painter.numbers, self.embeddings.drawn], dim=1)
        embeddings, labels = self.embeddings.draw(for_embeddings, labels, truncation)
        return self.stride(rows * truncation, labels, embeddings)
