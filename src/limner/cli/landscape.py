"""`limner landscape`: new landscapes in a few words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from limner.cli.making import (
    Borrow,
    Exemplars,
    Finish,
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
from limner.errors import UsageError

if TYPE_CHECKING:
    from limner.latent.landscapes import Landscape

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("landscape", rich_help_panel="Steer")(_landscape)


def _landscape(
    horizon: Annotated[float | None, typer.Option(help="How high it lies, 0 (bottom) to 1 (top).")] = None,
    time: Annotated[str | None, typer.Option(help="dawn, day, dusk or night.")] = None,
    warmth: Annotated[float | None, typer.Option(help="Blue below 0, golden above; -4 to 4.")] = None,
    brightness: Annotated[float | None, typer.Option(help="-4 to 4.")] = None,
    contrast: Annotated[float | None, typer.Option(help="-4 to 4.")] = None,
    colourfulness: Annotated[float | None, typer.Option(help="-4 to 4.")] = None,
    detail: Annotated[float | None, typer.Option(help="Mist below 0, fine lines above; -4 to 4.")] = None,
    abstraction: Annotated[float, typer.Option(help="0 as the model paints, 1 a few flat, large forms.")] = 0.0,
    count: Annotated[int, typer.Option("-n", "--count", help="How many landscapes.")] = 1,
    seed: Annotated[int, typer.Option(help="Of the pictures that are looked through.")] = 1,
    model: Annotated[str, typer.Option(help="Name or file of a model of landscapes.")] = "landscapes",
    finish: Finish = "exemplars",
    size: Size = None,
    borrow: Borrow = 0.5,
    exemplars: Exemplars = None,
    to: To = None,
    sheet: Sheet = None,
    overwrite: Overwrite = False,
    title: Title = None,
    identity: Identity = None,
    as_json: Json = False,
) -> None:
    """Paint landscapes in a few words; what each word changed is measured and printed.

    Numbers without a range of their own count in deviations of the model's own pictures: 0 is usual, 2 is rare.

    Example: [bold]limner landscape --horizon 0.4 --time dusk --warmth +1 --abstraction 0.6 -n 4[/bold]
    """
    from limner.latent.directions import directions_of
    from limner.latent.landscapes import Wish, landscapes
    from limner.latent.latents import latent_digest
    from limner.works.making import Deed
    from limner.works.origins import Origin

    if not 1 <= count <= 100:
        raise UsageError(f"--count {count}", "is out of range", "give 1 to 100")
    finishing = finish_request(finish, size, borrow, exemplars)
    told = {
        "warmth": warmth,
        "brightness": brightness,
        "contrast": contrast,
        "colourfulness": colourfulness,
        "detail": detail,
    }
    steps = {name: size for name, size in told.items() if size is not None}
    wish = Wish(horizon, time, steps, abstraction)
    origins = origins_of(model)
    pipeline = origins.pipeline
    found = list(landscapes(pipeline, directions_of(pipeline, origins.workspace), wish, count, seed=seed))
    how: dict[str, Any] = {"horizon": horizon, "time": time, **told, "abstraction": abstraction or None}
    how = {name: value for name, value in how.items() if value is not None}
    made = [
        (
            one.latent,
            Deed("landscape", [Origin(f"{seed}:{one.index}", "seed", latent_digest(one.drawn), one.drawn)], how),
        )
        for one in found
    ]
    paths = make(
        origins,
        made,
        at=Place(to, overwrite, sheet),
        title=title,
        identity=identity,
        as_json=as_json,
        wish=finishing,
    )
    if not as_json:
        _tell(found, [path.name for path in paths])


def _tell(found: list[Landscape], names: list[str]) -> None:
    """What came of each word."""
    from rich.console import Console
    from rich.table import Table

    from limner.latent.attributes import ATTRIBUTES

    words = list(found[0].wanted)
    flat = found[0].flat is not None
    if not words and not flat:
        return
    table = Table(box=None, padding=(0, 1, 0, 0), caption="measured, wanted after it", caption_justify="left")
    table.add_column("work", overflow="fold")
    for word in words:
        table.add_column(word, justify="right", no_wrap=True)
    if flat:
        table.add_column("lines taken", justify="right", no_wrap=True)
    for one, name in zip(found, names, strict=True):
        cells = [f"{one.measured[word]:.3g} [dim]{one.wanted[word]:.3g}[/dim]" for word in words]
        table.add_row(name, *cells, *([f"{one.flat:.0%}"] if one.flat is not None else []))
    console = Console()
    console.print(table)
    for word in words:
        console.print(f"[dim]{word}: {ATTRIBUTES[word][0]}[/dim]")
