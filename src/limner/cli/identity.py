"""`limner identity`: the artist's key and certificate: make, list, show."""

from __future__ import annotations

import os
import sys
from typing import Any

import typer

from limner.cli.common import print_json
from limner.workspace import Workspace

__all__ = ["register"]

_HONEST = (
    "Works that it signs say: signed under this name, on no public trust list. Whoever should trust the name takes "
    "the root certificate as a trust anchor."
)
_UNTIL = (
    "Works count until the certificate ends; a time-stamp (--timestamp) carries them past it, for readers who trust "
    "its server."
)


def register(app: typer.Typer) -> None:
    """Add the command group to `app`."""
    group = typer.Typer(help="The key and certificate that sign your works.", no_args_is_help=True)
    group.command("new")(new)
    group.command("list")(list_identities)
    group.command("show")(show)
    app.add_typer(group, name="identity")


def new(
    name: str = typer.Option(..., "--name", help="Your name, as every reader of your works will see it."),
    passphrase: bool = typer.Option(
        False, "--passphrase", help="Encrypt the key; asks for a passphrase, or takes LIMNER_PASSPHRASE."
    ),
    default: bool = typer.Option(False, "--default", help="Sign with it wherever no identity is named."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> None:
    """Make a key and a certificate chain of your own (ES256).

    Example: [bold]limner identity new --name "Ada Example"[/bold]
    """
    from limner.papers.identity import Identity

    secret = _new_passphrase() if passphrase else os.environ.get("LIMNER_PASSPHRASE") or None
    identity = Identity.new(Workspace.default(), name, secret, default=default)
    _print_identity(identity.told(), as_json, encrypted=secret is not None)


def list_identities(as_json: bool = typer.Option(False, "--json", help="Print JSON.")) -> None:
    """List your identities; no key is read.

    Example: [bold]limner identity list[/bold]
    """
    from limner.papers.identity import Identity

    workspace = Workspace.default()
    default = Identity.default_name(workspace)
    rows = [{**Identity.look(workspace, name), "default": name == default} for name in Identity.names(workspace)]
    if as_json:
        print_json(rows)
        return
    if not rows:
        typer.echo('There is no identity yet. Make one: limner identity new --name "…"')
        return
    _print_table(rows)


def show(
    name: str = typer.Argument(None, help="Which one; the default one where it is left out."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> None:
    """Show one identity: what readers see, until when it is valid, where its root lies. The key is not read.

    Example: [bold]limner identity show ada-example[/bold]
    """
    from limner.papers.identity import Identity

    workspace = Workspace.default()
    _print_identity(Identity.look(workspace, name), as_json, encrypted=Identity.is_encrypted(workspace, name))


def _new_passphrase() -> str:
    if given := os.environ.get("LIMNER_PASSPHRASE"):
        return given
    from limner.errors import UsageError

    if not sys.stdin.isatty():
        raise UsageError("--passphrase", "there is no terminal to ask at", "set LIMNER_PASSPHRASE")
    secret: str = typer.prompt("Passphrase", hide_input=True, confirmation_prompt=True)
    return secret


def _print_identity(told: dict[str, Any], as_json: bool, *, encrypted: bool) -> None:
    if as_json:
        print_json({**told, "encrypted": encrypted})
        return
    from rich.console import Console, Group
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    for label, value in (
        ("fingerprint", told["fingerprint"]),
        ("signatures", told["algorithm"]),
        ("valid", f"{told['valid_from'][:10]} to {told['valid_until'][:10]}"),
        ("key", "encrypted with your passphrase" if encrypted else "not encrypted; readable by you alone"),
        ("root", told["root"]),
    ):
        facts.add_row(label, Text(str(value)))
    notes = Text(f"{_HONEST} {_UNTIL}", style="dim")
    Console().print(Panel(Group(facts, Text(), notes), title=Text(told["name"], style="bold"), title_align="left"))


def _print_table(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in ("name", "valid until", "signatures", "fingerprint"):
        table.add_column(title)
    for row in rows:
        name = Text(row["name"] + (" (default)" if row["default"] else ""))
        table.add_row(name, row["valid_until"][:10], row["algorithm"], row["fingerprint"][:16])
    Console().print(table)
