"""What the tests of papers share: an artist, a picture, and works with papers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limner.ledger import Ledger
from limner.papers import Identity, Provenance, PublishedWork, Publisher
from limner.pictures import FORMATS
from limner.workspace import Workspace

ARTIST = "Ada Lovelace"
KINDS = sorted(FORMATS)

_PROVENANCE = Provenance(
    title="Dusk no. 7",
    creator=ARTIST,
    model_name="landscapes-64",
    model_digest="sha256:" + "ab" * 32,
    family="vae",
    collection_name="paintings",
    collection_digest="sha256:" + "cd" * 32,
    seed=1,
    index=7,
    latent_digest="sha256:" + "ef" * 32,
    truncation=0.7,
    credit="after Thomas Cole and others",
    licences={"CC0-1.0": 149},
)


def provenance(**changes: Any) -> Provenance:
    return replace(_PROVENANCE, **changes)


def picture(size: int = 32, seed: int = 0) -> NDArray[np.uint8]:
    noise = np.random.default_rng(seed).normal(128, 40, (size, size, 3))
    return noise.clip(0, 255).astype(np.uint8)


def artist(workspace: Workspace) -> Identity:
    return Identity.load(workspace) if Identity.names(workspace) else Identity.new(workspace, ARTIST)


def publisher(workspace: Workspace, **options: Any) -> Publisher:
    return Publisher(artist(workspace), Ledger.open(workspace.ledger), **options)


def publish(workspace: Workspace, name: str = "work.png", size: int = 32, **changes: Any) -> PublishedWork:
    with publisher(workspace) as ready:
        return ready.publish(picture(size), workspace.make(workspace.works) / name, provenance(**changes))


def roots(workspace: Workspace) -> list[Path]:
    return sorted(workspace.identities.glob("*/root.pem"))
