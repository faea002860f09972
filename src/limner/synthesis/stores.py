"""What is kept of the finishes of a workspace's works: a small file each, named by what is in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from limner import pictures
from limner.digests import digest_of
from limner.synthesis.sources import SourceMap
from limner.workspace import Workspace, replace_file


class _Store:
    _suffix: str

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def _keep(self, data: bytes) -> str:
        digest = digest_of(data)
        path = self._path(digest)
        if not path.is_file():
            self._workspace.make(path.parent)
            with replace_file(path, sync=False) as part:
                part.write_bytes(data)
        return digest

    def _path(self, digest: str) -> Path:
        name = digest.removeprefix("sha256:")
        return self._workspace.sources / name[:2] / f"{name}{self._suffix}"

    def _load(self, digest: str) -> bytes | None:
        """One file; None where it is not kept here, or no longer what it was."""
        path = self._path(digest)
        data = path.read_bytes() if path.is_file() else b""
        return data if digest_of(data) == digest else None


class SourceStore(_Store):
    """Source maps."""

    _suffix = ".sources"

    def keep(self, sources: SourceMap) -> str:
        """Keep a map; its digest."""
        return self._keep(sources.packed())

    def load(self, digest: str) -> SourceMap | None:
        """One map; None where it is not kept here, or no longer what it was."""
        data = self._load(digest)
        return None if data is None else SourceMap.unpacked(data, digest)


class CompositionStore(_Store):
    """Compositions that no model painted: pictures from outside that were restyled, kept small."""

    _suffix = ".png"

    def keep(self, pixels: NDArray[np.uint8]) -> str:
        """Keep a composition; its digest. # uint8 [h, w, 3]"""
        return self._keep(pictures.encode(np.ascontiguousarray(pixels), "png"))

    def load(self, digest: str) -> NDArray[np.uint8] | None:
        """One composition; None where it is not kept here, or no longer what it was. # -> uint8 [h, w, 3]"""
        data = self._load(digest)
        return None if data is None else pictures.decode(data, digest).pixels
