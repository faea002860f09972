"""`limner credits`: which pictures a work was finished from."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from limner.cli.common import print_json
from limner.cli.options import Json, Overwrite
from limner.cli.outputs import output
from limner.cli.tables import plain, show, table
from limner.workspace import Workspace

if TYPE_CHECKING:
    from rich.text import Text

    from limner.works.credits import Credits

_SHOWN = 12
_RETOUCHED = (
    "This work was worked on in another program. The shares are those of the work before; "
    "where it changed they do not hold, and what was painted there is credited to nobody:"
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("credits", rich_help_panel="Steer")(_credits)


def _credits(
    work: Annotated[Path, typer.Argument(help="A work's file.")],
    to: Annotated[
        Path | None, typer.Option(help="Also a picture of it (PNG): the work, its sources in colours.")
    ] = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Show which pictures a work was finished from: shares of its area by picture, creator and licence.

    Flat areas, such as white paper, belong to nobody and are not counted in the shares.

    Example: [bold]limner credits dusk.png --to credits.png[/bold]
    """
    from limner.works.credits import credits_of

    workspace = Workspace.default()
    if to is not None:
        output(to, endings=(".png",), sources=(work,), overwrite=overwrite)
    found = credits_of(work, workspace)
    if to is not None:
        from limner.pictures import read, write
        from limner.works.credits_picture import credits_picture

        # The map is that of the work before it was worked on elsewhere, and is shown beside that.
        write(credits_picture(read(_before(work, found, workspace)).pixels, found.sources, workspace), to)
    if as_json:
        _print_json(work, found, to)
        return
    _print(found)
    if to is not None:
        print(to)


def _before(work: Path, found: Credits, workspace: Workspace) -> Path:
    if not found.retouches:
        return work
    from limner.errors import UsageError
    from limner.ledger import Ledger
    from limner.works.origins import Origins, file_digest
    from limner.works.retouches import before_retouches

    before = before_retouches(Ledger.open(workspace.ledger), Origins(workspace).work(work))
    if not before.path.is_file() or file_digest(before.path) != before.digest:
        reason = "was worked on in another program, and the work before that is not where it was"
        raise UsageError(work, reason, f"put {before.path.name} back, or leave --to out")
    return before.path


def _print_json(work: Path, found: Credits, to: Path | None) -> None:
    shares = found.sources.shares()
    pictures = [{**asdict(one.exemplar), "share": one.share, "area": one.area, "piece": one.piece} for one in shares]
    print_json(
        {
            "work": str(work),
            "retouches": [dict(one.how) for one in found.retouches],
            "pictures": pictures,
            "creators": found.by("creator"),
            "licences": found.by("licence"),
            "largest_piece": found.largest_piece,
            "conditions": list(found.finish.conditions),
            "joint_licence": found.joint.licence or None,
            "conflicts": [asdict(one) for one in found.conflicts],
            "bounds": found.finish.bounds.model_dump(),
            "borrow": found.finish.options.borrow,
            **({"picture": str(to)} if to else {}),
        }
    )


def _retouched(found: Credits) -> list[Text]:
    if not found.retouches:
        return []
    from limner.papers.verify.wording_retouch import retouch_words

    return [plain(_RETOUCHED, "bold"), *(plain(f"  {retouch_words(one.how)}") for one in found.retouches)]


def _terms(found: Credits) -> list[str]:
    """On which terms the work may be passed on, as far as the licences of the pictures in it say."""
    lines = []
    if licence := found.joint.licence:
        lines.append(f"One licence suits all of these pictures: {licence}. Information, not legal advice.")
    for one in found.conflicts:
        names, where = " and ".join(one.licences), " / ".join(one.sources)
        reason = "lets nothing made from it be passed on" if len(one.licences) == 1 else "exclude each other"
        lines.append(f"{names} {reason}: pass the work on only with leave ({where}). Information, not legal advice.")
    return lines


def _print(found: Credits) -> None:
    shares, bounds = found.sources.shares(), found.finish.bounds
    rows = table("share", "picture", "by", "licence", gap=2, title=f"{len(shares)} pictures gave patches")
    for one in shares[:_SHOWN]:
        own = [plain(text or "unknown") for text in (one.exemplar.title, one.exemplar.creator, one.exemplar.licence)]
        rows.add_row(f"{one.share:.0%}", *own)
    if len(shares) > _SHOWN:
        rows.add_row(f"{sum(one.share for one in shares[_SHOWN:]):.0%}", f"{len(shares) - _SHOWN} more", "", "")
    licences = ", ".join(f"{name} {share:.0%}" for name, share in found.by("licence").items())
    of = "area" if bounds.flat_counts else "area that is not flat"
    show(
        *_retouched(found),
        rows,
        plain(f"By licence: {licences}."),
        *(plain(line) for line in _terms(found)),
        f"The largest connected piece from one picture is {found.largest_piece:.1%} of the {of} "
        f"(bound at --borrow {found.finish.options.borrow:g}: {bounds.piece:.1%}); "
        f"the most that one picture gave is {shares[0].share:.0%} (bound: {bounds.share:.0%}).",
    )
