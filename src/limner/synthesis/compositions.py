"""Compositions that no model painted: pictures from outside that were restyled, kept small."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from limner import pictures
from limner.errors import PictureError
from limner.workspace import Workspace

__all__ = ["CompositionStore"]


class CompositionStore:
    """The compositions of a workspace's works: a small PNG each, named by its pixels."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def keep(self, pixels: NDArray[np.uint8]) -> str:
        """Keep a composition; its digest. # uint8 [h, w, 3]"""
        digest = _digest(pixels)
        path = self._path(digest)
        if not path.is_file():
            self._workspace.make(path.parent)
            pictures.write(pixels, path)
        return digest

    def load(self, digest: str) -> NDArray[np.uint8] | None:
        """One composition; None where it is not kept here, or no longer what it was. # -> uint8 [h, w, 3]"""
        try:
            pixels = pictures.read(self._path(digest)).pixels
        except PictureError:
            return None
        return pixels if _digest(pixels) == digest else None

    def _path(self, digest: str) -> Path:
        name = digest.removeprefix("sha256:")
        return self._workspace.sources / name[:2] / f"{name}.png"


def _digest(pixels: NDArray[np.uint8]) -> str:
    height, width = pixels.shape[:2]
    return f"sha256:{hashlib.sha256(f'{height}x{width}'.encode() + np.ascontiguousarray(pixels).tobytes()).hexdigest()}"
