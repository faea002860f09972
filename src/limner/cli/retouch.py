"""`limner retouch`: a work that was worked on in another program becomes the next edition, its chain kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limner.cli.common import print_json, progress_of
from limner.cli.making import ENDINGS, Signing, Title, ready_to_sign
from limner.cli.options import Json, Overwrite, Quiet, grouped
from limner.cli.outputs import output
from limner.errors import UsageError
from limner.workspace import Workspace

if TYPE_CHECKING:
    from limner.retouching.retouching import Retouch, RetouchedWork


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("retouch", rich_help_panel="Steer")(grouped(_retouch))


@dataclass(frozen=True)
class Stated:
    """What the artist says of the retouch."""

    by: Annotated[
        str | None,
        typer.Option(help="hand (no generator was used) or generator; limner cannot see which. Left out: not said."),
    ] = None
    note: Annotated[str, typer.Option(help="What you did, in your words; papers and ledger keep it.")] = ""
    allow_unrelated: Annotated[
        str | None, typer.Option(help="Take a file that does not show the work, for this reason; it is kept.")
    ] = None


@dataclass(frozen=True)
class Place:
    """Where the new edition goes, and what it is called."""

    to: Annotated[Path | None, typer.Option(help="File, or folder; beside the work by default.")] = None
    map: Annotated[Path | None, typer.Option("--map", help="Also a picture (PNG) of what changed.")] = None
    title: Title = None
    label: Annotated[str, typer.Option(help="Visible label: text, eu (a mark with two letters) or none.")] = "none"
    language: Annotated[str, typer.Option(help="Of the label: de, en, es, fr, it, nl, pl, pt, zh.")] = "en"
    overwrite: Overwrite = False


def _retouch(
    work: Annotated[Path, typer.Argument(help="The file of a published work.")],
    file: Annotated[Path, typer.Option("--with", help="The file that came back from another program.")],
    stated: Stated,
    place: Place,
    signing: Signing,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Publish a work that you worked on in another program: painted over, graded, cropped, printed and scanned.

    The work is found in the file, and what changed is measured. The new edition is signed; the work's papers and the
    file's own are kept in it. A file that does not show the work is refused.

    Example: [bold]limner retouch sea.png --with sea-painted.jpg --by hand --note "painted the sky" --map map.png[/bold]
    """
    from limner.papers.publishing.former import open_former
    from limner.pictures import write
    from limner.retouching.picture import map_picture
    from limner.retouching.retouching import name_of, publish_retouched, returned

    request, workspace = _request(file, stated, place), Workspace.default()
    if place.map is not None:
        output(place.map, option="--map", endings=(".png",), sources=(work, file), overwrite=place.overwrite)
    if place.to is not None and place.to.suffix:
        output(place.to, endings=ENDINGS, sources=(work, file), overwrite=place.overwrite)
    former = open_former(work, workspace)
    with progress_of("looking for the work in the file", quiet=quiet or as_json, unit="turns") as show:
        one = returned(former, request, workspace, show)
    to = place.to if place.to is not None and place.to.suffix else None
    if to is None:
        to = (workspace.make(place.to) if place.to else work.parent) / name_of(one)
        output(to, sources=(work, file), overwrite=place.overwrite)
    with ready_to_sign(workspace, **vars(signing), overwrite=place.overwrite) as publisher:
        made = publish_retouched(one, to, publisher, workspace)
    if place.map is not None:
        write(map_picture(one.changes), place.map)
    if as_json:
        print_json(_plain(made, place.map))
        return
    print(to)
    for line in _words(made):
        print(line)
    if place.map is not None:
        print(f"what changed, as a picture: {place.map}")


def _request(file: Path, stated: Stated, place: Place) -> Retouch:
    from limner.papers.publishing.labels import LabelRequest
    from limner.retouching.retouching import Retouch

    if place.label not in ("none", "text", "eu"):
        raise UsageError(f"--label {place.label}", "is no label", "use text, eu or none")
    # A language that is none is refused whether there is a label or not.
    label = LabelRequest("text" if place.label == "text" else "eu", place.language)
    wanted = None if place.label == "none" else label
    return Retouch(file, stated.by, stated.note, stated.allow_unrelated, place.title, wanted)


def _plain(made: RetouchedWork, map: Path | None) -> dict[str, Any]:
    work = made.work
    return {
        "path": str(work.path),
        "digest": work.digest,
        "title": work.provenance.title,
        "retouch": work.provenance.edition["retouch"],
        "label": work.provenance.visible_label or None,
        "label_lost": made.label_lost or None,
        **({"map": str(map)} if map else {}),
    }


def _words(made: RetouchedWork) -> list[str]:
    from limner.papers.verify.wording_retouch import retouch_words

    record = made.work.provenance.edition["retouch"]
    lines = [retouch_words(record)]
    if made.work.provenance.finish:
        lines.append("what changed is credited to nobody: the map of its sources is that of the work before")
    if made.label_lost:
        lines.append(f'the label "{made.label_lost}" may be gone; draw one with --label')
    return lines
