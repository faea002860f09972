"""`limner reproduce`, `limner family`: where a work comes from, proved and drawn."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limner.cli.common import console_error, print_json
from limner.cli.options import Json, Overwrite
from limner.cli.outputs import output
from limner.cli.tables import show
from limner.errors import LimnerError
from limner.workspace import Workspace

if TYPE_CHECKING:
    from rich.tree import Tree

    from limner.works.family import Kin


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(_group, rich_help_panel="Check and keep")
    app.command("reproduce", rich_help_panel="Steer")(_reproduce)
    app.command("family", rich_help_panel="Steer")(_family)


_group = typer.Typer(name="works", help="Look after the works that were kept.", no_args_is_help=True)


@_group.command("recover")
def _recover(as_json: Json = False) -> None:
    """Record works that a broken-off command left signed in their places, and take away what never came there.

    A full disk, a closed terminal or a machine that was switched off can end a command after a work is written
    and before it is recorded.
    Commands that publish do the same by themselves before they begin.

    Example: [bold]limner works recover[/bold]
    """
    from limner.ledger import Ledger
    from limner.papers.publishing.recovery import recover
    from limner.papers.registry.registry import Registry

    workspace = Workspace.default()
    registry = Registry(workspace.registry, workspace.registry_index)
    found = recover(workspace, Ledger.open(workspace.ledger), registry, again=True)
    if as_json:
        print_json({name: [str(path) for path in paths] for name, paths in vars(found).items()})
        return
    for paths, words in (
        (found.recorded, "recorded"),
        (found.taken_away, "taken away, since it never came to its place"),
        (found.gone, "not there; nothing to record"),
        (found.damaged, "cannot be read, and its work was not found; move that to the works folder, or delete this"),
    ):
        for path in paths:
            print(f"{path}: {words}")
    if not any(vars(found).values()):
        print("Nothing was left behind.")


def _reproduce(
    works: Annotated[list[Path], typer.Argument(help="Files of works.")],
    model: Annotated[
        str | None, typer.Option(help="The model that painted them, where it is not in the workspace.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Paint works again from their latents and compare; status 1 where one is another picture, 2 where one cannot be.

    Example: [bold]limner reproduce ~/.limner/works/landscapes/*.png[/bold]
    """
    from limner.works.reproducing import reproduce

    workspace = Workspace.default()
    found, missed = [], 0
    for path in works:
        try:
            one = reproduce(path, workspace, model)
        except LimnerError as error:  # the others are looked at all the same
            if len(works) == 1:
                raise
            console_error(str(error))
            missed += 1
            continue
        found.append(one)
        if not as_json:
            print(f"{one.path}: {one.verdict}")
    if as_json:
        print_json([{**asdict(one), "same": one.same, "verdict": one.verdict} for one in found])
    elif len(works) > 1:
        same = sum(one.same for one in found)
        print(f"{same:,} of {len(works):,} are the same{f', {missed:,} could not be painted again' if missed else ''}")
    raise typer.Exit(2 if missed else 0 if all(one.same for one in found) else 1)


def _family(
    work: Annotated[Path, typer.Argument(help="A work's file.")],
    to: Annotated[Path | None, typer.Option(help="Also a picture of the family (PNG).")] = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Show what a work was made from, and what was made from it.

    Example: [bold]limner family dusk.png --to family.png[/bold]
    """
    from limner.works.family import Family
    from limner.works.origins import Origins

    if to is not None:
        output(to, endings=(".png",), sources=(work,), overwrite=overwrite)
    origins = Origins(Workspace.default(), looks=True)
    digest, family = origins.work(work).digest, Family(origins.ledger)
    above, below = family.ancestors(digest), family.descendants(digest)
    if to is not None:
        from limner.works.family_picture import draw_family

        draw_family(above, below, to, origins.painted)
    if as_json:
        print_json({"ancestors": _plain(above), "descendants": _plain(below)})
        return
    show(_tree(above, "made from"), *([_tree(below, "from it were made")] if below.kin else []))


def _plain(kin: Kin) -> dict[str, Any]:
    return {**vars(kin), "path": kin.path and str(kin.path), "kin": [_plain(one) for one in kin.kin]}


def _tree(kin: Kin, title: str) -> Tree:
    from rich.text import Text
    from rich.tree import Tree

    from limner.papers.verify.wording_retouch import retouch_words

    def line(one: Kin) -> Text:
        how = ", ".join(f"{name} {value}" for name, value in one.how.items() if value is not None)
        how = retouch_words(one.how) if one.made == "retouch" else how
        made = f"  {one.made} {how}" if one.made else ""
        return Text.assemble((one.name, "bold"), (f"{made}{'  (see above)' if one.again else ''}", "dim"))

    def grown(one: Kin, tree: Tree) -> Tree:
        for other in one.kin:
            grown(other, tree.add(line(other)))
        return tree

    root = Text.assemble(
        (kin.name, "bold"), (f", {title}:" if kin.kin else "", ""), (f"  {line(kin).plain[len(kin.name) :]}", "dim")
    )
    return grown(kin, Tree(root))
