"""What a new picture is made from: a work, a picture of a seed, or the artist's own picture."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from limner import pictures
from limner.errors import PictureError, UsageError
from limner.latent.latents import latent_digest
from limner.latent.pipeline import Pipeline
from limner.ledger import Act, Ledger
from limner.models.bundle import find_digest
from limner.models.painter import Latent
from limner.pictures.fitting import Fit, fitted
from limner.works.latent_store import LatentStore
from limner.workspace import Workspace

__all__ = ["Origin", "Origins", "file_digest"]

_SEED = re.compile(r"(\d{1,19}):(\d{1,9})")


@dataclass(frozen=True)
class Origin:
    """One thing that a new picture is made from.

    Attributes:
        told: what the artist called it.
        kind: what it is.
        digest: sha256 of the file, or of the latent for a picture of a seed.
        latent: where it lies in the model's space. # one row
        label: the label that it was drawn for, if any.
    """

    told: str
    kind: Literal["work", "seed", "picture"]
    digest: str
    latent: Latent
    label: str | None = None


class Origins:
    """Finds what the artist names, among a workspace's models, latents and acts.

    Args:
        model: name or file of the model to paint with; None takes that of the first work that is named.
        fit: how pictures of one's own come to the model's size.
    """

    def __init__(
        self,
        workspace: Workspace,
        model: str | None = None,
        *,
        precision: str | None = None,
        fit: Fit = "crop",
    ) -> None:
        self.workspace, self.latents = workspace, LatentStore(workspace)
        self.ledger = Ledger.open(workspace.ledger)
        self._precision, self.fit = precision, fit
        self._pipeline = None if model is None else self._open(model)

    @property
    def pipeline(self) -> Pipeline:
        """The model, ready to paint.

        Raises:
            UsageError: none was named yet, neither itself nor by a work.
        """
        if self._pipeline is None:
            raise UsageError("--model", "is missing", "say which model paints; only a work of limner knows its own")
        return self._pipeline

    @property
    def model_digest(self) -> str:
        """sha256 of the model's file."""
        return f"sha256:{self.pipeline.model.digest}"

    def find(self, told: str, label: str | None = None) -> Origin:
        """What the artist means: a work's file, `SEED:NUMBER`, or another picture, which is encoded.

        Args:
            label: for a picture of a seed.

        Raises:
            UsageError: no such file, no picture, or a work of another model.
        """
        path = Path(told)
        if path.is_file():
            return self._work(told, path) or self._picture(told, path)
        if found := _SEED.fullmatch(told):
            return self._seed(told, int(found[1]), int(found[2]), label)
        raise UsageError(told, "is no file and no picture of a seed", "give a picture's file, or SEED:NUMBER as 7:3")

    def published(self, digest: str) -> Act | None:
        """The act by which a file was published here; the last one, where there were several."""
        acts = [act for act in self.ledger.made(digest) if act.what == "publish"]
        return acts[-1] if acts else None

    def latent_of(self, act: Act) -> Latent | None:
        """The latent of a published work: kept here, or drawn anew from its seed where that gives the same."""
        model, latent = act.inputs[0], act.inputs[-1]
        if self._pipeline is None:
            file = find_digest(model, self.workspace)
            if file is None:
                raise UsageError(
                    model[:19], "no model here has this digest", "give the model that painted it with --model"
                )
            self._pipeline = self._open(str(file))
        kept = self.latents.load(latent)
        if kept is not None:
            return kept[0]
        told = act.parameters
        if model != self.model_digest or told.get("seed") is None or told.get("truncation") is None:
            return None
        drawn = self.pipeline.sample(
            1, seed=told["seed"], first=told["index"], truncation=told["truncation"], label=told["label"]
        )
        return drawn if latent_digest(drawn) == latent else None

    def painted(self, digest: str) -> NDArray[np.uint8] | None:
        """A latent that is kept here as its model paints it; None where either is gone. # uint8 [h, w, 3]"""
        kept = self.latents.load(digest)
        if kept is None:
            return None
        if self._pipeline is None:
            file = find_digest(kept[1], self.workspace)
            self._pipeline = None if file is None else self._open(str(file))
        if self._pipeline is None or kept[1] != self.model_digest:
            return None
        return self._pipeline.composed(kept[0])

    def _work(self, told: str, path: Path) -> Origin | None:
        digest = file_digest(path)
        act = self.published(digest)
        if act is None:
            return None
        latent = self.latent_of(act)
        if latent is None:
            return None
        if act.inputs[0] != self.model_digest:
            # Another model's space: the picture is all that the two have in common.
            return None
        return Origin(told, "work", digest, latent, act.parameters.get("label"))

    def _picture(self, told: str, path: Path) -> Origin:
        config = self.pipeline.model.card.config.painter
        try:
            pixels = pictures.read(path).pixels
        except PictureError as error:
            raise UsageError(error.value, error.reason, error.remedy or "give another picture") from None
        latent = self.pipeline.encode(fitted(pixels, (config.height, config.width), self.fit)[None])
        return Origin(told, "picture", file_digest(path), latent)

    def _seed(self, told: str, seed: int, index: int, label: str | None) -> Origin:
        latent = self.pipeline.sample(1, seed=seed, first=index, label=label)
        return Origin(told, "seed", latent_digest(latent), latent, label)

    def _open(self, model: str) -> Pipeline:
        return Pipeline.open(model, self.workspace, precision=self._precision)


def file_digest(path: Path) -> str:
    """sha256 of a file, `sha256:` before it.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    except OSError as error:
        raise UsageError(path, f"cannot be read ({error.strerror})", "give another file") from error
