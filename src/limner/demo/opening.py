"""The opening of a demo: what the models that come with limner paint, before anything is trained."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from limner import pictures
from limner.collection.importing import Progress
from limner.demo.planning import Opener
from limner.errors import UsageError
from limner.latent.pipeline import Painted, Pipeline
from limner.machine import Machine
from limner.models.bundle import load_model
from limner.models.card import Card
from limner.pictures.sheets import sheet
from limner.synthesis import FinishOptions
from limner.works.finishing import Finishing, FinishRequest, finished, finishing_for
from limner.workspace import Workspace

SEED, TRUNCATION = 1, 1.0
ROWS = 5
"""Of a sheet whose labels do not matter."""
_ROWS_A_LABEL = 2
_PAGE, _GAP = 1066, 2
_FINISHED = 224
"""Shorter side of finished pictures without labels in an opening, px: a demo has not the time for more."""
LARGE = 128
"""Pixels that a picture may be enlarged to."""


@dataclass(frozen=True)
class Opened:
    """What one shipped model painted.

    Attributes:
        blocks: pictures by label; one block without a label where labels do not matter.
        sheet: the file that shows them all, one label below the other.
    """

    path: Path
    digest: str
    card: Card
    blocks: Sequence[tuple[str, Sequence[Painted]]]
    sheet: Path
    seconds: float

    @property
    def count(self) -> int:
        """Of all pictures."""
        return sum(len(painted) for _, painted in self.blocks)


def columns(width: int, by_label: bool = False) -> int:
    """How many pictures of `width` pixels stand side by side on the page.

    Args:
        by_label: each as large as it is, for many; otherwise enlarged to 128 pixels where it is smaller.
    """
    tile = width if by_label else width * max(1, LARGE // width)
    return max(1, (_PAGE + _GAP) // (tile + _GAP))


def paint_opening(opener: Opener, folder: Path, machine: Machine, workspace: Workspace, progress: Progress) -> Opened:
    """Paint with a shipped model, finish it where its exemplars are here, and save one sheet of it in `folder`.

    Raises:
        ModelError: the model file is damaged.
        UsageError: the folder cannot be written to.
    """
    start = time.monotonic()
    pipeline = Pipeline(load_model(opener.path), machine)
    card = pipeline.model.card
    labels = card.config.labels if opener.by_label else ()
    side = LARGE if labels else _FINISHED
    finishings = _finishings(pipeline, labels, side, workspace, progress)
    painter = card.config.painter
    bare = any(isinstance(one, str) for one in finishings.values())
    across = columns(
        painter.width if bare else side * painter.width // min(painter.height, painter.width), bool(labels)
    )
    each = across * (_ROWS_A_LABEL if labels else ROWS)
    blocks: list[tuple[str, list[Painted]]] = []
    for label, finishing in finishings.items():
        drawn = pipeline.samples(each, seed=SEED, truncation=TRUNCATION, label=label or None)
        painted = []
        for one, pixels, _ in finished(finishing, drawn):
            painted.append(replace(one, pixels=pixels))
            progress(each * len(blocks) + len(painted), each * len(finishings))
        blocks.append((label, painted))
    path = folder / f"{card.name}.png"
    every = np.stack([one.pixels for _, painted in blocks for one in painted])
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise UsageError(folder, f"cannot be made ({error.strerror})", "choose another place with --to") from error
    pictures.write(sheet(every, columns=across, gap=_GAP), path)
    return Opened(opener.path, pipeline.model.digest, card, blocks, path, time.monotonic() - start)


def _finishings(
    pipeline: Pipeline, labels: Sequence[str], side: int, workspace: Workspace, progress: Progress
) -> dict[str, Finishing | str]:
    """What finishes the pictures of each label, or of all; nothing where one cannot be: all have one size."""
    request, threads = FinishRequest(FinishOptions(size=side)), os.cpu_count() or 1
    found = {
        label: finishing_for(
            pipeline.model, workspace, request, label=label or None, threads=threads, progress=progress
        )
        for label in labels or ("",)
    }
    bare = any(isinstance(one, str) for one in found.values())
    return dict.fromkeys(found, "one of them cannot be finished") if bare else found
