"""`limner demo`: the whole way, from the paintings that ship with limner to signed works and forgeries that fail."""

from __future__ import annotations

import shlex
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limner.cli.common import print_json, progress_bar
from limner.cli.options import Json, Quiet, grouped
from limner.errors import UsageError

if TYPE_CHECKING:
    from limner.demo.demonstration import Demonstration
    from limner.demo.opening import Opened
    from limner.demo.planning import Plan
    from limner.papers import Verdict
    from limner.reports.record import DemoRecord

_STEPS = 8


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel="Begin")(grouped(demo))


@dataclass(frozen=True)
class _Training:
    """What a demo learns from, and how."""

    minutes: Annotated[
        float | None,
        typer.Option(help="Length of the training; more gives far better pictures.", show_default="2; 5 with FOLDER"),
    ] = None
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where",
            "-w",
            metavar="COLUMN=VALUE",
            help="Which pictures to learn from; repeatable.",
            show_default="kind=landscape; all with FOLDER",
        ),
    ] = None
    size: Annotated[
        str | None,
        typer.Option(
            help="64, or WIDTHxHEIGHT; multiples of 32 up to 512. Not the shipped model's: trains from scratch.",
            show_default="64; the shipped model's with FOLDER",
        ),
    ] = None
    creator: Annotated[str, typer.Option(help="Who made your pictures, where no table or file says it.")] = ""
    licence: Annotated[
        str,
        typer.Option(help="Their licence (SPDX), where none is said: CC-BY-4.0; or LicenseRef-All-Rights-Reserved."),
    ] = ""


def demo(
    *,
    pictures: Annotated[
        Path | None,
        typer.Argument(metavar="FOLDER", help="Pictures of your own; the paintings that ship with limner otherwise."),
    ] = None,
    to: Annotated[Path, typer.Option(help="Folder for everything that the demo makes.")] = Path("demo"),
    training: _Training,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Show the whole way in minutes: pictures, rights, training, new pictures, papers, forgeries; one page of it.

    It opens with what the models that ship with limner paint.

    With a FOLDER of your own pictures one of these models goes on learning, and the page shows before and after.

    Everything stays in the folder --to, its own workspace included; nothing is sent or fetched.

    Example: [bold]limner demo --minutes 15[/bold]

    Example: [bold]limner demo ~/drawings --creator "Ada Example" --licence CC-BY-4.0[/bold]
    """
    made, record = _run(_plan(to, pictures, training), quiet=quiet or as_json)
    if as_json:
        print_json(_as_json(made, record))
    elif not quiet:
        _show(made, record)
    raise typer.Exit(0 if _as_expected(made) else 1)


def _plan(to: Path, pictures: Path | None, training: _Training) -> Plan:
    from limner.cli.train_options import parse_size
    from limner.demo.planning import plan_own, plan_paintings

    minutes, where = training.minutes, tuple(training.where or ())
    if minutes is not None and not 0 < minutes <= 24 * 60:
        raise UsageError(f"--minutes {minutes:g}", "is no length for a training", "give e.g. 2 or 15")
    size = None if training.size is None else parse_size(training.size)
    rights = {"creator": training.creator, "licence": training.licence}
    if pictures is not None:
        return plan_own(to, pictures, minutes=minutes, size=size, where=where, **rights)
    for option, value in rights.items():
        if value:
            reason = "is about pictures of your own, and no folder of them is given"
            remedy = f"limner demo FOLDER --{option} {shlex.quote(value)}"
            raise UsageError(f"--{option} {value}", reason, remedy)
    return plan_paintings(to, minutes=minutes, size=size, where=where)


class _Steps:
    """Says which step is under way, and how far it is."""

    def __init__(self, quiet: bool, total: int) -> None:
        from rich.console import Console

        self.quiet, self._number, self._total = quiet, 0, total
        self._console = Console(stderr=True, quiet=quiet, highlight=False)

    def say(self, title: str) -> None:
        self._number += 1
        self._console.print(f"[dim]{self._number}/{self._total}[/dim] [bold]{title}[/bold]")

    def note(self, text: str) -> None:
        self._console.print(f"    {text}", style="dim", markup=False, soft_wrap=True)

    @contextmanager
    def bar(self, title: str, unit: str = "pictures") -> Iterator[Callable[[int, int], None]]:
        with progress_bar(quiet=self.quiet, unit=unit) as bar:
            task = bar.add_task(title, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)


def _run(plan: Plan, *, quiet: bool) -> tuple[Demonstration, DemoRecord]:
    from limner.demo.demonstration import Demonstration, prepare
    from limner.demo.telling import record_of
    from limner.reports.page import write_demo

    prepare(plan.folder)
    made, steps = Demonstration(plan), _Steps(quiet, _STEPS if plan.opening else _STEPS - 1)
    _open(made, steps)
    _take(made, steps)
    _learn(made, steps)
    steps.say("Painting 64 new pictures")
    with steps.bar("painting") as progress:
        made.paint(progress)
    _papers(made, steps)
    steps.say("Looking for the nearest training pictures")
    with steps.bar("comparing", "views") as progress:
        made.compare(progress)
    steps.say("Writing the page")
    record = record_of(made, _commands(made))
    write_demo(record, _page(made))
    return made, record


def _page(made: Demonstration) -> Path:
    return (made.folder / "index.html").absolute()


def _open(made: Demonstration, steps: _Steps) -> None:
    """Paint with the shipped models, and say at once where the pictures lie."""
    if not made.plan.opening:
        steps.note("no models are shipped in this installation, so nothing is painted before the training")
        return
    steps.say("Painting with the models that ship with limner")
    for opener in made.plan.opening:
        with steps.bar(opener.path.stem) as progress:
            opened = made.open_with(opener, progress)
        rows = ", ".join(label for label, _ in opened.blocks if label)
        count = f"{opened.count} new pictures{f' ({rows})' if rows else ''}"
        steps.note(f"{opened.card.name}: {count} in {opened.seconds:.1f} s: {opened.sheet.absolute()}")


def _take(made: Demonstration, steps: _Steps) -> None:
    plan = made.plan
    what = f"the pictures of {plan.pictures}" if plan.pictures else "the paintings that ship with limner"
    steps.say(f"Taking {what}, with their rights")
    with steps.bar("reading") as progress:
        collection = made.take(progress)
    noun = "pictures" if plan.pictures else "paintings"
    chosen = f", {len(made.rows)} of them with {' and '.join(plan.where)}" if plan.where else ""
    steps.note(f"{collection.card['pictures']} {noun}{chosen}")


def _learn(made: Demonstration, steps: _Steps) -> None:
    from limner.cli.training_bar import TerminalReporter

    parent = made.plan.parent
    how = f"{parent.stem} goes on learning" if parent else "Training from scratch"
    steps.say(f"{how} for {made.plan.minutes:g} {'minute' if made.plan.minutes == 1 else 'minutes'}")
    if made.plan.aside:
        steps.note(made.plan.aside)
    start = time.monotonic()
    with TerminalReporter(steps.quiet) as reporter:
        made.learn(reporter)
    steps.note(f"trained and measured in {time.monotonic() - start:.0f} s")


def _papers(made: Demonstration, steps: _Steps) -> None:
    steps.say("Signing 4 works, and forging 2 copies of them")
    made.sign()
    made.forge()
    steps.say("Verifying all of them, as a stranger would")
    genuine, refused = made.check()
    for verdict in (*genuine, *refused):
        steps.note(f"{'✓' if verdict.genuine else '✗'} {Path(verdict.path).name}: {verdict.summary}")


def _commands(made: Demonstration) -> list[tuple[str, str]]:
    """What to type next; paths as from where the demo was called."""
    folder, limner = shlex.quote(str(made.folder)), _program()
    home = f"LIMNER_HOME={shlex.quote(str(made.folder / 'home'))}"
    checks = [
        (f"{limner} verify {folder}/works {folder}/forgeries", "check the files of this page yourself"),
        (f"{home} {limner} sample demo -n 16 --seed 7 --sheet", "paint more with the demo's model"),
    ]
    return [*checks, *(_next_own if made.plan.pictures else _next)(made.plan, limner, folder)]


def _next(plan: Plan, limner: str, folder: str) -> list[tuple[str, str]]:
    rights = '--creator "Your Name" --licence CC-BY-4.0'
    names = [one.path.stem for one in plan.opening]
    return [
        *((f"{limner} sample {name} -n 16 --seed 7 --sheet", f"paint more with {name}") for name in names),
        (f"{limner} demo ~/my-pictures {rights} --to my-demo", "the same with pictures of your own"),
        (f"{limner} demo --minutes 15 --to {folder}", "let it learn longer: far better pictures"),
        (f"{limner} collection add ~/my-pictures --name mine {rights}", "begin a collection that stays"),
        (f"{limner} train mine --size 64 --minutes 20", "and train on it"),
    ]


def _next_own(plan: Plan, limner: str, folder: str) -> list[tuple[str, str]]:
    given = [("--creator", plan.creator), ("--licence", plan.licence)]
    rights = "".join(f" {option} {shlex.quote(value)}" for option, value in given if value)
    chosen = rights + "".join(f" --where {shlex.quote(one)}" for one in plan.where)
    pictures = shlex.quote(str(plan.pictures))
    height, width = plan.size
    size = str(width) if width == height else f"{width}x{height}"
    again = "" if plan.parent else f" --size {size}"
    parent = f" --family gan --from {plan.parent.stem}" if plan.parent else ""
    longer = f"{limner} demo {pictures}{chosen}{again} --minutes 30 --to {folder}"
    return [
        (longer, "let it learn longer: better pictures"),
        (f"{limner} collection add {pictures} --name mine{rights}", "begin a collection that stays"),
        (f"{limner} train mine --size {size}{parent} --minutes 60", "and train on it"),
    ]


def _program() -> str:
    """How limner is called from here: by its name where that is found, else by its path."""
    return "limner" if shutil.which("limner") else shlex.quote(sys.argv[0])


def _as_expected(made: Demonstration) -> bool:
    return all(one.genuine for one in made.verdicts) and not any(one.genuine for one in made.refused)


def _show(made: Demonstration, record: DemoRecord) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    console.print(f"\n[bold]The page:[/bold] {_page(made)}", soft_wrap=True)
    console.print(f"Made in {record.seconds:.0f} s. Open it in a browser; then:")
    for command, what in record.commands:
        console.print(f"  [dim]# {what}[/dim]\n  {command}", soft_wrap=True)


def _as_json(made: Demonstration, record: DemoRecord) -> dict[str, Any]:
    def one(verdict: Verdict) -> dict[str, Any]:
        return {name: getattr(verdict, name) for name in ("path", "state", "genuine", "summary")}

    nearest = [work.nearest for work in record.works]
    parent = made.opened[0] if made.plan.parent else None
    return {
        "page": str(_page(made)),
        "home": str(made.workspace.root),
        "opening": [_opening_as_json(opened) for opened in made.opened],
        "parent": parent and {"name": parent.card.name, "digest": f"sha256:{parent.digest}"},
        "model": {"name": record.learned.name, "digest": f"sha256:{record.learned.digest}"},
        "collection": {"name": record.taken.name, "digest": f"sha256:{record.taken.digest}"},
        "quality": dict(record.learned.quality),
        "works": [one(verdict) for verdict in made.verdicts],
        "forgeries": [one(verdict) for verdict in made.refused],
        "nearest": [{"title": one.title, "creator": one.creator, "distance": one.distance} for one in nearest],
        "as_expected": _as_expected(made),
        "seconds": round(record.seconds, 1),
    }


def _opening_as_json(opened: Opened) -> dict[str, Any]:
    card = opened.card
    return {
        "model": card.name,
        "digest": f"sha256:{opened.digest}",
        "sheet": str(opened.sheet.absolute()),
        "pictures": opened.count,
        "labels": [label for label, _ in opened.blocks if label],
        "seconds": round(opened.seconds, 2),
        "learned_from": {"collection": card.collection.name, "pictures": card.collection.pictures},
        "minutes": card.training.minutes,
        "licences": card.rights.licences,
        "credit": card.credit,
    }
