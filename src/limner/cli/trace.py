"""`limner trace`: whose pictures are in a work."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limner.cli.common import print_json, progress_of
from limner.cli.options import Json, Overwrite, Quiet, grouped
from limner.cli.outputs import output
from limner.cli.tables import plain, show, table
from limner.errors import UsageError, check_range
from limner.workspace import Workspace

if TYPE_CHECKING:
    from limner.influence.estimate import Alike
    from limner.influence.shares import Influence
    from limner.works.credits import Credits
    from limner.works.tracing import Tracing

_SHOWN = 8
_BAR = 24


@dataclass(frozen=True)
class Asked:
    """What is to be found, and how."""

    by: Annotated[
        str, typer.Option(metavar="COLUMN", help="Whose influence: creator, source, licence or a label column.")
    ] = "creator"
    measure: Annotated[
        bool, typer.Option("--measure", help="Train the ensemble of small models; stopped, it goes on next time.")
    ] = False
    background: Annotated[
        bool, typer.Option("--background", help="The same in a process of its own, while you do other things.")
    ] = False
    each: Annotated[
        int, typer.Option(help="Small models without each creator, 2 to 32; more make the intervals narrower.")
    ] = 3
    label: Annotated[bool, typer.Option("--label", help="Print the credit line alone, for a wall label.")] = False


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("trace", rich_help_panel="Check and keep")(grouped(_trace))


def _trace(
    work: Annotated[Path, typer.Argument(help="A work's file.")],
    *,
    asked: Asked,
    to: Annotated[Path | None, typer.Option(help="Also a page of it (HTML).")] = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Trace a work: pictures composed like it, what its finish took, and who shaped its composition, with intervals.

    Shares in the composition are a quick estimate at first. With --measure or --background small models are trained,
    each without the pictures of one creator: minutes, once for each model and column.

    Example: [bold]limner trace dusk.png --measure --to trace.html[/bold]
    """
    from limner.machine import probe
    from limner.works.tracing import Tracing

    if asked.measure and asked.background:
        raise UsageError("--measure --background", "exclude each other", "choose one of them")
    check_range("--each", asked.each, 2, 32)
    workspace = Workspace.default()
    if to is not None:
        output(to, endings=(".html",), sources=(work,), overwrite=overwrite)
    silent = quiet or as_json or asked.label
    with progress_of("reading pictures", quiet=silent) as show_reading:
        tracing = Tracing(work, workspace, asked.by, asked.each, progress=show_reading)
    if asked.measure:
        with progress_of("training small models", quiet=silent, unit="models") as show_training:
            tracing.measure(probe(), show_training)
    if asked.background:
        _start(tracing)
    if to is not None or not asked.label:
        with progress_of("preparing the copy gate, once", quiet=silent) as show_gate:
            tracing.nearest(show_gate)
    _tell(tracing, asked, to, as_json)


def _start(tracing: Tracing) -> None:
    """Train the ensemble in a process of its own, which other work goes before; ended with this one it is not."""
    tracing.check()
    status = tracing.ensemble.status()
    if status.running or status.complete:
        return
    folder = tracing.workspace.make(tracing.ensemble.folder)
    command = [sys.executable, "-m", "limner", "trace", str(tracing.path.absolute()), "--by", tracing.groups.by]
    command += ["--each", str(tracing.ensemble.options.each)]
    politely = ["nice", "-n", "10"] if shutil.which("nice") else []
    with (folder / "log.txt").open("wb") as log:
        subprocess.Popen(
            [*politely, *command, "--measure", "--label"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, "LIMNER_HOME": str(tracing.workspace.root)},
        )


def _tell(tracing: Tracing, asked: Asked, to: Path | None, as_json: bool) -> None:
    from limner.works.trace_label import label_of

    found, credits = tracing.influence(), tracing.credits()
    label = label_of(tracing.card, found, credits, tracing.finish)
    if to is not None:
        from limner.reports.trace_page import write_trace

        write_trace(tracing, found, credits, label, to)
    if asked.label and not as_json:
        print(label)
        return
    alike = tracing.alike()
    if as_json:
        print_json(_plain(tracing, found, credits, alike, label) | ({"page": str(to)} if to else {}))
        return
    _print(tracing, found, credits, alike, label, asked)
    if to is not None:
        print(to)


def _plain(
    tracing: Tracing, found: Influence, credits: Credits | None, alike: tuple[Alike, ...], label: str
) -> dict[str, Any]:
    """Everything, for programs."""
    from limner.works import trace_wording as words

    status = tracing.ensemble.status()
    return {
        "work": str(tracing.path),
        "model": tracing.card.name,
        "composition": tracing.composition.source.value,
        "nearest": [asdict(one) for one in tracing.nearest()],
        "alike": [
            {"title": one.row.title or one.row.file, "creator": one.row.creator, "licence": one.row.licence}
            | {"digest": f"sha256:{one.row.pixel_sha256}", "distance": round(one.distance, 4)}
            for one in alike
        ],
        "finish": None if credits is None else {"creators": credits.by("creator"), "licences": credits.by("licence")},
        "influence": {
            "by": found.by,
            "method": found.method.value,
            "verdict": found.verdict.value,
            "models": found.models,
            "shares": [asdict(one) | {"stands_out": one.stands_out} for one in found.shares],
        },
        "ensemble": asdict(status),
        "said": {
            "verdict": words.verdict_line(found),
            "method": words.method_line(found),
            "uncertainty": words.uncertainty_line(found),
            "limits": words.limits(tracing.card, found),
        },
        "label": label,
    }


def _print(
    tracing: Tracing,
    found: Influence,
    credits: Credits | None,
    alike: tuple[Alike, ...],
    label: str,
    asked: Asked,
) -> None:
    from limner.influence.shares import Method
    from limner.works import trace_wording as words

    near = table("composed most alike", "by", "licence", gap=2)
    for one in alike:
        texts = (one.row.title or one.row.file, one.row.creator or "unknown", one.row.licence or "unknown")
        near.add_row(*(plain(text) for text in texts))
    show(*_nearest_lines(tracing), near, "", *_finish_lines(credits), "")
    sure = "" if found.method is Method.ENSEMBLE else " (quick estimate)"
    title = f"composition, by {found.by}{sure}"
    rows = table(title, "share", "95 %", "", "of pictures", gap=2, right=("share", "of pictures"), narrow=("", "95 %"))
    for group in found.shares[:_SHOWN]:
        share = group.share
        bounds = f"{share.low:.0%} to {share.high:.0%}"
        rows.add_row(
            plain(words.named(group)), f"{share.value:.0%}", bounds, _bar(share.low, share.high), f"{group.portion:.0%}"
        )
    lines = [words.verdict_line(found), words.method_line(found), words.uncertainty_line(found)]
    show(rows, *(plain(line) for line in lines))
    show(*(plain(line, "dim") for line in words.limits(tracing.card, found)))
    if line := _ensemble_line(tracing, asked):
        show(plain(line))
    show("", plain(label))


def _nearest_lines(tracing: Tracing) -> list[Any]:
    """What the copy gate found; nothing for a work that it did not look at."""
    found = tracing.nearest()
    if not found:
        return []
    rows = table("looks most alike (copy gate)", "by", "licence", "copy score", gap=2, right=("copy score",))
    for one in found:
        texts = (one.title, one.creator or "unknown", one.licence or "unknown")
        rows.add_row(*(plain(text) for text in texts), f"{one.score:.2f}")
    return [rows, ""]


def _finish_lines(credits: Credits | None) -> list[Any]:
    if credits is None:
        return ["The work was painted by its model alone: no finish took anything."]
    rows = table("finish, by creator", "share of the area", gap=2, right=("share of the area",))
    shares = list(credits.by("creator").items())
    for name, share in shares[:_SHOWN]:
        rows.add_row(plain(name), f"{share:.1%}")
    if rest := shares[_SHOWN:]:
        rows.add_row(f"{len(rest)} more", f"{sum(share for _, share in rest):.1%}")
    return [rows]


def _bar(low: float, high: float) -> str:
    """An interval on a line from 0 to 100 %."""
    first, last = round(low * (_BAR - 1)), round(high * (_BAR - 1))
    return "".join("━" if first <= place <= last else "·" for place in range(_BAR))


def _ensemble_line(tracing: Tracing, asked: Asked) -> str:
    """How far the ensemble is, and how it is got; empty where it is complete."""
    status = tracing.ensemble.status()
    if status.complete:
        return ""
    left = status.seconds_left
    about = "" if left is None else f", about {max(1, round(left / 60))} min left"
    if status.running:
        return f"An ensemble is being trained: {status.done} of {status.total} models{about}. Look again later."
    if asked.background:
        return f"An ensemble of {status.total} small models is being trained now. Look again in a few minutes."
    begun = f"{status.done} of {status.total} are there{about}" if status.done else f"{status.total} small models"
    return f"For a measurement train an ensemble ({begun}): the same command with --measure, or --background."
