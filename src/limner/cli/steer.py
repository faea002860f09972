"""`limner move`, `limner mix`, `limner restyle`: new works from works, seeds and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from limner.cli.completing import directions
from limner.cli.making import Finish, Sources, WorkPlace, checked_fit, make
from limner.cli.options import grouped
from limner.errors import UsageError
from limner.workspace import Workspace

Picture = Annotated[str, typer.Argument(help="A work's file, SEED:NUMBER, or another picture.")]
Way = Annotated[
    str | None,
    typer.Option(help="translator, swap (of style vectors) or patches; what suits the style otherwise."),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("move", rich_help_panel="Steer")(grouped(_move))
    app.command("mix", rich_help_panel="Steer")(grouped(_mix))
    app.command("restyle", rich_help_panel="Steer")(grouped(_restyle))


def parse_steps(given: list[str]) -> dict[str, float]:
    """`warmth=+1.5` and the like as names and sizes of steps.

    Raises:
        UsageError: one of them is none.
    """
    found: dict[str, float] = {}
    for one in given:
        name, _, size = one.partition("=")
        try:
            found[name] = float(size)
        except ValueError:
            raise UsageError(f"--along {one}", "is no step", "give e.g. warmth=+1.5") from None
        if not abs(found[name]) <= 20:
            raise UsageError(f"--along {one}", "is too far", "give -20 to 20; `limner directions list` has safe ranges")
    return found


def _move(
    work: Picture,
    along: Annotated[
        list[str], typer.Option(help="Direction and how far, e.g. warmth=+1.5; repeatable.", autocompletion=directions)
    ],
    *,
    blocks: Annotated[str | None, typer.Option(help="Only in these blocks, e.g. 3-6; 0 is the content.")] = None,
    sources: Sources,
    finish: Finish,
    place: WorkPlace,
) -> None:
    """Move a picture along directions of its model.

    Find directions first: [bold]limner directions find MODEL[/bold]

    Example: [bold]limner move 7:3 --model landscapes --along warmth=+1.5 --along horizon=-1[/bold]
    """
    from limner.works.steering import moved

    steps, request = parse_steps(along), finish.request()
    origins = sources.open()
    make(origins, [moved(origins, origins.find(work, sources.label), steps, blocks)], place, request)


def _mix(
    works: Annotated[list[str], typer.Argument(help="Works, SEED:NUMBER or pictures: A, B, and up to H.")],
    *,
    content: Annotated[str | None, typer.Option(help="Whose content: A, B, ...")] = None,
    style: Annotated[str | None, typer.Option(help="Whose style: A, B, ..., or a label of the model.")] = None,
    blocks: Annotated[str | None, typer.Option(help="Whose blocks, e.g. 0-2:A,3-6:B; 0 is the content.")] = None,
    weights: Annotated[str | None, typer.Option(help="One weight for each, e.g. 0.7,0.3.")] = None,
    region: Annotated[
        str | None, typer.Option(help="Where B is, in A: ellipse:0.2,0.1,0.8,0.6 or rectangle:...")
    ] = None,
    mask: Annotated[Path | None, typer.Option(help="Where B is, in A: a picture, white is B.")] = None,
    feather: Annotated[float, typer.Option(help="Soft edge of a region, a share of the shorter side.")] = 0.1,
    way: Way = None,
    sources: Sources,
    finish: Finish,
    place: WorkPlace,
) -> None:
    """Mix two or more pictures: content of one and style of another, by block, by weight, or by region.

    Where the two are of different labels, and the model has a translator, content and style are brought together by it;
    [bold]--way swap[/bold] takes the style vectors as they are.

    Example: [bold]limner mix sea.png dusk.png --content A --style B[/bold]

    Example: [bold]limner mix 7:3 7:9 --model landscapes --region ellipse:0.2,0.1,0.8,0.6[/bold]
    """
    from limner.works.steering import MixRequest, mixed

    mix, request = MixRequest(content, style, blocks, weights, region, mask, feather, way), finish.request()
    origins = sources.open()
    make(origins, [mixed(origins, works, mix, sources.label)], place, request)


def _restyle(
    picture: Picture,
    style: Annotated[str, typer.Option(help="A label of the model, a model, a picture, a work, or SEED:NUMBER.")],
    *,
    strength: Annotated[
        float, typer.Option(help="Of a style that is not painted by patches: 0 leaves the picture, 1 takes the whole.")
    ] = 1.0,
    way: Way = None,
    sources: Sources,
    finish: Finish,
    place: WorkPlace,
) -> None:
    """Give a picture the look of a model's pictures, of a label, of one picture or of a work; what is where stays.

    The look of a model or of one picture is painted anew from patches of those. A label is reached by the model's
    translator, where it has one ([bold]limner train-translator[/bold]), and finished from pictures of the label.

    Example: [bold]limner restyle photo.jpg --style landscapes[/bold]

    Example: [bold]limner restyle cat.png --model emoji-vae --style openmoji[/bold]
    """
    from limner.works.steering import RestyleRequest, restyled

    request = RestyleRequest(
        picture, style, strength, way, sources.model, sources.label, checked_fit(sources.fit), finish.request(),
        sources.allow_superseded,
    )  # fmt: skip
    origins, work, finishing = restyled(Workspace.default(), request)
    make(origins, [work], place, finishing)
