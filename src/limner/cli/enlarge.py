"""`limner enlarge`: a larger print of a work."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limner.cli.common import print_json, progress_bar
from limner.cli.making import ENDINGS, Identity, Json, Title, ready_to_sign
from limner.cli.options import Overwrite
from limner.cli.outputs import output
from limner.errors import UsageError

if TYPE_CHECKING:
    from limner.ledger import Act
    from limner.models.painter import Latent
    from limner.models.upscaler import UpscalerFile
    from limner.papers.c2pa.provenance import Provenance
    from limner.works.enlarging import Enlargement
    from limner.works.origins import Origins

__all__ = ["register"]

_ENLARGED = ", enlarged to "
_LARGEST_FINISH = 2048
"""Largest shorter side of a finish, px."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("enlarge", rich_help_panel="Paint")(_enlarge)


def _enlarge(
    work: Annotated[Path, typer.Argument(help="A work's file.")],
    to: Annotated[int, typer.Option(help="Longer side of the print in pixels.")] = 2048,
    upscaler: Annotated[
        str, typer.Option(help="learned, none (Lanczos alone), or an up-scaler's name or file.")
    ] = "learned",
    strength: Annotated[float, typer.Option(help="How much detail the up-scaler adds, 0 to 1.")] = 0.6,
    out: Annotated[
        Path | None, typer.Option(help="File for the print, or folder; the workspace's works by default.")
    ] = None,
    overwrite: Overwrite = False,
    title: Title = None,
    identity: Identity = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
    as_json: Json = False,
) -> None:
    """Make a larger print of a work: it is painted again from its latent, and finished at the larger size.

    A work that was not finished from exemplars is enlarged by a small network:
    [bold]learned[/bold] is the up-scaler that was trained here on the pictures that the work's model learned from;
    otherwise the one that comes with limner, which learned from paintings.

    Example: [bold]limner enlarge dusk.png --to 2048[/bold]
    """
    from contextlib import closing

    from limner.latent.latents import latent_digest
    from limner.models.upscaler import find_upscaler, kept_upscaler
    from limner.works.enlarging import enlarge, grain_of, plan_enlargement
    from limner.works.intake import Intake
    from limner.works.origins import Origin

    if out is not None and out.suffix:
        output(out, option="--out", endings=ENDINGS, sources=(work,), overwrite=overwrite)
    origins, act, latent, digest = _work(work)
    if act.parameters.get("finish"):
        print_ = _finish_larger(origins, act, latent, digest, work, to, out, title, identity, overwrite)
        print_json(print_) if as_json else print(print_["path"])
        return
    card = origins.pipeline.model.card
    painter = card.config.painter
    file = None
    plan = plan_enlargement(painter.height, painter.width, to, learned=upscaler != "none")
    if upscaler != "none":
        # Kept here, so that the print can be made again.
        file = kept_upscaler(find_upscaler(upscaler, origins.workspace, card.collection.digest), origins.workspace)
    how = _how(plan, file, to, strength)
    path = _place(out, origins, act.inputs[-1], plan.width, plan.height)
    start = time.monotonic()
    pixels = origins.pipeline.composed(latent)
    with progress_bar(quiet=quiet or as_json, unit="tiles") as bar:
        task = bar.add_task("enlarging", total=None)
        pixels = enlarge(
            pixels,
            plan,
            file.network if file else None,
            origins.pipeline.machine,
            seed=grain_of(latent_digest(latent)),
            strength=strength,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    own = str(act.parameters.get("title") or card.name).partition(_ENLARGED)[0]
    title = title or f"{own}{_ENLARGED}{plan.width}x{plan.height}"
    with closing(Intake(origins.workspace)) as intake:
        kept = intake.of([Origin(str(work), "work", digest, latent)], works=True)
    told = {"title": title, "made": "enlarge", "parents": (digest,), "how": how, "ingredients": kept}
    made = _publish(origins, file, identity, overwrite, (pixels, path, latent_digest(latent), told))
    took = time.monotonic() - start
    if as_json:
        print_json({"path": str(path), "digest": made, "how": how, "seconds": round(took, 2)})
    else:
        print(path)


def _finish_larger(
    origins: Origins,
    act: Act,
    latent: Latent,
    digest: str,
    work: Path,
    to: int,
    out: Path | None,
    title: str | None,
    identity: str | None,
    overwrite: bool,
) -> dict[str, Any]:
    """Finish a work's composition anew with a longer side of `to` px, publish that, and say what came of it."""
    from contextlib import closing

    from limner.latent.latents import latent_digest
    from limner.works.finishing import composed, finishing_as
    from limner.works.intake import Intake
    from limner.works.origins import Origin

    start, former = time.monotonic(), act.parameters["finish"]
    painted = origins.pipeline.composed(latent)
    composition = composed(former, origins.workspace, painted)
    height, width = composition.shape[:2]
    shorter = round(to * min(height, width) / max(height, width))
    if not former["options"]["size"] < shorter <= _LARGEST_FINISH:
        least = former["options"]["size"] * max(height, width) // min(height, width) + 1
        raise UsageError(
            f"--to {to}",
            "is no larger than the work" if shorter <= _LARGEST_FINISH else "is larger than a finish can be",
            f"give {least} to {_LARGEST_FINISH * max(height, width) // min(height, width)}",
        )
    finishing = finishing_as(former, origins.pipeline.model, origins.workspace, act.parameters.get("label"), shorter)
    chosen = finishing.chosen_as(former)
    finished = finishing.finisher.finish(composition, chosen=chosen)
    size = finished.pixels.shape[1], finished.pixels.shape[0]
    how = {"finish": "exemplars", "size": f"{size[0]}x{size[1]}", "to": to}
    path = _place(out, origins, act.inputs[-1], *size)
    own = str(act.parameters.get("title") or origins.pipeline.model.card.name).partition(_ENLARGED)[0]
    with closing(Intake(origins.workspace)) as intake:
        kept = intake.of([Origin(str(work), "work", digest, latent)], works=True)
    told = {
        "title": title or f"{own}{_ENLARGED}{size[0]}x{size[1]}",
        "made": "enlarge",
        "parents": (digest,),
        "how": how,
        "ingredients": kept,
        "finish": {**finishing.told(finished), **{k: former[k] for k in ("composition", "chosen") if k in former}},
        "label": act.parameters.get("label"),
    }
    made = _publish(origins, None, identity, overwrite, (finished.pixels, path, latent_digest(latent), told))
    return {"path": str(path), "digest": made, "how": how, "seconds": round(time.monotonic() - start, 2)}


def _work(work: Path) -> tuple[Origins, Act, Latent, str]:
    """Where the work was published, its latent, and the digest of its file."""
    from limner.works.enlarging import latent_of
    from limner.works.origins import Origins, file_digest
    from limner.workspace import Workspace

    digest = file_digest(work)
    origins = Origins(Workspace.default())
    act = origins.published(digest)
    if act is None:
        raise UsageError(work, "is no work that was published here, or was changed since", "give a work's file")
    # In the precision of then, so that the print is of the same picture.
    origins = Origins(origins.workspace, precision=act.parameters.get("precision"))
    latent = latent_of(origins, digest)
    if latent is None:
        raise UsageError(work, "its latent is not kept here and its seed gives another", "enlarge it where it was made")
    return origins, act, latent, digest


def _how(plan: Enlargement, file: UpscalerFile | None, to: int, strength: float) -> dict[str, Any]:
    """What the papers and the ledger say of the enlargement."""
    told: dict[str, Any] = {"size": f"{plan.width}x{plan.height}", "factor": round(plan.factor, 4), "to": to}
    if file is None:
        return {"upscaler": "Lanczos", **told}
    return {
        "upscaler": file.card.name,
        "upscaler_digest": f"sha256:{file.digest}",
        "upscaler_collection": f"sha256:{file.card.collection.digest}",
        "doublings": plan.steps,
        "strength": strength,
        **told,
    }


def _place(out: Path | None, origins: Origins, latent: str, width: int, height: int) -> Path:
    workspace, name = origins.workspace, origins.pipeline.model.name
    if out is not None and out.suffix:
        return out
    folder = workspace.make(out or workspace.works / name)
    return folder / f"{name}-enlarge-{latent.removeprefix('sha256:')[:10]}-{width}x{height}.png"


def _publish(
    origins: Origins,
    file: UpscalerFile | None,
    identity: str | None,
    overwrite: bool,
    job: tuple[Any, Path, str, dict[str, Any]],
) -> str:
    """Publish the print and record how it came about; the digest of its file."""
    from limner.works.making import provenance_of

    opened = ready_to_sign(origins.workspace, identity=identity, overwrite=overwrite)
    pixels, path, latent, told = job
    with opened as publisher:
        papers = provenance_of(origins.pipeline, latent, publisher.identity.name, **told)
        work = publisher.publish(pixels, path, _with_rights(papers, origins, file))
    origins.ledger.record(
        "artist",
        "enlarge",
        inputs=[*told["parents"], origins.model_digest],
        outputs=[work.digest],
        parameters=told["how"],
    )
    return work.digest


def _with_rights(papers: Provenance, origins: Origins, file: UpscalerFile | None) -> Provenance:
    """With the rights in the pictures that the up-scaler, and tools before it, learned from."""
    from limner.rights import credit_line, joined
    from limner.works.owing import rights_of

    card = origins.pipeline.model.card
    rights = rights_of(card.rights, origins.ledger, papers.parents, papers.how)
    if file is not None and file.card.collection.digest != card.collection.digest:
        rights = joined(rights, file.card.rights)
    if rights == card.rights:
        return papers
    return replace(papers, credit=credit_line(rights), licences=rights.licences)
