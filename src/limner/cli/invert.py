"""`limner invert`: works that look like pictures from outside, to be moved, mixed and walked from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from limner.cli.common import console_error, progress_bar
from limner.cli.completing import models
from limner.cli.making import (
    Borrow,
    Exemplars,
    Finish,
    Fit,
    Identity,
    Json,
    Place,
    Sheet,
    Size,
    Title,
    To,
    finish_request,
    make,
    origins_of,
)
from limner.cli.options import Overwrite
from limner.errors import PictureError, UsageError

if TYPE_CHECKING:
    from torch import Tensor

    from limner.latent.inverting import Inversion, Reach
    from limner.models.similarity import PerceptualDistance
    from limner.works.finishing import FinishRequest
    from limner.works.origins import Origins

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("invert", rich_help_panel="Steer")(_invert)


def _invert(
    model: Annotated[str, typer.Argument(help="Name or file of a model.", autocompletion=models)],
    files: Annotated[list[Path], typer.Argument(help="Pictures; the largest centred part of each is taken.")],
    steps: Annotated[int, typer.Option(help="Steps of the search; more come nearer, slowly.")] = 40,
    finish: Finish = "exemplars",
    size: Size = None,
    borrow: Borrow = 0.5,
    exemplars: Exemplars = None,
    fit: Fit = "crop",
    to: To = None,
    sheet: Sheet = None,
    overwrite: Overwrite = False,
    title: Title = None,
    identity: Identity = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
    as_json: Json = False,
) -> None:
    """Find pictures in a model's space: works that look like them, to be moved, mixed and walked from.

    Says how far each work is from its picture, and when a picture lies outside what the model can paint.

    Example: [bold]limner invert emoji-gan mine.png --to found.png[/bold]
    """
    from limner.latent.inverting import invert, reach_of
    from limner.models.similarity import PerceptualDistance

    wish = finish_request(finish, size, borrow, exemplars)
    origins = origins_of(model, fit)
    pipeline = origins.pipeline
    files, shown = _read(files, origins)
    perceptual = PerceptualDistance.of(pipeline.model.card, pipeline.machine.device)
    with progress_bar(quiet=quiet or as_json, unit="steps") as bar:
        task = bar.add_task("looking for them", total=None)

        def tell(done: int, total: int, distance: float) -> None:
            bar.update(task, completed=done, total=total, description=f"{perceptual.name} distance {distance:.3f}")

        found = invert(pipeline, shown, perceptual, steps=steps, progress=tell)
    reach = reach_of(pipeline, perceptual)
    _make(origins, files, found, perceptual, reach, steps, to, overwrite, sheet, title, identity, wish, as_json=as_json)


def _make(
    origins: Origins,
    files: list[Path],
    found: Inversion,
    perceptual: PerceptualDistance,
    reach: Reach,
    steps: int,
    to: Path | None,
    overwrite: bool,
    sheet: Path | None,
    title: str | None,
    identity: str | None,
    wish: FinishRequest,
    *,
    as_json: bool,
) -> None:
    """Publish the works, and say how near they came."""
    from limner.latent.latents import row_of
    from limner.works.making import Deed
    from limner.works.origins import Origin, file_digest

    made, told, objections = [], [], []
    for i, file in enumerate(files):
        latent = row_of(found.latent, i)
        before, after, objection = float(found.before[i]), float(found.after[i]), reach.objection(found, i)
        how = {"steps": steps, "distance": perceptual.name, "before": round(before, 4), "after": round(after, 4)}
        origin = Origin(str(file), "picture", file_digest(file), latent)
        made.append((latent, Deed("invert", [origin], {**how, "outside": bool(objection)})))
        told.append(f"{file}: {perceptual.name} distance {before:.3f} by the encoder, {after:.3f} after {steps} steps")
        if objection:
            objections.append(f"{file}: lies outside what {origins.pipeline.model.card.name} can paint ({objection})")
    make(
        origins,
        made,
        at=Place(to, overwrite, sheet),
        title=title,
        identity=identity,
        as_json=as_json,
        wish=wish,
    )
    if not as_json:
        print("\n".join(told))
    for one in objections:
        console_error(one)


def _read(files: list[Path], origins: Origins) -> tuple[list[Path], Tensor]:
    """The files that can be read, and the largest centred part of each at the model's size; others are named.

    # uint8 [n, 3, height, width]

    Raises:
        UsageError: none can be read.
    """
    import torch

    from limner import pictures
    from limner.pictures.fitting import fitted

    config = origins.pipeline.model.card.config.painter
    read, found, wrong = [], [], []
    for file in files:
        try:
            found.append(fitted(pictures.read(file).pixels, (config.height, config.width), origins.fit))
            read.append(file)
        except PictureError as error:
            wrong.append(UsageError(error.value, error.reason, error.remedy or "give another picture"))
    if not found:
        raise wrong[0]
    for one in wrong:
        console_error(f"{one}; the others are looked for")
    return read, torch.stack(found)
