"""`limner collection`: add, show, list, check and remove collections of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from limner.cli.common import console_error, print_json, progress_bar
from limner.errors import CollectionError, UsageError
from limner.workspace import Workspace

if TYPE_CHECKING:
    from limner.collection import Collection, ImportReport

__all__ = ["register"]

_group = typer.Typer(
    name="collection",
    help="Import pictures with their rights, and look at what was imported.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

_QUIET = typer.Option(False, "--quiet", "-q", help="Print nothing but errors.")
_JSON = typer.Option(False, "--json", help="Print JSON for programs.")
_WHERE = typer.Option(
    None, "--where", "-w", metavar="COLUMN=VALUE", help="Only these pictures; also COLUMN!=VALUE. May be repeated."
)
_NAME = typer.Argument(help="A collection's name, or its folder.", metavar="COLLECTION", show_default=False)


def register(app: typer.Typer) -> None:
    """Add the command group to `app`."""
    app.add_typer(_group)


@_group.command("add")
def add(
    source: Path = typer.Argument(
        help="A folder of pictures, or a table beside them (CSV, TSV, JSON lines, Parquet). "
        "`paintings` is the collection that ships with limner.",
        show_default=False,
    ),
    name: str = typer.Option("", "--name", "-n", help="What to call it; the folder's name where not given."),
    licence: str = typer.Option("", "--licence", help="SPDX expression where neither row nor file names one."),
    creator: str = typer.Option("", "--creator", help="Creator where neither row nor file names one."),
    override_rights: str | None = typer.Option(
        None,
        "--override-rights",
        metavar="REASON",
        help="Put --licence and --creator above what the files say of themselves, for this reason.",
        show_default=False,
    ),
    source_note: str = typer.Option("", "--source", help="Where pictures whose row does not say it come from."),
    consent: str = typer.Option("", "--consent", help="What shows that creators who opted out agree all the same."),
    rights: Path | None = typer.Option(None, "--rights", help="A table with rights, for a folder.", show_default=False),
    column: list[str] | None = typer.Option(
        None,
        "--column",
        metavar="ROLE=COLUMN",
        help="Read the table's COLUMN as file, title, creator, licence, source.",
    ),
    where: list[str] | None = _WHERE,
    together: str | None = typer.Option(
        None,
        "--together",
        metavar="COLUMN",
        help="Pictures with the same value are all learned from or all held out.",
        show_default=False,
    ),
    background: str = typer.Option("white", "--background", help="Colour under transparent pictures: a name, #rrggbb."),
    processes: int | None = typer.Option(
        None, "--processes", min=1, max=256, help="Workers; one a processor by default."
    ),
    quiet: bool = _QUIET,
    as_json: bool = _JSON,
) -> None:
    """Import pictures: each is read, checked, hashed and stored once, with its rights.

    In every folder the tables rights, metadata (Hugging Face imagefolder), pictures and labels are read, in this order
    (.csv, .tsv, .jsonl, .parquet), and XMP files beside pictures. Further columns become labels. What a row says stands
    above what the file says, and that above --licence and --creator; where two exclude each other, the picture is held
    back. Folders called train beside test or val are kept as they are. An import that was interrupted goes on where it
    was.

    Example: limner collection add ~/drawings --name drawings --licence CC-BY-4.0 --creator "Ada Example"
    """
    from limner.collection import PAINTINGS, import_collection

    if str(source) == PAINTINGS.name and not source.exists():
        source = PAINTINGS
    with progress_bar(quiet=quiet) as bar:
        task = bar.add_task("reading", total=None)
        second = bar.add_task("looking for copies", total=None, visible=False)
        report = import_collection(
            source,
            name or source.resolve().with_suffix("").name,
            Workspace.default(),
            licence=licence,
            creator=creator,
            source_note=source_note,
            consent=consent,
            rights_table=rights,
            columns=_columns(column or []),
            where=where or [],
            together=together,
            background=_colour(background),
            processes=processes,
            override_rights=override_rights,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
            comparing=lambda done, total: bar.update(second, completed=done, total=total, visible=True),
        )
    if override_rights is not None:
        _record_override(report, override_rights)
    if quiet or as_json:
        _warn(report)
    if as_json:
        print_json(report.model_dump(mode="json"))
    elif not quiet:
        from limner.cli.collection_view import print_report

        print_report(report)


@_group.command("show")
def show(
    collection: str = _NAME,
    where: list[str] | None = _WHERE,
    pictures: bool = typer.Option(False, "--pictures", "-p", help="List the pictures one by one."),
    as_json: bool = _JSON,
) -> None:
    """Show what a collection holds: pictures, rights, labels, what is held back and why, whom to credit.

    Example: limner collection show paintings --where kind=landscape
    """
    from limner.cli.collection_view import print_pictures, print_summary
    from limner.rights import credit_line, summary

    opened = _open(collection)
    rows = opened.rows(where or [])
    rights = summary(rows)
    if as_json:
        from dataclasses import asdict

        shown = {**opened.card, "pictures": len(rows), "rights": rights.model_dump(), "credit": credit_line(rights)}
        print_json({**shown, "rows": [asdict(row) for row in rows]} if pictures else shown)
    elif pictures:
        print_pictures(rows)
    else:
        print_summary(opened, rows, rights)


@_group.command("list")
def list_all(as_json: bool = _JSON) -> None:
    """List the collections of the workspace.

    Example: limner collection list --json
    """
    from limner.collection import Collection

    workspace = Workspace.default()
    opened, damaged = [], []
    for name in Collection.names(workspace):
        try:
            opened.append(Collection.open(name, workspace))
        except CollectionError as error:
            damaged.append(str(error))
    if as_json:
        keys = ("name", "digest", "pictures", "holdout", "made", "source")
        print_json([{key: one.card.get(key) for key in keys} for one in opened])
    else:
        from limner.cli.collection_view import print_list

        print_list(opened, damaged)


@_group.command("check")
def check(collection: str = _NAME, quiet: bool = _QUIET, as_json: bool = _JSON) -> None:
    """Check that a collection is whole: its digest, and the pixels of every stored picture.

    Ends with status 1 when something is wrong.

    Example: limner collection check paintings
    """
    opened = _open(collection)
    with progress_bar(quiet=quiet or as_json) as bar:
        task = bar.add_task("checking", total=None)
        wrong = opened.check(lambda done, total: bar.update(task, completed=done, total=total))
    if as_json:
        print_json({"name": opened.name, "digest": opened.digest, "whole": not wrong, "wrong": wrong})
    elif not quiet:
        from limner.cli.collection_view import print_check

        print_check(opened, wrong)
    if wrong:
        raise typer.Exit(1)


@_group.command("remove")
def remove(
    collection: str = typer.Argument(help="A collection's name.", metavar="COLLECTION", show_default=False),
    yes: bool = typer.Option(False, "--yes", "-y", help="Do not ask."),
    quiet: bool = _QUIET,
) -> None:
    """Remove a collection and its stored pictures; the folder that it was imported from is left alone.

    Example: limner collection remove drawings --yes
    """
    import sys

    from limner.collection import Collection

    workspace = Workspace.default()
    opened = _open(collection)
    if opened.folder.parent != workspace.collections:
        raise UsageError(collection, "lies outside the workspace", "give the name of a collection of the workspace")
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError(f"remove {collection}", "would delete its pictures", "add --yes")
        typer.confirm(f"Remove {opened.name} with its {opened.card.get('pictures')} stored pictures?", abort=True)
    Collection(opened.folder).remove()
    if not quiet:
        typer.echo(f"Removed {opened.name}.")


def _warn(report: ImportReport) -> None:
    """What must be said even where nothing else is."""
    see = f"see: limner collection show {report.name} --pictures"
    if report.contradictions:
        console_error(
            f"{report.contradictions} pictures are held back: statements about their rights exclude others; {see}"
        )
    if report.unused:
        console_error(
            f"{report.unused} pictures say of themselves whose they are: --licence or --creator is not used; {see}"
        )


def _record_override(report: ImportReport, reason: str) -> None:
    """The artist's word that stands above the files' own goes into the ledger."""
    from limner.ledger import Ledger

    workspace = Workspace.default()
    told = {"collection": report.name, "override_rights": reason, "pictures": report.taken}
    told |= {"licences_from": report.licences_from, "creators_from": report.creators_from}
    Ledger.open(workspace.ledger).record(
        "artist", "override-rights", outputs=[f"sha256:{report.digest}"], parameters=told
    )


def _open(reference: str) -> Collection:
    from limner.collection import Collection

    return Collection.open(reference, Workspace.default())


def _columns(given: list[str]) -> dict[str, str]:
    columns = {}
    for text in given:
        role, equals, column = text.partition("=")
        if not equals or not column:
            raise UsageError(f"--column {text}", "names no column", "write e.g. creator=photographer")
        columns[role.strip()] = column.strip()
    return columns


def _colour(text: str) -> tuple[int, int, int]:
    from PIL import ImageColor

    try:
        red, green, blue = ImageColor.getrgb(text)[:3]
    except ValueError:
        raise UsageError(f"--background {text}", "is no colour", "write a name such as white, or #rrggbb") from None
    return red, green, blue
