"""`limner walk`: a film on the way from picture to picture."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from limner.cli.common import print_json, progress_of
from limner.cli.making import Finish, Sources, unfinished_line
from limner.cli.options import Json, Overwrite, Quiet, grouped
from limner.cli.outputs import output
from limner.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("walk", rich_help_panel="Steer")(grouped(_walk))


def _walk(
    stations: Annotated[list[str], typer.Argument(help="Works, SEED:NUMBER or pictures, two or more.")],
    *,
    to: Annotated[Path, typer.Option(help="File for the film: .mp4, .gif or .webp.")],
    overwrite: Overwrite = False,
    seconds: Annotated[float, typer.Option(help="Length in seconds.")] = 8.0,
    fps: Annotated[int, typer.Option(help="Frames a second.")] = 30,
    loop: Annotated[bool, typer.Option("--loop", help="Go back to the first station.")] = False,
    sources: Sources,
    finish: Finish,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Film a walk from picture to picture, in steps that look equally long; a killed run goes on where it was.

    Five pictures a second are finished, each going on from the one before; between them what changes fades over.

    Example: [bold]limner walk 7:3 7:9 7:12 --model landscapes --loop --to walk.mp4[/bold]
    """
    from limner.latent.filming import FORMATS
    from limner.works.films import FilmRequest, make_film

    if not to.absolute().parent.is_dir():
        raise UsageError(f"--to {to}", "lies in a folder that is not there", "make the folder first")
    film = FilmRequest(seconds, fps, loop, sources.label, finish.request())
    output(to, endings=FORMATS, sources=stations, overwrite=overwrite)
    origins, start = sources.open(), time.monotonic()
    with progress_of("looking at the way", quiet=quiet or as_json) as show:
        made = make_film(origins, stations, film, to, lambda doing, done, total: show(done, total, doing))
    took, inside = time.monotonic() - start, {"finish": made.finish} if made.finish else {}
    if as_json:
        print_json({"path": str(to), "frames": film.frames, "seconds": round(took, 2), **inside})
        return
    print(f"{to}: {film.frames} frames, {film.frames / fps:g} s, made in {took:.0f} s")
    print(made.finish["credit"] if made.finish else unfinished_line(made.unfinished))
