"""`limner registry`: the works that were published here, found again by how they look, and their papers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limner.cli.common import print_json
from limner.text import printable
from limner.workspace import Workspace

if TYPE_CHECKING:
    import c2pa

    from limner.papers.registry.registry import Edition, Match, Registry

__all__ = ["register"]

_HELP = """The works that you published, found again by how they look, and their papers.

A picture that lost its papers is looked up by its fingerprints. What is found looks like the picture; that is no proof.
"""

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the command group to `app`."""
    group = typer.Typer(help=_HELP, no_args_is_help=True, rich_markup_mode="rich")
    group.command("list")(list_works)
    group.command("show")(show)
    group.command("find")(find)
    group.command("restore")(restore)
    group.command("add")(add)
    app.add_typer(group, name="registry")


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
        print_json([one.told() for one in editions])
    elif not editions or registry is None:
        print(
            "No work is registered yet: works are when they are published; older ones by `limner registry add FILE…`."
        )
    else:
        _print_works(editions, len(registry))


def show(
    work: Annotated[str, typer.Argument(help="Its number, or the first digits of it.")], as_json: Json = False
) -> None:
    """Show a work's stored papers: who published it, when, painted by which model.

    Example: [bold]limner registry show 3f9c21aa07be[/bold]
    """
    from limner.papers.registry.stored import stored_papers

    editions = _existing().work(work)
    if not editions:
        from limner.errors import UsageError

        raise UsageError(work, "is no work that was published here", "see them all: limner registry list -n 1000")
    context = _context()
    told = [{**one.told(), "papers": stored_papers(one, context)} for one in editions]
    if as_json:
        print_json(told)
        return
    for one in told:
        _print_work(one)


def find(
    picture: Annotated[Path, typer.Argument(help="A picture, with papers or without.")], as_json: Json = False
) -> None:
    """Find the work that a picture looks like: whole, mirrored, or cut off at its sides by up to 15 %.

    Example: [bold]limner registry find seen-somewhere.jpg[/bold]

    Exit status: 0 something was found, 1 nothing, 2 the picture could not be read.
    """
    match = _match(picture)
    if as_json:
        print_json(match.told() if match else None)
    elif match is None:
        print("No work that was published here looks like it.")
    else:
        _print_match(match)
    raise typer.Exit(0 if match else 1)


def restore(
    picture: Annotated[Path, typer.Argument(help="A picture that lost its papers.")],
    to: Annotated[Path, typer.Option(help="File for the papers; .c2pa, .json and .xmp are added.")],
    as_json: Json = False,
) -> None:
    """Write the papers of the work that a picture looks like, as they were published, beside each other.

    They are not put into the picture: they were signed for the file that was published, and fit no other.

    Example: [bold]limner registry restore seen-somewhere.jpg --to papers[/bold]
    """
    from limner.errors import PapersError
    from limner.ledger import Ledger
    from limner.papers.registry import stored
    from limner.works.origins import file_digest

    workspace = Workspace.default()
    match = _match(picture)
    if match is None:
        raise PapersError(picture, "looks like no work that was published here", "nothing was written")
    paths = stored.restore(match.edition, to, _context())
    told = {"work": match.edition.name, "path": str(picture.absolute())}
    outputs = [file_digest(path) for path in paths]
    Ledger.open(workspace.ledger).record(
        "artist", "restore", inputs=[file_digest(picture), match.edition.digest], outputs=outputs, parameters=told
    )
    if as_json:
        print_json({**match.told(), "files": [str(path) for path in paths]})
        return
    _print_match(match)
    print("its papers: " + ", ".join(str(path) for path in paths))


def add(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Works that were published here.")],
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing.")] = False,
) -> None:
    """Register works that were published before there was a registry; others are registered already.

    Example: [bold]limner registry add ~/.limner/works/landscapes/*.png[/bold]
    """
    from contextlib import closing

    from limner.errors import PapersError
    from limner.ledger import Ledger
    from limner.papers.publishing.published import Published
    from limner.papers.registry.registry import Registry
    from limner.papers.registry.stored import edition_of
    from limner.papers.verify.opening import open_checker
    from limner.works.origins import file_digest

    workspace = Workspace.default()
    registry, ledger = Registry(workspace.registry, workspace.registry_index), Ledger.open(workspace.ledger)
    found = []
    with closing(open_checker(workspace)) as checker:
        for path in files:
            digest = file_digest(path)
            published = Published.find(ledger, digest)
            if published is None:
                raise PapersError(path, "was not published here, or was changed since", "check it with `limner verify`")
            if not registry.with_digest(digest):
                verdict = checker.check(path)
                name = verdict.signer.name if verdict.signer else ""
                found.append(edition_of(path, checker, (published.signer, name)))
    registry.add(found)
    if found:
        ledger.record("artist", "register", inputs=[one.digest for one in found])
    if not quiet:
        print(f"{len(found)} of {len(files)} registered; the others were already")


def _existing() -> Registry:
    from limner.errors import UsageError
    from limner.papers.registry.registry import open_registry

    registry = open_registry(Workspace.default())
    if registry is None:
        raise UsageError("registry", "is empty", "publish a work, or register older ones: limner registry add FILE…")
    return registry


def _context() -> c2pa.Context:
    from limner.papers.c2pa.library import reading_context

    return reading_context()


def _match(picture: Path) -> Match | None:
    from limner import pictures

    return _existing().find(pictures.read(picture).pixels)


def _print_match(match: Match) -> None:
    from limner.papers.verify.wording_registry import found_words

    work = match.edition
    by = f"published by {printable(work.signer_name)} on {work.time[:10]}"
    print(f"looks like work {work.name}: {printable(work.title)}, {by}")
    print(f"  {found_words(match)}; as published: {printable(work.path)}")
    if match.others:
        print(f"  it looks nearly as much like {match.others} more; which of them it is cannot be said")
    print("Likeness is no proof of where the picture comes from.")


def _print_works(editions: list[Edition], count: int) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for title in ("work", "time (UTC)", "title", "by", "file"):
        table.add_column(title, no_wrap=title in ("work", "time (UTC)"), overflow="fold")
    for one in editions:
        time = one.time[:19].replace("T", " ")
        texts = (one.title, one.signer_name, Path(one.path).name)
        table.add_row(one.name, time, *(Text(printable(text)) for text in texts))
    console = Console()
    console.print(table)
    if count > len(editions):
        console.print(f"{len(editions):,} of {count:,} publications", style="dim", highlight=False)


def _print_work(told: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    papers = told["papers"]
    made = papers.get("generation") or {}
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    rows = (
        ("title", told["title"]),
        ("creator", told["creator"]),
        ("published", f"{told['time'][:19].replace('T', ' ')} UTC, by this workspace's clock"),
        ("signed by", f"{told['signer_name']}  {told['signer']}"),
        ("its signature", papers["signature"]),
        ("time-stamp", papers.get("time_stamp")),
        ("model", f"{made.get('model_name', '')}  {told['model']}"),
        ("latent", told["latent"]),
        ("file", f"{told['path']}  {told['digest']}"),
    )
    for label, value in rows:
        if value:
            grid.add_row(label, Text(printable(str(value))))
    Console().print(Panel(grid, title=Text(f"work {told['work']}", style="bold"), title_align="left"))
