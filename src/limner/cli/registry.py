"""`limner registry`: the works that were published here, found again by how they look, and their papers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limner.cli.common import print_json
from limner.cli.options import Json, Silent
from limner.cli.tables import facts, plain, table
from limner.errors import PapersError, UsageError
from limner.text import printable
from limner.workspace import Workspace

if TYPE_CHECKING:
    from limner.papers.registry.registry import Match, Registry
    from limner.papers.registry.store import Edition

_HELP = """The works that you published, found again by how they look, and their papers.

A picture that lost its papers is looked up by its fingerprints. What is found looks like the picture; that is no proof.
"""

_group = typer.Typer(name="registry", help=_HELP, no_args_is_help=True, rich_markup_mode="rich")


def register(app: typer.Typer) -> None:
    """Add the command group to `app`."""
    app.add_typer(_group, rich_help_panel="Check and keep")


@_group.command("list")
def list_works(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many, from the last one back.")] = 20,
    as_json: Json = False,
) -> None:
    """List the works that were published last, oldest first.

    Example: [bold]limner registry list -n 5[/bold]
    """
    from limner.papers.registry.registry import open_registry

    registry = open_registry(Workspace.default())
    editions = registry.latest(limit) if registry else []
    if as_json:
        print_json([one.details() for one in editions])
    elif registry and editions:
        _print_works(editions, len(registry))
    else:
        print("No work is registered yet: publishing does it; for older works: `limner registry add FILE…`.")


@_group.command("show")
def show(
    work: Annotated[str, typer.Argument(help="Its number, or the first digits of it.")], as_json: Json = False
) -> None:
    """Show a work's stored papers: who published it, when, painted by which model.

    Example: [bold]limner registry show 3f9c21aa07be[/bold]
    """
    from limner.papers.c2pa.library import reading_context
    from limner.papers.registry.stored import stored_papers

    editions, context = _existing().work(work), reading_context()
    if not editions:
        raise UsageError(work, "is no work that was published here", "see them all: limner registry list -n 1000")
    shown = [{**one.details(), "papers": stored_papers(one, context)} for one in editions]
    if as_json:
        print_json(shown)
    else:
        for one in shown:
            _print_work(one)


@_group.command("find")
def find(
    picture: Annotated[Path, typer.Argument(help="A picture, with papers or without.")], as_json: Json = False
) -> None:
    """Find the work that a picture looks like: whole, mirrored, or cut off at its sides by up to 15 %.

    Example: [bold]limner registry find seen-somewhere.jpg[/bold]

    Exit status: 0 something was found, 1 nothing, 2 the picture could not be read.
    """
    match = _match(picture)
    if as_json:
        print_json(match.details() if match else None)
    elif match is None:
        print("No work that was published here looks like it.")
    else:
        _print_match(match)
    raise typer.Exit(0 if match else 1)


@_group.command("restore")
def restore(
    picture: Annotated[Path, typer.Argument(help="A picture that lost its papers.")],
    to: Annotated[Path, typer.Option(help="File for the papers; .c2pa, .json and .xmp are added.")],
    as_json: Json = False,
) -> None:
    """Write the papers of the work that a picture looks like, as they were published, beside each other.

    They are not put into the picture: they were signed for the file that was published, and fit no other.

    Example: [bold]limner registry restore seen-somewhere.jpg --to papers[/bold]
    """
    from limner.ledger import Ledger
    from limner.papers.c2pa.library import reading_context
    from limner.papers.registry import stored
    from limner.works.origins import file_digest

    match = _match(picture)
    if match is None:
        raise PapersError(picture, "looks like no work that was published here", "nothing was written")
    paths = stored.restore(match.edition, to, reading_context())
    inputs, outputs = [file_digest(picture), match.edition.digest], [file_digest(path) for path in paths]
    parameters = {"work": match.edition.name, "path": str(picture.absolute())}
    ledger = Ledger.open(Workspace.default().ledger)
    ledger.record("artist", "restore", inputs=inputs, outputs=outputs, parameters=parameters)
    if as_json:
        print_json({**match.details(), "files": [str(path) for path in paths]})
    else:
        _print_match(match)
        print("its papers: " + ", ".join(str(path) for path in paths))


@_group.command("add")
def add(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Works that were published here.")],
    quiet: Silent = False,
) -> None:
    """Register works that were published before there was a registry; others are registered already.

    Example: [bold]limner registry add ~/.limner/works/landscapes/*.png[/bold]
    """
    from limner.papers.registry.stored import register_published

    count = register_published(files, Workspace.default())
    if not quiet:
        print(f"{count} of {len(files)} registered; the others were already")


def _existing() -> Registry:
    from limner.papers.registry.registry import open_registry

    registry = open_registry(Workspace.default())
    if registry is None:
        raise UsageError("registry", "is empty", "publish a work, or register older ones: limner registry add FILE…")
    return registry


def _match(picture: Path) -> Match | None:
    from limner import pictures

    return _existing().find(pictures.read(picture).pixels)


def _print_match(match: Match) -> None:
    from limner.papers.verify.wording_registry import found_words

    work = match.edition
    by = f"published under the name {printable(work.signer_name)} on {work.time[:10]}"
    print(f"looks like work {work.name}: {printable(work.title)}, {by}")
    print(f"  {found_words(match)}; as published: {printable(work.path)}")
    if match.others:
        print(f"  it looks nearly as much like {match.others} more; which of them it is cannot be said")
    print("Likeness is no proof of where the picture comes from.")


def _print_works(editions: list[Edition], count: int) -> None:
    from rich.console import Console

    shown = table("work", "time (UTC)", "title", "by", "file", gap=2, narrow=("work", "time (UTC)"))
    for one in editions:
        time = one.time[:19].replace("T", " ")
        texts = (one.title, one.signer_name, Path(one.path).name)
        shown.add_row(one.name, time, *map(plain, texts))
    console = Console()
    console.print(shown)
    if count > len(editions):
        console.print(f"{len(editions):,} of {count:,} publications", style="dim", highlight=False)


def _print_work(shown: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.panel import Panel

    papers = shown["papers"]
    made = papers.get("generation") or {}
    rows = (
        ("title", shown["title"]),
        ("creator", shown["creator"]),
        ("published", f"{shown['time'][:19].replace('T', ' ')} UTC, by this workspace's clock"),
        ("signed by", f"{shown['signer_name']}  {shown['signer']}"),
        ("its signature", papers["signature"]),
        ("time-stamp", papers.get("time_stamp")),
        ("model", f"{made.get('model_name', '')}  {shown['model']}"),
        ("latent", shown["latent"]),
        ("file", f"{shown['path']}  {shown['digest']}"),
    )
    Console().print(Panel(facts(rows), title=plain(f"work {shown['work']}", "bold"), title_align="left"))
