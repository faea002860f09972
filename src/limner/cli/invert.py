"""`limner invert`: works that look like pictures from outside, to be moved, mixed and walked from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from limner.cli.common import console_error, progress_of
from limner.cli.making import Finish, FitOption, WorkPlace, make, origins_of
from limner.cli.options import AllowSuperseded, ModelName, Quiet, grouped
from limner.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor

    from limner.works.origins import Origins


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("invert", rich_help_panel="Steer")(grouped(_invert))


def _invert(
    model: ModelName,
    files: Annotated[list[Path], typer.Argument(help="Pictures; the largest centred part of each is taken.")],
    *,
    steps: Annotated[int, typer.Option(help="Steps of the search; more come nearer, slowly.")] = 40,
    fit: FitOption = "crop",
    allow_superseded: AllowSuperseded = None,
    finish: Finish,
    place: WorkPlace,
    quiet: Quiet = False,
) -> None:
    """Find pictures in a model's space: works that look like them, to be moved, mixed and walked from.

    Says how far each work is from its picture, and when a picture lies outside what the model can paint.

    Example: [bold]limner invert emoji-gan mine.png --to found.png[/bold]
    """
    from limner.latent.inverting import invert, reach_of
    from limner.latent.latents import row_of
    from limner.models.similarity import PerceptualDistance
    from limner.works.making import WorkRequest
    from limner.works.origins import Origin, file_digest

    request, origins = finish.request(), origins_of(model, fit, allow_superseded)
    pipeline = origins.pipeline
    files, shown = _read(files, origins)
    perceptual = PerceptualDistance.of(pipeline.model.card, pipeline.machine.device)
    with progress_of("looking for them", quiet=quiet or place.as_json, unit="steps") as show:
        found = invert(
            pipeline, shown, perceptual, steps=steps,
            progress=lambda done, total, far: show(done, total, f"{perceptual.name} distance {far:.3f}"),
        )  # fmt: skip
    reach = reach_of(pipeline, perceptual)
    works, lines, objections = [], [], []
    for i, file in enumerate(files):
        before, after, objection = float(found.before[i]), float(found.after[i]), reach.objection(found, i)
        how = {"steps": steps, "distance": perceptual.name, "before": round(before, 4), "after": round(after, 4)}
        latent = row_of(found.latent, i)
        origin = Origin(str(file), "picture", file_digest(file), latent)
        works.append(WorkRequest(latent, "invert", [origin], {**how, "outside": bool(objection)}))
        lines.append(f"{file}: {perceptual.name} distance {before:.3f} by the encoder, {after:.3f} after {steps} steps")
        if objection:
            objections.append(f"{file}: lies outside what {pipeline.model.card.name} can paint ({objection})")
    make(origins, works, place, request)
    if not place.as_json:
        print("\n".join(lines))
    for one in objections:
        console_error(one)


def _read(files: list[Path], origins: Origins) -> tuple[list[Path], Tensor]:
    """The files that can be read, and each fitted to the model's size. # uint8 [n, 3, height, width]"""
    import torch

    from limner.pictures.fitting import fitted
    from limner.works.origins import pixels_of

    config = origins.pipeline.model.card.config.painter
    read, found, wrong = [], [], []
    for file in files:
        try:
            found.append(fitted(pixels_of(file), (config.height, config.width), origins.fit))
            read.append(file)
        except UsageError as error:
            wrong.append(error)
    if not found:
        raise wrong[0]
    for one in wrong:
        console_error(f"{one}; the others are looked for")
    return read, torch.stack(found)
