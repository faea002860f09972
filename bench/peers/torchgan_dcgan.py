"""torchgan 0.1.0: DCGAN (Radford et al. 2016), by its own trainer."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.peers.common import SIDE, Clock, Pictures, Stage, TimeUp, picture_bytes, read_pictures, slerp

__all__ = ["DCGAN"]

_BATCH = 64


class DCGAN:
    """One training."""

    def __init__(self) -> None:
        self.choices = [
            "networks, optimisers and losses as in its own example: DCGAN of 64 channels a step, tanh at the end, Adam "
            "0.0002 with 0.5 and 0.999, minimax loss; 64 pictures a step"
        ]
        self._trainer: Any = None

    def train(self, folder: Path, seconds: float, *, seed: int, threads: int, place: Path) -> list[Stage]:
        """By its `Trainer`."""
        from torch import nn
        from torchgan.losses import MinimaxDiscriminatorLoss, MinimaxGeneratorLoss
        from torchgan.models import DCGANDiscriminator, DCGANGenerator
        from torchgan.trainer import Trainer

        clock = Clock(seconds, _BATCH)

        class Timed(Trainer):  # type: ignore[misc]
            def train_iter(self) -> Any:
                clock.begin()
                found = super().train_iter()
                clock.tick()
                return found

        def part(network: Any, **arguments: Any) -> dict[str, Any]:
            adam = {"name": torch.optim.Adam, "args": {"lr": 0.0002, "betas": (0.5, 0.999)}}
            return {"name": network, "args": arguments, "optimizer": adam}

        (place / "images").mkdir(exist_ok=True)
        pictures: Any = read_pictures(folder).transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1
        loader: Any = torch.utils.data.DataLoader(pictures, _BATCH, shuffle=True, drop_last=True)
        self._trainer = Timed(
            {
                "generator": part(DCGANGenerator, out_size=SIDE, last_nonlinearity=nn.Tanh()),
                "discriminator": part(DCGANDiscriminator, in_size=SIDE, last_nonlinearity=nn.Identity()),
            },
            [MinimaxGeneratorLoss(), MinimaxDiscriminatorLoss()],
            device=torch.device("cpu"),
            sample_size=64,
            epochs=1_000_000,
            checkpoints=str(place / "gan"),
            recon=str(place / "images"),
        )
        with contextlib.suppress(TimeUp):
            self._trainer(loader)
        self._trainer.generator.eval()
        return [clock.stage()]

    def draw(self, count: int) -> torch.Tensor:
        """Standard normal. # [n, 100]"""
        return torch.randn(count, self._trainer.generator.encoding_dims)

    @torch.inference_mode()
    def paint(self, latents: torch.Tensor) -> Pictures:
        """By the generator."""
        return picture_bytes((self._trainer.generator(latents) + 1) / 2)

    def between(self, first: torch.Tensor, last: torch.Tensor, share: float) -> torch.Tensor:
        """On the great circle."""
        return slerp(first, last, share)

    def reconstruct(self, pictures: Pictures) -> None:
        """It has no encoder."""

    def parameters(self) -> dict[str, int]:
        """Generator and discriminator."""
        parts = {"generator": self._trainer.generator, "judge": self._trainer.discriminator}
        return {name: sum(p.numel() for p in part.parameters()) for name, part in parts.items()}
