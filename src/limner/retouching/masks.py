"""Which pixels a retouch changed, kept in the workspace: a small black and white PNG, named by what is in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from limner import pictures
from limner.digests import digest_of
from limner.errors import PictureError
from limner.workspace import Workspace, replace_file


def keep_mask(mask: NDArray[np.bool_], workspace: Workspace) -> str:
    """Keep a mask; its digest. # bool [h, w]"""
    data = pictures.encode(np.repeat(mask[..., None] * np.uint8(255), 3, 2), "png")
    digest = digest_of(data)
    path = _path(digest, workspace)
    if not path.is_file():
        workspace.make(path.parent)
        with replace_file(path) as part:
            part.write_bytes(data)
    return digest


def load_mask(digest: str, workspace: Workspace) -> NDArray[np.bool_] | None:
    """One mask; None where it is not kept here, or no longer what it was. # -> bool [h, w]"""
    path = _path(digest, workspace)
    data = path.read_bytes() if path.is_file() else b""
    if digest_of(data) != digest:
        return None
    try:
        return np.asarray(pictures.decode(data, path).pixels[..., 0] > 127)
    except PictureError:
        return None


def _path(digest: str, workspace: Workspace) -> Path:
    return workspace.root / "retouches" / f"{digest.removeprefix('sha256:')}.png"
