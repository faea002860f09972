"""`limner directions`: find, list, name, show and share the directions of a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limner.cli.common import print_json, progress_of
from limner.cli.options import AllowSuperseded, Json, ModelName, Overwrite, Quiet
from limner.cli.outputs import output
from limner.cli.tables import plain, show, table
from limner.errors import UsageError
from limner.workspace import Workspace

if TYPE_CHECKING:
    from limner.latent.directions import Directions
    from limner.latent.pipeline import Pipeline

_STRONG, _WEAK = 0.5, 0.1
"""Deviations from which on a change is seen at once, and below which it is not seen."""
_STEPS = (-2.0, -1.0, 0.0, 1.0, 2.0)


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="Directions along which a model's pictures can be moved.", no_args_is_help=True)
    app.add_typer(group, name="directions", rich_help_panel="Steer")
    for command in (_find, _list, _name, _strip, _share, _take):
        group.command(command.__name__[1:])(command)


def _open(model: str, **how: Any) -> tuple[Pipeline, Workspace]:
    """A model to look at; to paint with, where `allow_superseded` is given, as in `Pipeline.open`."""
    from limner.latent.pipeline import Pipeline

    workspace = Workspace.default()
    return Pipeline.open(model, workspace, **(how or {"looks": True})), workspace


def _find(
    model: ModelName,
    method: Annotated[str, typer.Option(help="attribute, pca, closed-form or labels.")] = "attribute",
    count: Annotated[int, typer.Option(help="How many pictures are painted to learn from.")] = 2048,
    keep: Annotated[int, typer.Option(help="How many directions of pca and closed-form are kept.")] = 8,
    allow_superseded: AllowSuperseded = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Find directions: measured attributes (brightness, warmth, horizon, ...), pca, the painter's layers, or labels.

    Example: [bold]limner directions find landscapes[/bold]
    """
    from limner.latent.finding import find_directions

    if not 128 <= count <= 100_000 or not 1 <= keep <= 64:
        raise UsageError(f"--count {count} --keep {keep}", "is out of range", "give 128 to 100000, and 1 to 64")
    pipeline, workspace = _open(model, allow_superseded=allow_superseded)
    with progress_of("painting", quiet=quiet or as_json) as moved:
        found = find_directions(pipeline, method, count=count, keep=keep, progress=moved)
    _keep(found, pipeline, workspace)
    _show(found, as_json)


def _list(model: ModelName, as_json: Json = False) -> None:
    """Show the directions of a model, and what one step along each does.

    Example: [bold]limner directions list landscapes[/bold]
    """
    from limner.latent.directions import directions_of

    _show(directions_of(*_open(model)), as_json)


def _name(
    model: ModelName,
    old: Annotated[str, typer.Argument(help="The direction's name so far.")],
    new: Annotated[str, typer.Argument(help="Its new name.")],
) -> None:
    """Give a direction another name.

    Example: [bold]limner directions name landscapes pca-2 mist[/bold]
    """
    from limner.latent.directions import directions_file, directions_of

    pipeline, workspace = _open(model)
    directions_of(pipeline, workspace).renamed(old, new).save(directions_file(pipeline, workspace))
    print(f"{old} is {new} now")


def _strip(
    model: ModelName,
    to: Annotated[Path, typer.Option(help="File for the sheet (PNG).")],
    overwrite: Overwrite = False,
    seed: Annotated[int, typer.Option(help="Seed of the pictures.")] = 1,
    count: Annotated[int, typer.Option(help="Pictures for each direction.")] = 2,
    allow_superseded: AllowSuperseded = None,
) -> None:
    """Paint a strip for each direction: two steps back, one, none, one, two steps ahead.

    Example: [bold]limner directions strip landscapes --to strips.png[/bold]
    """
    import torch

    from limner.latent.directions import directions_of
    from limner.latent.latents import row_of
    from limner.pictures.sheets import save_sheet

    output(to, endings=(".png",), overwrite=overwrite)
    pipeline, workspace = _open(model, allow_superseded=allow_superseded)
    directions = directions_of(pipeline, workspace)
    latent = pipeline.sample(count, seed=seed)
    rows = []
    for one in directions:
        for i in range(count):
            own = row_of(latent, i)
            rows += [pipeline.paint(directions.moved(pipeline, own, {one.name: step})) for step in _STEPS]
    save_sheet(torch.cat(rows), to, columns=count * len(_STEPS))
    print(f"{to}: from top to bottom {', '.join(one.name for one in directions)}")


def _share(
    model: ModelName,
    to: Annotated[Path, typer.Option(help="File for them (.safetensors).")],
    overwrite: Overwrite = False,
) -> None:
    """Write a model's directions into one file for others.

    Example: [bold]limner directions share landscapes --to mine.safetensors[/bold]
    """
    from limner.latent.directions import directions_of

    output(to, endings=(".safetensors",), sources=(model,), overwrite=overwrite)
    pipeline, workspace = _open(model)
    directions_of(pipeline, workspace).save(to)
    print(f"{to}; taken up with: limner directions take {model} {to}")


def _take(
    model: ModelName,
    file: Annotated[Path, typer.Argument(help="File that `limner directions share` wrote.")],
) -> None:
    """Take up directions that another has shared; of the same name, theirs stay.

    Example: [bold]limner directions take landscapes theirs.safetensors[/bold]
    """
    from limner.latent.directions import Directions

    pipeline, workspace = _open(model)
    numbers = pipeline.model.card.config.painter.numbers
    theirs = Directions.load(file, f"sha256:{pipeline.model.digest}", numbers)
    _keep(theirs, pipeline, workspace)
    print(f"{len(theirs)} directions taken: {', '.join(one.name for one in theirs)}")


def _keep(more: Directions, pipeline: Pipeline, workspace: Workspace) -> None:
    from limner.latent.directions import directions_file, known_directions

    known = known_directions(pipeline, workspace)
    (more if known is None else known.joined(more)).save(directions_file(pipeline, workspace))


def _show(found: Directions, as_json: bool) -> None:
    if as_json:
        print_json({"model": found.model, "directions": [one.to_json() for one in found]})
        return
    rows = table("direction", "safe", "what one step changes", gap=2, narrow=("direction", "safe"))
    for one in found:
        own = one.known.get("attribute")
        effects = sorted(one.effects.items(), key=lambda effect: (effect[0] != own, -abs(effect[1])))
        words = [
            f"[bold]{name} {value:+.2f}[/bold]" if name == own or abs(value) > _STRONG else f"{name} {value:+.2f}"
            for name, value in effects
            if name == own or abs(value) >= _WEAK
        ]
        rows.add_row(plain(one.name), f"{one.low:g}..{one.high:+g}", ", ".join(words) or "[dim]little[/dim]")
    show(rows, "[dim]in deviations of the model's own pictures (medians); effects below 0.1 are left out[/dim]")
