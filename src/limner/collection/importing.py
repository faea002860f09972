"""Import: a folder or table of pictures becomes a collection."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from limner.collection.finding import Found, find
from limner.collection.joining import join, taken
from limner.collection.journal import Journal, identity_of, locked
from limner.collection.pool import Request, examine_all
from limner.collection.report import ImportReport, card_of, refused_files, report_of
from limner.collection.rows import Row, select, write_manifest
from limner.collection.store import CARD, MANIFEST, Collection, check_name, stored_path, stray_pictures
from limner.errors import CollectionError, UsageError
from limner.pictures import read
from limner.rights import FolderOptOuts, Stated, parse_licence, read_folder
from limner.text import one_line
from limner.workspace import Workspace, replace_file, sync_folder

PAINTINGS = Path(__file__).parents[1] / "data" / "paintings"
"""The paintings that ship with limner, with their table."""

Progress = Callable[[int, int], None]
Facts = dict[str, str]  # what a worker found, as JSON, by file: an eighth of the memory that objects take
_RECIPE = 3  # counts up when pictures are decoded, hashed or stored in another way
_SCRAPS = "journal.jsonl", "large.lock", "import.lock"


class ImportOptions(TypedDict, total=False):
    """What may be said about an import; each is None, empty or its default where it is not said."""

    licence: str | None
    """SPDX expression for pictures of which neither row nor file names one."""
    creator: str | None
    """For pictures of which neither row nor file names one."""
    source_note: str | None
    """Where they come from, for pictures whose row does not say."""
    consent: str | None
    """What shows that the creators agree to training; releases pictures that opted out."""
    rights_table: Path | None
    """A table of rights that goes before the folder's own."""
    columns: Mapping[str, str] | None
    """Which columns of the table to read as creator, licence and so on."""
    where: Sequence[str]
    """`column=value` conditions on the table; the others are not read."""
    together: str | None
    """Label column of which pictures with the same value are all learned from or all held out: one sitter, one series,
    one thing in several styles."""
    override_rights: str | None
    """Why `licence` and `creator` stand above what files say of themselves; goes into the card."""
    background: tuple[int, int, int]
    """sRGB colour under transparent pictures; white by default."""
    processes: int | None
    """How many worker processes; None for one a processor."""


def import_collection(
    source: Path,
    name: str,
    workspace: Workspace,
    *,
    progress: Progress | None = None,
    comparing: Progress | None = None,
    **options: Unpack[ImportOptions],
) -> ImportReport:
    """Import the pictures of `source` as the collection `name`.

    Killed at any moment, the next call with the same name goes on where this one was.

    Args:
        source: a folder, or a table beside its pictures; see `limner.collection.finding.find`.
        name: letters, digits, dots, dashes, underscores.
        workspace: where the collection goes.
        progress: called with (done, total) after each file.
        comparing: called with (done, total) while copies are looked for.
        options: as `ImportOptions`.

    Raises:
        CollectionError: no pictures there, the name is taken by other contents, a table that cannot be read.
        RightsError: `licence` is no SPDX expression.
        UsageError: `name` is none, or `override_rights` is an empty reason or has nothing to set.
    """
    _override(options.get("override_rights"), _given(options))
    check_name(name)
    found, said = _found(source, options), source.resolve().name
    return import_found(found, said, name, workspace, progress=progress, comparing=comparing, **options)


def import_found(
    found: Found,
    said: str,
    name: str,
    workspace: Workspace,
    *,
    exact: Callable[[Facts, FolderOptOuts], Sequence[Row] | None] | None = None,
    progress: Progress | None = None,
    comparing: Progress | None = None,
    **options: Unpack[ImportOptions],
) -> ImportReport:
    """Import pictures that were found already, as `import_collection` does.

    Args:
        said: what the card calls their source.
        exact: given what was found in each file and what the folder reserves, gives the rows as they stand somewhere
            else, or None, where rows are to be made anew.
    """
    began = time.monotonic()
    given = _given(options)
    override, together = _override(options.get("override_rights"), given), options.get("together")
    place = workspace.collections / check_name(name)
    part = workspace.make(part_folder(name, workspace))
    background = options.get("background", (255, 255, 255))

    def stored(row: Row) -> NDArray[np.uint8]:
        return read(stored_path(part, row.pixel_sha256, row.width, row.height)).pixels

    with locked(part, name):
        facts, remembered = _examine(found, part, background, options.get("processes") or _processors(), progress)
        refused, reserved = refused_files(found, facts), read_folder(found.root)
        rows = exact(facts, reserved) if exact else None
        joined = (
            join(found, facts, given, reserved, stored, together, override, comparing) if rows is None else taken(rows)
        )
        if not joined.rows:
            kinds = ", ".join(sorted({one.kind for one in refused}))
            raise CollectionError(said, f"none of {len(facts)} files is a picture ({kinds})", "look at them")
        report = report_of(name, place, found, refused, joined)
        card = card_of(report, joined.rows, background, said, override)
        existed = _finish(part, place, card, joined.rows)
    return report.model_copy(update={"seconds": time.monotonic() - began, "remembered": remembered, "existed": existed})


def part_folder(name: str, workspace: Workspace) -> Path:
    """Where an import of this name keeps what it has so far."""
    return workspace.collections / f".{name}.import"


def _given(options: ImportOptions) -> Stated:
    """The rights that are stated for the whole collection."""
    return Stated(
        creator=options.get("creator") or "",
        licence=parse_licence(options.get("licence") or ""),
        source=options.get("source_note") or "",
        consent=options.get("consent") or "",
    )


def _found(source: Path, options: ImportOptions) -> Found:
    """The pictures to import: those of the source that meet the conditions."""
    found = find(source, options.get("rights_table"), options.get("columns"))
    if where := options.get("where"):
        chosen = select(list(found.entries.values()), where, lambda entry: entry.columns())
        found.entries = {entry.file: entry for entry in chosen}
        found.refused.clear()
    if not found.entries:
        raise CollectionError(source, "holds no pictures", "give a folder of JPEG, PNG, WebP, AVIF, TIFF, GIF or BMP")
    labels = sorted({column for entry in found.entries.values() for column in entry.labels})
    if (together := options.get("together")) is not None and together not in labels:
        raise CollectionError(f"--together {together}", "is no label column", f"columns: {', '.join(labels) or 'none'}")
    return found


def _override(reason: str | None, given: Stated) -> str:
    if reason is None:
        return ""
    if not reason.strip():
        raise UsageError("--override-rights ''", "is an empty reason", "say why what the files say does not count")
    if not (given.licence or given.creator):
        raise UsageError("--override-rights", "has nothing to set", "give --licence, --creator or both")
    return one_line(reason)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _examine(
    found: Found, part: Path, background: tuple[int, int, int], processes: int, progress: Progress | None
) -> tuple[Facts, int]:
    """What is to know about each file, by name; and for how many an earlier import knew it."""
    settings = {"recipe": _RECIPE, "root": str(found.root.resolve()), "background": list(background)}
    with closing(Journal(part / "journal.jsonl", settings)) as journal:
        facts = _remembered(found, part, journal)
        remembered, total = len(facts), len(found.entries)
        if progress is not None:
            progress(remembered, total)
        left = [name for name in found.entries if name not in facts]
        processes = min(processes, -(-len(left) // 16))  # a process costs as much as reading dozens of pictures
        # The identity of a file is taken before it is read: what changes meanwhile is read again after a kill.
        identities = {}

        def requests() -> Iterator[Request]:
            for name in left:
                request = Request(found.paths[name], name, found.sidecars.get(name, ()))
                identities[name] = identity_of(request.path, *request.sidecars)
                yield request

        with closing(examine_all(requests(), found.root, part, background, processes)) as answers:
            for request, answer in answers:
                facts[request.name] = json.dumps(answer)
                journal.add(request.name, identities.pop(request.name), facts[request.name])
                if progress is not None:
                    progress(len(facts), total)
    return facts, remembered


def _remembered(found: Found, part: Path, journal: Journal) -> Facts:
    """What an earlier import found in files that are unchanged since."""
    known, journal.known = journal.known, {}
    return {
        name: fact
        for name, (identity, fact) in known.items()
        if name in found.entries
        and identity == identity_of(found.paths[name], *found.sidecars.get(name, ()))
        and _still_stored(part, fact)
    }


def _still_stored(part: Path, text: str) -> bool:
    fact = json.loads(text)
    if "refused" in fact:
        return True
    place = stored_path(part, fact["pixel_sha256"], fact["width"], fact["height"])
    return place.is_file() and place.stat().st_size > 0


def _finish(part: Path, place: Path, card: Mapping[str, Any], rows: Sequence[Row]) -> bool:
    """Write manifest and card, and move the folder to its place in one step; True where it was there already."""
    if place.exists():
        there = Collection(place)
        shutil.rmtree(part)
        if there.digest != card["digest"]:
            name, digests = card["name"], f"digest {there.digest[:12]}, the new one {card['digest'][:12]}"
            remedy = f"choose another name, or first: limner collection remove {name}"
            raise CollectionError(f"--name {name}", f"is a collection with other contents ({digests})", remedy)
        return True
    for stray in stray_pictures(part, rows):  # which an interrupted import stored and this one does not hold
        stray.unlink()
    # Rows and card wait for the disk. Pictures do not: that is thousands of waits, and `check` finds one that a power
    # cut took (a killed process takes none).
    with replace_file(part / MANIFEST) as manifest:
        write_manifest(rows, manifest)
    with replace_file(part / CARD) as file:
        file.write_text(json.dumps(card, indent=2, ensure_ascii=False), "utf-8")
    part.rename(place)
    sync_folder(place.parent)
    for scrap in _SCRAPS:
        (place / scrap).unlink(missing_ok=True)
    return False
