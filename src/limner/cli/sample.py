"""`limner sample`: paint new pictures; each is signed and recorded."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from limner.cli.common import console_error, print_json, progress_bar, progress_of
from limner.cli.completing import labels
from limner.cli.making import Finish, Signing, check_present, ready_to_sign, unfinished_line
from limner.cli.options import AllowSuperseded, Json, ModelName, Overwrite, Quiet, grouped
from limner.cli.outputs import output
from limner.workspace import Workspace

if TYPE_CHECKING:
    from limner.works.sampling import Sampled, SampleRequest


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("sample", rich_help_panel="Paint")(grouped(_sample))


@dataclass(frozen=True)
class Place:
    """Where works go."""

    to: Annotated[Path | None, typer.Option(help="Folder; the workspace's works by default.")] = None
    format: Annotated[str, typer.Option(help="png, jpeg, webp or avif.")] = "png"
    quality: Annotated[int, typer.Option(help="1 to 100, for jpeg, webp and avif.")] = 92
    sheet: Annotated[bool, typer.Option("--sheet", help="Also one sheet of all of them.")] = False
    overwrite: Overwrite = False


@dataclass(frozen=True)
class Running:
    """How the model runs on this machine, and what is shown meanwhile."""

    precision: Annotated[str | None, typer.Option(help="bf16 or fp32; chosen by a probe otherwise.")] = None
    threads: Annotated[int | None, typer.Option(min=1, help="Threads; chosen by a probe otherwise.")] = None
    allow_superseded: AllowSuperseded = None
    quiet: Quiet = False
    as_json: Json = False


def _sample(
    model: ModelName,
    *,
    count: Annotated[int, typer.Option("-n", "--count", help="How many pictures.")] = 16,
    seed: Annotated[int, typer.Option(help="Picture i of a seed is always the same.")] = 1,
    first: Annotated[int, typer.Option(help="Number of the first picture.")] = 0,
    truncation: Annotated[float, typer.Option(help="0 to 1.5; lower is calmer and less varied.")] = 1.0,
    label: Annotated[str | None, typer.Option(help="Only pictures of this label.", autocompletion=labels)] = None,
    finish: Finish,
    place: Place,
    title: Annotated[str | None, typer.Option(help="Title of the works.")] = None,
    training_mining: Annotated[
        str, typer.Option(help="Whether others may train on them: notAllowed, allowed or constrained.")
    ] = "notAllowed",
    signing: Signing,
    running: Running,
) -> None:
    """Paint new pictures: the model composes, patches of the pictures that it learned from finish; all is recorded.

    Every picture is signed and checked. `limner credits WORK` shows which pictures a work was finished from.

    Example: [bold]limner sample landscapes -n 16 --seed 7 --borrow 0.6 --sheet[/bold]
    """
    from limner.works.sampling import SampleRequest, checked_mining

    request = SampleRequest(
        count, seed, first, truncation, label, place.format, place.quality, title, checked_mining(training_mining),
        finish.request(),
    )  # fmt: skip
    found, sheet = _paint(model, request, place, signing, running)
    if running.as_json:
        works = [
            {"path": str(w.path), "digest": w.digest, "index": w.provenance.index, "latent": w.provenance.latent_digest}
            for w in found.works
        ]
        if sheet:
            works[0]["sheet"] = str(sheet)
        stopped = [{"path": one.value, "why": one.reason} for one in found.stopped]
        print_json({"works": works, "seconds": found.seconds, "stopped": stopped})
        return
    folder, each = found.works[0].path.parent, found.seconds / len(found.works)
    print(f"{len(found.works)} signed works in {folder} ({each:.2g} s each); check: limner verify {folder}")
    for one in found.stopped:
        console_error(str(one))
    if sheet:
        print(f"all of them on one sheet: {sheet}")


def _paint(
    reference: str, request: SampleRequest, place: Place, signing: Signing, running: Running
) -> tuple[Sampled, Path | None]:
    """The works, and where the sheet of them lies, if it is wanted."""
    from limner.latent.pipeline import Pipeline
    from limner.works.finishing import finishing_for
    from limner.works.sampling import sample_works

    workspace, quiet = Workspace.default(), running.quiet or running.as_json
    check_present(workspace, reference, signs=not signing.certificate)
    opened = ready_to_sign(workspace, overwrite=place.overwrite, **asdict(signing))
    pipeline = Pipeline.open(
        reference, workspace, precision=running.precision, threads=running.threads,
        allow_superseded=running.allow_superseded,
    )  # fmt: skip
    pipeline.label(request.label)
    folder = workspace.make(place.to or workspace.works / pipeline.model.name)
    sheet, stem = None, request.stem(pipeline.model.name)
    if place.sheet:
        beside = folder.with_name(f"{folder.name}-{stem}.png")
        sheet = beside if place.to else workspace.root / "sheets" / f"{stem}.png"
        output(sheet, option="--sheet", overwrite=place.overwrite)
    with opened as publisher:
        with progress_of("looking at exemplars", quiet=quiet or request.finish.bare) as moved:
            finishing = finishing_for(pipeline.model, workspace, request.finish, label=request.label, progress=moved)
        with progress_bar(quiet=quiet) as bar:
            task = bar.add_task("painting" if isinstance(finishing, str) else "finishing", total=request.count)
            found = sample_works(
                pipeline, workspace, publisher, request, finishing, folder, sheet_path=sheet,
                progress=lambda _: bar.advance(task),
            )  # fmt: skip
    if isinstance(finishing, str):
        if not request.finish.bare and not quiet:
            print(unfinished_line(finishing))
    elif finishing.note and not running.quiet:
        console_error(finishing.note)
    return found, sheet
