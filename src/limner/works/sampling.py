"""New works from a seed: what is asked for, what their files are called, painting and publishing them."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from limner import pictures
from limner.errors import UsageError, check_range
from limner.latent.latents import LatentStore
from limner.latent.pipeline import Painted, Pipeline
from limner.papers.c2pa.provenance import Provenance, TrainingMining
from limner.papers.publishing.copies import CopyFoundError
from limner.papers.publishing.publisher import Job, PublishedWork, Publisher
from limner.pictures.sheets import sheet
from limner.synthesis import FinishOptions
from limner.works.finish_record import FinishRecord
from limner.works.finishing import Finishing, FinishRequest, finished
from limner.works.making import provenance_of
from limner.workspace import Workspace

FORMATS = ("png", "jpeg", "webp", "avif")


@dataclass(frozen=True)
class SampleRequest:
    """Pictures `first` to `first + count` of a seed.

    Attributes:
        truncation: 0 to 1.5; lower is calmer and less varied.
        format: one of `FORMATS`.
        quality: 1 to 100, for formats that lose something.
        title: of the works; model, seed and number otherwise.

    Raises:
        UsageError: one of them is out of range.
    """

    count: int = 16
    seed: int = 1
    first: int = 0
    truncation: float = 1.0
    label: str | None = None
    format: str = "png"
    quality: int = 92
    title: str | None = None
    training_mining: TrainingMining = "notAllowed"
    finish: FinishRequest = field(default_factory=FinishRequest)

    def __post_init__(self) -> None:
        if self.count < 1:
            raise UsageError(f"-n {self.count}", "is no number of pictures", "give 1 or more")
        if self.first < 0:
            raise UsageError(f"--first {self.first}", "is no number of a picture", "give 0 or more")
        check_range("--quality", self.quality, 1, 100)
        check_range("--truncation", self.truncation, 0, 1.5, "; 0.7 is calm, 1 is the model's own")
        if self.format not in FORMATS:
            remedy = f"use one of: {', '.join(FORMATS)}"
            raise UsageError(f"--format {self.format}", "is no format limner writes", remedy)

    def stem(self, model: str) -> str:
        """How files of these works begin: `landscapes-7-t0.7-b0.75`; what is usual is left out."""
        usual = FinishOptions()
        words = {
            "": self.label,
            "t": None if self.truncation == 1 else f"{self.truncation:g}",
            "s": self.finish.options.size,
            "b": None if self.finish.options.borrow == usual.borrow else f"{self.finish.options.borrow:g}",
            "x": self.finish.exemplars and hashlib.sha256(self.finish.exemplars.encode()).hexdigest()[:6],
            "bare": "" if self.finish.bare else None,
        }
        plain = {name: re.sub(r"[^A-Za-z0-9.]+", "_", str(word)) for name, word in words.items() if word is not None}
        return "-".join([f"{model}-{self.seed}", *(name + word for name, word in plain.items())])

    def provenance(self, pipeline: Pipeline, painted: Painted, creator: str, finish: FinishRecord | None) -> Provenance:
        """What the papers of one of them say."""
        return provenance_of(
            pipeline,
            painted.digest,
            creator,
            finish=finish,
            title=self.title or f"{pipeline.model.card.name}, seed {self.seed}, no. {painted.index}",
            seed=self.seed,
            index=painted.index,
            truncation=self.truncation,
            label=self.label,
            training_mining=self.training_mining,
        )


def checked_mining(given: str) -> TrainingMining:
    """Whether others may train on works, as it was given.

    Raises:
        UsageError: it is no such choice.
    """
    match given:
        case "notAllowed" | "allowed" | "constrained":
            return given
    raise UsageError(f"--training-mining {given}", "is no choice", "use notAllowed, allowed or constrained")


@dataclass(frozen=True)
class Sampled:
    """Works that were painted from a seed, how long that took, and those that were stopped as copies."""

    works: list[PublishedWork]
    seconds: float
    stopped: tuple[CopyFoundError, ...] = ()


def sample_works(
    pipeline: Pipeline,
    workspace: Workspace,
    publisher: Publisher,
    request: SampleRequest,
    finishing: Finishing | str,
    folder: Path,
    *,
    sheet_path: Path | None = None,
    progress: Callable[[PublishedWork], object] | None = None,
) -> Sampled:
    """Paint pictures of a seed, finish them, keep their latents and publish them.

    Args:
        folder: where their files go; made already.
        sheet_path: for one sheet of all of them (PNG).
        progress: called with each work as soon as it is recorded.

    Raises:
        PapersError, UsageError, LedgerError: as `Publisher.publish_many` does.
    """
    start, shown, latents = time.monotonic(), list[NDArray[np.uint8]](), LatentStore(workspace)
    stem = request.stem(pipeline.model.name)
    suffix = "jpg" if request.format == "jpeg" else request.format
    painted = pipeline.samples(
        request.count, seed=request.seed, truncation=request.truncation, label=request.label, first=request.first
    )

    def jobs() -> Iterator[Job]:
        for one, pixels, finish in finished(finishing, painted):
            latents.keep(one.latent, f"sha256:{pipeline.model.digest}")
            if sheet_path:
                shown.append(pixels)
            papers = request.provenance(pipeline, one, publisher.identity.name, finish)
            yield pixels, folder / f"{stem}-{one.index:05d}.{suffix}", papers

    stopped = list[CopyFoundError]()
    works = publisher.publish_many(jobs(), progress, quality=request.quality, stopped=stopped)
    if not works and stopped:
        raise stopped[0]
    if sheet_path:
        pictures.write(sheet(np.stack(shown)), sheet_path)
    return Sampled(works, time.monotonic() - start, tuple(stopped))
