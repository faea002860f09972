"""`limner statement`: what the artist did for a work, and what the algorithm did."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from limner.cli.common import print_json
from limner.cli.options import Json, Overwrite
from limner.cli.outputs import output
from limner.cli.tables import plain, show, table
from limner.workspace import Workspace

if TYPE_CHECKING:
    from limner.statement.record import Statement


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("statement", rich_help_panel="Check and keep")(_statement)


def _statement(
    work: Annotated[Path, typer.Argument(help="The file of a published work.")],
    to: Annotated[
        Path | None, typer.Option(help="Also as a page with pictures (.html), as Markdown (.md) or as JSON (.json).")
    ] = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Say what the artist did for a work and what the algorithm did: counted, step by step, from the ledger.

    It says what was measured, what was recorded, what is the artist's word alone, and what nobody can know.
    Information, not legal advice.

    Example: [bold]limner statement sea.png --to sea-statement.html[/bold]
    """
    from limner.statement.gathering import statement_of
    from limner.statement.pages import WRITERS, write_statement

    if to is not None:
        output(to, endings=tuple(WRITERS), sources=(work,), overwrite=overwrite)
    found = statement_of(work, Workspace.default())
    if to is not None:
        write_statement(found, to)
    if as_json:
        print_json({**found.to_dict(), **({"to": str(to)} if to else {})})
        return
    _show(found)
    if to is not None:
        print(to)


def _show(found: Statement) -> None:
    from limner.statement.wording import NOTICE

    counts = table("", "counted", "from", narrow=[""])
    for one in found.counts:
        counts.add_row(f"{one.number:,}", plain(one.what), plain(one.source))
    steps = table("", "picture", "the artist", "the algorithm", "measured", gap=2, narrow=[""])
    for number, step in enumerate(found.steps, 1):
        cells = (step.name, " ".join(step.artist), " ".join(step.algorithm), "; ".join(step.measured))
        steps.add_row(str(number), *(plain(cell) for cell in cells))
    rows = table("", "", "standing", "why", narrow=["", "standing"])
    for fact in found.facts:
        rows.add_row(plain(fact.what), plain(fact.value[:60]), fact.standing.value, plain(fact.why))
    show(plain(found.title, "bold"), plain(found.summary), counts, steps, rows, f"[dim]{NOTICE}[/dim]")
