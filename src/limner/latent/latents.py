"""Latents as numbers and as files: their digests, several as one, one of several, where those of works are kept."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from limner.errors import UsageError
from limner.models.painter import Latent
from limner.workspace import Workspace, replace_file

_MODEL = "limner.model"


def latent_digest(latent: Latent, index: int = 0) -> str:
    """sha256 of one latent: its numbers as little-endian float32, content first."""
    digest = hashlib.sha256(b"limner latent 1\n")
    for part in latent:
        digest.update(part[index].detach().cpu().float().contiguous().numpy().astype("<f4").tobytes())
    return f"sha256:{digest.hexdigest()}"


def latent_digests(latent: Latent) -> list[str]:
    """sha256 of each of several latents."""
    return [latent_digest(latent, index) for index in range(len(latent.style))]


def stacked(latents: list[Latent]) -> Latent:
    """Several latents as one. # each [n, ...] -> [sum of n, ...]"""
    return Latent(*map(torch.cat, zip(*latents, strict=True)))


def row_of(latent: Latent, index: int) -> Latent:
    """One of several latents. # [n, ...] -> [1, ...]"""
    return Latent(*(part[index : index + 1] for part in latent))


def save_latents(latent: Latent, path: Path, model: str, *, sync: bool = True) -> None:
    """Save latents as `.safetensors`: `content`, `style`, and the digest of the model they belong to."""
    parts = zip(latent._fields, latent, strict=True)
    plain = {name: part.detach().cpu().float().contiguous().clone() for name, part in parts}
    with torch.inference_mode(False), replace_file(path, sync=sync) as file:
        save_file(plain, file, metadata={_MODEL: model})


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


class LatentStore:
    """The latents of a workspace's works.

    They are written without waiting for the disk: what a power cut takes can be painted again from its acts.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def keep(self, latent: Latent, model: str) -> list[str]:
        """Keep latents of a model, given by its digest; the digest of each."""
        digests = latent_digests(latent)
        for i, digest in enumerate(digests):
            path = self._path(digest)
            if not path.is_file():
                self._workspace.make(path.parent)
                save_latents(row_of(latent, i), path, model, sync=False)
        return digests

    def load(self, digest: str) -> tuple[Latent, str] | None:
        """One latent and the digest of its model; None where it is not kept here or no longer what it was."""
        path = self._path(digest)
        if not path.is_file():
            return None
        try:
            latent, model = load_latents(path)
        except UsageError:
            return None
        return (latent, model) if len(latent.content) == 1 and latent_digest(latent) == digest else None

    def _path(self, digest: str) -> Path:
        name = digest.removeprefix("sha256:")
        return self._workspace.latents / name[:2] / f"{name}.safetensors"
