"""`limner walk`: a film on the way from picture to picture."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Annotated

import typer

from limner.cli.common import print_json, progress_bar
from limner.cli.making import Json, Label, Model, origins_of
from limner.errors import UsageError

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("walk", rich_help_panel="Steer")(_walk)


def _walk(
    stations: Annotated[list[str], typer.Argument(help="Works, SEED:NUMBER or pictures, two or more.")],
    to: Annotated[Path, typer.Option(help="File for the film: .mp4, .gif or .webp.")],
    seconds: Annotated[float, typer.Option(help="Length.")] = 8.0,
    fps: Annotated[int, typer.Option(help="Frames a second.")] = 30,
    loop: Annotated[bool, typer.Option("--loop", help="Go back to the first station.")] = False,
    scale: Annotated[int, typer.Option(help="Enlarge each pixel so many times, 1 to 8.")] = 4,
    model: Model = None,
    label: Label = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
    as_json: Json = False,
) -> None:
    """Film a walk from picture to picture, in steps that look equally long; a killed run goes on where it was.

    Example: [bold]limner walk 7:3 7:9 7:12 --model paintings-vae --loop --to walk.mp4[/bold]
    """
    from limner.latent.filming import FORMATS, film, frames_of, key_of
    from limner.latent.walking import Walk

    _check(stations, to, seconds, fps, scale, FORMATS)
    origins = origins_of(model)
    found = [origins.find(one, label) for one in stations]
    count = max(2, round(seconds * fps))
    digests = [one.digest for one in found]
    key = key_of(stations=digests, loop=loop, frames=count, model=origins.model_digest)
    folder = to.with_name(f".{to.name}.frames")
    start = time.monotonic()
    with progress_bar(quiet=quiet or as_json, unit="frames") as bar:
        task = bar.add_task("looking at the way", total=None)
        walk = Walk(origins.brush, [one.latent for one in found], loop=loop)
        bar.update(task, description="painting")
        frames = frames_of(walk, origins.brush, count, folder, key, lambda d, t: bar.update(task, completed=d, total=t))
        film(frames, to, fps, scale)
    shutil.rmtree(folder, ignore_errors=True)
    took = time.monotonic() - start
    origins.ledger.record(
        "artist",
        "walk",
        inputs=[*dict.fromkeys(digests), origins.model_digest],
        outputs=[str(to.absolute())],
        parameters={"seconds": seconds, "fps": fps, "loop": loop, "scale": scale},
    )
    if as_json:
        print_json({"path": str(to), "frames": count, "seconds": round(took, 2)})
    else:
        print(f"{to}: {count} frames, {count / fps:g} s, made in {took:.0f} s")


def _check(stations: list[str], to: Path, seconds: float, fps: int, scale: int, formats: tuple[str, ...]) -> None:
    if len(stations) < 2:
        raise UsageError(stations[0], "is one station", "give two or more to walk between")
    if to.suffix.lower() not in formats:
        raise UsageError(f"--to {to}", "is no film that limner writes", f"use one of: {', '.join(formats)}")
    if not to.absolute().parent.is_dir():
        raise UsageError(f"--to {to}", "lies in a folder that is not there", "make the folder first")
    if not 0.1 <= seconds <= 3600 or not 1 <= fps <= 60 or seconds * fps > 100_000:
        raise UsageError(f"--seconds {seconds:g} --fps {fps}", "is out of range", "give 0.1 to 3600 s and 1 to 60")
    if not 1 <= scale <= 8:
        raise UsageError(f"--scale {scale}", "is out of range", "give 1 to 8")
