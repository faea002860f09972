"""`limner ledger`: what was done, by whom, and the proof that the record was not changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from limner.cli.common import print_json
from limner.workspace import Workspace

if TYPE_CHECKING:
    from limner.ledger import Act, Ledger, LedgerReport

__all__ = ["register"]


_HELP = """The record of what you and the algorithm did: its last acts, oldest first.

Example: [bold]limner ledger --what publish -n 5[/bold]
"""


def register(app: typer.Typer) -> None:
    """Add the command group to `app`."""
    group = typer.Typer(help=_HELP, invoke_without_command=True, rich_markup_mode="rich")
    group.callback()(show)
    group.command("verify")(verify)
    app.add_typer(group, name="ledger")


def show(
    context: typer.Context,
    limit: int = typer.Option(20, "--limit", "-n", min=1, help="How many acts, from the last one back."),
    what: str = typer.Option(None, "--what", help="Only acts of this kind, such as publish."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> None:
    """Show the last acts, oldest first."""
    if context.invoked_subcommand:
        return
    ledger = _open()
    acts = ledger.acts(limit, what) if ledger else []
    if as_json:
        print_json([vars(act) for act in acts])
    elif ledger is None or not acts:
        typer.echo("No act is recorded yet." if what is None else f"No act of the kind {what!r} is recorded.")
    else:
        _print_acts(acts, len(ledger))


def verify(as_json: bool = typer.Option(False, "--json", help="Print JSON.")) -> None:
    """Re-derive every hash of the ledger and name the first act that does not hold.

    Example: [bold]limner ledger verify[/bold]

    Exit status: 0 the chain holds, 1 it does not, 2 it could not be read.
    """
    from limner.ledger import GENESIS, LedgerReport

    ledger = _open()
    report = ledger.verify() if ledger else LedgerReport(ok=True, count=0, head=GENESIS)
    if as_json:
        print_json(vars(report))
    elif report.ok and not report.count:
        typer.echo("No act is recorded yet.")
    else:
        _print_report(report)
    raise typer.Exit(0 if report.ok else 1)


def _open() -> Ledger | None:
    """The workspace's ledger; None where there is none, so that looking makes no file."""
    from limner.ledger import Ledger

    path = Workspace.default().ledger
    return Ledger.open(path) if path.exists() else None


def _print_acts(acts: list[Act], count: int) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("act", justify="right", no_wrap=True)
    for title in ("time (UTC)", "who", "what", "outputs", "hash"):
        table.add_column(title, no_wrap=title != "outputs", overflow="fold")
    for act in acts:
        outputs = Text(
            _safe(", ".join(_short(name) for name in act.outputs[:3]) + (" …" if len(act.outputs) > 3 else ""))
        )
        time = act.time[:19].replace("T", " ")
        table.add_row(str(act.id), time, act.who, Text(_safe(act.what)), outputs, act.hash[:12])
    console = Console()
    console.print(table)
    if count > len(acts):
        console.print(f"{len(acts):,} of {count:,} acts", style="dim", highlight=False)


def _print_report(report: LedgerReport) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console()
    if report.ok:
        console.print(
            Text(f"✓ all {report.count:,} acts hold: no act was changed, left out or put in between", "bold green")
        )
        console.print(Text(f"last hash {report.head}", "dim"))
        note = "Note this hash elsewhere: only so can you show later that no act was cut off the end."
        console.print(Text(note, "dim"))
    else:
        console.print(Text(f"✗ {_safe(report.reason)}", "bold red"))
        console.print(Text(f"The {report.count:,} acts before it hold.", "dim"))


def _short(name: str) -> str:
    return f"{name[:19]}…" if name.startswith("sha256:") and len(name) > 20 else name


def _safe(text: str) -> str:
    return "".join(character if character.isprintable() else "\ufffd" for character in text)
