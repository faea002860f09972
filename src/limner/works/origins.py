"""What a new work is made from: a work, a picture of a seed, or the artist's own picture."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from limner import pictures
from limner.digests import digest_of_file
from limner.errors import PictureError, UsageError
from limner.latent.latents import LatentStore, latent_digest
from limner.latent.pipeline import Pipeline
from limner.ledger import Ledger
from limner.models.bundle import find_digest
from limner.models.painter import Latent
from limner.papers.publishing.published import Published
from limner.pictures.fitting import Fit, fitted
from limner.works.acts import ENLARGE, WorkAct
from limner.works.retouches import retouches_of
from limner.workspace import Workspace

Kind = Literal["work", "seed", "picture"]
_SEED = re.compile(r"(\d{1,19}):(\d{1,9})")


@dataclass(frozen=True)
class Origin:
    """One thing that a new work is made from.

    Attributes:
        name: what the artist called it: a file, or `SEED:NUMBER`.
        digest: sha256 of the file, or of the latent for a picture of a seed.
        latent: where it lies in the model's space. # one row
    """

    name: str
    kind: Kind
    digest: str
    latent: Latent
    label: str | None = None


class Origins:
    """Finds what the artist names, among a workspace's models, latents and acts.

    Args:
        model: name or file of the model to paint with; None takes that of the first work that is named.
        allow_superseded, looks: as in `Pipeline.open`.
    """

    def __init__(
        self,
        workspace: Workspace,
        model: str | None = None,
        *,
        precision: str | None = None,
        fit: Fit = "crop",
        allow_superseded: str | None = None,
        looks: bool = False,
    ) -> None:
        self.workspace, self.latents = workspace, LatentStore(workspace)
        self.ledger = Ledger.open(workspace.ledger)
        self.fit = fit
        self._opened: dict[str, Any] = {"precision": precision, "allow_superseded": allow_superseded, "looks": looks}
        self._pipeline: Pipeline | None = None
        if model is not None:
            self._open(model)

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

    def find(self, name: str, label: str | None = None) -> Origin:
        """What the artist means: a work's file, `SEED:NUMBER`, or another picture, which is encoded.

        Args:
            label: for a picture of a seed.

        Raises:
            UsageError: no such file, no picture, or a work whose model is not here.
        """
        path = Path(name)
        if path.is_file():
            return self._work(path, name) or self._picture(path, name)
        if found := _SEED.fullmatch(name):
            latent = self.pipeline.sample(1, seed=int(found[1]), first=int(found[2]), label=label)
            return Origin(name, "seed", latent_digest(latent), latent, label)
        raise UsageError(name, "is no file and no picture of a seed", "give a picture's file, or SEED:NUMBER as 7:3")

    def published(self, digest: str) -> Published | None:
        """The work whose file has this digest, as it was published here last; None where it was not."""
        return Published.find(self.ledger, digest)

    def work(self, path: Path) -> Published:
        """The work that a file is.

        Raises:
            UsageError: it was not published here, or was changed since.
        """
        found = self.published(file_digest(path))
        if found is None:
            raise UsageError(path, "was not published here, or was changed since", "check it with `limner verify`")
        return found

    def latent_of(self, work: Published) -> Latent | None:
        """The latent of a published work: kept here, or drawn anew from its seed where that gives the same.

        A print knows of no seed: where its latent is gone, that of the work it was made from is asked for.

        Raises:
            UsageError: no model was named, and that of the work is not here.
        """
        if self._pipeline is None and not self._open_digest(work.model):
            remedy = "give the model that painted it with --model"
            raise UsageError(work.model[:19], "no model here has this digest", remedy)
        if kept := self.latents.load(work.latent):
            return kept[0]
        act = WorkAct.find(self.ledger, work.digest)
        if act is not None and act.what == ENLARGE and (former := self.published(act.parents[0])):
            return self.latent_of(former)
        if work.model != self.model_digest or work.seed is None or work.index is None or work.truncation is None:
            return None
        drawn = self.pipeline.sample(1, seed=work.seed, first=work.index, truncation=work.truncation, label=work.label)
        return drawn if latent_digest(drawn) == work.latent else None

    def painted(self, digest: str) -> NDArray[np.uint8] | None:
        """A latent that is kept here as its model paints it; None where either is gone. # uint8 [h, w, 3]"""
        latent, model = self.latents.load(digest) or (None, "")
        if latent is None or (self._pipeline is None and not self._open_digest(model)) or model != self.model_digest:
            return None
        return self.pipeline.composed(latent)

    def _work(self, path: Path, name: str) -> Origin | None:
        """None for what is no work, or of another model: the picture is all that two models have in common."""
        work = self.published(file_digest(path))
        latent = None if work is None else self.latent_of(work)
        if work is None or latent is None or work.model != self.model_digest or retouches_of(self.ledger, work):
            return None  # of a retouched work, the latent knows too little
        return Origin(name, "work", work.digest, latent, work.label)

    def _picture(self, path: Path, name: str) -> Origin:
        config = self.pipeline.model.card.config.painter
        latent = self.pipeline.encode(fitted(pixels_of(path), (config.height, config.width), self.fit)[None])
        return Origin(name, "picture", file_digest(path), latent)

    def _open_digest(self, digest: str) -> bool:
        if (file := find_digest(digest, self.workspace)) is not None:
            self._open(str(file))
        return file is not None

    def _open(self, model: str) -> None:
        self._pipeline = Pipeline.open(model, self.workspace, **self._opened)


def pixels_of(path: Path, background: tuple[int, int, int] = (255, 255, 255)) -> NDArray[np.uint8]:
    """The pixels of a picture that a command is given. # uint8 [h, w, 3]

    Raises:
        UsageError: it is no usable picture.
    """
    try:
        return pictures.read(path, background=background).pixels
    except PictureError as error:
        raise UsageError(error.value, error.reason, error.remedy or "give another picture") from None


def file_digest(path: Path) -> str:
    """sha256 of a file, `sha256:` before it.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        return digest_of_file(path)
    except OSError as error:
        raise UsageError(path, f"cannot be read ({error.strerror})", "give another file") from error
