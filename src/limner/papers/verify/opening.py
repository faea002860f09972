"""A checker that knows what the workspace knows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from limner.papers.identity.identity import Identity
from limner.papers.identity.revocations import read_revocations
from limner.papers.identity.trust import TrustStore
from limner.papers.registry.registry import open_registry
from limner.papers.verify.checking import Checker
from limner.papers.watermark.keys import known_keys
from limner.workspace import Workspace

__all__ = ["open_checker"]


def open_checker(workspace: Workspace, anchors: Sequence[Path] = (), *, own: Literal["own", "none"] = "own") -> Checker:
    """A checker that knows the workspace: its roots, anchors, revocations and works; it believes `anchors` too.

    Args:
        own: whether the workspace counts as the reader's own; `none` judges as a stranger would, who only has the
            signer's word.

    Raises:
        PapersError: an anchor, the list of revocations or a watermark key cannot be read.
    """
    roots = Identity.roots(workspace)
    return Checker(
        anchors=[*anchors, *TrustStore(workspace).paths()],
        own=roots if own == "own" else (),
        revoked=read_revocations(workspace),
        registry=open_registry(workspace),
        marks=True,
        mark_keys=known_keys(workspace),
    )
