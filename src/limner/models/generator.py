"""The contract through which every tool uses a model, whatever its family."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import Tensor

from limner.models.painter import Latent

__all__ = ["CHUNK", "DRAWN", "Generator"]

CHUNK = 8
"""Pictures are always painted in rows of this many, filled up where fewer are asked: kernels choose their way by the
size of a batch, so only equal batches give equal bits. One picture takes as long as this many: 8 cost one in twenty of
the speed of 16, and halve the time for one."""

DRAWN = 16
"""The same for latents that a prior draws."""


@runtime_checkable
class Generator(Protocol):
    """What a trained model can do."""

    def sample(
        self, count: int, *, seed: int, truncation: float = 1.0, label: int | None = None, first: int = 0
    ) -> Latent:
        """Draw latents number `first` to `first + count` of a seed; each depends on (seed, number) alone."""
        ...

    def paint(self, latent: Latent) -> Tensor:
        """Paint. # -> uint8 [n, 3, height, width]"""
        ...

    def encode(self, pictures: Tensor) -> Latent:
        """Find the latents of pictures. # uint8 [n, 3, height, width]"""
        ...
