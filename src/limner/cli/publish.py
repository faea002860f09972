"""`limner publish`: a work once more, in another format or size, with a visible label, signed anew."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limner.cli.common import print_json
from limner.cli.making import Identity, Json, ready_to_sign
from limner.cli.outputs import Overwrite, output
from limner.errors import UsageError

if TYPE_CHECKING:
    from limner.papers.publishing.exporting import Export
    from limner.papers.publishing.former import Former
    from limner.papers.publishing.publisher import PublishedWork
    from limner.workspace import Workspace

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("publish", rich_help_panel="Paint")(_publish)


def _publish(
    works: Annotated[list[Path], typer.Argument(metavar="WORK…", help="Files of published works.")],
    format: Annotated[str | None, typer.Option("--as", help="jpeg, png, webp or avif; as it is otherwise.")] = None,
    quality: Annotated[int, typer.Option(help="1 to 100, for formats that lose something.")] = 90,
    long_edge: Annotated[int | None, typer.Option(help="Longer side in pixels; never more than the work has.")] = None,
    label: Annotated[str, typer.Option(help="Visible label: text, eu (a mark with two letters) or none.")] = "none",
    language: Annotated[str, typer.Option(help="Of the label: de, en, es, fr, it, nl, pl, pt, zh.")] = "en",
    to: Annotated[Path | None, typer.Option(help="File, or folder; beside the work by default.")] = None,
    overwrite: Overwrite = False,
    identity: Identity = None,
    certificate: Annotated[Path | None, typer.Option(help="PEM of a bought certificate, with --key.")] = None,
    key: Annotated[Path | None, typer.Option(help="PEM of its key.")] = None,
    timestamp: Annotated[str | None, typer.Option(help="URL of a time-stamp server (RFC 3161).")] = None,
    as_json: Json = False,
) -> None:
    """Publish works again: for the web, for a press, with a visible label. The former papers are kept in the new ones.

    Only works of your own that nobody changed are taken. Whatever is asked, the new file is signed, checked, recorded.

    Example: [bold]limner publish sea.png --as jpeg --long-edge 1600 --label text --language de[/bold]
    """
    from limner.papers.publishing.exporting import export
    from limner.papers.publishing.former import open_former
    from limner.workspace import Workspace

    wish = _wish(format, quality, long_edge, label, language, to)
    if len(works) > 1 and to is not None and to.suffix:
        raise UsageError(f"--to {to}", f"is one file for {len(works)} works", "give a folder")
    workspace = Workspace.default()
    formers = [open_former(work, workspace) for work in works]
    paths = [_place(one, wish, to, workspace) for one in formers]
    if to is not None and to.suffix:
        output(to, sources=works, overwrite=overwrite)
    opened = ready_to_sign(
        workspace, identity=identity, certificate=certificate, key=key, timestamp=timestamp, overwrite=overwrite
    )
    with opened as publisher:
        made = [export(former, path, publisher, wish) for former, path in zip(formers, paths, strict=True)]
    if as_json:
        print_json({"works": [_told(one) for one in made]})
        return
    for one in made:
        print(f"{one.path}{_words(one)}")


def _wish(
    format: str | None, quality: int, long_edge: int | None, label: str, language: str, to: Path | None
) -> Export:
    from limner.papers.publishing.exporting import Export
    from limner.papers.publishing.labels import LabelWish
    from limner.pictures import format_of

    if not 1 <= quality <= 100:
        raise UsageError(f"--quality {quality}", "is out of range", "give 1 to 100")
    if label not in ("none", "text", "eu"):
        raise UsageError(f"--label {label}", "is no label", "use text, eu or none")
    chosen = format_of(format) if format is not None else None
    if to is not None and to.suffix:
        named = format_of(to)
        if chosen not in (None, named):
            raise UsageError(f"--as {format}", f"does not fit --to {to}", "leave one of them out")
        chosen = named
    wanted = LabelWish("text" if label == "text" else "eu", language)  # a language that is none is refused in any case
    return Export(chosen, quality, long_edge, None if label == "none" else wanted)


def _place(former: Former, wish: Export, to: Path | None, workspace: Workspace) -> Path:
    from limner.papers.publishing.exporting import name_of

    if to is not None and to.suffix:
        workspace.make(to.parent)
        return to
    folder = former.path.parent if to is None else workspace.make(to)
    return folder / name_of(former, wish)


def _told(one: PublishedWork) -> dict[str, Any]:
    made = one.provenance
    told = {"path": str(one.path), "digest": one.digest, "bytes": one.size, "edition": made.edition}
    return {**told, "label": made.visible_label or None, "replaced": one.replaced}


def _words(one: PublishedWork) -> str:
    made = one.provenance
    told = [f"{made.edition['size']}, {one.size / 1000:,.0f} kB"]
    if made.visible_label:
        told.append(f'label "{made.visible_label["words"]}", {made.visible_label["corner"]}')
    if one.replaced:
        told.append("an earlier file was replaced")
    return f" ({'; '.join(told)})"
