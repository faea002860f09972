"""limner as one of the programs: trained by its command line, painted through its Python interface."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from bench.peers.common import SIDE, Pictures, Stage, now, own_time
from limner.cli.training_bar import TerminalReporter
from limner.collection import Collection
from limner.latent.pipeline import Pipeline
from limner.models.latent_model import DRAWN
from limner.models.painter import Latent
from limner.synthesis import FinishOptions
from limner.training.options import TrainOptions
from limner.training.trainer import Training
from limner.works.finishing import Finishing, FinishRequest, finishing_for
from limner.workspace import Workspace

__all__ = ["FinishedLimner", "Limner", "made"]

_FINISHED = 128
"""Side at which pictures are finished, px."""


class Limner:
    """One training.

    Args:
        family: `vae` or `gan`.
        collection: name of the collection in the workspace that LIMNER_HOME names; its training pictures are the ones
            that the other programs get as files.
    """

    def __init__(self, family: str, collection: str) -> None:
        self.family, self.collection = family, collection
        self.choices = ["no labels, as the other programs know none"]
        self._pipeline: Pipeline | None = None
        self._drawn, self._seed = 0, 0

    def train(self, folder: Path, seconds: float, *, seed: int, threads: int, place: Path) -> list[Stage]:
        """By `limner train`, or what it calls where minutes are the processor's own; `folder` holds the same pictures
        and is not read."""
        name = f"bench-{place.name}"[:64]
        command = [
            sys.executable, "-m", "limner", "train", self.collection, "--name", name, "--family", self.family,
            "--minutes", f"{seconds / 60:g}", "--seed", str(seed), "--threads", str(threads),
            "--accept-unknown", "a measurement",
        ]  # fmt: skip
        workspace = Workspace.default()
        if own_time():
            _train_here(name, self.family, self.collection, seconds, seed, threads, workspace)
        else:
            subprocess.run(command, check=True)
        return self._open(name, workspace, seed, threads)

    def _open(self, name: str, workspace: Workspace, seed: int, threads: int) -> list[Stage]:
        self._pipeline = Pipeline.open(name, workspace, threads=threads)
        self._drawn, self._seed = 0, seed + 1
        self.choices.append(f"precision {self._pipeline.machine.precision}, chosen by its own probe")
        states: list[dict[str, Any]] = json.loads((workspace.runs / name / "stages.json").read_text())
        return [Stage(s["stage"], s["pictures"], s["step"], s["seconds"]) for s in states]

    @property
    def pipeline(self) -> Pipeline:
        """The trained model, ready to paint."""
        assert self._pipeline is not None
        return self._pipeline

    def draw(self, count: int) -> Latent:
        """By the model's prior; each call draws the next ones of one seed."""
        with self.pipeline.machine.autocast():
            latents = self.pipeline.model.generator.sample(count, seed=self._seed, first=self._drawn)
        self._drawn += -(-count // DRAWN) * DRAWN
        return latents

    def paint(self, latents: Latent) -> Pictures:
        """By the painter."""
        found: Pictures = self.pipeline.paint(latents).permute(0, 2, 3, 1).numpy()
        return found

    def between(self, first: Latent, last: Latent, share: float) -> Latent:
        """On the straight line."""
        return Latent(*(a + share * (b - a) for a, b in zip(first, last, strict=True)))

    def reconstruct(self, pictures: Pictures) -> Pictures | None:
        """From the mean of what the encoder finds; both families keep one."""
        given = torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)))
        return self.paint(self.pipeline.encode(given))

    def parameters(self) -> dict[str, int]:
        """Each network of the saved model."""
        named = self.pipeline.model.generator.named_children()
        return {name: sum(p.numel() for p in part.parameters()) for name, part in named}


class FinishedLimner(Limner):
    """The same model, its compositions finished from the training pictures and made small for the measurement.

    The training of the bare one is taken where it lies here already: it is the same one.
    """

    def __init__(self, family: str, collection: str) -> None:
        super().__init__(family, collection)
        self.choices.append(f"finished at {_FINISHED} px, then made small to {SIDE} px as all are measured")
        self._finishing: Finishing | None = None

    def train(self, folder: Path, seconds: float, *, seed: int, threads: int, place: Path) -> list[Stage]:
        """By `limner train`, unless the bare one was trained here."""
        workspace, bare = Workspace.default(), place.with_name(place.name.replace("-finished", ""))
        name = f"bench-{bare.name}"[:64]
        if (workspace.models / f"{name}.safetensors").is_file():
            stages = self._open(name, workspace, seed, threads)
        else:
            stages = super().train(folder, seconds, seed=seed, threads=threads, place=bare)
        finishing = finishing_for(
            self.pipeline.model, workspace, FinishRequest(FinishOptions(size=_FINISHED)), threads=threads
        )
        assert not isinstance(finishing, str), finishing
        self._finishing = finishing
        return stages

    def paint(self, latents: Latent) -> Pictures:
        """By the painter, then from patches of the training pictures."""
        assert self._finishing is not None
        composed = super().paint(latents)
        found = [one.pixels for one in self._finishing.finisher.finish_many(composed)]
        how = Image.Resampling.LANCZOS
        return np.stack([np.asarray(Image.fromarray(one).resize((SIDE, SIDE), how)) for one in found])

    def reconstruct(self, pictures: Pictures) -> Pictures | None:
        """A finish paints no picture again."""
        return None


def _train_here(
    name: str, family: str, collection: str, seconds: float, seed: int, threads: int, workspace: Workspace
) -> None:
    options = TrainOptions.model_validate(
        {"name": name, "family": family, "minutes": seconds / 60, "seed": seed, "threads": threads}
        | {"accept_unknown": "a measurement"}
    )
    with TerminalReporter() as reporter:
        Training(options, Collection.open(collection, workspace), workspace, reporter, resume=False, clock=now).run()


def made(family: str, finished: bool = False) -> Limner:
    """For the harness: the collection is named by BENCH_COLLECTION."""
    return (FinishedLimner if finished else Limner)(family, os.environ["BENCH_COLLECTION"])
