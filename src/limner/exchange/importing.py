"""Import of whatever `limner collection add` is given; an export of limner comes back as it was."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Unpack

from limner.collection import ImportReport, Row, import_collection
from limner.collection.importing import ImportOptions, Progress, import_found, part_folder
from limner.collection.journal import locked
from limner.collection.rows import select
from limner.collection.store import check_name
from limner.errors import CollectionError, UsageError
from limner.exchange.comparing import Comparison, compare
from limner.exchange.offer import Offer, format_of, read_offer
from limner.rights import FolderOptOuts
from limner.workspace import Workspace

_UNPACKED = "unpacked"
_ANEW = ("licence", "creator", "source_note", "consent", "where", "together", "override_rights")
"""Options that ask for rows made anew."""


def import_any(
    source: Path,
    name: str,
    workspace: Workspace,
    *,
    progress: Progress | None = None,
    comparing: Progress | None = None,
    **options: Unpack[ImportOptions],
) -> tuple[ImportReport, Comparison | None]:
    """Import a folder, a table, a Croissant, an imagefolder or shards of a WebDataset.

    Rows that came with the pictures are taken as they stand where all that can be derived anew agrees with them: the
    collection then has the same digest. Else rows are made anew from what these say, and whatever they hold back stays
    held back. Where a table of rights or names of columns are given, it is a folder like any other.

    Returns:
        what was imported, and what was compared; None for a folder or table like any other.

    Raises:
        as `limner.collection.import_collection` does.
    """
    format = format_of(source)
    if format is None or options.get("rights_table") or options.get("columns"):
        report = import_collection(source, name, workspace, progress=progress, comparing=comparing, **options)
        return report, None
    part = workspace.make(part_folder(check_name(name), workspace))
    scratch = part / _UNPACKED
    with locked(part, name):
        shutil.rmtree(scratch, ignore_errors=True)
        offer = read_offer(source, format, scratch)
    _choose(offer, source, options)
    compared: list[Comparison] = []

    def exact(facts: Mapping[str, str], reserved: FolderOptOuts) -> Sequence[Row] | None:
        shutil.rmtree(scratch, ignore_errors=True)
        asked = any(options.get(option) for option in _ANEW)
        compared.append(compare(offer, facts, reserved, asked=asked))
        return list(offer.rows.values()) if compared[-1].exact else None

    said = source.resolve().name
    report = import_found(
        offer.found, said, name, workspace, exact=exact, progress=progress, comparing=comparing, **options
    )
    return report, compared[-1]


def _choose(offer: Offer, source: Path, options: ImportOptions) -> None:
    """Of an offer what the conditions ask for."""
    found = offer.found
    if not found.entries:
        raise CollectionError(source, "holds no pictures", "give a folder or shards with pictures")
    if where := options.get("where"):
        chosen = select(list(found.entries.values()), where, lambda entry: entry.columns())
        found.entries = {entry.file: entry for entry in chosen}
    labels = sorted({column for entry in found.entries.values() for column in entry.labels})
    if (together := options.get("together")) is not None and together not in labels:
        raise UsageError(f"--together {together}", "is no label column", f"columns: {', '.join(labels) or 'none'}")
