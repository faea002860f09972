"""What every command shares: where errors go, JSON for programs, progress with rate and time left."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from limner.errors import UsageError

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.progress import Progress

_Options = TypeVar("_Options", bound="BaseModel")


def speak_plainly() -> None:
    """Let what a terminal or file cannot hold become `?`, instead of an end in the middle of a sentence."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def console_error(message: str) -> None:
    """Print one line to standard error, `limner: ` before it, without control characters."""
    from limner.text import one_line

    print(f"limner: {one_line(message, 4000)}", file=sys.stderr)


def print_json(value: Any) -> None:
    """Print `value` as indented JSON on standard output; as ASCII where that is not UTF-8."""
    encoding = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().replace("-", "")
    print(json.dumps(value, indent=2, ensure_ascii=encoding not in ("utf8", "utf8sig"), default=str))


def checked_options(kind: type[_Options], command: str, given: dict[str, Any]) -> _Options:
    """The options of a training; what does not fit is named as it is given on the command line.

    Raises:
        UsageError: one of them is out of its range; says which.
    """
    from pydantic import ValidationError

    try:
        return kind.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        option = "--" + str(first["loc"][0]).replace("_", "-")
        raise UsageError(f"{option} {first['input']}", first["msg"].lower(), f"see `limner {command} --help`") from None


@contextmanager
def progress_of(doing: str, *, quiet: bool, unit: str = "pictures") -> Iterator[Callable[..., None]]:
    """A bar of one task; what this gives is called with how much is done, of how much, and, if new, what is done."""
    with progress_bar(quiet=quiet, unit=unit) as bar:
        task = bar.add_task(doing, total=None)

        def show(done: int, total: int, doing: str | None = None) -> None:
            bar.update(task, completed=done, total=total, description=doing)

        yield show


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
