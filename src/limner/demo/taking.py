"""Taking the pictures of a demo into its own workspace, with their rights; what cannot be learned from is said here."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence

from limner.collection import PAINTINGS, Collection, Row, import_collection
from limner.collection.importing import Progress
from limner.demo.planning import Plan
from limner.errors import CollectionError, RightsError
from limner.rights import HELD_NO_CREATOR, HELD_NO_LICENCE, summary
from limner.synthesis.finding import shipped_digest
from limner.workspace import Workspace

_FEWEST, _FEWEST_HELD_OUT = 4, 2
_REASONS = 3
_REMEDIES = {
    HELD_NO_CREATOR: '--creator "Your Name"',
    HELD_NO_LICENCE: "--licence CC-BY-4.0 (LicenseRef-All-Rights-Reserved where you give none)",
}
_OTHERS = "take them out, or see what `limner collection add --help` says of --rights and --consent"


def take(plan: Plan, workspace: Workspace, progress: Progress) -> tuple[Collection, list[Row]]:
    """Import the pictures; return their collection and the rows that are learned from or held out.

    Raises:
        CollectionError: no pictures there, a condition that no picture meets, or too few of them.
        RightsError: pictures are held back; names the options that release them.
    """
    source, name = plan.pictures or PAINTINGS, _name(plan)
    # An earlier demo in this workspace may have taken other pictures under this name; it can be made again.
    collection = _taken(plan, workspace, name)
    if collection is None:
        shutil.rmtree(workspace.collections / name, ignore_errors=True)
        import_collection(source, name, workspace, licence=plan.licence, creator=plan.creator, progress=progress)
        collection = Collection.open(name, workspace)
    rows = collection.rows(plan.where)
    _check_rights(plan, rows)
    _check_enough(plan, rows)
    return collection, rows


def _taken(plan: Plan, workspace: Workspace, name: str) -> Collection | None:
    """The paintings that ship, where a shipped model needed them for its opening; None where they are to be taken."""
    if plan.pictures is not None:
        return None
    try:
        found = Collection.open(name, workspace)
    except CollectionError:
        return None
    return found if found.digest == shipped_digest() else None


def _name(plan: Plan) -> str:
    """The collection's name: the folder's, in letters that a collection may have."""
    if plan.pictures is None:
        return PAINTINGS.name
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", plan.pictures.resolve().name).strip("-._")
    return plain[:64] or "pictures"


def _check_rights(plan: Plan, rows: Sequence[Row]) -> None:
    held = [row for row in rows if row.held]
    if not held:
        return
    why = summary(held).held
    named = [f"{count} {reason}" for reason, count in list(why.items())[:_REASONS]]
    more = [f"{len(why) - _REASONS} reasons more"] if len(why) > _REASONS else []
    add = [_REMEDIES[reason] for reason in sorted(why) if reason in _REMEDIES]
    rest = [reason for reason in why if reason not in _REMEDIES]
    remedies = [f"say whose they are: add {' and '.join(add)}"] if add else []
    remedies += ["take the others out, or see `limner collection add --help`" if add else _OTHERS] if rest else []
    raise RightsError(
        f"{len(held)} of {len(rows)} pictures in {plan.pictures}",
        f"are held back ({', '.join(named + more)})",
        "; ".join(remedies),
    )


def _check_enough(plan: Plan, rows: Sequence[Row]) -> None:
    held_out = sum(row.split == "holdout" for row in rows)
    training = len(rows) - held_out
    if training >= _FEWEST and held_out >= _FEWEST_HELD_OUT:
        return
    raise CollectionError(
        plan.pictures or " ".join(plan.where),
        f"has {len(rows)} pictures that differ: too few to learn from and to hold some out",
        f"give {2 * _FEWEST} or more; from 50 on a style can be learned",
    )
