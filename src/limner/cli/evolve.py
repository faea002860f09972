"""`limner evolve`: choose among pictures, and their children, until one is right."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from limner.cli.common import print_json, progress_bar
from limner.cli.completing import models
from limner.cli.making import (
    Borrow,
    Exemplars,
    Finish,
    Identity,
    Json,
    Label,
    Place,
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
    import numpy as np
    from numpy.typing import NDArray

    from limner.models.painter import Latent
    from limner.works.evolving import Evolution, Look
    from limner.works.finishing import FinishRequest
    from limner.works.making import Deed
    from limner.works.origins import Origins

__all__ = ["register"]

_SHEET_SIDE = 256
"""Shorter side of pictures on a sheet, px."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("evolve", rich_help_panel="Steer")(_evolve)


def _evolve(
    model: Annotated[str, typer.Argument(help="Name or file of a model.", autocompletion=models)],
    start: Annotated[
        list[str] | None, typer.Option("--from", help="Begin with a work, SEED:NUMBER or picture; repeatable.")
    ] = None,
    count: Annotated[int | None, typer.Option(help="Pictures of each generation, 2 to 60; 12 otherwise.")] = None,
    keep: Annotated[str | None, typer.Option(help="Numbers on the sheet to go on from, e.g. 2,5,7.")] = None,
    mutation: Annotated[float, typer.Option(help="How far children are from their parents, 0 to 1.")] = 0.3,
    back: Annotated[bool, typer.Option("--back", help="Return to the generation before.")] = False,
    publish: Annotated[str | None, typer.Option(help="Numbers on the sheet to make works of, e.g. 3.")] = None,
    name: Annotated[str | None, typer.Option(help="Of the evolution; the model's otherwise.")] = None,
    seed: Annotated[int | None, typer.Option(help="What chances follow from; with --keep, throws again.")] = None,
    label: Label = None,
    finish: Finish = "exemplars",
    size: Size = None,
    borrow: Borrow = 0.5,
    exemplars: Exemplars = None,
    to: To = None,
    overwrite: Overwrite = False,
    title: Title = None,
    identity: Identity = None,
    as_json: Json = False,
) -> None:
    """Evolve pictures: look at a numbered sheet, keep some, look at their children, publish what is right.

    Example: [bold]limner evolve emoji-gan --seed 7[/bold]

    Example: [bold]limner evolve emoji-gan --keep 2,5,7[/bold]
    """
    from limner.works.evolving import Evolution

    given = {"--keep": keep is not None, "--back": back, "--publish": publish is not None}
    asked = [told for told, yes in given.items() if yes]
    if len(asked) > 1:
        raise UsageError(" and ".join(asked), "cannot be done at once", "give one of them")
    if asked and (start or label or count):
        raise UsageError(asked[0], "goes on with what was begun", "leave out --count, --from and --label")
    numbers = [] if back or not asked else _numbers(asked[0], keep or publish or "")
    origins = origins_of(model)
    name = name or origins.pipeline.model.card.name
    wish = finish_request(finish, size, borrow, exemplars)
    look = _look(origins, wish, quiet=as_json)
    if not asked:
        found = [origins.find(one, label) for one in start or ()]
        told = {"count": 12 if count is None else count, "seed": 1 if seed is None else seed}
        evolution = Evolution.begin(origins, name, **told, label=label, start=found, mutation=mutation, look=look)
    else:
        evolution = Evolution(origins, name, look)
    if publish is not None:
        made = [_chosen(evolution, number) for number in numbers]
        make(origins, made, at=Place(to, overwrite), title=title, identity=identity, as_json=as_json, wish=wish)
        return
    if keep is not None:
        evolution.keep(numbers, mutation=mutation, seed=seed)
    elif back:
        evolution.back()
    _tell(evolution, as_json)


def _chosen(evolution: Evolution, number: int) -> tuple[Latent, Deed]:
    from limner.works.making import Deed

    latent, forebears, how = evolution.chosen(number)
    return latent, Deed("evolve", forebears, how)


def _look(origins: Origins, wish: FinishRequest, *, quiet: bool) -> Look:
    """Pictures of a sheet, finished as works of them would be, only smaller; bare where nothing finishes them."""
    import numpy as np

    from limner.works.finishing import finishing_for

    def look(compositions: NDArray[np.uint8], label: str | None) -> NDArray[np.uint8]:
        small = replace(wish, options=wish.options.model_copy(update={"size": _SHEET_SIDE}))
        threads = os.cpu_count() or 1
        with progress_bar(quiet=quiet, unit="pictures") as bar:
            task = bar.add_task("looking at exemplars", total=None)
            finishing = finishing_for(
                origins.pipeline.model, origins.workspace, small, label=label, threads=threads,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )  # fmt: skip
            if isinstance(finishing, str):
                return compositions
            bar.reset(task, description="finishing", total=len(compositions))
            found = []
            for one in finishing.finisher.finish_many(compositions):
                found.append(one.pixels)
                bar.update(task, completed=len(found))
        return np.stack(found)

    return look


def _numbers(option: str, told: str) -> list[int]:
    try:
        return [int(one) for one in told.split(",")]
    except ValueError:
        raise UsageError(f"{option} {told}", "are no numbers on the sheet", "give e.g. 2,5,7") from None


def _tell(evolution: Evolution, as_json: bool) -> None:
    now = evolution.now
    if as_json:
        told = now.model_dump(mode="json")
        print_json({"name": evolution.name, "sheet": str(evolution.sheet), **told})
    else:
        print(f"{evolution.sheet}: generation {now.depth} of {evolution.name}, {now.count} pictures")
