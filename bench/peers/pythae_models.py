"""pythae 0.1.2: VAE, VAEGAN and VQVAE, each by pythae's own pipeline, sampled by its Gaussian-mixture sampler."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from bench.peers.common import SIDE, Clock, Pictures, Stage, TimeUp, lerp, picture_bytes, read_pictures

__all__ = ["PythaeModel"]

_SHAPE = (3, SIDE, SIDE)
_LATENT = 464
_CODE, _GRID = 29, 4


class PythaeModel:
    """One training.

    Args:
        kind: `vae`, `vaegan` or `vqvae`.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.choices = [
            "networks: the ones that pythae ships for 64 px colour pictures (`benchmarks.celeba`, ResNet; the "
            "discriminator Conv); its default is a perceptron, which its documentation advises against here",
            f"latent of {_LATENT} numbers, as limner's",
            "the model is the one of the last step: pythae would keep the best epoch's, and the clock ends within one",
            "sampled by its Gaussian-mixture sampler (10 components, its default), fitted after the minutes",
        ]
        if kind == "vaegan":
            self.choices.append(
                "reconstruction_layer 3, as in pythae's own configuration for CelebA: its default compares one number"
            )
        if kind == "vqvae":
            self.choices.append(
                f"codes of {_CODE} numbers on a grid of {_GRID} x {_GRID}, laid in one row for the sampler, which "
                "takes rows only; what it draws is painted as drawn, without choosing the nearest codes, as pythae does"
            )
        self._model: Any = None
        self._mixture: Any = None

    def train(self, folder: Path, seconds: float, *, seed: int, threads: int, place: Path) -> list[Stage]:
        """By its `TrainingPipeline` with its defaults (64 pictures a step, Adam, 1e-4)."""
        from pythae.pipelines import TrainingPipeline
        from pythae.trainers import BaseTrainerConfig, CoupledOptimizerAdversarialTrainerConfig
        from pythae.trainers.training_callbacks import TrainingCallback

        clock = Clock(seconds, 0)

        class Watch(TrainingCallback):  # type: ignore[misc]
            def on_train_begin(self, training_config: Any, **_: Any) -> None:
                clock.batch = training_config.per_device_train_batch_size
                clock.begin()

            def on_train_step_end(self, training_config: Any, **_: Any) -> None:
                clock.tick()

        pictures = read_pictures(folder)
        data = np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)).astype(np.float32) / 255
        self._model = _made(self.kind)
        config = CoupledOptimizerAdversarialTrainerConfig if self.kind == "vaegan" else BaseTrainerConfig
        training = config(output_dir=str(place / "pythae"), num_epochs=1_000_000, seed=seed, no_cuda=True)
        pipeline = TrainingPipeline(model=self._model, training_config=training)
        with contextlib.suppress(TimeUp):
            pipeline(train_data=data, callbacks=[Watch()])
        self._model.eval()
        stage = clock.stage()
        epochs, rest = divmod(clock.steps, -(-len(data) // clock.batch))
        stage.pictures = epochs * len(data) + rest * clock.batch  # an epoch's last batch is smaller
        start = time.monotonic()
        self._fit(torch.from_numpy(data))
        return [stage, Stage("sampler, after the minutes", len(data), 1, time.monotonic() - start)]

    def _fit(self, data: torch.Tensor) -> None:
        from pythae.samplers import GaussianMixtureSampler

        model = self._model
        sampler = GaussianMixtureSampler(model)
        if self.kind == "vqvae":
            sampler.model = lambda inputs: SimpleNamespace(z=model(inputs).z.flatten(1))
        sampler.fit(data)
        self._mixture = sampler.gmm

    def draw(self, count: int) -> torch.Tensor:
        """By the mixture. # [n, 464]"""
        return torch.tensor(self._mixture.sample(count)[0], dtype=torch.float32)

    @torch.inference_mode()
    def paint(self, latents: torch.Tensor) -> Pictures:
        """By the decoder."""
        if self.kind == "vqvae":
            latents = latents.unflatten(1, (_CODE, _GRID, _GRID))
        return picture_bytes(self._model.decoder(latents).reconstruction)

    def between(self, first: torch.Tensor, last: torch.Tensor, share: float) -> torch.Tensor:
        """On the straight line, as the program's own interpolation."""
        return lerp(first, last, share)

    @torch.inference_mode()
    def reconstruct(self, pictures: Pictures) -> Pictures:
        """From the mean of what the encoder finds (VQVAE: from the nearest codes)."""
        painted = []
        for chunk in torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))).split(64):
            data = chunk.float() / 255
            if self.kind == "vqvae":
                painted.append(picture_bytes(self._model({"data": data}).recon_x))
            else:
                painted.append(picture_bytes(self._model.decoder(self._model.encoder(data).embedding).reconstruction))
        return np.concatenate(painted)

    def parameters(self) -> dict[str, int]:
        """Each network."""
        parts = {name: getattr(self._model, name, None) for name in ("encoder", "decoder", "discriminator")}
        return {n: sum(p.numel() for p in part.parameters()) for n, part in parts.items() if part is not None}


def _made(kind: str) -> Any:
    from pythae import models
    from pythae.models.nn.benchmarks import celeba

    if kind == "vqvae":
        config = models.VQVAEConfig(input_dim=_SHAPE, latent_dim=_CODE)
        return models.VQVAE(
            config, celeba.Encoder_ResNet_VQVAE_CELEBA(config), celeba.Decoder_ResNet_VQVAE_CELEBA(config)
        )
    if kind == "vae":
        config = models.VAEConfig(input_dim=_SHAPE, latent_dim=_LATENT)
        return models.VAE(config, celeba.Encoder_ResNet_VAE_CELEBA(config), celeba.Decoder_ResNet_AE_CELEBA(config))
    config = models.VAEGANConfig(input_dim=_SHAPE, latent_dim=_LATENT, reconstruction_layer=3)
    return models.VAEGAN(
        config,
        celeba.Encoder_ResNet_VAE_CELEBA(config),
        celeba.Decoder_ResNet_AE_CELEBA(config),
        celeba.Discriminator_Conv_CELEBA(config),
    )
