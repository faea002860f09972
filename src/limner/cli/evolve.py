"""`limner evolve`: choose among pictures, and their children, until one is right."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from limner.cli.common import print_json, progress_of
from limner.cli.making import Finish, Label, WorkPlace, make, origins_of
from limner.cli.options import AllowSuperseded, ModelName, grouped
from limner.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from limner.works.evolution import Evolution, Look
    from limner.works.finishing import FinishRequest
    from limner.works.origins import Origins

_SHEET_SIDE = 256
"""Shorter side of pictures on a sheet, px."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("evolve", rich_help_panel="Steer")(grouped(_evolve))


def _evolve(
    model: ModelName,
    *,
    start: Annotated[
        list[str] | None, typer.Option("--from", help="Begin with a work, SEED:NUMBER or picture; repeatable.")
    ] = None,
    count: Annotated[int | None, typer.Option(help="Pictures of each generation, 2 to 60; 12 otherwise.")] = None,
    keep: Annotated[str | None, typer.Option(help="Numbers on the sheet to go on from, e.g. 2,5,7.")] = None,
    mutation: Annotated[float, typer.Option(help="How far children are from their parents, 0 to 1.")] = 0.3,
    back: Annotated[bool, typer.Option("--back", help="Return to the generation before.")] = False,
    publish: Annotated[str | None, typer.Option(help="Numbers on the sheet to make works of, e.g. 3.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the evolution; that of the model otherwise.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of all chances; with --keep, another gives other children.")] = None,
    label: Label = None,
    allow_superseded: AllowSuperseded = None,
    finish: Finish,
    place: WorkPlace,
) -> None:
    """Evolve pictures: look at a numbered sheet, keep some, look at their children, publish what is right.

    Example: [bold]limner evolve emoji-gan --seed 7[/bold]

    Example: [bold]limner evolve emoji-gan --keep 2,5,7[/bold]
    """
    from limner.works.evolution import Evolution

    given = {"--keep": keep is not None, "--back": back, "--publish": publish is not None}
    asked = [option for option, yes in given.items() if yes]
    _check(asked, bool(start or label or count), place)
    numbers = [] if back or not asked else _numbers(asked[0], keep or publish or "")
    origins, request = origins_of(model, allow_superseded=allow_superseded), finish.request()
    name = name or origins.pipeline.model.card.name
    look = _look(origins, request, quiet=place.as_json)
    if asked:
        evolution = Evolution(origins, name, look)
    else:
        found = [origins.find(one, label) for one in start or ()]
        how = {"count": 12 if count is None else count, "seed": 1 if seed is None else seed}
        evolution = Evolution.begin(origins, name, **how, label=label, start=found, mutation=mutation, look=look)
    if publish is not None:
        make(origins, [evolution.chosen(number) for number in numbers], place, request)
        return
    if keep is not None:
        evolution.keep(numbers, mutation=mutation, seed=seed)
    elif back:
        evolution.back()
    _show(evolution, place.as_json)


def _check(asked: list[str], begins: bool, place: WorkPlace) -> None:
    """Refuse options that exclude each other."""
    if len(asked) > 1:
        raise UsageError(" and ".join(asked), "cannot be done at once", "give one of them")
    if asked and begins:
        raise UsageError(asked[0], "goes on with what was begun", "leave out --count, --from and --label")
    if asked != ["--publish"] and (place.sheet or place.to or place.title):
        raise UsageError("--sheet, --to and --title", "are for works", "give --publish, too")


def _look(origins: Origins, request: FinishRequest, *, quiet: bool) -> Look:
    """Pictures of a sheet, finished as works of them would be, only smaller; bare where nothing finishes them."""
    import numpy as np

    from limner.works.finishing import finishing_for

    def look(compositions: NDArray[np.uint8], label: str | None) -> NDArray[np.uint8]:
        small = replace(request, options=request.options.model_copy(update={"size": _SHEET_SIDE}))
        model, workspace, found = origins.pipeline.model, origins.workspace, []
        with progress_of("looking at exemplars", quiet=quiet) as show:
            finishing = finishing_for(model, workspace, small, label=label, progress=show)
            if isinstance(finishing, str):
                return compositions
            for one in finishing.finisher.finish_many(compositions):
                found.append(one.pixels)
                show(len(found), len(compositions), "finishing")
        return np.stack(found)

    return look


def _numbers(option: str, given: str) -> list[int]:
    try:
        return [int(one) for one in given.split(",")]
    except ValueError:
        raise UsageError(f"{option} {given}", "are no numbers on the sheet", "give e.g. 2,5,7") from None


def _show(evolution: Evolution, as_json: bool) -> None:
    now = evolution.now
    if as_json:
        print_json({"name": evolution.name, "sheet": str(evolution.sheet), **now.model_dump(mode="json")})
    else:
        print(f"{evolution.sheet}: generation {now.depth} of {evolution.name}, {now.count} pictures")
