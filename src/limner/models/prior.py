"""Priors: what says which latents are likely, fitted after the painter; new pictures are drawn from them.

A prior works on whitened vectors: the latent as one row of numbers, each with mean 0 and deviation 1 over the training
pictures (`Whitening`). Two kinds, one contract (`forward(noise, labels, truncation)`):

- `FlowPrior` learns the velocity that carries noise to latents in a straight line (Lipman et al. 2023, "Flow Matching";
  Liu et al. 2023, "Rectified Flow"), given an instance embedding (`InstanceEmbeddings`), on top of the velocity that
  would be right if the latents around that embedding were Gaussian. That part of the way is known exactly, so only the
  rest is taken in steps (an exponential integrator: Zhang and Chen 2023, "DEIS"), and two of them are enough;
- `MixturePrior` is a Gaussian mixture on the leading principal components (Ghosh et al. 2020, section 4.2).

A GAN's `Mapping` begins as a flow's network. It takes the first part of the way by the Gaussian around an embedding,
where no network is needed, and the rest in one stride; what that stride loses, adversarial training brings back (Sauer
et al. 2024, "Adversarial Diffusion Distillation").
"""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable, Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from limner.models.instance_embeddings import MOST_EMBEDDINGS, InstanceEmbeddings
from limner.models.painter import PainterConfig


class PriorConfig(BaseModel):
    """What shapes a prior."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["flow", "mixture", "mapping"] = "flow"
    """Which prior."""
    channels: int = Field(128, ge=8, le=1024, multiple_of=8)
    """Flow: channels of the convolutions on the content's grid."""
    width: int = Field(256, ge=32, le=2048, multiple_of=32)
    """Flow: width of the transformer on the grid's half."""
    layers: int = Field(6, ge=1, le=48)
    """Flow: layers of the transformer."""
    path: Literal["gaussian", "straight"] = "gaussian"
    """Flow, mapping: along what a step goes: the way that latents would take if they were Gaussian around their
    embedding, or a straight line. On the former two evaluations come closer to the flow's end than six on the latter
    (docs/decisions.md)."""
    start: float = Field(0.2, ge=0, lt=1)
    """Flow: the time at which the steps begin; on the Gaussian path there is little to do before."""
    steps: int = Field(2, ge=1, le=200)
    """Flow: steps when sampling, one evaluation each."""
    shift: float = Field(1.5, gt=0, le=4)
    """Flow: below 1 there are more steps near the noise, above 1 near the latent."""
    jump: float = Field(0.45, gt=0, lt=1)
    """Mapping: the time from which one evaluation goes to the end."""
    embedding_width: int = Field(48, ge=1, le=1024)
    """Flow: numbers of an instance embedding; a training on few pictures takes fewer."""
    embeddings: int = Field(1, ge=1, le=MOST_EMBEDDINGS)
    """Flow: how many instance embeddings the model keeps."""
    embedding_noise: float = Field(0.2, ge=0, le=4)
    """Flow: deviation of the noise that is added to an embedding, in deviations of its axes."""
    interpolation: float = Field(0.5, ge=0, le=1)
    """Flow: how far an embedding is moved towards a neighbour's at most."""
    components: int = Field(32, ge=1, le=4096)
    """Mixture: Gaussians."""
    axes: int = Field(96, ge=1, le=4096)
    """Mixture: principal components."""

    def with_sizes_of(self, other: PriorConfig) -> PriorConfig:
        """This config with the sizes of another, so that the weights of that one fit."""
        sizes = ("channels", "width", "layers", "embedding_width", "components", "axes")
        return self.model_copy(update={name: getattr(other, name) for name in sizes})


class ModulatedBlock(nn.Module):
    """Two convolutions whose input a condition scales and shifts. # [n, c, h, w], [n, width] -> [n, c, h, w]

    Args:
        dropout: share of the maps between the convolutions that is left out while it learns.
    """

    def __init__(self, channels: int, width: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, channels)
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        self.affine = nn.Linear(width, 2 * channels)
        self.drop = nn.Dropout2d(dropout)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """The maps, changed."""
        scale, shift = self.affine(condition)[:, :, None, None].chunk(2, dim=1)
        y = F.silu(torch.addcmul(shift, self.norm(x).to(shift.dtype), 1 + scale))
        grown: Tensor = x + self.second(self.drop(F.silu(self.first(y))))
        return grown


class _Layer(nn.Module):
    """A transformer layer, modulated by the condition (Peebles and Xie 2023, "DiT", adaLN-zero).

    The six modulations come from one projection that all layers share, plus this layer's own offset (Chen et al. 2024,
    "PixArt-alpha", section 2.3): a third of the parameters.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.offset = nn.Parameter(torch.randn(6, width) * width**-0.5)
        self.attend = nn.Linear(width, 3 * width)
        self.merge = nn.Linear(width, width)
        self.grow = nn.Linear(width, 4 * width)
        self.shrink = nn.Linear(4 * width, width)

    def forward(self, x: Tensor, shared: Tensor) -> Tensor:  # [n, tokens, width], [n, 6, width]
        a, b, c, d, e, f = (shared + self.offset.to(shared.dtype))[:, :, None].unbind(1)
        y = torch.addcmul(b, F.layer_norm(x, x.shape[-1:]).to(a.dtype), 1 + a)
        x = torch.addcmul(x, c, self.merge(self._attention(y)))
        y = torch.addcmul(e, F.layer_norm(x, x.shape[-1:]).to(a.dtype), 1 + d)
        return torch.addcmul(x, f, self.shrink(F.silu(self.grow(y))))

    def _attention(self, y: Tensor) -> Tensor:
        # Written out: for the few dozen tokens here the fused kernel's backward pass is slower on a CPU.
        query, key, value = self.attend(y).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        weights = torch.softmax(query @ key.transpose(2, 3) * query.shape[-1] ** -0.5, dim=-1)
        merged: Tensor = (weights.to(value.dtype) @ value).transpose(1, 2).flatten(2)
        return merged


class LatentNetwork(nn.Module):
    """Convolutions on the content's grid around a transformer on its half, in which the styles take part as tokens."""

    enter: nn.Conv2d
    before: nn.ModuleList
    fall: nn.Conv2d
    style_in: nn.Linear
    position: nn.Parameter
    layers: nn.ModuleList
    rise: nn.Conv2d
    after: nn.ModuleList

    def features(
        self, painter: PainterConfig, rows: Tensor, condition: Tensor, modulation: Tensor
    ) -> tuple[Tensor, Tensor]:
        """What follows from whitened latents: maps, and a token for each style.

        # [n, numbers] -> [n, channels, grid], [n, blocks, width]

        Args:
            condition, modulation: given to each block, and to each layer of the transformer.
        """
        split = painter.content_channels * math.prod(painter.grid)
        content = rows[:, :split].unflatten(1, (painter.content_channels, *painter.grid))
        x = self.enter(content.contiguous(memory_format=torch.channels_last))
        for block in self.before:
            x = block(x, condition)
        tokens = self.fall(F.pixel_unshuffle(x, 2))
        grid = tokens.shape[-2:]
        styles = self.style_in(rows[:, split:].unflatten(1, (painter.blocks, painter.style_width)))
        tokens = torch.cat([tokens.flatten(2).transpose(1, 2), styles], dim=1) + self.position.to(styles.dtype)
        for layer in self.layers:
            tokens = layer(tokens, modulation)
        tokens, styles = tokens[:, : -painter.blocks], tokens[:, -painter.blocks :]
        x = x + F.pixel_shuffle(self.rise(tokens.transpose(1, 2).unflatten(2, grid)), 2)
        for block in self.after:
            x = block(x, condition)
        return x, styles


class FlowPrior(LatentNetwork):
    """Learns the velocity from noise to whitened latents.

    Args:
        labels: how many labels there are (0 for none).
    """

    def __init__(self, painter: PainterConfig, config: PriorConfig, labels: int = 0) -> None:
        super().__init__()
        self.painter, self.config = painter, config
        channels, width = config.channels, config.width
        height, breadth = painter.grid
        self.embeddings = InstanceEmbeddings(
            painter.numbers,
            labels,
            width=config.embedding_width,
            count=config.embeddings,
            noise=config.embedding_noise,
            interpolation=config.interpolation,
        )
        known = self.embeddings.kinds + self.embeddings.width
        self.time = nn.Sequential(nn.Linear(64, width), nn.SiLU(), nn.Linear(width, width))
        self.known = nn.Sequential(nn.Linear(known, width), nn.SiLU(), nn.Linear(width, width))
        self.enter = nn.Conv2d(painter.content_channels, channels, 3, padding=1)
        self.before = nn.ModuleList(ModulatedBlock(channels, width) for _ in range(2))
        self.fall = nn.Conv2d(4 * channels, width, 1)
        self.position = nn.Parameter(torch.randn(1, height * breadth // 4 + painter.blocks, width) * 0.02)
        self.style_in = nn.Linear(painter.style_width, width)
        self.layers = nn.ModuleList(_Layer(width, max(1, width // 64)) for _ in range(config.layers))
        self.style_out = nn.Linear(width, painter.style_width)
        self.rise = nn.Conv2d(width, 4 * channels, 1)
        self.after = nn.ModuleList(ModulatedBlock(channels, width) for _ in range(2))
        self.shared = nn.Linear(width, 6 * width)
        # A linear layer on rows of channels: its gradient arrives in another layout, in which a convolution is slow.
        self.leave = nn.Linear(channels, painter.content_channels)
        for last in (self.style_out, self.leave):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    @property
    def noise_numbers(self) -> int:
        """How many numbers of noise `forward` needs for one latent."""
        return self.painter.numbers + self.embeddings.drawn

    def velocity(self, rows: Tensor, time: Tensor, labels: Tensor, embeddings: Tensor) -> Tensor:
        """Velocity at a time between 0 (noise) and 1 (latent), given label and embedding.

        # [n, numbers], [n], [n], [n, width of an embedding] -> [n, numbers]
        """
        with torch.autocast(rows.device.type, enabled=False):
            gaussian = self.embeddings.velocity(rows.float(), time.float(), labels, embeddings.float())
        return gaussian + self.learned(rows, time, labels, embeddings)

    def learned(self, rows: Tensor, time: Tensor, labels: Tensor, embeddings: Tensor) -> Tensor:
        """What the network adds to the Gaussian's velocity; shapes as in `velocity`. # -> float32"""
        condition = self._condition(time, labels, embeddings)
        x, styles = self.features(self.painter, rows, condition, self.shared(condition).unflatten(1, (6, -1)))
        content = self.leave(F.silu(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return torch.cat([content.flatten(1), self.style_out(styles).flatten(1)], dim=1).float()

    def _condition(self, time: Tensor, labels: Tensor, embeddings: Tensor) -> Tensor:
        angles = time[:, None].float() * torch.exp(torch.linspace(0, 6, 32, device=time.device))
        moment: Tensor = self.time(torch.cat([angles.sin(), angles.cos()], dim=1))
        condition: Tensor = F.silu(moment + self.known(self.embeddings.condition(labels, embeddings)))
        return condition

    def forward(self, noise: Tensor, labels: Tensor | None = None, truncation: float = 1.0) -> Tensor:
        """Whitened latents of standard noise. # [n, noise_numbers] -> [n, numbers]"""
        return self.carry(*self.drawn(noise, labels, truncation))

    def drawn(self, noise: Tensor, labels: Tensor | None, truncation: float) -> tuple[Tensor, Tensor, Tensor]:
        """Noise for latents, and their labels and embeddings. # [n, noise_numbers], [n]"""
        rows, for_embeddings = noise.split([self.painter.numbers, self.embeddings.drawn], dim=1)
        embeddings, labels = self.embeddings.draw(for_embeddings, labels, truncation)
        return rows * truncation, labels, embeddings

    def carry(self, rows: Tensor, labels: Tensor, embeddings: Tensor) -> Tensor:
        """Carry standard noise to latents at embeddings.

        # [n, numbers], [n], [n, width of an embedding] -> [n, numbers]
        """
        config = self.config
        even = torch.linspace(0, 1, config.steps + 1, dtype=torch.float64)
        times = config.start + (1 - config.start) * even * config.shift / (1 + (config.shift - 1) * even)
        return self._along(rows, times.tolist(), labels, embeddings)

    def _along(self, rows: Tensor, times: list[float], labels: Tensor, embeddings: Tensor) -> Tensor:
        """By one evaluation from each time to the next, along the path of the config."""
        if self.config.path == "gaussian":
            return self._along_gaussian(rows, times, labels, embeddings)

        def slope(rows: Tensor, now: float) -> Tensor:
            return self.velocity(rows, rows.new_full((len(rows),), now), labels, embeddings)

        return _adams_bashforth(slope, rows, times)

    def _along_gaussian(self, noise: Tensor, times: list[float], labels: Tensor, embeddings: Tensor) -> Tensor:
        gaussian, device = self.embeddings, noise.device.type
        with torch.autocast(device, enabled=False):
            centre = gaussian.centre(labels, embeddings.float())

        # As noise, latents stand still along the Gaussian path: only the network moves them.
        def slope(noise: Tensor, now: float) -> Tensor:
            with torch.autocast(device, enabled=False):
                rows = gaussian.from_noise(noise, now, centre)
            learned = self.learned(rows, rows.new_full((len(rows),), now), labels, embeddings)
            with torch.autocast(device, enabled=False):
                return gaussian.noise_velocity(learned, now)

        moved = _adams_bashforth(slope, noise, times)
        with torch.autocast(device, enabled=False):
            return gaussian.from_noise(moved, times[-1], centre)


def _adams_bashforth(slope: Callable[[Tensor, float], Tensor], rows: Tensor, times: Sequence[float]) -> Tensor:
    """Integrate by the two-step method, one evaluation from each time to the next; the first step is Euler's."""
    before: tuple[Tensor, float] | None = None
    for now, then in itertools.pairwise(times):
        step, found = then - now, slope(rows, now)
        ahead = found if before is None else found + (found - before[0]) * (step / (2 * before[1]))
        before = found, step
        rows = rows + step * ahead
    return rows


class Mapping(FlowPrior):
    """Noise to whitened latents in one evaluation, trained against a discriminator (Goodfellow et al. 2014)."""

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
        return self.stride(*self.drawn(noise, labels, truncation))


class MixturePrior(nn.Module):
    """A Gaussian mixture on principal components, one mixture for each label and one for all."""

    axes: Tensor
    rest: Tensor
    weights: Tensor
    means: Tensor
    scales: Tensor

    def __init__(self, painter: PainterConfig, config: PriorConfig, labels: int = 0) -> None:
        super().__init__()
        self.config = config
        k, d = config.components, min(config.axes, painter.numbers)
        self.register_buffer("axes", torch.zeros(painter.numbers, d))
        self.register_buffer("rest", torch.zeros(painter.numbers))
        self.register_buffer("weights", torch.full((labels + 1, k), 1 / k))
        self.register_buffer("means", torch.zeros(labels + 1, k, d))
        self.register_buffer("scales", torch.ones(labels + 1, k, d))

    @property
    def noise_numbers(self) -> int:
        """How many numbers of noise `forward` needs for one latent."""
        return len(self.rest)

    @torch.no_grad()
    def fit(self, rows: Tensor, labels: Tensor | None, seed: int) -> None:
        """Fit by expectation maximisation (scikit-learn). # whitened rows [n, numbers]; labels [n]"""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.mixture import GaussianMixture

        wanted = min(self.axes.shape[1], *rows.shape)
        with torch.random.fork_rng(devices=[]):
            # It draws a first guess; a run that is resumed has to find the same axes.
            torch.manual_seed(seed)
            _, _, v = torch.pca_lowrank(rows.float().cpu(), q=wanted, center=False)
        self.axes.zero_()[:, : v.shape[1]] = v.to(self.axes.device)
        within = rows.float() @ self.axes
        self.rest.copy_((rows.float() - within @ self.axes.T).std(0))
        any_label = self.weights.shape[0] - 1
        for label in range(any_label + 1):
            chosen = within if labels is None or label == any_label else within[labels == label]
            if len(chosen) < 2:
                # Nothing, or a single latent, was learned of this label: it is drawn like any.
                chosen = within if len(within) > 1 else within.repeat(2, 1)
            k = max(1, min(self.weights.shape[1], len(chosen) // 8))
            mixture = GaussianMixture(k, covariance_type="diag", random_state=seed, reg_covar=1e-3, max_iter=60)
            with warnings.catch_warnings():
                # Sixty rounds are enough for a prior; whether the last decimals have settled is no matter.
                warnings.simplefilter("ignore", ConvergenceWarning)
                mixture.fit(chosen.double().cpu().numpy())
            self.weights[label].zero_()[:k] = torch.from_numpy(mixture.weights_)
            self.means[label, :k] = torch.from_numpy(mixture.means_)
            self.scales[label, :k] = torch.from_numpy(mixture.covariances_).sqrt()

    def forward(self, noise: Tensor, labels: Tensor | None = None, truncation: float = 1.0) -> Tensor:
        """Whitened latents of standard noise. # [n, numbers] -> [n, numbers]"""
        any_label = self.weights.shape[0] - 1
        chosen = torch.full((len(noise),), any_label, device=noise.device) if labels is None else labels
        # The last number of a row of noise chooses the component, the first ones the place in it.
        uniform = torch.special.ndtr(noise[:, -1:].double())
        edges = self.weights.double()[chosen].cumsum(1)
        component = (uniform > edges / edges[:, -1:]).sum(1).clamp_max(edges.shape[1] - 1)
        within = noise[:, : self.axes.shape[1]] * truncation * self.scales[chosen, component]
        within = within + self.means[chosen, component]
        return within @ self.axes.T + noise * self.rest * truncation * 0.5
