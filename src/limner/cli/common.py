"""What every command shares: where errors go, JSON for programs, progress with rate and time left."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, TypeVar

from limner.errors import UsageError

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.progress import Progress

__all__ = ["checked_options", "console_error", "print_json", "progress_bar"]

_Options = TypeVar("_Options", bound="BaseModel")


def console_error(message: str) -> None:
    """Print one line to standard error, `limner: ` before it."""
    print(f"limner: {message}".replace("\n", " "), file=sys.stderr)


def print_json(value: Any) -> None:
    """Print `value` as indented JSON on standard output."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def checked_options(kind: type[_Options], command: str, told: dict[str, Any]) -> _Options:
    """The options of a training; what does not fit is named as it is given on the command line.

    Raises:
        UsageError: one of them is out of its range; says which.
    """
    from pydantic import ValidationError

    try:
        return kind.model_validate(told)
    except ValidationError as error:
        first = error.errors()[0]
        option = "--" + str(first["loc"][0]).replace("_", "-")
        raise UsageError(f"{option} {first['input']}", first["msg"].lower(), f"see `limner {command} --help`") from None


def progress_bar(*, quiet: bool = False, unit: str = "pictures") -> Progress:
    """A progress bar on standard error with rate and time left; shows nothing when `quiet` or not a terminal."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text(f"{speed:,.0f} {unit}/s" if speed else "", style="progress.data.speed")

    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=quiet or not console.is_terminal,
    )
