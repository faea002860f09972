"""Import: a folder or table of pictures becomes a collection."""

from __future__ import annotations

import base64
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from limner import __version__
from limner.collection.copies import GLANCE, copies
from limner.collection.finding import Found, find
from limner.collection.joining import CONTRADICTIONS, Joined, join
from limner.collection.journal import Journal, identity_of, locked
from limner.collection.likeness import NEAR, joined_groups
from limner.collection.pool import Request, examine_all
from limner.collection.rows import Row, digest_of, holdout_digest_of, select, write_manifest
from limner.collection.store import CARD, MANIFEST, VERSION, Collection, check_name, stored_path
from limner.errors import CollectionError, UsageError
from limner.pictures import read
from limner.rights import UNUSED, Stated, parse_licence, read_folder, summary
from limner.text import one_line
from limner.workspace import Workspace, replace_file, sync_folder

__all__ = ["PAINTINGS", "ImportReport", "Progress", "Refused", "import_collection"]

PAINTINGS = Path(__file__).parents[1] / "data" / "paintings"
"""The paintings that ship with limner, with their table."""

Progress = Callable[[int, int], None]
Facts = dict[str, str]  # what a worker found, as JSON, by file: an eighth of the memory that objects take
_RECIPE = 2  # counts up when pictures are decoded, hashed or stored in another way


class Refused(BaseModel):
    """A file that was not taken."""

    model_config = ConfigDict(frozen=True)

    file: str
    """Its path inside the source."""
    kind: str
    """The named reason: truncated, damaged, not-a-picture, too-large, bomb, ..."""
    reason: str
    """The same in words."""


class ImportReport(BaseModel):
    """What an import did."""

    model_config = ConfigDict(frozen=True)

    name: str
    digest: str
    """sha256 over the sorted rows: the collection's name by its contents."""
    folder: Path
    files: int
    """Pictures that were looked at: taken, merged and refused."""
    taken: int
    """Pictures in the collection."""
    merged: int
    """Files whose pixels another file has."""
    near_groups: int
    """Groups of near-duplicates."""
    near_pictures: int
    """Pictures in those groups."""
    holdout: int
    """Pictures that training never sees."""
    held: dict[str, int]
    """Why pictures are held back, with counts."""
    held_pictures: int
    """How many pictures are held back."""
    flags: dict[str, int]
    """What a person should know, with counts."""
    flagged_pictures: int
    """How many pictures there is something to know about."""
    refused: list[Refused]
    others: int
    """Files that are no pictures and do not claim to be."""
    tables: list[str]
    """Tables that were read, in the order in which they count."""
    unread: list[str] = []
    """What looks like a table, or like XMP beside a picture, and was not read."""
    foreign: dict[str, int] = {}
    """Files of kinds that cannot be read, with counts."""
    system: dict[str, int] = {}
    """Files in folders of the system (recycle bins, thumbnails), by folder; left out."""
    copies: int = 0
    """Pictures, counted without their near-duplicates, that are another one mirrored, turned or cropped."""
    kept_split: int = 0
    """Pictures that are held out because they lie in a folder called test or val beside one called train."""
    licences_from: dict[str, int] = {}
    """How many pictures have their licence from each source; the empty one is none."""
    creators_from: dict[str, int] = {}
    """The same for creators."""
    contradictions: int = 0
    """How many pictures are held back because statements about their rights exclude each other."""
    unused: int = 0
    """Pictures that say something else of themselves than --licence or --creator, which are not used there."""
    seconds: float
    remembered: int
    """Files that an earlier, interrupted import had read."""
    existed: bool = False
    """Whether the workspace already held this very collection under this name."""


def import_collection(
    source: Path,
    name: str,
    workspace: Workspace,
    *,
    licence: str | None = None,
    creator: str | None = None,
    source_note: str | None = None,
    consent: str | None = None,
    rights_table: Path | None = None,
    columns: Mapping[str, str] | None = None,
    where: Sequence[str] = (),
    together: str | None = None,
    override_rights: str | None = None,
    background: tuple[int, int, int] = (255, 255, 255),
    processes: int | None = None,
    progress: Progress | None = None,
    comparing: Progress | None = None,
) -> ImportReport:
    """Import the pictures of `source` as the collection `name`.

    Killed at any moment, the next call with the same name goes on where this one was.

    Args:
        source: a folder, or a table beside its pictures; see `limner.collection.finding.find`.
        name: letters, digits, dots, dashes, underscores.
        workspace: where the collection goes.
        licence: SPDX expression for pictures of which neither row nor file names one.
        creator: for pictures of which neither row nor file names one.
        source_note: where they come from, for pictures whose row does not say.
        consent: what shows that the creators agree to training; releases pictures that opted out.
        rights_table: a table of rights that goes before the folder's own.
        columns: which columns of the table to read as creator, licence and so on.
        where: `column=value` conditions on the table; the others are not read.
        together: label column of which pictures with the same value are all learned from or all held out: one sitter,
            one series, one thing in several styles.
        override_rights: why `licence` and `creator` stand above what files say of themselves; goes into the card.
        background: sRGB colour under transparent pictures.
        processes: how many worker processes; None for one a processor.
        progress: called with (done, total) after each file.
        comparing: called with (done, total) while copies are looked for.

    Raises:
        CollectionError: no pictures there, the name is taken by other contents, a table that cannot be read.
        RightsError: `licence` is no SPDX expression.
        UsageError: `name` is none, or `override_rights` is an empty reason or has nothing to set.
    """
    began = time.monotonic()
    given = Stated("", creator or "", parse_licence(licence or ""), source_note or "", consent or "")
    override = _override(override_rights, given)
    place = workspace.collections / check_name(name)
    found = find(source, rights_table, columns)
    chosen = select(list(found.entries.values()), where, lambda entry: entry.columns()) if where else None
    if chosen is not None:
        found.entries = {entry.file: entry for entry in chosen}
        found.refused.clear()
    if not found.entries:
        raise CollectionError(source, "holds no pictures", "give a folder of JPEG, PNG, WebP, AVIF, TIFF, GIF or BMP")
    if together is not None and not any(together in entry.labels for entry in found.entries.values()):
        columns_there = sorted({column for entry in found.entries.values() for column in entry.labels})
        raise CollectionError(
            f"--together {together}", "is no label column", f"columns: {', '.join(columns_there) or 'none'}"
        )
    part = workspace.make(workspace.collections / f".{name}.import")
    with locked(part, name):
        facts, remembered = _examine(found, part, background, processes or _processors(), progress)
        refused = _refused(found, facts)
        copy_finder = CopyFinder(facts, part, comparing)
        joined = join(found, facts, given, read_folder(found.root), together, override, copy_finder)
        rows = joined.rows
        if not rows:
            kinds = ", ".join(sorted({one.kind for one in refused}))
            raise CollectionError(source, f"none of {len(facts)} files is a picture ({kinds})", "look at them")
        facts.clear()
        report = _report(name, place, found, refused, joined).model_copy(update={"copies": copy_finder.copies})
        existed = _finish(part, place, report, rows, background, _source_name(source), override)
    return report.model_copy(update={"seconds": time.monotonic() - began, "remembered": remembered, "existed": existed})


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
    facts: Facts = {}
    settings = {"recipe": _RECIPE, "root": str(found.root.resolve()), "background": list(background)}
    with closing(Journal(part / "journal.jsonl", settings)) as journal:
        for name, path in found.paths.items():
            known = journal.known.pop(name, None)
            same = known and known[0] == identity_of(path, *found.sidecars.get(name, ()))
            if known and same and name in found.entries and _still_stored(part, known[1]):
                facts[name] = known[1]
        journal.known.clear()
        remembered, total = len(facts), len(found.entries)
        if progress is not None:
            progress(remembered, total)
        left = [
            Request(found.paths[name], name, found.sidecars.get(name, ()))
            for name in found.entries
            if name not in facts
        ]
        processes = min(processes, -(-len(left) // 16))  # a process costs as much as reading dozens of pictures
        # The identity of a file is taken before it is read: what changes meanwhile is read again after a kill.
        identities = {}

        def requests() -> Iterator[Request]:
            for request in left:
                identities[request.name] = identity_of(request.path, *request.sidecars)
                yield request

        answers = examine_all(requests(), found.root, part, background, processes) if left else ()
        for request, answer in answers:
            facts[request.name] = json.dumps(answer)
            journal.add(request.name, identities.pop(request.name), facts[request.name])
            if progress is not None:
                progress(len(facts), total)
    return facts, remembered


class CopyFinder:
    """Widens groups of near-duplicates by mirrored, turned and cropped copies.

    Attributes:
        copies: how many groups became part of another by this.
    """

    def __init__(self, facts: Facts, part: Path, progress: Progress | None) -> None:
        self._facts, self._part, self._progress = facts, part, progress
        self.copies = 0

    def __call__(self, rows: Sequence[Row], leaders: Sequence[int]) -> list[int]:
        """For each of `rows` the smallest index of its group, given the groups so far."""
        if not rows:
            return list(leaders)
        glances = np.stack([self._glance(row.file) for row in rows])
        pairs = list(copies(glances, lambda i: self._pixels(rows[i]), leaders, self._progress))
        self.copies = len(pairs)
        return joined_groups(leaders, pairs)

    def _glance(self, file: str) -> NDArray[np.uint8]:
        raw = base64.b64decode(json.loads(self._facts[file])["glance"])
        return np.frombuffer(raw, np.uint8).reshape(GLANCE, GLANCE, 3)

    def _pixels(self, row: Row) -> NDArray[np.uint8]:
        return read(stored_path(self._part, row.pixel_sha256, row.width, row.height)).pixels


def _still_stored(part: Path, text: str) -> bool:
    fact = json.loads(text)
    if "refused" in fact:
        return True
    place = stored_path(part, fact["pixel_sha256"], fact["width"], fact["height"])
    return place.is_file() and place.stat().st_size > 0


def _report(name: str, place: Path, found: Found, refused: list[Refused], joined: Joined) -> ImportReport:
    rows = joined.rows
    sizes: dict[str, int] = {}
    for row in rows:
        sizes[row.group] = sizes.get(row.group, 0) + 1
    rights = summary(rows)
    merged = sum(len(row.also) for row in rows)
    return ImportReport(
        name=name,
        digest=digest_of(rows),
        folder=place,
        files=len(rows) + merged + len(refused),
        taken=len(rows),
        merged=merged,
        near_groups=sum(size > 1 for size in sizes.values()),
        near_pictures=sum(size for size in sizes.values() if size > 1),
        holdout=sum(row.split == "holdout" for row in rows),
        held=rights.held,
        held_pictures=sum(bool(row.held) for row in rows),
        flags=rights.flags,
        flagged_pictures=sum(bool(row.flags) for row in rows),
        refused=sorted(refused, key=lambda one: one.file),
        others=found.others,
        tables=found.tables,
        unread=found.unread,
        foreign=dict(found.foreign.most_common()),
        system=dict(found.system.most_common()),
        kept_split=joined.kept_split,
        licences_from=dict(joined.licences_from.most_common()),
        creators_from=dict(joined.creators_from.most_common()),
        contradictions=sum(any(reason.startswith(CONTRADICTIONS) for reason in row.held) for row in rows),
        unused=sum(any(flag.endswith(UNUSED) for flag in row.flags) for row in rows),
        seconds=0.0,
        remembered=0,
    )


def _finish(
    part: Path,
    place: Path,
    report: ImportReport,
    rows: Sequence[Row],
    background: tuple[int, int, int],
    source: str,
    override: str,
) -> bool:
    """Write manifest and card, and move the folder to its place in one step; True where it was there already."""
    if place.exists():
        there = Collection(place)
        shutil.rmtree(part)
        if there.digest != report.digest:
            raise CollectionError(
                f"--name {report.name}",
                f"is a collection with other contents (digest {there.digest[:12]}, the new one {report.digest[:12]})",
                f"choose another name, or first: limner collection remove {report.name}",
            )
        return True
    _drop_strays(part, rows)
    # Rows and card wait for the disk. Pictures do not: that is thousands of waits, and `check` finds one that a power
    # cut took (a killed process takes none).
    with replace_file(part / MANIFEST) as manifest:
        write_manifest(rows, manifest)
    with replace_file(part / CARD) as card:
        card.write_text(
            json.dumps(_card(report, rows, background, source, override), indent=2, ensure_ascii=False), "utf-8"
        )
    part.rename(place)
    sync_folder(place.parent)
    for scrap in ("journal.jsonl", "large.lock", "import.lock"):
        (place / scrap).unlink(missing_ok=True)
    return False


def _drop_strays(part: Path, rows: Sequence[Row]) -> None:
    """Remove pictures that an interrupted import stored and this one does not hold."""
    known = {stored_path(part, row.pixel_sha256, row.width, row.height) for row in rows}
    for path in list((part / "pictures").rglob("*")):
        if path.is_file() and path not in known:
            path.unlink()


def _card(
    report: ImportReport, rows: Sequence[Row], background: tuple[int, int, int], source: str, override: str
) -> dict[str, Any]:
    import PIL

    return {
        "version": VERSION,
        "name": report.name,
        "digest": report.digest,
        "holdout_digest": holdout_digest_of(rows),
        "pictures": report.taken,
        "holdout": report.holdout,
        "made": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "made_by": f"limner {__version__}, Pillow {PIL.__version__}",
        "source": source,
        "background": list(background),
        "near": NEAR,
        "labels": dict(_label_counts(rows)),
        "rights": summary(rows).model_dump(),
        "override_rights": override,
        "report": report.model_dump(include=_KEPT),
    }


_KEPT = {"files", "merged", "near_groups", "near_pictures", "others", "tables", "refused"} | {
    *("unread", "foreign", "system", "copies", "kept_split", "licences_from", "creators_from", "contradictions")
}


def _label_counts(rows: Sequence[Row]) -> Iterator[tuple[str, int]]:
    """Label columns with the number of different values in each."""
    for name in sorted({name for row in rows for name in row.labels}):
        yield name, len({row.labels[name] for row in rows if name in row.labels})


def _source_name(source: Path) -> str:
    return source.resolve().name


def _refused(found: Found, facts: Facts) -> list[Refused]:
    """What was not taken: seen before anything was read, and by the workers."""
    refused = [Refused(file=file, kind=kind, reason=reason) for file, kind, reason in found.refused]
    for file, text in facts.items():
        if text.startswith('{"refused"'):
            fact = json.loads(text)
            refused.append(Refused(file=file, kind=fact["refused"], reason=fact["reason"]))
    return refused
