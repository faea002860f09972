"""stylegan2-pytorch 1.9.0: StyleGAN2 (Karras et al. 2020), trained by its own command line's function."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, NamedTuple

import torch

from bench.peers.common import SIDE, Clock, Pictures, Stage, TimeUp, picture_bytes, slerp

__all__ = ["StyleGAN2"]

_BATCH, _ACCUMULATE, _TILES = 5, 6, 3


class _Latents(NamedTuple):
    z: torch.Tensor
    noise: torch.Tensor


class StyleGAN2:
    """One training."""

    def __init__(self) -> None:
        self.choices = [
            "while it trains it paints sheets of 3 x 3 pictures, not 8 x 8: more of the minutes are left for training",
            "painted with the trained generator, not with its moving average: the average starts at step 20,000",
            "painted without truncation, as all programs here",
        ]
        self._trainer: Any = None

    def train(self, folder: Path, seconds: float, *, seed: int, threads: int, place: Path) -> list[Stage]:
        """By `train_from_folder`, the function behind its command, with the command's defaults."""
        from stylegan2_pytorch import cli

        clock, peer = Clock(seconds, _BATCH * _ACCUMULATE), self

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
                gradient_accumulate_every=_ACCUMULATE,
                num_image_tiles=_TILES,
                seed=seed,
            )
        self._trainer.GAN.eval()
        return [clock.stage()]

    def draw(self, count: int) -> _Latents:
        """Standard normal latents, and the noise of each pixel. # [n, 512], [n, 64, 64, 1]"""
        return _Latents(torch.randn(count, self._trainer.GAN.G.latent_dim), torch.rand(count, SIDE, SIDE, 1))

    @torch.inference_mode()
    def paint(self, latents: _Latents) -> Pictures:
        """By the generator, clamped as the program clamps."""
        gan = self._trainer.GAN
        styles = gan.S(latents.z)[:, None].expand(-1, gan.G.num_layers, -1)
        return picture_bytes(gan.G(styles, latents.noise))

    def between(self, first: _Latents, last: _Latents, share: float) -> _Latents:
        """Latents on the great circle, as the program's own interpolation; the noise of pixels stays."""
        return _Latents(slerp(first.z, last.z, share), first.noise)

    def reconstruct(self, pictures: Pictures) -> None:
        """It has no encoder."""

    def parameters(self) -> dict[str, int]:
        """Generator (with its mapping) and discriminator."""
        gan = self._trainer.GAN
        made = sum(p.numel() for part in (gan.G, gan.S) for p in part.parameters())
        return {"generator": made, "judge": sum(p.numel() for p in gan.D.parameters())}
