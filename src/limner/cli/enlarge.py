"""`limner enlarge`: a larger print of a work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from limner.cli.common import print_json, progress_of
from limner.cli.making import ENDINGS, Identity, Title, ready_to_sign
from limner.cli.options import AllowCopy, AllowSuperseded, Json, Overwrite, Quiet
from limner.cli.outputs import output
from limner.workspace import Workspace


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("enlarge", rich_help_panel="Paint")(_enlarge)


def _enlarge(
    work: Annotated[Path, typer.Argument(help="A work's file.")],
    to: Annotated[int, typer.Option(help="Longer side of the print in pixels.")] = 2048,
    upscaler: Annotated[
        str, typer.Option(help="learned, none (Lanczos alone), or an up-scaler's name or file.")
    ] = "learned",
    strength: Annotated[float, typer.Option(help="How much detail the up-scaler adds, 0 to 1.")] = 0.6,
    out: Annotated[
        Path | None, typer.Option(help="File for the print, or folder; the workspace's works by default.")
    ] = None,
    overwrite: Overwrite = False,
    allow_superseded: AllowSuperseded = None,
    allow_copy: AllowCopy = None,
    title: Title = None,
    identity: Identity = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Make a larger print of a work: it is painted again from its latent, and finished at the larger size.

    A work that was not finished from exemplars is enlarged by a small network:
    [bold]learned[/bold] is the up-scaler that was trained here on the pictures that the work's model learned from;
    otherwise the one that comes with limner, which learned from paintings.

    Example: [bold]limner enlarge dusk.png --to 2048[/bold]
    """
    from limner.works.prints import PrintRequest, Source, make_print

    if out is not None and out.suffix:
        output(out, option="--out", endings=ENDINGS, sources=(work,), overwrite=overwrite)
    workspace, request = Workspace.default(), PrintRequest(to, upscaler, strength, out, title)
    source = Source.open(work, workspace, allow_superseded=allow_superseded)
    with (
        ready_to_sign(workspace, identity=identity, overwrite=overwrite, allow_copy=allow_copy) as publisher,
        progress_of("enlarging", quiet=quiet or as_json, unit="tiles") as progress,
    ):
        made = make_print(source, request, publisher, progress)
    if as_json:
        print_json({"path": str(made.path), "digest": made.digest, "how": made.how, "seconds": made.seconds})
    else:
        print(made.path)
