"""Painting a work again from its latent, and saying how like the file the picture is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from limner.errors import UsageError
from limner.models.similarity import psnr
from limner.papers.publishing.published import Published
from limner.papers.watermark import PUBLIC_KEY
from limner.papers.watermark.keys import known_keys
from limner.papers.watermark.marking import marked
from limner.works.acts import ENLARGE, WorkAct
from limner.works.finish_record import FinishRecord
from limner.works.finishing import composition_of, finishing_as
from limner.works.origins import Origins, pixels_of
from limner.works.prints import Source, enlarged_again
from limner.workspace import Workspace

_SAME_TO_THE_EYE = 40.0


@dataclass(frozen=True)
class Reproduction:
    """What came of painting a work again.

    Attributes:
        identical: every pixel is the same.
        psnr: likeness in dB; infinite where identical.
        lossy: the file's format does not keep every pixel, so that no more than likeness can be shown.
        precision, was: what it was painted in now, and then.
    """

    path: Path
    model: str
    latent: str
    identical: bool
    psnr: float
    lossy: bool
    precision: str
    was: str | None
    enlarged: bool

    @property
    def same(self) -> bool:
        """Whether the picture is the same, as far as the file can tell."""
        return self.identical or self.psnr >= _SAME_TO_THE_EYE

    @property
    def verdict(self) -> str:
        """One line in words."""
        done = "painted again from its latent" + (" and enlarged" if self.enlarged else "")
        if self.identical:
            return f"{done}, every pixel is the same"
        why = "the file's format keeps no exact pixels" if self.lossy else f"painted in {self.was} then"
        if self.same:
            return f"{done}, the same to the eye ({self.psnr:.1f} dB; {why})"
        return f"{done}, it is another picture ({self.psnr:.1f} dB)"


def reproduce(path: Path, workspace: Workspace, model: str | None = None) -> Reproduction:
    """Paint a work again, finish or enlarge and mark it again where it was, and compare.

    Args:
        model: name or file of the one that painted it, where that lies outside of the workspace.

    Raises:
        UsageError: the model is another one, the file is no first edition of a work of this workspace, or its latent,
            model, exemplars or up-scaler are gone.
    """
    origins = Origins(workspace)
    work = origins.work(path)
    if work.former is not None:
        where = _first_edition(origins, work)
        raise UsageError(path, "is a further edition of a work, made from its file", f"reproduce that: {where}")
    source = Source.open(path, workspace, model, looks=True)
    kept = pixels_of(path)
    act = WorkAct.find(source.origins.ledger, work.digest)
    enlarging = act if act is not None and act.what == ENLARGE else None
    painted = _painted(source, enlarging)
    if work.watermark:
        keys = {one.fingerprint: one.secret for one in known_keys(workspace)}
        painted = marked(painted, int(work.watermark, 16), keys.get(work.mark_key or "", PUBLIC_KEY))
    if painted.shape != kept.shape:
        raise UsageError(path, "has another size than the model paints", "its act of enlarging is not in the ledger")
    identical = bool(np.array_equal(painted, kept))
    pipeline = source.origins.pipeline
    return Reproduction(
        path=path,
        model=pipeline.model.card.name,
        latent=work.latent,
        identical=identical,
        psnr=float("inf") if identical else float(psnr(_batch(painted), _batch(kept))[0]),
        lossy=path.suffix.lower() != ".png",
        precision=pipeline.machine.precision,
        was=work.precision,
        enlarged=enlarging is not None,
    )


def _painted(source: Source, enlarging: WorkAct | None) -> NDArray[np.uint8]:
    """The work as it is made from its latent, without its watermark. # uint8 [h, w, 3]"""
    origins, record = source.origins, FinishRecord.of(source.work.finish)
    if enlarging is not None and record is None:
        return enlarged_again(origins, source.latent, dict(enlarging.how))
    painted = origins.pipeline.composed(source.latent)
    if record is None:
        return painted
    finishing = finishing_as(record, origins.pipeline.model, origins.workspace, source.work.label)
    return finishing.again(record, composition_of(record, origins.workspace, painted)).pixels


def _batch(pixels: NDArray[np.uint8]) -> torch.Tensor:
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None]


def _first_edition(origins: Origins, work: Published) -> str:
    """Where the work lies that an edition was made from, however often it was published again."""
    met = set[str]()
    while work.former and work.former not in met:
        met.add(work.former)
        former = origins.published(work.former)
        if former is None:
            return work.former
        work = former
    return str(work.path)
