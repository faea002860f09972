"""Finished films: their frames, and whose pictures are in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limner.latent.pipeline import Pipeline
from limner.latent.walking import Walk
from limner.models.painter import Latent
from limner.rights import conditions
from limner.synthesis.exemplars import Exemplar
from limner.synthesis.films import faded, key_count, key_pictures, looped
from limner.works.finishing import Finishing, credit_of, rights_of_exemplars, share_row

__all__ = ["FinishedFilm"]

KEYS_A_SECOND = 5.0
"""Key pictures a second; between them what changes fades over."""


@dataclass
class FinishedFilm:
    """A walk whose pictures are finished.

    Args:
        stations: the pictures that the walk leads to; exemplars are chosen for them.
        frames: how many there are, at `fps` a second.
        loop: whether it goes back to where it began.
        folder: where finished pictures wait until the film is whole.
        key: what the film follows from.
    """

    finishing: Finishing
    pipeline: Pipeline
    walk: Walk
    stations: Sequence[Latent]
    frames: int
    fps: int
    loop: bool
    folder: Path
    key: str
    _given: dict[Exemplar, float] = field(default_factory=dict)

    @property
    def keys(self) -> int:
        """How many pictures are finished."""
        return key_count(self.frames, self.fps, KEYS_A_SECOND)

    def pictures(self, progress: Callable[[int, int], object]) -> Iterator[NDArray[np.uint8]]:
        """All frames in their order. # uint8 [h, w, 3]"""
        keys = self._finished(progress)
        return faded(looped(keys, self.keys) if self.loop else keys, self.keys, self.frames)

    def told(self) -> dict[str, Any]:
        """Whose pictures are in it, most first, and what follows; known once all frames are made."""
        most = sorted(self._given.items(), key=lambda one: (-one[1], one[0].digest))
        rights = rights_of_exemplars(one for one, _ in most)
        return {
            "options": self.finishing.options_told(),
            "shares": [share_row(one, share / self.keys) for one, share in most],
            "licences": rights.licences,
            "credit": credit_of(rights),
            "conditions": conditions(one.licence for one, _ in most),
        }

    def _finished(self, progress: Callable[[int, int], object]) -> Iterator[NDArray[np.uint8]]:
        stations = [self._composition(one) for one in self.stations]
        for one in key_pictures(
            self.finishing.finisher, self._compositions, self.keys, self.folder, self.key, stations=stations,
            progress=progress,
        ):  # fmt: skip
            for exemplar, share in one.shares:
                self._given[exemplar] = self._given.get(exemplar, 0.0) + share
            yield one.pixels

    def _compositions(self, first: int) -> Iterator[NDArray[np.uint8]]:
        for chunk in self.walk.latents(self.keys, first):
            yield from self.pipeline.paint(chunk).permute(0, 2, 3, 1).contiguous().numpy()

    def _composition(self, latent: Latent) -> NDArray[np.uint8]:
        found: NDArray[np.uint8] = self.pipeline.paint(latent)[0].permute(1, 2, 0).contiguous().numpy()
        return found
