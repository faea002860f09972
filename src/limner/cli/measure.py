"""`limner measure`: how good a model's new pictures are, every number with its interval and its floor."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from limner.cli.common import print_json, progress_bar
from limner.cli.options import Json, ModelName, Quiet, grouped
from limner.errors import UsageError, check_range
from limner.workspace import Workspace, replace_file

if TYPE_CHECKING:
    from rich.table import Table

    from limner.latent.pipeline import Pipeline
    from limner.measure.findings import Finding, Meaning, QualityReport
    from limner.measure.model import ModelMeasurement

_FEWEST, _MOST = 32, 50_000
_WIDE = 120
"""Columns of a terminal that has room for what each number means."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("measure", rich_help_panel="Learn")(grouped(_measure))


@dataclass(frozen=True)
class _MeasureOptions:
    """What is measured, and how."""

    collection: Annotated[
        str | None, typer.Option(help="Name or folder of what it learned from; by its card otherwise.")
    ] = None
    count: Annotated[int, typer.Option("-n", "--count", help="New pictures to paint and measure.")] = 2000
    seed: Annotated[int, typer.Option(help="Of the new pictures and of every random choice.")] = 1
    features: Annotated[
        list[str] | None,
        typer.Option(help="lite2, self-supervised, random or teacher; repeatable; all by default."),
    ] = None
    precision: Annotated[str | None, typer.Option(help="bf16 or fp32; chosen by a probe otherwise.")] = None
    threads: Annotated[int | None, typer.Option(min=1, help="Threads; chosen by a probe otherwise.")] = None


def _measure(
    model: ModelName,
    options: _MeasureOptions,
    to: Annotated[Path | None, typer.Option(help="Folder; the workspace's `measured` by default.")] = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Measure a model's new pictures against the pictures it learned from and those kept from it.

    Beside each number stands its floor: what real pictures get in the place of the new ones.

    Example: [bold]limner measure landscapes --count 2000[/bold]
    """
    from limner.latent.pipeline import Pipeline

    _check(options)
    workspace = Workspace.default()
    pipeline = Pipeline.open(model, workspace, precision=options.precision, threads=options.threads, looks=True)
    found = _measured(pipeline, options, workspace, quiet=quiet or as_json)
    folder = to or workspace.measured / pipeline.model.name
    _save(found, workspace.make(folder))
    if as_json:
        print_json({"folder": str(folder), **found.report.model_dump(mode="json")})
    else:
        _show(pipeline.model.name, found.report, folder)


def _check(options: _MeasureOptions) -> None:
    from limner.measure.quality import FEATURES

    check_range("--count", options.count, _FEWEST, _MOST)
    check_range("--seed", options.seed, 0, math.inf)
    if unknown := [name for name in options.features or () if name not in FEATURES]:
        raise UsageError(f"--features {unknown[0]}", "are not known", f"use: {', '.join(FEATURES)}")


def _measured(pipeline: Pipeline, options: _MeasureOptions, workspace: Workspace, *, quiet: bool) -> ModelMeasurement:
    from limner.collection import Collection
    from limner.measure.model import measure_model
    from limner.measure.quality import FEATURES

    opened = Collection.open(options.collection or pipeline.model.card.collection.name, workspace)
    with progress_bar(quiet=quiet, unit="") as bar:
        tasks = {name: bar.add_task(name, total=None) for name in ("painting", "measuring")}
        return measure_model(
            pipeline,
            opened,
            options.count,
            options.seed,
            lambda name, done, of: bar.update(tasks[name], completed=done, total=of),
            workspace=workspace,
            features=tuple(dict.fromkeys(options.features or FEATURES)),
        )


def _save(found: ModelMeasurement, folder: Path) -> None:
    from limner.measure.plots import plot_numbers, plot_typical

    with replace_file(folder / "quality.json") as part:
        part.write_text(found.report.model_dump_json(indent=2), encoding="utf-8")
    plot_numbers(found.report, folder / "numbers.png")
    plot_typical(found, folder / "typical.png")


def _show(name: str, report: QualityReport, folder: Path) -> None:
    from rich.console import Console

    from limner.measure.findings import INCEPTION, MEANINGS, PATCHES, PATH_LENGTH, Finding

    console = Console()
    wide = console.width >= _WIDE
    counts = report.counts
    console.print(
        f"[bold]{name}[/bold]: {counts['generated']:,} new pictures of {report.size[1]}x{report.size[0]} against "
        f"{counts['held_out']:,} that chose nothing and {counts['training']:,} that it learned from",
        highlight=False,
    )
    for one in report.features:
        rows = [(MEANINGS[name], found) for name, found in one.findings().items()]
        console.print(_table(f"{one.features}: {one.note}", rows, words=wide))
    rest: list[tuple[Meaning, Finding]] = [
        (replace(PATCHES, title=f"patches, {side} px"), found) for side, found in report.patches.items()
    ]
    rest += [(PATH_LENGTH, report.path_length)] if report.path_length else []
    rest += [(INCEPTION, report.inception)] if isinstance(report.inception, Finding) else []
    console.print(_table("without or with other features", rest, words=wide))
    if not wide:
        for meaning in (*MEANINGS.values(), *dict.fromkeys(replace(m, title=m.title.split(",")[0]) for m, _ in rest)):
            console.print(f"[bold]{meaning.title}[/bold]: {meaning.words}", highlight=False)
    if isinstance(report.inception, str):
        console.print(report.inception, style="dim", highlight=False, soft_wrap=True)
    console.print(f"numbers and plots: {folder}", highlight=False, soft_wrap=True)


def _table(title: str, rows: list[tuple[Meaning, Finding]], *, words: bool) -> Table:
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for name, justify in (("", "left"), ("new", "right"), ("95 %", "left"), ("real", "right"), ("", "left")):
        table.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    table.add_column("good", no_wrap=True)
    if words:
        table.add_column("what it means", style="dim")
    colours = {"as real": "green", "better": "green", "worse": "yellow", "cannot tell": "dim", "": "dim"}
    good = {"low": "low", "high": "high", "floor": "as real"}
    for meaning, found in rows:
        compared = found.against_floor(meaning.good)
        table.add_row(
            meaning.title,
            _number(found.value),
            f"{_number(found.low)} to {_number(found.high)}",
            _number(found.floor.value) if found.floor else "",
            f"[{colours[compared]}]{compared}[/]",
            good[meaning.good],
            *([meaning.words] if words else []),
        )
    return table


def _number(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 10 else f"{value:,.0f}"
