"""Where the latents of works are kept: a small file each, named by its digest; so a work can be painted again."""

from __future__ import annotations

from pathlib import Path

from limner.errors import UsageError
from limner.latent.latents import latent_digest, load_latents, row_of, save_latents
from limner.models.painter import Latent
from limner.workspace import Workspace

__all__ = ["LatentStore"]


class LatentStore:
    """The latents of a workspace's works.

    They are written without waiting for the disk: what a power cut takes can be painted again from its acts.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def keep(self, latent: Latent, model: str) -> list[str]:
        """Keep latents of a model, given by its digest; the digest of each."""
        found = []
        for i in range(len(latent.content)):
            digest = latent_digest(latent, i)
            path = self._path(digest)
            if not path.is_file():
                self._workspace.make(path.parent)
                save_latents(row_of(latent, i), path, model, sync=False)
            found.append(digest)
        return found

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
