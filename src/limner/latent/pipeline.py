"""Painting with a model: latents in, pictures out, at this machine's best precision."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from limner.errors import UsageError
from limner.latent.latents import latent_digest, row_of
from limner.machine import Machine, probe
from limner.models.bundle import Model, find_model, load_model
from limner.models.latent_model import to_bytes
from limner.models.painter import Latent
from limner.models.superseded import load_usable
from limner.workspace import Workspace

_AT_ONCE = 64


@dataclass(frozen=True)
class Painted:
    """One picture, with where it came from.

    Attributes:
        pixels: uint8 [height, width, 3], sRGB.
    """

    index: int
    pixels: NDArray[np.uint8]
    digest: str
    latent: Latent


class Pipeline:
    """A model on this machine, ready to paint.

    Args:
        superseded: what papers are to say of the use of a superseded model (`models.superseded`).
    """

    def __init__(self, model: Model, machine: Machine, superseded: dict[str, Any] | None = None) -> None:
        self.model, self.machine, self.superseded = model, machine, superseded or {}
        model.generator.to(machine.device)
        if machine.precision == "bf16":
            model.generator.keep_casts()

    @classmethod
    def open(
        cls,
        reference: str,
        workspace: Workspace,
        *,
        precision: str | None = None,
        threads: int | None = None,
        allow_superseded: str | None = None,
        looks: bool = False,
    ) -> Pipeline:
        """Load a model by path or name and choose how to run it.

        Args:
            allow_superseded: why it is used although it is superseded.
            looks: nothing is made with it, it is only looked at: then a superseded one may be opened.

        Raises:
            ModelError: there is none, its file is damaged, or it is superseded.
        """
        if looks:
            return cls(load_model(find_model(reference, workspace)), probe(precision, threads))
        model, superseded = load_usable(reference, workspace, allow_superseded)
        return cls(model, probe(precision, threads), superseded)

    def label(self, name: str | None) -> int | None:
        """Index of a label.

        Raises:
            UsageError: the model knows no such label; names those that it knows.
        """
        if name is None:
            return None
        names = self.model.card.config.labels
        if name not in names:
            known = f"it knows: {', '.join(names)}" if names else "it was trained without labels (train --label COLUMN)"
            raise UsageError(f"--label {name}", f"{self.model.card.name} has no such label", known)
        return names.index(name)

    def samples(
        self, count: int, *, seed: int, truncation: float = 1.0, label: str | None = None, first: int = 0
    ) -> Iterator[Painted]:
        """New pictures, `first` to `first + count` of a seed; each depends on (seed, number) alone.

        Args:
            truncation: 0 to 1.5; lower is calmer and less varied.
        """
        for start in range(first, first + count, _AT_ONCE):
            number = min(_AT_ONCE, first + count - start)
            latent = self.sample(number, seed=seed, truncation=truncation, label=label, first=start)
            pixels = self.paint(latent)
            for i, picture in enumerate(pixels.permute(0, 2, 3, 1).numpy()):
                own = row_of(latent, i)
                yield Painted(start + i, picture, latent_digest(own), own)

    def sample(
        self, count: int, *, seed: int, truncation: float = 1.0, label: str | None = None, first: int = 0
    ) -> Latent:
        """Latents `first` to `first + count` of a seed.

        Raises:
            UsageError: the model knows no such label.
        """
        index = self.label(label)
        with self.machine.autocast():
            return self.model.generator.sample(count, seed=seed, truncation=truncation, label=index, first=first)

    def encode(self, pictures: Tensor) -> Latent:
        """Latents of pictures of the model's size. # uint8 [n, 3, height, width]"""
        with self.machine.autocast():
            return self.model.generator.encode(pictures)

    def sketch(self, latent: Latent) -> Tensor:
        """Pictures of latents, quickly: the last bit may depend on how many there are. # -> uint8 [n, 3, h, w]"""
        generator = self.model.generator
        with self.machine.autocast(), torch.inference_mode():
            content = latent.content.to(self.machine.device).contiguous(memory_format=torch.channels_last)
            return to_bytes(generator.painter(Latent(content, latent.style.to(self.machine.device)))).cpu()

    def paint(self, latent: Latent) -> Tensor:
        """Pictures of latents. # -> uint8 [n, 3, height, width]"""
        with self.machine.autocast():
            return self.model.generator.paint(latent)

    def composed(self, latent: Latent) -> NDArray[np.uint8]:
        """What is painted of one latent. # row of one -> uint8 [height, width, 3]"""
        return self.paint(latent)[0].permute(1, 2, 0).contiguous().numpy()
