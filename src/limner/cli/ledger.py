"""`limner ledger`: what was done, by whom, and the proof that the record was not changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from limner.cli.common import print_json, progress_bar
from limner.cli.options import Json
from limner.cli.tables import plain, table
from limner.workspace import Workspace

if TYPE_CHECKING:
    from limner.ledger import Act, Ledger, LedgerReport
    from limner.papers.verify.witnesses import Comparison


_HELP = """The record of what you and the algorithm did: its last acts, oldest first.

Example: [bold]limner ledger --what publish -n 5[/bold]
"""


def register(app: typer.Typer) -> None:
    """Add the command group to `app`."""
    group = typer.Typer(help=_HELP, invoke_without_command=True, rich_markup_mode="rich")
    group.callback()(show)
    group.command("verify")(verify)
    app.add_typer(group, name="ledger", rich_help_panel="Check and keep")


def show(
    context: typer.Context,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many acts, from the last one back.")] = 20,
    what: Annotated[str | None, typer.Option(help="Only acts of this kind, such as publish.")] = None,
    as_json: Json = False,
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


def verify(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE…", help="Works, or folders of works, to compare with too.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Re-derive every hash of the ledger, and compare it with every work at hand: a rewritten ledger is found out.

    A chain that holds shows only that it fits itself. Each work carries, signed, the head of the ledger of its moment:
    the registry's works, those in the workspace, and the files that are given are asked.

    Example: [bold]limner ledger verify[/bold]

    Exit status: 0 it holds, 1 it does not, 2 it could not be read.
    """
    from limner.ledger import GENESIS, Ledger, LedgerReport
    from limner.papers.identity.identity import Identity
    from limner.papers.registry.registry import open_registry
    from limner.papers.verify.witnesses import compare, witnesses

    workspace, ledger = Workspace.default(), _open()
    registry = open_registry(workspace)
    report = ledger.verify() if ledger else LedgerReport(ok=True, count=0, head=GENESIS)
    testimony = None
    if report.ok and (ledger or registry or files):
        found = [one for path in (*(files or ()), workspace.works) for one in _pictures(path)]
        with progress_bar(quiet=as_json, unit="works") as bar:
            task = bar.add_task("comparing with works", total=(len(registry) if registry else 0) + len(found))
            works = witnesses(registry, found, Identity.roots(workspace))
            testimony = compare(ledger or Ledger.open("sqlite://"), works, lambda: bar.advance(task))
    if as_json:
        print_json({**vars(report), "works": vars(testimony) if testimony else None})
    elif report.ok and not report.count and not (testimony and testimony.faults):
        typer.echo("No act is recorded yet.")
    else:
        _print_report(report)
        if testimony:
            _print_testimony(testimony)
    raise typer.Exit(0 if report.ok and not (testimony and testimony.faults) else 1)


def _pictures(path: Path) -> list[Path]:
    """A file itself, or the pictures in a folder."""
    if not path.is_dir():
        return [path] if path.is_file() else []
    endings = (".png", ".jpg", ".jpeg", ".webp", ".avif")
    return sorted(one for one in path.rglob("*") if one.suffix.lower() in endings and not one.name.startswith("."))


def _open() -> Ledger | None:
    """The workspace's ledger; None where there is none, so that looking makes no file."""
    from limner.ledger import Ledger

    path = Workspace.default().ledger
    return Ledger.open(path) if path.exists() else None


def _print_acts(acts: list[Act], count: int) -> None:
    from rich.console import Console

    narrow = ("act", "time (UTC)", "hash")
    shown = table("act", "time (UTC)", "who", "what", "outputs", "hash", gap=2, narrow=narrow, right=("act",))
    for act in acts:
        outputs = ", ".join(map(_short, act.outputs[:3])) + (" …" if len(act.outputs) > 3 else "")
        time = act.time[:19].replace("T", " ")
        shown.add_row(str(act.id), time, act.who, plain(act.what), plain(outputs), act.hash[:12])
    console = Console()
    console.print(shown)
    if count > len(acts):
        console.print(f"{len(acts):,} of {count:,} acts", style="dim", highlight=False)


def _print_report(report: LedgerReport) -> None:
    if report.ok:
        _say(f"✓ all {report.count:,} acts hold: no act was changed, left out or put in between", "bold green")
        _say(f"last hash {report.head}", "dim")
        _say("Note this hash elsewhere: only so can you show later that no act was cut off the end.", "dim")
    else:
        _say(f"✗ {report.reason}", "bold red")
        _say(f"The {report.count:,} acts before it hold.", "dim")


def _print_testimony(testimony: Comparison) -> None:
    for line in testimony.faults:
        _say(f"✗ {line}", "bold red")
    if not testimony.faults and testimony.compared:
        heads = f", and {testimony.with_head:,} carry a signed head that lies in this ledger"
        said = f"✓ {testimony.compared:,} works were compared: each is recorded"
        _say(said + (heads if testimony.with_head else ""), "bold green")


def _say(line: str, style: str) -> None:
    from rich.console import Console

    Console().print(plain(line, style))


def _short(name: str) -> str:
    return f"{name[:19]}…" if name.startswith("sha256:") and len(name) > 20 else name
