"""`limner identity`: the artist's keys and certificate: make, list, show."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer

from limner.cli import tables
from limner.cli.common import console_error, print_json
from limner.cli.options import Json
from limner.cli.tables import plain
from limner.errors import PapersError, UsageError
from limner.workspace import Workspace

_HONEST = (
    "Works that it signs say: signed under this name, on no public trust list. Whoever should trust the name takes "
    "the root certificate as a trust anchor."
)
Name = Annotated[str | None, typer.Argument(help="Which one; the default one where it is left out.")]
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
    group.command("rotate")(rotate)
    group.command("revoke")(revoke)
    group.command("mark-key")(mark_key)
    app.add_typer(group, name="identity", rich_help_panel="Check and keep")


def new(
    name: Annotated[str, typer.Option(help="Your name, as every reader of your works will see it.")],
    passphrase: Annotated[
        bool, typer.Option("--passphrase", help="Encrypt the key; asks for a passphrase, or takes LIMNER_PASSPHRASE.")
    ] = False,
    default: Annotated[bool, typer.Option("--default", help="Sign with it wherever no identity is named.")] = False,
    as_json: Json = False,
) -> None:
    """Make a key and a certificate chain of your own (ES256).

    Example: [bold]limner identity new --name "Ada Example"[/bold]
    """
    from limner.papers.identity.identity import Identity

    secret = _secret(asked=passphrase, new=True)
    identity = Identity.new(Workspace.default(), name, secret, default=default)
    _print_identity(identity.details(), as_json, encrypted=secret is not None)


def list_identities(as_json: Json = False) -> None:
    """List your identities; no key is read.

    Example: [bold]limner identity list[/bold]
    """
    from limner.papers.identity.identity import Identity

    workspace = Workspace.default()
    default = Identity.default_name(workspace)
    rows, damaged = [], Identity.damaged(workspace)
    for name in Identity.names(workspace):
        try:
            rows.append({**Identity.look(workspace, name), "default": name == default})
        except PapersError as error:
            damaged.append(str(error))
    for line in damaged:
        console_error(line)
    if as_json:
        print_json(rows)
    elif rows:
        _print_table(rows)
    elif not damaged:
        typer.echo('There is no identity yet. Make one: limner identity new --name "…"')
    raise typer.Exit(1 if damaged else 0)


def show(name: Name = None, as_json: Json = False) -> None:
    """Show one identity: what readers see, until when it is valid, where its root lies. The key is not read.

    Example: [bold]limner identity show "Ada Example"[/bold]
    """
    from limner.papers.identity.identity import Identity

    workspace = Workspace.default()
    _print_identity(Identity.look(workspace, name), as_json, encrypted=Identity.is_encrypted(workspace, name))


def rotate(
    name: Name = None,
    new_root: Annotated[
        bool, typer.Option("--new-root", help="A new root too: others must take it as an anchor anew.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Give an identity a new key and certificate; what the former key signed stays yours, the key is destroyed.

    It asks first. If somebody else may have the former key, revoke that afterwards: what it signed still counts.

    Example: [bold]limner identity rotate "Ada Example"[/bold]
    """
    from limner.ledger import Ledger
    from limner.papers.identity.identity import Identity

    workspace = Workspace.default()
    former = Identity.look(workspace, name)
    signed = _signed(workspace, former["fingerprint"])
    print(f"{former['name']}: the key {former['fingerprint'][:16]} ({signed}) is destroyed for good.", file=sys.stderr)
    _sure(f"rotate {former['name']}", "would destroy a key", yes=yes)
    encrypted = Identity.is_encrypted(workspace, name)
    identity = Identity.rotate(workspace, name, _secret(asked=encrypted), new_root=new_root)
    digests = [f"sha256:{one}" for one in (former["fingerprint"], identity.fingerprint)]
    how = {"name": identity.name, "new_root": new_root}
    Ledger.open(workspace.ledger).record("artist", "rotate", inputs=digests[:1], outputs=digests[1:], parameters=how)
    _print_identity(Identity.look(workspace, identity.name), as_json, encrypted=encrypted)


def revoke(
    name: Annotated[str, typer.Argument(help="Whose certificate.")],
    certificate: Annotated[
        str, typer.Option(help="How its fingerprint begins; asked for where there are several.")
    ] = "",
    since: Annotated[
        datetime | None, typer.Option(help="From when on it does not count (UTC); now where it is left out.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, for your own records.")] = "",
    as_json: Json = False,
) -> None:
    """Record that a key is no longer yours alone: works that it signed count only where a time-stamp shows before.

    This workspace knows it then, and nobody else: tell those who trust your root.

    Example: [bold]limner identity revoke "Ada Example" --since 2026-11-01 --reason "laptop stolen"[/bold]
    """
    from datetime import UTC

    from limner.ledger import Ledger
    from limner.papers.identity.identity import Identity

    workspace = Workspace.default()
    certificate = certificate or _which(Identity.look(workspace, name), workspace)
    moment = since.replace(tzinfo=UTC) if since else None
    found = Identity.revoke(workspace, name, certificate=certificate, since=moment, reason=reason)
    details = {"name": found.name, "since": found.since, "reason": reason}
    Ledger.open(workspace.ledger).record("artist", "revoke", inputs=[f"sha256:{found.fingerprint}"], parameters=details)
    if as_json:
        print_json(asdict(found))
        return
    print(f"{found.name}: what the certificate {found.fingerprint[:16]} signed from {found.since[:16]} UTC on")
    print("does not count here, nor what no trusted time-stamp shows to be older. Tell those who trust your root.")


def _which(current: dict[str, Any], workspace: Workspace) -> str:
    """Which certificate is meant, where an identity has had several: each is shown with what it signed."""
    known = [current, *current["former"][::-1]]
    if len(known) == 1:
        return ""
    lines = []
    for number, one in enumerate(known, 1):
        use = "in use" if number == 1 else "former"
        gone = f", revoked from {one['revoked'][:10]} on" if one["revoked"] else ""
        lines.append(f"{number}  {one['fingerprint'][:16]}  {use}, {_signed(workspace, one['fingerprint'])}{gone}")
    if not sys.stdin.isatty():
        reason = f"has had {len(known)} certificates ({'; '.join(lines)})"
        raise UsageError(current["name"], reason, "say which: --certificate DIGITS")
    print("\n".join(lines), file=sys.stderr)
    chosen = typer.prompt("Which one", type=int, err=True)
    if not 1 <= chosen <= len(known):
        raise UsageError(chosen, "is none of them", f"give 1 to {len(known)}")
    return str(known[chosen - 1]["fingerprint"])


def _signed(workspace: Workspace, fingerprint: str) -> str:
    """How many works a certificate signed, by the ledger, and when the last of them."""
    from limner.ledger import Ledger
    from limner.papers.publishing.published import PUBLISH, Published

    works = [Published.of(act) for act in Ledger.open(workspace.ledger).acts(what=PUBLISH)]
    own = [work for work in works if work.signer == fingerprint]
    return f"signed {len(own):,} works, the last on {own[-1].time[:10]}" if own else "signed no work"


def _sure(value: str, would: str, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(value, would, "add --yes")
    typer.confirm("Go on?", abort=True, err=True)


def mark_key(
    new_one: Annotated[
        bool, typer.Option("--new", help="Make a key; works published from now on carry its marks.")
    ] = False,
    retire: Annotated[
        bool, typer.Option("--retire", help="Back to public marks; marks of this key are still read here.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show, make or retire a watermark key of your own: only who holds it sees its marks in works, and can put them in.

    Everybody else's limner says that the papers name a mark it cannot read. Keep a copy: a lost key reads nothing.

    Example: [bold]limner identity mark-key --new[/bold]
    """
    from limner.ledger import Ledger
    from limner.papers.watermark.keys import key_in_use, new_key, retire_key

    if new_one and retire:
        raise UsageError("--new, --retire", "say opposite things", "retire the key first, then make a new one")
    workspace = Workspace.default()
    key = new_key(workspace) if new_one else retire_key(workspace) if retire else key_in_use(workspace)
    if key is not None and (new_one or retire):
        details = {"fingerprint": key.fingerprint, "what": "new" if new_one else "retired"}
        Ledger.open(workspace.ledger).record("artist", "mark-key", parameters=details)
    state = "none" if key is None else "retired" if retire else "in use"
    if as_json:
        print_json({"state": state, **({"fingerprint": key.fingerprint, "path": str(key.path)} if key else {})})
    elif key is None:
        print("works carry public marks; for marks of your own: limner identity mark-key --new")
    else:
        print(f"watermark key {key.fingerprint}, {state}: {key.path}")


def _secret(*, asked: bool, new: bool = False) -> str | None:
    """The passphrase of the environment, or the one that a person types where it is asked for."""
    secret = os.environ.get("LIMNER_PASSPHRASE") or None
    if secret or not asked:
        return secret
    if new and not sys.stdin.isatty():
        raise UsageError("--passphrase", "there is no terminal to ask at", "set LIMNER_PASSPHRASE")
    return str(typer.prompt("Passphrase", hide_input=True, confirmation_prompt=new, err=not new))


def _print_identity(shown: dict[str, Any], as_json: bool, *, encrypted: bool) -> None:
    if as_json:
        print_json({**shown, "encrypted": encrypted})
        return
    from rich.console import Group
    from rich.panel import Panel
    from rich.text import Text

    rows = (
        ("fingerprint", shown["fingerprint"]),
        ("signatures", shown["algorithm"]),
        ("valid", f"{shown['valid_from'][:10]} to {shown['valid_until'][:10]}"),
        ("key", "encrypted with your passphrase" if encrypted else "not encrypted; readable by you alone"),
        ("root", shown["root"]),
        ("revoked", shown.get("revoked") and f"from {shown['revoked'][:16]} UTC on; it signs no more"),
        *(("former", _former(one)) for one in shown.get("former", ())),
    )
    notes = plain(f"{_HONEST} {_UNTIL}", "dim")
    tables.show(Panel(Group(tables.facts(rows), Text(), notes), title=plain(shown["name"], "bold"), title_align="left"))


def _former(one: dict[str, Any]) -> str:
    revoked = f", revoked from {one['revoked'][:16]} UTC on" if one["revoked"] else ""
    return f"{one['fingerprint'][:16]}, {one['valid_from'][:10]} to {one['valid_until'][:10]}{revoked}"


def _print_table(rows: list[dict[str, Any]]) -> None:
    shown = tables.table("name", "valid until", "signatures", "fingerprint", "revoked")
    for row in rows:
        name = plain(row["name"] + (" (default)" if row["default"] else ""))
        formers = [(plain("  former key", "dim"), "", former) for former in row["former"]]
        for label, algorithm, one in ((name, row["algorithm"], row), *formers):
            since = f"from {one['revoked'][:10]} on" if one["revoked"] else ""
            shown.add_row(label, one["valid_until"][:10], algorithm, one["fingerprint"][:16], since)
    tables.show(shown)
