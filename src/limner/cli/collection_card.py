"""`limner collection card`: a collection on one page."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from limner.cli.collection_export import AboutFile
from limner.cli.common import print_json
from limner.cli.options import CollectionName, Json, Overwrite, Where
from limner.cli.outputs import output
from limner.workspace import Workspace

if TYPE_CHECKING:
    from limner.reports.document import Document

CardFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="A file that ends in .html, .md or .json; Markdown by default.")
]


def card(
    collection: CollectionName,
    to: CardFile = None,
    where: Where = None,
    about: AboutFile = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Write the card of a collection: what is in it, whose it is, what licences ask, what nobody said.

    Example: [bold]limner collection card paintings --to paintings.html[/bold]
    """
    from limner.collection import Collection
    from limner.exchange.about import read_about
    from limner.reports.collection_card import collection_card

    opened, said = Collection.open(collection, Workspace.default()), read_about(about)
    page = to is not None and to.suffix.lower() == ".html"
    write_card(lambda: collection_card(opened, opened.rows(where or []), said, pictures=page), to, overwrite, as_json)


def write_card(made: Callable[[], Document], to: Path | None, overwrite: bool, as_json: bool) -> None:
    """Write a document to its file, or print it."""
    from limner.reports.documents import ENDINGS, render, write_document

    if to is not None:
        output(to, endings=ENDINGS, overwrite=overwrite)
    document = made()
    if to is not None:
        write_document(document, to)
        print(to)
    elif as_json:
        print_json(document.data)
    else:
        sys.stdout.write(render(document, ".md"))
