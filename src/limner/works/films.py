"""Films of a walk from picture to picture: bare or finished frames, whose pictures are in them, the act."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limner.errors import UsageError
from limner.latent.filming import film, frames_of, key_of
from limner.latent.pipeline import Pipeline
from limner.latent.walking import Walk
from limner.models.painter import Latent
from limner.synthesis.exemplars import Exemplar
from limner.synthesis.films import faded, key_count, key_pictures, looped
from limner.works.credits import owed_to
from limner.works.finish_record import ShareRow
from limner.works.finishing import Finishing, FinishRequest, finishing_for
from limner.works.origins import Origins

_KEYS_A_SECOND = 5.0
"""Key pictures a second; between them what changes fades over."""
_BARE_SIDE = 256
"""Shorter side of a film of bare pictures, about: they are enlarged by a whole number, px."""


@dataclass(frozen=True)
class FilmRequest:
    """What the artist asks of a film: 0.1 to 3600 seconds of 1 to 60 frames each, that may end where it began.

    Raises:
        UsageError: a number is out of range.
    """

    seconds: float
    fps: int
    loop: bool = False
    label: str | None = None
    finish: FinishRequest = field(default_factory=FinishRequest)

    def __post_init__(self) -> None:
        if not 0.1 <= self.seconds <= 3600 or not 1 <= self.fps <= 60 or self.seconds * self.fps > 100_000:
            given = f"--seconds {self.seconds:g} --fps {self.fps}"
            raise UsageError(given, "is out of range", "give 0.1 to 3600 s and 1 to 60")

    @property
    def frames(self) -> int:
        """How many frames it has."""
        return max(2, round(self.seconds * self.fps))


@dataclass(frozen=True)
class Film:
    """A film that was made: whose pictures are in it, or why it was not finished."""

    finish: dict[str, Any]
    unfinished: str = ""


def make_film(
    origins: Origins,
    stations: Sequence[str],
    request: FilmRequest,
    to: Path,
    progress: Callable[[str, int, int], None],
) -> Film:
    """Film a walk from picture to picture, in steps that look equally long, and record it.

    What a killed run has painted is kept in a hidden folder beside the film, and not painted again.

    Args:
        stations: works, `SEED:NUMBER` or pictures, two or more.
        progress: called with what is done now, how much of it, and of how much.

    Raises:
        UsageError: fewer than two stations, or one that is not found.
    """
    if len(stations) < 2:
        raise UsageError(stations[0], "is one station", "give two or more to walk between")
    found = [origins.find(one, request.label) for one in stations]
    latents, digests, pipeline = [one.latent for one in found], [one.digest for one in found], origins.pipeline
    folder = to.with_name(f".{to.name}.frames")
    finishing = finishing_for(
        pipeline.model, origins.workspace, request.finish, label=request.label,
        progress=partial(progress, "looking at exemplars"),
    )  # fmt: skip
    walk = Walk(pipeline, latents, loop=request.loop)
    key = {"stations": digests, "loop": request.loop, "frames": request.frames, "model": origins.model_digest}
    if isinstance(finishing, str):
        made = Film({}, finishing)
        painter = pipeline.model.card.config.painter
        scale = max(1, round((request.finish.options.size or _BARE_SIDE) / min(painter.height, painter.width)))
        frames = frames_of(walk, pipeline, request.frames, folder, key_of(**key), partial(progress, "painting"))
        film(frames, to, request.fps, scale)
    else:
        text = key_of(**key, fps=request.fps, finish=finishing.finisher.options, exemplars=finishing.digest)
        whole = _FinishedFilm(finishing, pipeline, walk, latents, request, folder, text)
        film(whole.pictures(partial(progress, "finishing")), to, request.fps)
        made = Film(whole.record())
    shutil.rmtree(folder, ignore_errors=True)
    how: dict[str, Any] = {"seconds": request.seconds, "fps": request.fps, "loop": request.loop}
    how |= {"finish": made.finish} if made.finish else {}
    inputs = [*dict.fromkeys(digests), origins.model_digest]
    origins.ledger.record("artist", "walk", inputs=inputs, outputs=[str(to.absolute())], parameters=how)
    return made


@dataclass
class _FinishedFilm:
    """A walk whose pictures are finished, from exemplars that are chosen for its stations."""

    finishing: Finishing
    pipeline: Pipeline
    walk: Walk
    stations: Sequence[Latent]
    request: FilmRequest
    folder: Path
    key: str
    _given: defaultdict[Exemplar, float] = field(default_factory=lambda: defaultdict(float))

    @property
    def keys(self) -> int:
        """How many pictures are finished."""
        return key_count(self.request.frames, self.request.fps, _KEYS_A_SECOND)

    def pictures(self, progress: Callable[[int, int], object]) -> Iterator[NDArray[np.uint8]]:
        """All frames in their order. # uint8 [h, w, 3]"""
        keys = self._finished(progress)
        return faded(looped(keys, self.keys) if self.request.loop else keys, self.keys, self.request.frames)

    def record(self) -> dict[str, Any]:
        """What the act says of whose pictures are in it, most first; known once all frames are made."""
        most = sorted(self._given.items(), key=lambda one: (-one[1], one[0].digest))
        shares = [ShareRow.of(one, share / self.keys).model_dump() for one, share in most]
        return {"options": self.finishing.options.model_dump(), "shares": shares, **owed_to(one for one, _ in most)}

    def _finished(self, progress: Callable[[int, int], object]) -> Iterator[NDArray[np.uint8]]:
        stations = [self.pipeline.composed(one) for one in self.stations]
        for one in key_pictures(
            self.finishing.finisher, self._compositions, self.keys, self.folder, self.key, stations=stations,
            progress=progress,
        ):  # fmt: skip
            for exemplar, share in one.shares:
                self._given[exemplar] += share
            yield one.pixels

    def _compositions(self, first: int) -> Iterator[NDArray[np.uint8]]:
        for chunk in self.walk.latents(self.keys, first):
            yield from self.pipeline.paint(chunk).permute(0, 2, 3, 1).contiguous().numpy()
