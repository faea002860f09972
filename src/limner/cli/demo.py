"""`limner demo`: the whole road, from the paintings that ship with limner to signed works and forgeries that fail."""

from __future__ import annotations

import shlex
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limner.cli.common import print_json, progress_bar
from limner.errors import UsageError

if TYPE_CHECKING:
    from limner.papers import Verdict
    from limner.reports.demonstration import Demonstration
    from limner.reports.record import DemoRecord

__all__ = ["register"]

_WHERE = "kind=landscape"
_STEPS = 7


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(rich_help_panel="Begin")
    def demo(
        to: Annotated[Path, typer.Option(help="Folder for everything that the demo makes.")] = Path("demo"),
        minutes: Annotated[float, typer.Option(help="Length of the training; 15 gives far better pictures.")] = 2.0,
        where: Annotated[
            list[str] | None,
            typer.Option(
                "--where",
                "-w",
                metavar="COLUMN=VALUE",
                help="Which of the 360 paintings to learn from; repeatable.",
                show_default=_WHERE,
            ),
        ] = None,
        size: Annotated[str, typer.Option(help="64, or WIDTHxHEIGHT; multiples of 32 up to 512.")] = "64",
        quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
        as_json: Annotated[bool, typer.Option("--json", help="Print what was made as JSON.")] = False,
    ) -> None:
        """Show the whole road in minutes: paintings, rights, training, new pictures, papers, forgeries; one page of it.

        Everything stays in the folder --to, its own workspace included; nothing is sent or fetched.

        Example: [bold]limner demo --minutes 15[/bold]
        """
        from limner.cli.train import parse_size

        if not 0 < minutes <= 24 * 60:
            raise UsageError(f"--minutes {minutes:g}", "is no length for a training", "give e.g. 2 or 15")
        height_width = parse_size(size)
        made, record = _run(to, minutes, tuple(where or [_WHERE]), height_width, quiet=quiet or as_json)
        if as_json:
            print_json(_told(made, record))
        elif not quiet:
            _show(made, record)
        raise typer.Exit(0 if _as_expected(made) else 1)


class _Steps:
    """Says which step is under way, and how far it is."""

    def __init__(self, quiet: bool) -> None:
        from rich.console import Console

        self.quiet, self._console, self._number = quiet, Console(stderr=True), 0

    def say(self, title: str) -> None:
        self._number += 1
        if not self.quiet:
            self._console.print(f"[dim]{self._number}/{_STEPS}[/dim] [bold]{title}[/bold]", highlight=False)

    def note(self, text: str) -> None:
        if not self.quiet:
            self._console.print(f"    {text}", style="dim", highlight=False, markup=False)

    @contextmanager
    def bar(self, title: str, unit: str = "pictures") -> Iterator[Callable[[int, int], None]]:
        with progress_bar(quiet=self.quiet, unit=unit) as bar:
            task = bar.add_task(title, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)


def _run(
    to: Path, minutes: float, where: tuple[str, ...], size: tuple[int, int], *, quiet: bool
) -> tuple[Demonstration, DemoRecord]:
    from limner.reports.demonstration import Demonstration, prepare

    folder, steps = prepare(to), _Steps(quiet)
    made = Demonstration(folder, minutes=minutes, where=where, size=size)
    steps.say("Taking the paintings that ship with limner, with their rights")
    with steps.bar("reading") as progress:
        collection = made.take(progress)
    steps.note(f"{collection.card['pictures']} paintings, {len(made.rows)} of them with {' and '.join(where)}")
    _learn(made, steps)
    steps.say("Painting 64 new pictures")
    with steps.bar("painting") as progress:
        made.paint(progress)
    _papers(made, steps)
    steps.say("Looking for the nearest training pictures")
    with steps.bar("comparing", "views") as progress:
        made.compare(progress)
    steps.say("Writing the page")
    return made, made.write(_commands(made))


def _learn(made: Demonstration, steps: _Steps) -> None:
    from limner.cli.train import TerminalReporter

    steps.say(f"Training from scratch for {made.minutes:g} minutes")
    start = time.monotonic()
    with TerminalReporter(steps.quiet) as reporter:
        made.learn(reporter)
    steps.note(f"trained and measured in {time.monotonic() - start:.0f} s")


def _papers(made: Demonstration, steps: _Steps) -> None:
    from limner.cli.sample import provenance_of

    steps.say("Signing 4 works, and forging 2 copies of them")
    made.sign(provenance_of)
    made.forge()
    steps.say("Verifying all of them, as a stranger would")
    genuine, refused = made.check()
    for verdict in (*genuine, *refused):
        steps.note(f"{'✓' if verdict.genuine else '✗'} {Path(verdict.path).name}: {verdict.summary}")


def _commands(made: Demonstration) -> list[tuple[str, str]]:
    """What to type next; paths as from where the demo was called."""
    folder, limner = shlex.quote(str(made.folder)), _program()
    home = f"LIMNER_HOME={shlex.quote(str(made.folder / 'home'))}"
    return [
        (f"{limner} verify {folder}/works {folder}/forgeries", "check the files of this page yourself"),
        (f"{home} {limner} sample demo -n 16 --seed 7 --sheet", "paint more with the demo's model"),
        (f"{limner} demo --minutes 15 --to {folder}", "let it learn longer: far better pictures"),
        (
            f'{limner} collection add ~/my-pictures --name mine --licence CC-BY-4.0 --creator "Your Name"',
            "begin with pictures of your own",
        ),
        (f"{limner} train mine --size 64 --minutes 20", "and train on them"),
    ]


def _program() -> str:
    """How limner is called from here: by its name where that is found, else by its path."""
    return "limner" if shutil.which("limner") else shlex.quote(sys.argv[0])


def _as_expected(made: Demonstration) -> bool:
    return all(one.genuine for one in made.verdicts) and not any(one.genuine for one in made.refused)


def _show(made: Demonstration, record: DemoRecord) -> None:
    from rich.console import Console

    console = Console()
    console.print()
    page = (made.folder / "index.html").absolute()
    console.print(f"[bold]The page:[/bold] {page}", highlight=False, soft_wrap=True)
    console.print(f"Made in {record.seconds:.0f} s. Open it in a browser; then:", highlight=False)
    for command, what in record.commands:
        console.print(f"  [dim]# {what}[/dim]\n  {command}", highlight=False, soft_wrap=True)


def _told(made: Demonstration, record: DemoRecord) -> dict[str, Any]:
    def one(verdict: Verdict) -> dict[str, Any]:
        return {"path": verdict.path, "state": verdict.state, "genuine": verdict.genuine, "summary": verdict.summary}

    return {
        "page": str((made.folder / "index.html").absolute()),
        "home": str(made.workspace.root),
        "model": {"name": record.learned.name, "digest": f"sha256:{record.learned.digest}"},
        "collection": {"name": record.taken.name, "digest": f"sha256:{record.taken.digest}"},
        "quality": dict(record.learned.quality),
        "works": [one(verdict) for verdict in made.verdicts],
        "forgeries": [one(verdict) for verdict in made.refused],
        "nearest": [{"title": n.title, "creator": n.creator, "distance": n.distance} for n in made.nearest],
        "as_expected": _as_expected(made),
        "seconds": round(record.seconds, 1),
    }
