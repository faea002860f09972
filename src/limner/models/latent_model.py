"""Every model: encoder and painter (Kingma and Welling 2014), and a prior fitted afterwards (Ghosh et al. 2020).

Both families are this class. They differ in the prior alone: a VAE draws latents by a flow or a mixture, a GAN by a
mapping that was trained against a discriminator. A new family is a new kind of prior (`_PRIORS`).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from limner.models.painter import Encoder, Latent, Painter, PainterConfig
from limner.models.prior import FlowPrior, Mapping, MixturePrior, PriorConfig

CHUNK = 8
"""Pictures are always painted in rows of this many, filled up where fewer are asked: kernels choose their way by the
size of a batch, so only equal batches give equal bits. One picture takes as long as this many: 8 cost one in twenty of
the speed of 16, and halve the time for one."""

DRAWN = 16
"""The same for latents that a prior draws."""


class LatentModelConfig(BaseModel):
    """Everything that shapes a model; together with the weights it rebuilds the model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    painter: PainterConfig
    prior: PriorConfig = PriorConfig()
    labels: tuple[str, ...] = ()
    """Names of the labels the prior knows, in order."""


_PRIORS: dict[str, Callable[[PainterConfig, PriorConfig, int], FlowPrior | MixturePrior]] = {
    "flow": FlowPrior,
    "mapping": Mapping,
    "mixture": MixturePrior,
}


def to_unit(pictures: Tensor) -> Tensor:
    """Bytes to -1..1, channels last. # uint8 [n, 3, h, w] -> float32"""
    return (pictures.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


def to_bytes(pictures: Tensor) -> Tensor:
    """-1..1 to bytes, rounded. # float [n, 3, h, w] -> uint8"""
    return ((pictures.float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)


def seeded_noise(count: int, numbers: int, *, seed: int, first: int = 0) -> Tensor:
    """Standard noise whose row i depends on (seed, first + i) alone. # -> float32 [count, numbers]"""
    rows = torch.empty(count, numbers)
    for i in range(count):
        digest = hashlib.sha256(f"limner/{seed}/{first + i}".encode()).digest()
        generator = torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
        torch.randn(numbers, generator=generator, out=rows[i])
    return rows


class Whitening(nn.Module):
    """Turns latents into rows of numbers with mean 0 and deviation 1, and back.

    Buffers are measured on the training latents when the painter is done; until then they change nothing.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, config: PainterConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("mean", torch.zeros(config.numbers))
        self.register_buffer("deviation", torch.ones(config.numbers))

    @torch.no_grad()
    def fit(self, latents: Latent) -> None:
        """Measure mean and deviation, the content's by channel, the style's by number."""
        content, style = latents.content.float(), latents.style.float().flatten(1)
        places = content.shape[-2] * content.shape[-1]
        mean = [content.mean((0, 2, 3)).repeat_interleave(places), style.mean(0)]
        deviation = [content.std((0, 2, 3)).repeat_interleave(places), style.std(0)]
        self.mean.copy_(torch.cat(mean))
        self.deviation.copy_(torch.cat(deviation).clamp_min(1e-3))

    def forward(self, latents: Latent) -> Tensor:
        """Whiten. # -> float [n, numbers]"""
        rows = torch.cat([latents.content.flatten(1), latents.style.flatten(1)], dim=1).float()
        return (rows - self.mean) / self.deviation

    def back(self, rows: Tensor) -> Latent:
        """The latents of whitened rows. # [n, numbers]"""
        config = self.config
        rows = rows * self.deviation + self.mean
        places = config.content_channels * math.prod(config.grid)
        content = rows[:, :places].unflatten(1, (config.content_channels, *config.grid))
        return Latent(
            content.contiguous(memory_format=torch.channels_last),
            rows[:, places:].unflatten(1, (config.blocks, config.style_width)),
        )


class LatentModel(nn.Module):
    """A model, trained or not.

    Every tool that steers, mixes or inverts uses `sample`, `paint`, `encode`, `whitening` and `painter`, never the
    prior.
    """

    def __init__(self, config: LatentModelConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config.painter)
        self.painter = Painter(config.painter)
        self.whitening = Whitening(config.painter)
        self.prior = _PRIORS[config.prior.kind](config.painter, config.prior, len(config.labels))
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @torch.inference_mode()
    def sample(
        self, count: int, *, seed: int, truncation: float = 1.0, label: int | None = None, first: int = 0
    ) -> Latent:
        """Draw latents `first` to `first + count` of a seed; each depends on (seed, number) alone.

        Args:
            truncation: scale of the noise, 0..1.5; lower is calmer and less varied.
            label: index into `config.labels`, or None for any.
        """
        start = first - first % DRAWN
        stop = -(-(first + count) // DRAWN) * DRAWN
        noise = seeded_noise(stop - start, self.prior.noise_numbers, seed=seed, first=start)
        noise = noise.to(self.whitening.mean.device)
        labels = None if label is None else torch.full((DRAWN,), label, device=noise.device)
        rows = torch.cat([self.prior(chunk, labels, truncation) for chunk in noise.split(DRAWN)])
        return self.whitening.back(rows[first - start :][:count])

    def become_mapping(self) -> None:
        """Turn a flow into a GAN's mapping, with the flow's weights."""
        config = self.config.prior.model_copy(update={"kind": "mapping"})
        mapping = Mapping(self.config.painter, config, len(self.config.labels))
        mapping.load_state_dict(self.prior.state_dict())
        self.prior = mapping.to(self.whitening.mean.device)
        self.prior.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.config = self.config.model_copy(update={"prior": config})

    def keep_casts(self) -> None:
        """Store in bfloat16 what autocast would cast anew at every step; the same bits, a tenth faster."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                module.to(torch.bfloat16)

    @torch.inference_mode()
    def paint(self, latent: Latent) -> Tensor:
        """Paint latents. # -> uint8 [n, 3, height, width] on the CPU"""
        painted = []
        for i in range(0, len(latent.content), CHUNK):
            content, style = (part[i : i + CHUNK].to(self.whitening.mean.device) for part in latent)
            short = CHUNK - len(content)
            if short:
                content = torch.cat([content, content[:1].expand(short, -1, -1, -1)])
                style = torch.cat([style, style[:1].expand(short, -1, -1)])
            content = content.contiguous(memory_format=torch.channels_last)
            painted.append(to_bytes(self.painter(Latent(content, style)))[: CHUNK - short].cpu())
        return torch.cat(painted)

    @torch.inference_mode()
    def encode(self, pictures: Tensor) -> Latent:
        """The latents of pictures (the mean of what the encoder finds). # uint8 [n, 3, height, width]"""
        device = self.whitening.mean.device
        found = [self.encoder(to_unit(chunk.to(device)))[0] for chunk in pictures.split(CHUNK)]
        return Latent(torch.cat([f.content for f in found]).float(), torch.cat([f.style for f in found]).float())
