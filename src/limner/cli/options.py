"""Options and arguments that several commands share, each declared once.

A command's parameters are annotated, and their defaults are plain values: `as_json: Json = False`.
"""

from __future__ import annotations

from typing import Annotated

import typer

from limner.cli.completing import collections, models

__all__ = ["AcceptUnknown", "CollectionName", "Json", "ModelName", "Overwrite", "Quiet", "Silent", "Where"]

ModelName = Annotated[str, typer.Argument(help="Name or file of a model.", autocompletion=models)]
CollectionName = Annotated[
    str,
    typer.Argument(metavar="COLLECTION", help="Name or folder of a collection.", autocompletion=collections),
]
Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where", "-w", metavar="COLUMN=VALUE", help="Only these pictures; also COLUMN!=VALUE. May be repeated."
    ),
]
AcceptUnknown = Annotated[
    str | None,
    typer.Option("--accept-unknown", metavar="REASON", help="Use pictures that are held back, for this reason."),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the file that lies there already.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]
Silent = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
