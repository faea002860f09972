"""`limner evidence`: one folder with all that is known of a work, for whoever has to show it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from limner.cli.common import print_json
from limner.cli.options import Json
from limner.workspace import Workspace


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("evidence", rich_help_panel="Check and keep")(_evidence)


def _evidence(
    work: Annotated[Path, typer.Argument(help="The file of a published work.")],
    to: Annotated[Path | None, typer.Option(help="Folder; the workspace's `evidence` by default.")] = None,
    as_json: Json = False,
) -> None:
    """Write one folder that shows what a work is: papers, model card, rights, ledger, and a page in plain words.

    The page sets it beside what the EU AI Act (Article 50) and its Code of Practice ask. Information, not legal advice.

    Example: [bold]limner evidence works/sea.png --to sea-evidence[/bold]
    """
    from limner.papers.evidence.evidence import write_evidence
    from limner.statement.gathering import statement_of
    from limner.statement.pages import html_of, json_of

    workspace = Workspace.default()
    statement = statement_of(work, workspace)
    pages = {"statement.html": html_of(statement), "statement.json": json_of(statement)}
    found = write_evidence(work, workspace, to, pages)
    if as_json:
        files = {"folder": str(found.folder), "files": found.files, "state": found.verdict.state}
        print_json({**files, "ledger_holds": found.ledger.ok, "replaced": found.replaced})
        return
    if found.replaced:
        print(f"an earlier evidence file in {found.folder} was replaced")
    print(f"{len(found.files) + 1} files in {found.folder}; open {found.folder / 'index.html'}")
    print(found.verdict.summary)
    if not found.ledger.ok:
        print(f"the ledger does not hold: {found.ledger.reason}")
