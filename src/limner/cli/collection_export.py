"""`limner collection export`: a collection for other programs, with its rights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limner.cli.common import print_json, progress_of
from limner.cli.options import CollectionName, Json, Overwrite, Silent, Where
from limner.errors import UsageError
from limner.workspace import Workspace

if TYPE_CHECKING:
    from limner.collection import Collection
    from limner.exchange.comparing import Comparison
    from limner.exchange.exporting import Exported
    from limner.exchange.passing import Leave, Passed

AboutFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="JSON with what limner cannot know: description, purpose, limits, contact."),
]


@dataclass(frozen=True)
class LeaveOptions:
    """What may go along."""

    only_cleared: Annotated[
        bool, typer.Option("--only-cleared", help="Leave out pictures that may not be passed on; the digest changes.")
    ] = False
    accept_reserved: Annotated[
        str,
        typer.Option(metavar="REASON", help="Pass on pictures whose terms only a person can read, for this reason."),
    ] = ""
    own_use: Annotated[
        str, typer.Option(metavar="REASON", help="Write everything, for a copy that is not passed on, for this reason.")
    ] = ""

    def leave(self) -> Leave:
        """The same, as an export takes it."""
        from limner.exchange.passing import Leave

        return Leave(self.only_cleared, self.accept_reserved, self.own_use)


def export(
    collection: CollectionName,
    to: Annotated[Path, typer.Option(help="A new folder.")],
    *,
    formats: Annotated[
        list[str], typer.Option("--as", metavar="FORMAT", help="croissant, imagefolder, webdataset. May be repeated.")
    ],
    where: Where = None,
    options: LeaveOptions,
    about: AboutFile = None,
    overwrite: Overwrite = False,
    quiet: Silent = False,
    as_json: Json = False,
) -> None:
    """Write a collection for other programs: pictures without loss, rights and labels beside them, a card as README.

    `limner collection add FOLDER` takes each of these back, with the same digest. Pictures that are held back, and
    those whose licence is unknown or has terms that only a person can read, are not passed on unless you say so.

    Example: [bold]limner collection export paintings --to paintings-croissant --as croissant --as imagefolder[/bold]
    """
    from limner.collection import Collection
    from limner.exchange import exporting
    from limner.exchange.about import read_about
    from limner.reports.collection_card import Export, collection_card
    from limner.reports.markdown import render_markdown

    kinds = [_format(one) for one in formats]
    exporting.check_target(to, overwrite=overwrite)
    workspace, said = Workspace.default(), read_about(about)
    opened = Collection.open(collection, workspace)
    going = _passed(opened, where or [], options.leave(), workspace)
    why = options.own_use or options.accept_reserved
    readme = render_markdown(
        collection_card(opened, going.rows, said, export=Export(going, kinds, why), pictures=False)
    )
    with progress_of("writing", quiet=quiet or as_json) as moved:
        made = exporting.export(opened, going, to, kinds, about=said, readme=readme, why=why, progress=moved)
    _record(made, opened, why, workspace)
    if as_json:
        print_json(_facts(made))
    elif not quiet:
        _print(made)


def _format(text: str) -> Any:
    from limner.exchange.exporting import Format

    try:
        return Format(text.strip().lower())
    except ValueError:
        raise UsageError(f"--as {text}", "is no format", f"choose {', '.join(Format)}") from None


def _passed(collection: Collection, where: list[str], leave: Leave, workspace: Workspace) -> Passed:
    from datetime import UTC, datetime

    from limner.exchange.passing import passed
    from limner.rights.consent import ConsentStore

    agreed = ConsentStore(workspace.root).agreed()
    return passed(collection.rows(where), leave, agreed, datetime.now(UTC).date())


def _record(made: Exported, collection: Collection, why: str, workspace: Workspace) -> None:
    """That pictures went out, and in whose responsibility, goes into the ledger."""
    from limner.ledger import Ledger

    parameters = {
        **{"collection": collection.name, "formats": list(made.formats), "pictures": made.pictures, "why": why},
        **{"left_out": made.left_out, "not_for_others": made.not_for_others, "folder": str(made.folder.absolute())},
    }
    inputs, outputs = [f"sha256:{collection.digest}"], [f"sha256:{made.digest}"]
    Ledger.open(workspace.ledger).record("artist", "export", inputs=inputs, outputs=outputs, parameters=parameters)


def _facts(made: Exported) -> dict[str, Any]:
    return {
        "folder": str(made.folder),
        "formats": list(made.formats),
        "digest": f"sha256:{made.digest}",
        "complete": made.complete,
        "pictures": made.pictures,
        "held_out": made.held_out,
        "bytes": made.size,
        "left_out": made.left_out,
        "not_for_others": made.not_for_others,
    }


def _print(made: Exported) -> None:
    print(f"{made.folder}: {made.pictures:,} pictures as {', '.join(made.formats)}, {made.size / 1e6:,.1f} MB")
    if made.complete:
        print(f"digest {made.digest[:16]}, that of the collection")
    else:
        print(f"digest {made.digest[:16]}, of a part of the collection (all of it: {made.collection_digest[:16]})")
    for reason, count in made.left_out.items():
        print(f"  {count:,} left out: {reason}")
    for reason, count in made.not_for_others.items():
        print(f"  {count:,} that may not be passed on: {reason}")
    if made.not_for_others:
        print("This folder is for your own use: limner.json and README.md say so.")


def compared_in_words(compared: Comparison) -> str:
    """What was compared with the pictures of an export, and what came of it, on one line."""
    words = f"This is {'an' if compared.format == 'imagefolder' else 'a'} {_NAMES[compared.format]}"
    if compared.foreign:
        return f"{words} that limner did not write: its rights are what its records say."
    of = f"{words} that limner wrote"
    if compared.exact:
        stated = "the digest that it states" if compared.stated else "its digest, which nothing states"
        kept = "Rights, groups and hold-out are kept."
        return f"{of}: pictures and rows agree, and {stated} is {compared.digest[:16]}. {kept}"
    if compared.asked:
        return f"{of}: your options ask for rows made anew, so that its digest is another one."
    said = []
    for what, names in compared.differences.items():
        examples = ", ".join(names[:2]) + (f" and {len(names) - 2:,} more" if len(names) > 2 else "")
        said.append(f"{what} ({examples})" if names else f"{what} than it states ({compared.stated[:16]})")
    then = "pictures were read like those of any folder, with the rights that are stated beside them"
    return f"{of}, and it is not whole, or was changed since: {'; '.join(said)}. Its rows were not taken: {then}."


_NAMES = {"croissant": "Croissant", "imagefolder": "imagefolder", "webdataset": "WebDataset"}
