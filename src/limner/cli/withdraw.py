"""`limner withdraw`: a picture, or a creator's, taken out of a collection and of what came of it; a statement."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limner.cli.common import print_json, progress_of
from limner.cli.completing import collections
from limner.cli.making import Identity, ready_to_sign
from limner.cli.options import Json, Quiet, grouped
from limner.cli.tables import facts, plain, show
from limner.cli.withdrawal_view import show_checked, show_plan
from limner.errors import UsageError
from limner.workspace import Workspace, alone

if TYPE_CHECKING:
    from limner.withdrawal.carrying_out import Wanted, Withdrawal
    from limner.withdrawal.record import Findings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("withdraw", rich_help_panel="Check and keep")(grouped(_withdraw))


@dataclass(frozen=True)
class _Choice:
    """What is done beside the withdrawal itself."""

    note: Annotated[str, typer.Option(help="Why, in your own words; stands in the statement.")] = ""
    name: Annotated[str | None, typer.Option(help="Name of the next version; NAME-2 and so on otherwise.")] = None
    only_named: Annotated[
        bool, typer.Option("--only-named", help="Leave near-duplicates, mirrored and cropped copies in the collection.")
    ] = False
    retrain: Annotated[
        bool, typer.Option("--retrain", help="Train affected models anew, with their options and seed.")
    ] = False
    finish_anew: Annotated[
        bool, typer.Option("--finish-anew", help="Finish works with a piece of it anew; the old files stay.")
    ] = False
    move_old_to: Annotated[
        Path | None, typer.Option(help="Folder to which the files of works that were finished anew are moved.")
    ] = None

    def wanted(self) -> Wanted:
        """The same, as the room of withdrawals takes it."""
        from limner.collection.store import check_name
        from limner.text import one_line
        from limner.withdrawal.carrying_out import Wanted

        name = None if self.name is None else check_name(self.name)
        return Wanted(one_line(self.note, 1000), name, self.retrain, self.finish_anew, self.move_old_to)


@dataclass(frozen=True)
class _Check:
    """A statement that is checked, in the place of a withdrawal."""

    verify: Annotated[
        Path | None, typer.Option(metavar="STATEMENT", help="Check a statement: its folder, or its JSON.")
    ] = None
    anchor: Annotated[list[Path] | None, typer.Option(help="With --verify: a root certificate (PEM) to believe.")] = (
        None
    )


def _withdraw(
    subject: Annotated[
        str | None,
        typer.Argument(
            metavar="PICTURE|CREATOR",
            help="A file of the collection, a file on the disk, first digits of a pixel_sha256, or a creator.",
        ),
    ] = None,
    *,
    collection: Annotated[
        str | None,
        typer.Option("--from", metavar="COLLECTION", help="Name or folder of it.", autocompletion=collections),
    ] = None,
    choice: _Choice,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    identity: Identity = None,
    check: _Check,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Withdraw a picture, or all of a creator, from a collection; first shows what that means, and asks.

    Makes the next version of the collection, blocks the use of the pictures, takes them out of packs, marks the
    models that learned from them as superseded, lists the works that show them, and writes a signed statement of what
    was done and what cannot be undone. A broken-off one goes on when it is repeated.

    Example: [bold]limner withdraw "Ada Example" --from paintings --dry-run[/bold]

    Example: [bold]limner withdraw sea.png --from paintings --retrain --finish-anew[/bold]

    Example: [bold]limner withdraw --verify ~/.limner/withdrawals/0b1c2d3e4f5a/statement-1[/bold]

    Exit status with --verify: 0 it holds, 1 it does not.
    """
    if check.verify is not None:
        if subject or collection:
            raise UsageError("--verify", "goes alone", "leave the picture and --from out")
        return _verify(check.verify, check.anchor or [], as_json=as_json)
    if subject is None or collection is None:
        missing = "PICTURE|CREATOR" if subject is None else "--from"
        raise UsageError(missing, "is missing", "say what is withdrawn, and from which collection")
    withdrawal, findings = _opened(subject, collection, choice, quiet=quiet or as_json)
    done, stated = withdrawal.is_done(findings), _is_stated(withdrawal)
    if not as_json:
        show_plan(withdrawal, findings, done=done)
    if dry_run or (done and stated):
        _say_nothing(withdrawal, findings, as_json=as_json, dry_run=dry_run)
        return None
    if not yes and not _agreed():
        raise UsageError("nothing was changed", "it was not confirmed", "add --yes to do it without being asked")
    _carry_out(withdrawal, identity, as_json=as_json)
    return None


def _opened(subject: str, collection: str, choice: _Choice, *, quiet: bool) -> tuple[Withdrawal, Findings]:
    from limner.collection import Collection
    from limner.ledger import Ledger
    from limner.withdrawal.carrying_out import Withdrawal
    from limner.withdrawal.gathering import Gathering
    from limner.withdrawal.subject import subject_of

    workspace, wanted = Workspace.default(), choice.wanted()
    opened = Collection.open(collection, workspace)
    meant = subject_of(opened, subject, with_copies=not choice.only_named)
    ledger = Ledger.open(workspace.ledger)
    with progress_of("looking at works", quiet=quiet, unit="works") as moved:

        def progress(doing: str, done: int, total: int) -> None:
            moved(done, total, doing)

        gathering = Gathering(workspace, ledger, opened, meant, progress)
        return Withdrawal(workspace, ledger, opened, gathering, wanted), gathering.findings()


def _agreed() -> bool:
    if not sys.stdin.isatty():
        return False
    return typer.confirm("Do this", default=False, err=True)


def _is_stated(withdrawal: Withdrawal) -> bool:
    from limner.withdrawal.statements import is_stated

    return is_stated(withdrawal)


def _say_nothing(withdrawal: Withdrawal, findings: Findings, *, as_json: bool, dry_run: bool) -> None:
    """What a dry run found, or that all was done before."""
    from limner.withdrawal.statements import statements_of

    stated = [str(act.parameters["path"]) for act in statements_of(withdrawal)]
    if as_json:
        print_json(_plain(withdrawal, findings) | {"changed": False, "statements": stated})
    elif dry_run:
        print("Nothing was changed (--dry-run).")
    else:
        print(f"This was done before; nothing was changed. The statement: {stated[-1]}")


def _plain(withdrawal: Withdrawal, findings: Findings) -> dict[str, Any]:
    how = {one.digest: list(retraining.arguments) for one, retraining in withdrawal.retrainings(findings.affected)}
    following = withdrawal.next_version.model_dump()
    found = findings.model_dump(mode="json")
    for work, row in zip(findings.works, found["works"], strict=True):
        row |= {"area": work.area, "published": work.published}
    for row in found["models"]:
        row["retrain"] = ["limner", *how[row["digest"]]] if row["digest"] in how else []
    return {"withdrawal": withdrawal.name, "next": following, **found}


def _carry_out(withdrawal: Withdrawal, identity: str | None, *, as_json: bool) -> None:
    from limner.withdrawal.statements import is_stated, statements_of, write_statement

    def say(line: str) -> None:
        if not as_json:
            print(line)

    opened, folder = ready_to_sign(withdrawal.workspace, identity=identity), withdrawal.workspace.root / "withdrawals"
    with alone(withdrawal.workspace.make(folder) / "lock", "a withdrawal"):
        with opened as publisher:
            withdrawal.carry_out(publisher, say, _run)
        if not is_stated(withdrawal):
            write_statement(withdrawal, opened.identity)
    stated = str(statements_of(withdrawal)[-1].parameters["path"])
    findings = withdrawal.gathering.findings()
    if as_json:
        more = {"changed": True, "statement": stated, "failed": withdrawal.failed}
        print_json(_plain(withdrawal, findings) | more)
    else:
        for line in withdrawal.failed:
            show(plain(line, "yellow"))
        show(
            facts([("statement", stated), ("page", f"{stated}/index.html")]),
            plain(f"check it: limner withdraw --verify {stated}", "dim"),
        )


def _run(arguments: Sequence[str]) -> None:
    """Run a command of limner in this process; what it prints goes to standard error."""
    from typer.main import get_command

    from limner.cli.main import app

    with redirect_stdout(sys.stderr):
        status = get_command(app).main(args=list(arguments), prog_name="limner", standalone_mode=False)
    if status:
        raise UsageError(" ".join(arguments[:2]), f"ended with status {status}", "see what it said")


def _verify(path: Path, anchors: list[Path], *, as_json: bool) -> None:
    from limner.withdrawal.statements import check_statement

    checked = check_statement(path, Workspace.default(), anchors)
    if as_json:
        statement = checked.statement.model_dump(mode="json") if checked.statement else None
        print_json({
            "holds": checked.holds, "signature": vars(checked.signature), "ledger": checked.ledger,
            "reason": checked.reason, "page": checked.page, "statement": statement,
        })  # fmt: skip
    else:
        show_checked(checked)
    raise typer.Exit(0 if checked.holds else 1)
