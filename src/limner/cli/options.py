"""Options and arguments that several commands share, each declared once.

A command's parameters are annotated, and their defaults are plain values: `as_json: Json = False`. Options that belong
together are the fields of a frozen dataclass; a command takes that as one parameter and is registered by `grouped`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import is_dataclass
from typing import Annotated, Any, get_type_hints

import typer

from limner.cli.completing import collections, models

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
AllowSuperseded = Annotated[
    str | None,
    typer.Option(
        "--allow-superseded", metavar="REASON", help="Use a model that was superseded, for this reason; it is recorded."
    ),
]
AllowCopy = Annotated[
    str | None,
    typer.Option("--allow-copy", metavar="REASON", help="Publish even a copy of a training picture, for this reason."),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the file that lies there already.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]
Silent = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """The command as Typer sees it: in place of each parameter that is a dataclass of options stand its fields.

    Example:
        >>> @dataclass(frozen=True)
        ... class Printing:
        ...     as_json: Json = False
        ...     quiet: Quiet = False
        >>> def show(model: ModelName, printing: Printing) -> None: ...
        >>> app.command()(grouped(show))
    """
    shown: list[inspect.Parameter] = []
    groups: dict[str, tuple[Any, list[str]]] = {}
    hints = get_type_hints(command, include_extras=True)
    for one in inspect.signature(command).parameters.values():
        kind = hints[one.name]
        if isinstance(kind, type) and is_dataclass(kind):
            own, inside = get_type_hints(kind, include_extras=True), inspect.signature(kind).parameters
            groups[one.name] = kind, [*inside]
            shown += [field.replace(annotation=own[name], kind=one.KEYWORD_ONLY) for name, field in inside.items()]
        else:
            shown.append(one.replace(annotation=kind, kind=one.KEYWORD_ONLY))

    @functools.wraps(command)
    def called(**given: Any) -> None:
        for name, (kind, inside) in groups.items():
            given[name] = kind(**{field: given.pop(field) for field in inside})
        command(**given)

    called.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]
    called.__annotations__ = {one.name: one.annotation for one in shown}
    return called
