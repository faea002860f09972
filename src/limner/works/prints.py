"""Prints: a larger edition of a work, painted again from its latent, and finished or up-scaled at the larger size."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limner.errors import UsageError
from limner.latent.latents import latent_digest
from limner.ledger import Ledger
from limner.models.painter import Latent
from limner.models.superseded import check_tool
from limner.models.upscaler import STRENGTH, UpscalerFile, find_upscaler, find_upscaler_digest, kept_upscaler
from limner.papers.publishing.published import Published
from limner.papers.publishing.publisher import Publisher
from limner.rights import joined
from limner.works.acts import ENLARGE, WorkAct
from limner.works.credits import rights_of
from limner.works.enlarging import Enlargement, enlarge, noise_seed, plan_enlargement
from limner.works.finish_record import FinishRecord
from limner.works.finishing import composition_of, finishing_as
from limner.works.intake import Intake
from limner.works.making import provenance_of
from limner.works.origins import Origin, Origins
from limner.works.retouches import retouches_of
from limner.workspace import Workspace

LARGEST_FINISH = 2048
"""Largest shorter side of a finish, px."""
Progress = Callable[[int, int], object]


@dataclass(frozen=True)
class Source:
    """A published work that a print is made of.

    Attributes:
        origins: its workspace and its model, in the precision of then, so that the print is of the same picture.
    """

    path: Path
    work: Published
    origins: Origins
    latent: Latent

    @classmethod
    def open(
        cls,
        path: Path,
        workspace: Workspace,
        model: str | None = None,
        *,
        allow_superseded: str | None = None,
        looks: bool = False,
    ) -> Source:
        """The work that a file is.

        Args:
            model: name or file of the one that painted it, where that lies outside of the workspace.
            allow_superseded, looks: as in `Pipeline.open`.

        Raises:
            UsageError: it is no work that was published here, its latent or model is gone, or the model is another.
        """
        work = Origins(workspace).work(path)
        if retouches_of(Ledger.open(workspace.ledger), work):
            reason = "was worked on in another program, which its latent knows nothing of"
            raise UsageError(path, reason, "take the edition before that, or enlarge it in that program")
        how: dict[str, Any] = {"allow_superseded": allow_superseded, "looks": looks}
        origins = Origins(workspace, model, precision=work.precision, **how)
        if model is not None and origins.model_digest != work.model:
            raise UsageError(f"--model {model}", "is not the model that painted it", f"give {work.model[:19]}")
        latent = origins.latent_of(work)
        if latent is None:
            reason = "its latent is not kept here and its seed gives another"
            raise UsageError(path, reason, "use the machine that it is from")
        return cls(path, work, origins, latent)


@dataclass(frozen=True)
class PrintRequest:
    """What the artist asks of a print.

    Attributes:
        to: longer side, px.
        upscaler: `learned`, `none` (Lanczos alone), or an up-scaler's name or file; of no use to a finished work.
        strength: 0 to 1, how much detail the up-scaler adds.
        out: a file, or a folder; None is the workspace's works.
        title: None for that of the work, and the size.
    """

    to: int
    upscaler: str
    strength: float
    out: Path | None
    title: str | None


@dataclass(frozen=True)
class Print:
    """A print that was made: its file and digest, the words and numbers of how, and how long it took."""

    path: Path
    digest: str
    how: dict[str, Any]
    seconds: float


@dataclass(frozen=True)
class _Enlarged:
    """The pixels of a print, and what papers and ledger say of them. # uint8 [h, w, 3]"""

    pixels: NDArray[np.uint8]
    how: dict[str, Any]
    finish: FinishRecord | None = None
    upscaler: UpscalerFile | None = None


def make_print(source: Source, request: PrintRequest, publisher: Publisher, progress: Progress) -> Print:
    """Make a larger print of a work, publish it and record how it came about.

    Args:
        progress: called with the tiles that are done, and of how many; not for a finished work.

    Raises:
        UsageError: the size or strength is out of range, or exemplars or up-scaler are not here.
        PapersError, LedgerError: as `Publisher.publish` does.
    """
    start, work, origins = time.monotonic(), source.work, source.origins
    record = FinishRecord.of(work.finish)
    made = _finished(source, record, request.to) if record else _upscaled(source, request, progress)
    height, width = made.pixels.shape[:2]
    how = {**made.how, "titled": True} if request.title else made.how
    path = _path(source, request.out, f"{width}x{height}")
    with closing(Intake(origins.workspace)) as intake:
        kept = intake.of([Origin(str(source.path), "work", work.digest, source.latent)], works=True)
    card = origins.pipeline.model.card
    rights = rights_of(card.rights, origins.ledger, (work.digest,), how)
    if made.upscaler and made.upscaler.card.collection.digest != card.collection.digest:
        rights = joined(rights, made.upscaler.card.rights)
    papers = provenance_of(
        origins.pipeline,
        work.latent,
        publisher.identity.name,
        rights=rights,
        finish=made.finish,
        title=request.title or f"{_first_title(work, origins.ledger) or card.name}, enlarged to {width}x{height}",
        made=ENLARGE,
        parents=(work.digest,),
        how=how,
        ingredients=kept,
        label=work.label if made.finish else None,
    )
    published = publisher.publish(made.pixels, path, papers)
    act = WorkAct(ENLARGE, (work.digest,), origins.model_digest, published.digest, how)
    origins.ledger.record_many([act.entry()])
    return Print(path, published.digest, made.how, round(time.monotonic() - start, 2))


def enlarged_again(origins: Origins, latent: Latent, how: dict[str, Any]) -> NDArray[np.uint8]:
    """A print by an up-scaler, made again as its act says. # -> uint8 [h, w, 3]

    Raises:
        UsageError: its up-scaler is gone.
    """
    wanted, file = how.get("upscaler_digest"), None
    if wanted is not None:
        file = find_upscaler_digest(str(wanted), origins.workspace)
        if file is None:
            remedy = f"put back {str(wanted)[:19]}"
            raise UsageError(str(how.get("upscaler")), "the up-scaler of this work is no longer here", remedy)
    return _enlarged(origins, latent, file, int(how["to"]), float(how.get("strength", STRENGTH)))[0]


def _first_title(work: Published, ledger: Ledger) -> str:
    """The title of the work that a print goes back to, or of the print between them that the artist gave a title."""
    while (act := WorkAct.find(ledger, work.digest)) and act.what == ENLARGE and not act.how.get("titled"):
        former = Published.find(ledger, act.parents[0])
        if former is None:
            break
        work = former
    return work.title


def _upscaled(source: Source, request: PrintRequest, progress: Progress) -> _Enlarged:
    origins, file = source.origins, None
    if request.upscaler != "none":
        own = origins.pipeline.model.card.collection.digest
        # Checked before the up-scaler is read, and that is kept here, so that the print can be made again.
        _plan(origins, request.to, learned=True)
        found = find_upscaler(request.upscaler, origins.workspace, own)
        if not origins.pipeline.superseded:
            remedy = "train another, or give --upscaler none"
            check_tool(f"up-scaler {found.card.name}", found.digest, origins.workspace, remedy)
        file = kept_upscaler(found, origins.workspace)
    pixels, plan = _enlarged(origins, source.latent, file, request.to, request.strength, progress)
    how: dict[str, Any] = {"size": f"{plan.width}x{plan.height}", "factor": round(plan.factor, 4), "to": request.to}
    if file is None:
        return _Enlarged(pixels, {"upscaler": "Lanczos", **how})
    learned = {
        "upscaler": file.card.name,
        "upscaler_digest": f"sha256:{file.digest}",
        "upscaler_collection": f"sha256:{file.card.collection.digest}",
        "doublings": plan.steps,
        "strength": request.strength,
    }
    return _Enlarged(pixels, {**learned, **how}, upscaler=file)


def _plan(origins: Origins, to: int, *, learned: bool) -> Enlargement:
    painter = origins.pipeline.model.card.config.painter
    return plan_enlargement(painter.height, painter.width, to, learned=learned)


def _enlarged(
    origins: Origins,
    latent: Latent,
    file: UpscalerFile | None,
    to: int,
    strength: float,
    progress: Progress = lambda done, total: None,
) -> tuple[NDArray[np.uint8], Enlargement]:
    plan, pixels = _plan(origins, to, learned=file is not None), origins.pipeline.composed(latent)
    network, seed = file.network if file else None, noise_seed(latent_digest(latent))
    machine = origins.pipeline.machine
    return enlarge(pixels, plan, network, machine, seed=seed, strength=strength, progress=progress), plan


def _finished(source: Source, record: FinishRecord, to: int) -> _Enlarged:
    """A finished work, its composition finished anew with a longer side of `to` px."""
    work, pipeline, workspace = source.work, source.origins.pipeline, source.origins.workspace
    composition = composition_of(record, workspace, pipeline.composed(source.latent))
    shorter, longer = sorted(composition.shape[:2])
    side, former = round(to * shorter / longer), record.options.size or 0
    if not former < side <= LARGEST_FINISH:
        raise UsageError(
            f"--to {to}",
            "is no larger than the work" if side <= LARGEST_FINISH else "is larger than a finish can be",
            f"give {former * longer // shorter + 1} to {LARGEST_FINISH * longer // shorter}",
        )
    finishing = finishing_as(record, pipeline.model, workspace, work.label, side)
    found = finishing.again(record, composition)
    height, width = found.pixels.shape[:2]
    kept = {"composition": record.composition, "chosen": record.chosen}
    how = {"finish": "exemplars", "size": f"{width}x{height}", "to": to}
    return _Enlarged(found.pixels, how, finishing.record(found).model_copy(update=kept))


def _path(source: Source, out: Path | None, size: str) -> Path:
    if out is not None and out.suffix:
        return out
    workspace, name = source.origins.workspace, source.origins.pipeline.model.name
    folder = workspace.make(out or workspace.works / name)
    return folder / f"{name}-enlarge-{source.work.latent.removeprefix('sha256:')[:10]}-{size}.png"
