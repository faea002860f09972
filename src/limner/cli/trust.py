"""`limner trust`: root certificates whose word about names and times is believed."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from limner.cli.common import print_json
from limner.cli.options import Json
from limner.cli.tables import plain, show, table
from limner.text import printable
from limner.workspace import Workspace

if TYPE_CHECKING:
    from limner.papers.identity.trust import TrustStore


def register(app: typer.Typer) -> None:
    """Add the command group to `app`."""
    group = typer.Typer(help="Roots whose word about names and times you believe.", no_args_is_help=True)
    group.command("add")(_add)
    group.command("list")(_list)
    group.command("remove")(_remove)
    app.add_typer(group, name="trust", rich_help_panel="Check and keep")


def _add(
    file: Annotated[Path, typer.Argument(help="Root certificates (PEM) of an artist, issuer or time-stamp server.")],
    name: Annotated[str | None, typer.Option(help="What to call it; the certificate's name otherwise.")] = None,
    as_json: Json = False,
) -> None:
    """Believe a root certificate: `limner verify` then believes the names and times below it.

    Compare its fingerprint with what its owner says, over another way than the file came.

    Example: [bold]limner trust add ada-root.pem --name ada[/bold]
    """
    anchor = _store().add(file, name)
    if as_json:
        print_json(asdict(anchor))
        return
    print(f"{anchor.name}: believed from now on, until {anchor.valid_until[:10]}")
    for subject, fingerprint in zip(anchor.subjects, anchor.fingerprints, strict=True):
        print(f"  {fingerprint}  {printable(subject)}")


def _list(as_json: Json = False) -> None:
    """List what is believed.

    Example: [bold]limner trust list[/bold]
    """
    anchors = _store().anchors()
    if as_json:
        print_json([asdict(one) for one in anchors])
        return
    if not anchors:
        print("No anchors; only your own identities are believed. Add one: limner trust add FILE.pem")
        return
    rows = table("name", "certificate", "valid until", "fingerprint")
    for one in anchors:
        more = f" and {len(one.subjects) - 1} more" if len(one.subjects) > 1 else ""
        rows.add_row(one.name, plain(f"{one.subjects[0]}{more}"), one.valid_until[:10], one.fingerprints[0][:16])
    show(rows)


def _remove(name: Annotated[str, typer.Argument(help="Which one.")]) -> None:
    """Believe a root certificate no longer.

    Example: [bold]limner trust remove ada[/bold]
    """
    anchor = _store().remove(name)
    print(f"{anchor.name}: believed no longer ({anchor.fingerprints[0][:16]})")


def _store() -> TrustStore:
    from limner.papers.identity.trust import TrustStore

    return TrustStore(Workspace.default())
