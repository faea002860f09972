"""lightweight-gan 1.2.1: a GAN after FastGAN (Liu et al. 2021), trained by its own command line's function."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import torch

from bench.peers.common import SIDE, Clock, Pictures, Stage, TimeUp, picture_bytes, slerp

__all__ = ["LightweightGAN"]

_BATCH, _TILES = 10, 3


class LightweightGAN:
    """One training.

    Args:
        attention: with its attention at 32 px, as it comes; without it a step is faster.
    """

    def __init__(self, attention: bool = True) -> None:
        self.attention = attention
        self.choices = [
            "gradient accumulation 1 instead of 4: on one core a step with 4 takes over 100 seconds, so that minutes "
            "would be a handful of steps",
            "while it trains it paints sheets of 3 x 3 pictures, not 8 x 8: more of the minutes are left for training",
            "painted with the trained generator, not with its moving average: the average starts at step 20,000",
        ]
        if not attention:
            self.choices.append("attention left out (attn_res_layers empty): faster steps")
        self._trainer: Any = None

    def train(self, folder: Path, seconds: float, *, seed: int, threads: int, place: Path) -> list[Stage]:
        """By `train_from_folder`, the function behind its command, with the command's defaults."""
        from lightweight_gan import cli

        clock, peer = Clock(seconds, _BATCH), self

        class Timed(cli.Trainer):  # type: ignore[misc]
            def train(self) -> None:
                peer._trainer = self
                clock.begin()
                super().train()
                clock.tick()

        cli.Trainer = Timed
        with contextlib.suppress(TimeUp):
            cli.train_from_folder(
                data=str(folder),
                results_dir=str(place / "results"),
                models_dir=str(place / "models"),
                new=True,
                image_size=SIDE,
                batch_size=_BATCH,
                gradient_accumulate_every=1,
                attn_res_layers=[32] if self.attention else [],
                num_image_tiles=_TILES,
                seed=seed,
            )
        self._trainer.GAN.eval()
        return [clock.stage()]

    def draw(self, count: int) -> torch.Tensor:
        """Standard normal. # [n, 256]"""
        return torch.randn(count, self._trainer.GAN.latent_dim)

    @torch.inference_mode()
    def paint(self, latents: torch.Tensor) -> Pictures:
        """By the generator, clamped as the program clamps."""
        return picture_bytes(self._trainer.GAN.G(latents))

    def between(self, first: torch.Tensor, last: torch.Tensor, share: float) -> torch.Tensor:
        """On the great circle, as the program's own interpolation."""
        return slerp(first, last, share)

    def reconstruct(self, pictures: Pictures) -> None:
        """It has no encoder."""

    def parameters(self) -> dict[str, int]:
        """Generator and discriminator."""
        gan = self._trainer.GAN
        return {n: sum(p.numel() for p in part.parameters()) for n, part in (("generator", gan.G), ("judge", gan.D))}
