"""`limner rights`: what rights holders agreed to, entered and shown, and what stands in the way of using pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limner.cli.common import print_json
from limner.cli.options import CollectionName, Json, grouped
from limner.errors import UsageError
from limner.workspace import Workspace

if TYPE_CHECKING:
    from limner.collection import Collection
    from limner.rights.consent import Consent, Scope
    from limner.rights.consent.changing import Change

_group = typer.Typer(
    name="rights",
    help="What rights holders agreed to: enter it, show it, check it. Information, not legal advice.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

On = Annotated[str | None, typer.Option("--on", metavar="DATE", help="The day that is asked about; today by default.")]
KeepDocument = Annotated[
    bool, typer.Option("--keep-document", help="Copy the document into the workspace, for nobody else to read.")
]


def register(app: typer.Typer) -> None:
    """Add the command group."""
    _group.command("set")(grouped(set_))
    _group.command("import")(import_)
    app.add_typer(_group, rich_help_panel="Learn")


@_group.command()
def show(
    collection: CollectionName,
    pictures: Annotated[bool, typer.Option("--pictures", help="A line a picture, not a creator.")] = False,
    history: Annotated[bool, typer.Option("--history", help="Every consent that was ever entered, too.")] = False,
    on: On = None,
    as_json: Json = False,
) -> None:
    """Show for each creator, and each picture with a consent of its own, what was agreed, and what is owed.

    Example: [bold]limner rights show museum --on 2027-06-30[/bold]
    """
    from limner.cli.rights_view import shown_json, shown_tables
    from limner.cli.tables import show as show_tables
    from limner.rights.consent.standing import standings

    opened, store, day = _opened(collection)
    on_day = _day(on) or day
    agreed, rows = store.agreed(), opened.rows()
    found = standings(rows, agreed, on_day, one_by_one=pictures)
    rows_of_history = store.all() if history else []
    if as_json:
        print_json(shown_json(opened, found, agreed, on_day, rows_of_history))
        return
    show_tables(*shown_tables(opened, found, agreed, on_day, rows_of_history))


@dataclass(frozen=True)
class _Said:
    """What is said about a consent."""

    creators: Annotated[
        list[str] | None, typer.Option("--creator", metavar="NAME", help="All pictures of this creator. Repeatable.")
    ] = None
    pictures: Annotated[
        list[str] | None,
        typer.Option("--picture", metavar="FILE", help="One picture: its file, or digits of its digest. Repeatable."),
    ] = None
    scope: Annotated[
        list[str] | None,
        typer.Option(metavar="SCOPE", help="train, exemplar, style, publish, sell, all or none. Repeatable."),
    ] = None
    licence: Annotated[str | None, typer.Option(help="SPDX expression that was agreed on.")] = None
    holder: Annotated[str | None, typer.Option(help="Who gave it, if that is not the creator.")] = None
    document: Annotated[Path | None, typer.Option(help="The letter or contract; its sha256 is kept.")] = None
    keep_document: KeepDocument = False
    since: Annotated[str | None, typer.Option("--from", metavar="DATE", help="First day, or open.")] = None
    until: Annotated[str | None, typer.Option(metavar="DATE", help="Last day, or open.")] = None
    credit: Annotated[str | None, typer.Option(help="The words by which the holder wants to be credited.")] = None
    note: Annotated[str | None, typer.Option(help="Anything else, for yourself.")] = None

    def change(self) -> Change:
        """The change that these words mean.

        Raises:
            UsageError: a scope or the document cannot be used, or nothing is said.
        """
        from limner.rights.consent.changing import Change, scopes_of
        from limner.rights.consent.documents import document_digest

        document = None if self.document is None else document_digest(self.document)
        scopes = None if self.scope is None else scopes_of(self.scope)
        rest = {name: getattr(self, name) for name in ("licence", "holder", "since", "until", "credit", "note")}
        change = Change(scopes=scopes, document=document, **rest)
        if change == Change():
            raise UsageError("limner rights set", "says nothing", "say what was agreed, e.g. --scope train")
        if self.keep_document and self.document is None:
            raise UsageError("--keep-document", "keeps nothing", "give --document FILE")
        return change


def set_(collection: CollectionName, *, said: _Said, as_json: Json = False) -> None:
    """Enter what was agreed about a creator's pictures, or about one picture. What is not said stays as it was.

    A consent holds for the pictures in all collections of the workspace; the collections stay as they are. Earlier
    consents are kept (--history), and the ledger records each by its digest.

    Example: [bold]limner rights set museum --creator "Ada Example" --document letter.pdf --scope train --scope exemplar
    --until 2027-12-31[/bold]
    """
    from limner.collection.consents import subject_of
    from limner.rights.consent.documents import keep

    opened, store, _ = _opened(collection)
    creators, pictures = said.creators or [], said.pictures or []
    if bool(creators) == bool(pictures):
        raise UsageError("limner rights set", "names no subject, or two kinds", "give --creator, or --picture")
    change, rows, agreed = said.change(), opened.rows(), store.agreed()
    subjects = [subject_of(name, "", rows, opened.name) for name in pictures]
    subjects += [subject_of("", name, rows, opened.name) for name in creators]
    consents = [change.applied(one, agreed) for one in dict.fromkeys(subjects)]
    if said.document is not None and said.keep_document:
        keep(said.document, Workspace.default().root)
    _entered(opened, consents, as_json=as_json)


def import_(
    collection: CollectionName,
    table: Annotated[Path, typer.Argument(help="CSV, TSV, JSON lines or Parquet.")],
    keep_document: KeepDocument = False,
    as_json: Json = False,
) -> None:
    """Enter many consents from a table: a row a creator or a picture. All rows are entered, or none.

    Columns: picture or creator; scopes; licence, holder, document (a file beside the table, or its sha256), from,
    until, credit, note. Other columns are refused.

    Example: [bold]limner rights import museum consents.csv[/bold]
    """
    from limner.collection.consents import read_consents
    from limner.rights.consent.documents import keep

    opened, store, _ = _opened(collection)
    stated, agreed = read_consents(table, opened), store.agreed()
    consents = [one.change.applied(one.subject, agreed) for one in stated]
    for one in stated:
        if keep_document and one.file is not None:
            keep(one.file, Workspace.default().root)
    _entered(opened, consents, as_json=as_json)


@_group.command()
def check(
    collection: CollectionName,
    scope: Annotated[
        list[str] | None,
        typer.Option(metavar="SCOPE", help="Only these uses: train, exemplar, style, publish, sell. Repeatable."),
    ] = None,
    on: On = None,
    as_json: Json = False,
) -> None:
    """Check a collection: what is withdrawn, expired, out of scope, held back, contradictory, unknown, in conflict.

    Ends with status 1 where something blocks a use. With --on: would it hold on that day?

    Example: [bold]limner rights check museum --on 2027-12-31[/bold]
    """
    from limner.cli.rights_view import findings_json, findings_table
    from limner.cli.tables import show as show_tables
    from limner.rights.consent.checking import RightsCheck

    opened, store, today = _opened(collection)
    day, root = _day(on) or today, Workspace.default().root
    asked = RightsCheck(store.agreed(), day, _scopes(scope), root, _recorded_ones(store.all()))
    found = asked.of(opened.rows())
    if as_json:
        print_json(findings_json(opened, found, day, asked.scopes))
    else:
        show_tables(*findings_table(opened, found, day, asked.scopes))
    if any(one.blocks for one in found):
        raise typer.Exit(1)


def _entered(opened: Collection, consents: Sequence[Consent], *, as_json: bool) -> None:
    """Store what is new, record it, and show how it stands now."""
    from limner.cli.rights_view import entered_json, entered_table
    from limner.cli.tables import show as show_tables
    from limner.ledger import Entry, Ledger
    from limner.rights.consent import ConsentStore
    from limner.rights.consent.changing import ACT, recorded, row_digest

    workspace = Workspace.default()
    store, ledger = ConsentStore(workspace.root), Ledger.open(workspace.ledger)
    agreed = store.agreed()
    known = {one.unnumbered() for one in (agreed.about(each.subject) for each in consents) if one is not None}
    stored = store.add_many(one for one in consents if one not in known)
    entries = [
        Entry("artist", ACT, [one.document] if one.document else [], [row_digest(one)], recorded(one)) for one in stored
    ]
    ledger.record_many(entries)
    if as_json:
        print_json(entered_json(opened, stored, len(consents) - len(stored)))
    else:
        show_tables(*entered_table(opened, stored, len(consents) - len(stored)))


def _recorded_ones(rows: Sequence[Consent]) -> Callable[[Consent], bool | None]:
    """Whether a row is what the ledger recorded; None where that knows nothing of it. A withdrawal has its own act."""
    from limner.ledger import Ledger
    from limner.rights.consent.changing import ACT, row_digest

    path = Workspace.default().ledger
    ledger = Ledger.open(path) if path.is_file() and rows else None
    acts = ledger.acts(what=ACT) if ledger else []
    digests = {act.parameters.get("number"): act.outputs for act in acts}
    withdrawals = ledger.acts(what="withdraw") if ledger else []
    withdrawn = {number for act in withdrawals for number in act.parameters.get("consents", ())}

    def recorded(consent: Consent) -> bool | None:
        if consent.number in digests:
            return row_digest(consent) in digests[consent.number]
        return True if consent.number in withdrawn else None

    return recorded


def _opened(collection: str) -> tuple[Collection, Any, date]:
    from limner.collection import Collection
    from limner.rights.consent import ConsentStore

    workspace = Workspace.default()
    return Collection.open(collection, workspace), ConsentStore(workspace.root), date.today()


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--on {text}", "is no day", "write it as 2027-12-31") from None


def _scopes(words: Sequence[str] | None) -> tuple[Scope, ...]:
    from limner.rights.consent import Scope
    from limner.rights.consent.changing import scopes_of

    if not words:
        return tuple(Scope)
    chosen = scopes_of(words)
    return tuple(one for one in Scope if one in chosen)
