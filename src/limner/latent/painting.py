"""Painting with a model: latents in, pictures out, at this machine's best precision."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor

from limner.errors import UsageError
from limner.models.bundle import Model, find_model, load_model
from limner.models.painter import Latent
from limner.training.machine import Machine, probe
from limner.workspace import Workspace, replace_file

__all__ = ["Brush", "Painted", "latent_digest", "save_latents"]

_AT_ONCE = 64


@dataclass(frozen=True)
class Painted:
    """One picture, with where it came from.

    Attributes:
        index: its number within the seed.
        pixels: uint8 [height, width, 3], sRGB.
        digest: sha256 of the latent, `sha256:` before it.
    """

    index: int
    pixels: NDArray[np.uint8]
    digest: str


class Brush:
    """A model on this machine, ready to paint.

    Args:
        model: the loaded model file.
        machine: device, precision and threads.
    """

    def __init__(self, model: Model, machine: Machine) -> None:
        self.model, self.machine = model, machine
        model.generator.to(machine.device)
        if machine.precision == "bf16":
            model.generator.keep_casts()

    @classmethod
    def open(
        cls, reference: str, workspace: Workspace, *, precision: str | None = None, threads: int | None = None
    ) -> Brush:
        """Load a model by path or name and choose how to run it.

        Raises:
            ModelError: there is none, or its file is damaged.
        """
        model = load_model(find_model(reference, workspace))
        return cls(model, probe(precision, threads))

    def label(self, name: str | None) -> int | None:
        """Index of a label.

        Raises:
            UsageError: the model knows no such label; names those that it knows.
        """
        if name is None:
            return None
        names = self.model.card.config.labels
        if name not in names:
            known = (
                f"it knows: {', '.join(names)}" if names else "it was trained without labels (`train --label COLUMN`)"
            )
            raise UsageError(f"--label {name}", f"{self.model.card.name} has no such label", known)
        return names.index(name)

    def samples(
        self, count: int, *, seed: int, truncation: float = 1.0, label: str | None = None, first: int = 0
    ) -> Iterator[Painted]:
        """New pictures, `first` to `first + count` of a seed; each depends on (seed, number) alone.

        Args:
            truncation: 0 to 1.5; lower is calmer and less varied.
        """
        index = self.label(label)
        for start in range(first, first + count, _AT_ONCE):
            number = min(_AT_ONCE, first + count - start)
            with self.machine.autocast():
                latent = self.model.generator.sample(number, seed=seed, truncation=truncation, label=index, first=start)
                pixels = self.model.generator.paint(latent)
            for i, picture in enumerate(pixels.permute(0, 2, 3, 1).numpy()):
                yield Painted(start + i, picture, latent_digest(latent, i))

    def encode(self, pictures: Tensor) -> Latent:
        """Latents of pictures of the model's size. # uint8 [n, 3, height, width]"""
        with self.machine.autocast():
            return self.model.generator.encode(pictures)

    def paint(self, latent: Latent) -> Tensor:
        """Pictures of latents. # -> uint8 [n, 3, height, width]"""
        with self.machine.autocast():
            return self.model.generator.paint(latent)


def latent_digest(latent: Latent, index: int) -> str:
    """sha256 of one latent: its numbers as little-endian float32, content first."""
    digest = hashlib.sha256(b"limner latent 1\n")
    for part in latent:
        digest.update(part[index].detach().cpu().float().contiguous().numpy().astype("<f4").tobytes())
    return f"sha256:{digest.hexdigest()}"


def save_latents(latent: Latent, path: Path, model: str) -> None:
    """Save latents as `.safetensors`: `content`, `style`, and the digest of the model they belong to."""
    tensors = {
        "content": latent.content.float().contiguous().clone(),
        "style": latent.style.float().contiguous().clone(),
    }
    with replace_file(path) as part, torch.inference_mode(False):
        save_file(tensors, part, metadata={"limner.model": model})
