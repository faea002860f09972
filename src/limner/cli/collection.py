"""`limner collection`: add, show, list, check and remove collections of pictures."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limner.cli.collection_card import card
from limner.cli.collection_export import compared_in_words, export
from limner.cli.common import console_error, print_json, progress_bar
from limner.cli.options import CollectionName, Json, Silent, Where, grouped
from limner.cli.tables import plain
from limner.cli.tables import show as show_lines
from limner.errors import CollectionError, UsageError
from limner.workspace import Workspace

if TYPE_CHECKING:
    from limner.collection import Collection, ImportReport
    from limner.exchange.comparing import Comparison

_group = typer.Typer(
    name="collection",
    help="Import pictures with their rights, and look at what was imported.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)


def register(app: typer.Typer) -> None:
    """Add the command group to `app`."""
    _group.command("add")(grouped(add))
    _group.command("export")(grouped(export))
    _group.command("card")(card)
    app.add_typer(_group, rich_help_panel="Learn")


@dataclass(frozen=True)
class _Import:
    """What an import goes by."""

    licence: Annotated[str, typer.Option(help="SPDX expression where neither row nor file names one.")] = ""
    creator: Annotated[str, typer.Option(help="Creator where neither row nor file names one.")] = ""
    override_rights: Annotated[
        str | None,
        typer.Option(metavar="REASON", help="Put --licence and --creator above what files say, for this reason."),
    ] = None
    source_note: Annotated[str, typer.Option("--source", help="Where pictures come from whose row does not say.")] = ""
    consent: Annotated[str, typer.Option(help="What shows that creators who opted out agree all the same.")] = ""
    rights_table: Annotated[Path | None, typer.Option("--rights", help="A table with rights, for a folder.")] = None
    columns: Annotated[
        list[str] | None,
        typer.Option("--column", metavar="ROLE=COLUMN", help="Read COLUMN as file, title, creator, licence, source."),
    ] = None
    where: Where = None
    together: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Pictures with the same value are all learned from or all held out."),
    ] = None
    background: Annotated[str, typer.Option(help="Colour under transparent pictures: a name, #rrggbb.")] = "white"
    processes: Annotated[int | None, typer.Option(min=1, max=256, help="Workers; one a processor by default.")] = None

    def arguments(self) -> dict[str, Any]:
        """What `import_collection` is called with."""
        read = {"columns": _columns(self.columns or []), "background": _colour(self.background)}
        return {**asdict(self), **read, "where": self.where or []}


def add(
    source: Annotated[
        Path,
        typer.Argument(
            help="A folder of pictures, a table beside them (CSV, TSV, JSON lines, Parquet), a Croissant, or shards of "
            "a WebDataset. "
            "`paintings` is the collection that ships with limner.",
            show_default=False,
        ),
    ],
    *,
    name: Annotated[str, typer.Option("--name", "-n", help="What to call it; the folder's name where not given.")] = "",
    options: _Import,
    quiet: Silent = False,
    as_json: Json = False,
) -> None:
    """Import pictures: each is read, checked, hashed and stored once, with its rights.

    In every folder the tables rights, metadata (Hugging Face imagefolder), pictures and labels are read, in this order
    (.csv, .tsv, .jsonl, .parquet), and XMP files beside pictures. Further columns become labels. What a row says stands
    above what the file says, and that above --licence and --creator; where two exclude each other, the picture is held
    back. Folders called train beside test or val are kept as they are. An import that was interrupted goes on where it
    was. What `limner collection export` wrote comes back with the same digest, unless it was changed since.

    Example: [bold]limner collection add ~/drawings --name drawings --licence CC-BY-4.0 --creator "Ada Example"[/bold]
    """
    from limner.collection import PAINTINGS

    if str(source) == PAINTINGS.name and not source.exists():
        source = PAINTINGS
    folder = source.resolve().parent if source.name == "croissant.json" else source.resolve().with_suffix("")
    report, compared = _imported(source, name or folder.name, options, quiet=quiet)
    if options.override_rights is not None:
        _record_override(report, options.override_rights)
    if quiet or as_json:
        _warn(report)
    if compared is not None and not compared.exact and (quiet or as_json):
        console_error(compared_in_words(compared))
    if as_json:
        exchange = compared and {**asdict(compared), "exact": compared.exact}
        print_json({**report.model_dump(mode="json"), "exchange": exchange})
    elif not quiet:
        from limner.cli.collection_view import print_report

        print_report(report)
        if compared is not None:
            show_lines(plain(compared_in_words(compared)))


def _imported(source: Path, name: str, options: _Import, *, quiet: bool) -> tuple[ImportReport, Comparison | None]:
    from limner.exchange.importing import import_any

    with progress_bar(quiet=quiet) as bar:
        reading = bar.add_task("reading", total=None)
        comparing = bar.add_task("looking for copies", total=None, visible=False)
        return import_any(
            source,
            name,
            Workspace.default(),
            **options.arguments(),
            progress=lambda done, total: bar.update(reading, completed=done, total=total),
            comparing=lambda done, total: bar.update(comparing, completed=done, total=total, visible=True),
        )


@_group.command("show")
def show(
    collection: CollectionName,
    where: Where = None,
    pictures: Annotated[bool, typer.Option("--pictures", "-p", help="List the pictures one by one.")] = False,
    as_json: Json = False,
) -> None:
    """Show what a collection holds: pictures, rights, labels, what is held back and why, whom to credit.

    Example: [bold]limner collection show paintings --where kind=landscape[/bold]
    """
    from limner.cli.collection_view import print_pictures, print_summary
    from limner.rights import credit_line, summary

    opened = _open(collection)
    rows = opened.rows(where or [])
    rights = summary(rows)
    if as_json:
        shown = {**opened.card, "pictures": len(rows), "rights": rights.model_dump(), "credit": credit_line(rights)}
        print_json({**shown, "rows": [asdict(row) for row in rows]} if pictures else shown)
    elif pictures:
        print_pictures(rows)
    else:
        print_summary(opened, rows, rights)


@_group.command("list")
def list_all(as_json: Json = False) -> None:
    """List the collections of the workspace.

    Example: [bold]limner collection list --json[/bold]
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
def check(collection: CollectionName, quiet: Silent = False, as_json: Json = False) -> None:
    """Check that a collection is whole: its digest, and the pixels of every stored picture.

    Ends with status 1 when something is wrong.

    Example: [bold]limner collection check paintings[/bold]
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
    collection: CollectionName,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    quiet: Silent = False,
) -> None:
    """Remove a collection and its stored pictures; the folder that it was imported from is left alone.

    Example: [bold]limner collection remove drawings --yes[/bold]
    """
    import sys

    workspace, opened = Workspace.default(), _open(collection)
    if opened.folder.parent != workspace.collections:
        raise UsageError(collection, "lies outside the workspace", "give the name of a collection of the workspace")
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError(f"remove {collection}", "would delete its pictures", "add --yes")
        typer.confirm(f"Remove {opened.name} with its {opened.card.get('pictures')} stored pictures?", abort=True)
    opened.remove()
    if not quiet:
        typer.echo(f"Removed {opened.name}.")


def _warn(report: ImportReport) -> None:
    """What must be said even where nothing else is."""
    see = f"see: limner collection show {report.name} --pictures"
    for count, what in (
        (report.contradictions, "are held back: statements about their rights exclude others"),
        (report.unused, "say of themselves whose they are: --licence or --creator is not used"),
    ):
        if count:
            console_error(f"{count} pictures {what}; {see}")


def _record_override(report: ImportReport, reason: str) -> None:
    """The artist's word that stands above the files' own goes into the ledger."""
    from limner.ledger import Ledger

    parameters = {"collection": report.name, "override_rights": reason, "pictures": report.taken}
    parameters |= {"licences_from": report.licences_from, "creators_from": report.creators_from}
    ledger = Ledger.open(Workspace.default().ledger)
    ledger.record("artist", "override-rights", outputs=[f"sha256:{report.digest}"], parameters=parameters)


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
        return ImageColor.getrgb(text)[:3]
    except ValueError:
        raise UsageError(f"--background {text}", "is no colour", "write a name such as white, or #rrggbb") from None
