"""`limner walk`: a film on the way from picture to picture."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from limner.cli.common import print_json, progress_bar
from limner.cli.making import (
    Borrow,
    Exemplars,
    Finish,
    Fit,
    Json,
    Label,
    Model,
    Size,
    bare_line,
    finish_request,
    origins_of,
)
from limner.cli.options import Overwrite
from limner.cli.outputs import output
from limner.errors import UsageError

__all__ = ["register"]

_BARE_SIDE = 256
"""Shorter side of a film of bare pictures, about: they are enlarged by a whole number, px."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("walk", rich_help_panel="Steer")(_walk)


def _walk(
    stations: Annotated[list[str], typer.Argument(help="Works, SEED:NUMBER or pictures, two or more.")],
    to: Annotated[Path, typer.Option(help="File for the film: .mp4, .gif or .webp.")],
    overwrite: Overwrite = False,
    seconds: Annotated[float, typer.Option(help="Length.")] = 8.0,
    fps: Annotated[int, typer.Option(help="Frames a second.")] = 30,
    loop: Annotated[bool, typer.Option("--loop", help="Go back to the first station.")] = False,
    model: Model = None,
    label: Label = None,
    finish: Finish = "exemplars",
    size: Size = None,
    borrow: Borrow = 0.5,
    exemplars: Exemplars = None,
    fit: Fit = "crop",
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
    as_json: Json = False,
) -> None:
    """Film a walk from picture to picture, in steps that look equally long; a killed run goes on where it was.

    Five pictures a second are finished, each going on from the one before; between them what changes fades over.

    Example: [bold]limner walk 7:3 7:9 7:12 --model landscapes --loop --to walk.mp4[/bold]
    """
    from limner.latent.filming import FORMATS, film, frames_of, key_of
    from limner.latent.walking import Walk
    from limner.works.films import FinishedFilm
    from limner.works.finishing import finishing_for

    _check(stations, to, seconds, fps)
    output(to, endings=FORMATS, sources=stations, overwrite=overwrite)
    wish = finish_request(finish, size, borrow, exemplars)
    origins = origins_of(model, fit)
    found = [origins.find(one, label) for one in stations]
    count = max(2, round(seconds * fps))
    digests = [one.digest for one in found]
    folder = to.with_name(f".{to.name}.frames")
    start, pipeline = time.monotonic(), origins.pipeline
    with progress_bar(quiet=quiet or as_json, unit="pictures") as bar:
        task = bar.add_task("looking at the way", total=None)

        def progress(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        finishing = finishing_for(
            pipeline.model, origins.workspace, wish, label=label, threads=os.cpu_count() or 1, progress=progress
        )
        walk = Walk(pipeline, [one.latent for one in found], loop=loop)
        told = {"stations": digests, "loop": loop, "frames": count, "model": origins.model_digest}
        if isinstance(finishing, str):
            bar.update(task, description="painting")
            frames = frames_of(walk, pipeline, count, folder, key_of(**told), progress)
            painter = pipeline.model.card.config.painter
            film(frames, to, fps, max(1, round((size or _BARE_SIDE) / min(painter.height, painter.width))))
            inside: dict[str, Any] = {}
        else:
            bar.update(task, description="finishing")
            key = key_of(**told, fps=fps, finish=finishing.finisher.options, hand=finishing.given.exemplars.digest)
            whole = FinishedFilm(
                finishing, pipeline, walk, [one.latent for one in found], count, fps, loop, folder, key
            )
            film(whole.pictures(progress), to, fps)
            inside = {"finish": whole.told()}
    shutil.rmtree(folder, ignore_errors=True)
    took = time.monotonic() - start
    origins.ledger.record(
        "artist",
        "walk",
        inputs=[*dict.fromkeys(digests), origins.model_digest],
        outputs=[str(to.absolute())],
        parameters={"seconds": seconds, "fps": fps, "loop": loop, **inside},
    )
    if as_json:
        print_json({"path": str(to), "frames": count, "seconds": round(took, 2), **inside})
        return
    print(f"{to}: {count} frames, {count / fps:g} s, made in {took:.0f} s")
    if isinstance(finishing, str):
        print(bare_line(finishing))
    else:
        print(inside["finish"]["credit"])


def _check(stations: list[str], to: Path, seconds: float, fps: int) -> None:
    if len(stations) < 2:
        raise UsageError(stations[0], "is one station", "give two or more to walk between")
    if not to.absolute().parent.is_dir():
        raise UsageError(f"--to {to}", "lies in a folder that is not there", "make the folder first")
    if not 0.1 <= seconds <= 3600 or not 1 <= fps <= 60 or seconds * fps > 100_000:
        raise UsageError(f"--seconds {seconds:g} --fps {fps}", "is out of range", "give 0.1 to 3600 s and 1 to 60")
