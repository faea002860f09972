"""`limner landscape`: new landscapes in a few words."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limner.cli.making import Finish, WorkPlace, make, origins_of
from limner.cli.options import AllowSuperseded, grouped
from limner.cli.tables import plain, show, table
from limner.errors import check_range

if TYPE_CHECKING:
    from limner.latent.landscapes import Landscape


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("landscape", rich_help_panel="Steer")(grouped(_landscape))


@dataclass(frozen=True)
class Attributes:
    """What is measured of a landscape, in deviations of the model's own pictures."""

    warmth: Annotated[float | None, typer.Option(help="Blue below 0, golden above; -4 to 4.")] = None
    brightness: Annotated[float | None, typer.Option(help="Dark below 0, light above; -4 to 4.")] = None
    contrast: Annotated[float | None, typer.Option(help="Soft below 0, strong above; -4 to 4.")] = None
    colourfulness: Annotated[float | None, typer.Option(help="Pale below 0, vivid above; -4 to 4.")] = None
    detail: Annotated[float | None, typer.Option(help="Mist below 0, fine lines above; -4 to 4.")] = None


def _landscape(
    *,
    horizon: Annotated[float | None, typer.Option(help="Height of the horizon, 0 (bottom) to 1 (top).")] = None,
    time: Annotated[str | None, typer.Option(help="dawn, day, dusk or night.")] = None,
    attributes: Attributes,
    abstraction: Annotated[float, typer.Option(help="0: as the model paints; 1: a few large, flat forms.")] = 0.0,
    count: Annotated[int, typer.Option("-n", "--count", help="How many landscapes.")] = 1,
    seed: Annotated[int, typer.Option(help="Seed of the pictures that are searched.")] = 1,
    model: Annotated[str, typer.Option(help="Name or file of a model of landscapes.")] = "landscapes",
    allow_superseded: AllowSuperseded = None,
    finish: Finish,
    place: WorkPlace,
) -> None:
    """Paint landscapes in a few words; what each word changed is measured and printed.

    Numbers without a range of their own count in deviations of the model's own pictures: 0 is usual, 2 is rare.

    Example: [bold]limner landscape --horizon 0.4 --time dusk --warmth +1 --abstraction 0.6 -n 4[/bold]
    """
    from limner.latent.directions import directions_of
    from limner.latent.landscapes import LandscapeRequest, landscapes
    from limner.latent.latents import latent_digest
    from limner.works.making import WorkRequest
    from limner.works.origins import Origin

    check_range("--count", count, 1, 100)
    steps = {name: size for name, size in asdict(attributes).items() if size is not None}
    wanted, finishing = LandscapeRequest(horizon, time, steps, abstraction), finish.request()
    origins = origins_of(model, allow_superseded=allow_superseded)
    pipeline = origins.pipeline
    found = list(landscapes(pipeline, directions_of(pipeline, origins.workspace), wanted, count, seed=seed))
    words: dict[str, Any] = {"horizon": horizon, "time": time, **steps, "abstraction": abstraction or None}
    how = {name: value for name, value in words.items() if value is not None}
    drawn = [Origin(f"{seed}:{one.index}", "seed", latent_digest(one.drawn), one.drawn) for one in found]
    works = [WorkRequest(one.latent, "landscape", [origin], how) for one, origin in zip(found, drawn, strict=True)]
    paths = make(origins, works, place, finishing)
    if not place.as_json:
        _show(found, [path.name for path in paths])


def _show(found: list[Landscape], names: list[str]) -> None:
    from limner.latent.attributes import ATTRIBUTES

    words = list(found[0].wanted)
    flat = found[0].flat is not None
    if not words and not flat:
        return
    rows = table("work", *words, *(["lines taken"] if flat else []), narrow=(*words, "lines taken"))
    for one, name in zip(found, names, strict=True):
        cells = [f"{one.measured[word]:.3g} [dim]{one.wanted[word]:.3g}[/dim]" for word in words]
        rows.add_row(plain(name), *cells, *([f"{one.flat:.0%}"] if one.flat is not None else []))
    meanings = (f"[dim]{word}: {ATTRIBUTES[word][0]}[/dim]" for word in words)
    show(rows, "[dim]measured, wanted after it[/dim]", *meanings)
