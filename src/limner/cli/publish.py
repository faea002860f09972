"""`limner publish`: a work once more, in another format or size, with a visible label, signed anew."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limner.cli.common import print_json
from limner.cli.making import Signing, ready_to_sign
from limner.cli.options import Json, Overwrite, grouped
from limner.cli.outputs import output
from limner.errors import UsageError, check_range
from limner.workspace import Workspace

if TYPE_CHECKING:
    from limner.papers.publishing.exporting import Export
    from limner.papers.publishing.publisher import PublishedWork


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("publish", rich_help_panel="Paint")(grouped(_publish))


@dataclass(frozen=True)
class Wanted:
    """What the new editions shall be, and where they go."""

    format: Annotated[str | None, typer.Option("--as", help="jpeg, png, webp or avif; as it is otherwise.")] = None
    quality: Annotated[int, typer.Option(help="1 to 100, for formats that lose something.")] = 90
    long_edge: Annotated[int | None, typer.Option(help="Longer side in pixels; never more than the work has.")] = None
    label: Annotated[str, typer.Option(help="Visible label: text, eu (a mark with two letters) or none.")] = "none"
    language: Annotated[str, typer.Option(help="Of the label: de, en, es, fr, it, nl, pl, pt, zh.")] = "en"
    traced: Annotated[
        bool,
        typer.Option("--traced", help="Say in the credit line who shaped the composition: limner trace --label."),
    ] = False
    to: Annotated[Path | None, typer.Option(help="File, or folder; beside the work by default.")] = None

    @property
    def file(self) -> Path | None:
        """The file that the one new edition becomes; None where a folder is meant."""
        return self.to if self.to is not None and self.to.suffix else None

    def export(self) -> Export:
        """What the new editions shall be.

        Raises:
            UsageError: an option is out of range, or two of them do not fit.
        """
        from limner.papers.publishing.exporting import Export
        from limner.papers.publishing.labels import LabelRequest
        from limner.pictures import format_of

        check_range("--quality", self.quality, 1, 100)
        if self.label not in ("none", "text", "eu"):
            raise UsageError(f"--label {self.label}", "is no label", "use text, eu or none")
        chosen = format_of(self.format) if self.format is not None else None
        named = format_of(self.file) if self.file else chosen
        if chosen not in (None, named):
            raise UsageError(f"--as {self.format}", f"does not fit --to {self.to}", "leave one of them out")
        # A language that is none is refused whether there is a label or not.
        label = LabelRequest("text" if self.label == "text" else "eu", self.language)
        return Export(named, self.quality, self.long_edge, None if self.label == "none" else label)


def _publish(
    works: Annotated[list[Path], typer.Argument(metavar="WORK…", help="Files of published works.")],
    overwrite: Overwrite = False,
    *,
    wanted: Wanted,
    signing: Signing,
    as_json: Json = False,
) -> None:
    """Publish works again: for the web, for a press, with a visible label. The former papers are kept in the new ones.

    Only works of your own that nobody changed are taken. Whatever is asked, the new file is signed, checked, recorded.

    Example: [bold]limner publish sea.png --as jpeg --long-edge 1600 --label text --language de[/bold]
    """
    from limner.papers.publishing.exporting import export, name_of
    from limner.papers.publishing.former import open_former

    request = wanted.export()
    if len(works) > 1 and wanted.file:
        raise UsageError(f"--to {wanted.to}", f"is one file for {len(works)} works", "give a folder")
    workspace = Workspace.default()
    formers = [open_former(work, workspace) for work in works]
    if wanted.traced:
        from limner.works.trace_label import with_traced_credit

        formers = [with_traced_credit(former, workspace) for former in formers]
    if wanted.file:
        paths = [output(wanted.file, sources=works, overwrite=overwrite)]
    else:
        folder = workspace.make(wanted.to) if wanted.to else None
        paths = [(folder or one.path.parent) / name_of(one, request) for one in formers]
    with ready_to_sign(workspace, **vars(signing), overwrite=overwrite) as publisher:
        made = [export(former, path, publisher, request) for former, path in zip(formers, paths, strict=True)]
    if as_json:
        print_json({"works": [_plain(one) for one in made]})
        return
    for one in made:
        print(f"{one.path}{_words(one)}")


def _plain(one: PublishedWork) -> dict[str, Any]:
    return {
        "path": str(one.path),
        "digest": one.digest,
        "bytes": one.size,
        "edition": one.provenance.edition,
        "label": one.provenance.visible_label or None,
        "replaced": one.replaced,
    }


def _words(one: PublishedWork) -> str:
    made = one.provenance
    said = [f"{made.edition['size']}, {one.size / 1000:,.0f} kB"]
    if made.visible_label:
        said.append(f'label "{made.visible_label["words"]}", {made.visible_label["corner"]}')
    if one.replaced:
        said.append("an earlier file was replaced")
    return f" ({'; '.join(said)})"
