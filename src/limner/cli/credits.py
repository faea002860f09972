"""`limner credits`: which pictures a work was finished from."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limner.cli.common import print_json
from limner.cli.options import Overwrite
from limner.cli.outputs import output
from limner.errors import UsageError

if TYPE_CHECKING:
    from limner.ledger import Act
    from limner.synthesis import SourceMap, SourceShare

__all__ = ["register"]

_SHOWN = 12


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("credits", rich_help_panel="Steer")(_credits)


def _credits(
    work: Annotated[Path, typer.Argument(help="A work's file.")],
    to: Annotated[
        Path | None, typer.Option(help="Also a picture of it (PNG): the work, its sources in colours.")
    ] = None,
    overwrite: Overwrite = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show which pictures a work was finished from: shares of its area by picture, creator and licence.

    Flat areas, such as white paper, belong to nobody and are not counted in the shares.

    Example: [bold]limner credits dusk.png --to credits.png[/bold]
    """
    from limner.workspace import Workspace

    workspace = Workspace.default()
    if to is not None:
        output(to, endings=(".png",), sources=(work,), overwrite=overwrite)
    sources, act = _sources_of(work, workspace)
    if to is not None:
        from limner.pictures import read, write
        from limner.works.crediting import credits_picture

        write(credits_picture(read(work).pixels, sources, workspace), to)
    if as_json:
        print_json(_told(work, sources, act, to))
        return
    _print(sources, act)
    if to is not None:
        print(to)


def _sources_of(work: Path, workspace: Any) -> tuple[SourceMap, Act]:
    from limner.synthesis.stores import SourceStore
    from limner.works.origins import Origins, file_digest

    if not work.is_file():
        raise UsageError(work, "is no file", "give a work's file")
    act = Origins(workspace).published(file_digest(work))
    if act is None:
        raise UsageError(work, "was not published here, or was changed since", "check it with `limner verify`")
    finish = act.parameters.get("finish")
    if not finish:
        raise UsageError(work, "was painted by its model alone", "only finished works have credits")
    sources = SourceStore(workspace).load(str(finish["sources"]))
    if sources is None:
        raise UsageError(work, "its source map is not here any more", "`limner sample` with its seed makes it again")
    return sources, act


def _summed(shares: list[SourceShare], name: str) -> dict[str, float]:
    """Shares by creator or licence, most first."""
    found: dict[str, float] = defaultdict(float)
    for one in shares:
        found[getattr(one.exemplar, name) or "unknown"] += one.share
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _told(work: Path, sources: SourceMap, act: Act, to: Path | None) -> dict[str, Any]:
    from dataclasses import asdict

    shares, finish = sources.shares(), act.parameters["finish"]
    pictures = [{**asdict(one.exemplar), "share": one.share, "area": one.area, "piece": one.piece} for one in shares]
    return {
        "work": str(work),
        "pictures": pictures,
        "creators": _summed(shares, "creator"),
        "licences": _summed(shares, "licence"),
        "largest_piece": sources.largest_piece(flat_counts=finish["bounds"]["flat_counts"]),
        "bounds": finish["bounds"],
        "borrow": finish["options"]["borrow"],
        **({"picture": str(to)} if to else {}),
    }


def _print(sources: SourceMap, act: Act) -> None:
    from rich.console import Console
    from rich.table import Table

    shares, finish = sources.shares(), act.parameters["finish"]
    bounds, console = finish["bounds"], Console()
    table = Table("share", "picture", "by", "licence", title=f"{len(shares)} pictures gave patches")
    for one in shares[:_SHOWN]:
        own = one.exemplar
        table.add_row(f"{one.share:.0%}", own.title, own.creator or "unknown", own.licence or "unknown")
    if len(shares) > _SHOWN:
        table.add_row(f"{sum(one.share for one in shares[_SHOWN:]):.0%}", f"{len(shares) - _SHOWN} more", "", "")
    console.print(table)
    licences = ", ".join(f"{name} {share:.0%}" for name, share in _summed(shares, "licence").items())
    console.print(f"By licence: {licences}.")
    of = "area" if bounds["flat_counts"] else "area that is not flat"
    piece = sources.largest_piece(flat_counts=bounds["flat_counts"])
    console.print(
        f"The largest connected piece from one picture is {piece:.1%} of the {of} "
        f"(bound at --borrow {finish['options']['borrow']:g}: {bounds['piece']:.1%}); "
        f"the most that one picture gave is {shares[0].share:.0%} (bound: {bounds['share']:.0%})."
    )
