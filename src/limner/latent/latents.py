"""Latents as numbers and as files: their digests, several as one, one of several, saving and loading."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from limner.errors import UsageError
from limner.models.painter import Latent
from limner.workspace import replace_file

__all__ = ["latent_digest", "load_latents", "row_of", "save_latents", "stacked"]

_MODEL = "limner.model"


def latent_digest(latent: Latent, index: int = 0) -> str:
    """sha256 of one latent: its numbers as little-endian float32, content first."""
    digest = hashlib.sha256(b"limner latent 1\n")
    for part in latent:
        digest.update(part[index].detach().cpu().float().contiguous().numpy().astype("<f4").tobytes())
    return f"sha256:{digest.hexdigest()}"


def stacked(latents: list[Latent]) -> Latent:
    """Several latents as one. # each [n, ...] -> [sum of n, ...]"""
    return Latent(torch.cat([one.content for one in latents]), torch.cat([one.style for one in latents]))


def row_of(latent: Latent, index: int) -> Latent:
    """One of several latents. # [n, ...] -> [1, ...]"""
    return Latent(latent.content[index : index + 1], latent.style[index : index + 1])


def save_latents(latent: Latent, path: Path, model: str, *, sync: bool = True) -> None:
    """Save latents as `.safetensors`: `content`, `style`, and the digest of the model they belong to."""

    def plain(part: Tensor) -> Tensor:
        return part.detach().cpu().float().contiguous().clone()

    with torch.inference_mode(False), replace_file(path, sync=sync) as part:
        save_file({"content": plain(latent.content), "style": plain(latent.style)}, part, metadata={_MODEL: model})


def load_latents(path: Path) -> tuple[Latent, str]:
    """Latents of a file, and the digest of the model they belong to.

    Raises:
        UsageError: missing, damaged, or not written by limner.
    """
    try:
        with safe_open(path, framework="pt") as file:
            model = (file.metadata() or {})[_MODEL]
            latent = Latent(file.get_tensor("content"), file.get_tensor("style"))
    except (SafetensorError, OSError, KeyError) as error:
        reason = "there is no such file" if not Path(path).is_file() else f"holds no latents ({error})"
        raise UsageError(path, reason, "give a file that `limner encode` wrote") from None
    if latent.content.ndim != 4 or latent.style.ndim != 3 or len(latent.content) != len(latent.style):
        raise UsageError(path, "holds latents of unknown shapes", "give a file that `limner encode` wrote")
    return latent, model
