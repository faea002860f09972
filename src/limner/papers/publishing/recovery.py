"""Recording signed works that an ended command left behind, and taking away what never came to its place.

A damaged announcement is set aside. Its name is still the digest of its work's file: where that lies at hand and is
one's own, it is recorded by what its papers say.
"""

from __future__ import annotations

import contextlib
import glob
import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from limner.digests import digest_of_file
from limner.errors import LimnerError, PapersError
from limner.ledger import Ledger
from limner.papers.identity.identity import Identity
from limner.papers.identity.revocations import read_revocations
from limner.papers.publishing.former import as_published
from limner.papers.publishing.pending import DAMAGED, FOLDER, Announced, announcements, ended_sessions, read
from limner.papers.publishing.published import Published
from limner.papers.registry.registry import Registry
from limner.papers.registry.store import Edition
from limner.papers.registry.stored import edition_of
from limner.papers.verify.checking import Checker
from limner.workspace import Workspace

_PLACE = re.compile(rb'"path": ("(?:[^"\\]|\\.)*")')
"""What can still be read of an announcement that is damaged further on."""


@dataclass(frozen=True)
class Recovery:
    """What became of works that commands left behind.

    Attributes:
        recorded: places of works that ledger and registry know now.
        taken_away: unfinished files that were removed; they had not come to their places.
        gone: places at which no such file lies any more.
        damaged: announcements that cannot be read and whose works were not found; they are kept.
    """

    recorded: tuple[Path, ...] = ()
    taken_away: tuple[Path, ...] = ()
    gone: tuple[Path, ...] = ()
    damaged: tuple[Path, ...] = ()


def recover(workspace: Workspace, ledger: Ledger, registry: Registry | None, *, again: bool = False) -> Recovery:
    """Record the works that ended commands left in their places, and take away what never came there.

    Args:
        again: also look for the works of damaged announcements that were set aside before.

    Raises:
        LedgerError, PapersError: they cannot be written to; everything is left as it was then.
    """
    recorded: list[Path] = []
    taken: list[Path] = []
    gone: list[Path] = []
    damaged = list((workspace.root / FOLDER).glob(f"*{DAMAGED}")) if again else []
    with closing(ended_sessions(workspace)) as sessions:
        for folder in sessions:
            for file in announcements(folder):
                try:
                    one = read(file)
                except PapersError:
                    damaged.append(file.rename(workspace.root / FOLDER / f"{file.stem}{DAMAGED}"))
                    continue
                digest, meant, parts = one.published.digest, one.published.path, _take_away_parts(one)
                taken += parts
                place = _with_digest(digest, (meant, *_beside(meant)))  # perhaps under another name by now
                known = Published.find(ledger, digest) is not None
                if place is not None or known:
                    _record(one, place or meant, ledger, registry, known=known)
                    recorded.append(place or meant)
                elif not parts:
                    gone.append(meant)
                file.unlink()
            for scrap in folder.iterdir():
                scrap.unlink()
            folder.rmdir()
    found = {file: _recorded_by_papers(file, workspace, ledger, registry) for file in sorted(damaged)}
    for file, place in found.items():
        if place is not None:
            recorded.append(place)
            file.unlink()
    lost = tuple(file for file, place in found.items() if place is None)
    return Recovery(tuple(recorded), tuple(taken), tuple(gone), lost)


def _record(one: Announced, place: Path, ledger: Ledger, registry: Registry | None, *, known: bool) -> None:
    if not known:
        ledger.record_many(replace(one.published, path=place).entries())
    if registry is not None and one.edition is not None and not registry.with_digest(one.published.digest):
        registry.add([replace(one.edition, path=os.fsencode(place).decode(errors="replace"))])


def _beside(place: Path) -> list[Path]:
    """Files in the same folder that end like `place`."""
    try:
        beside = [path for path in place.parent.iterdir() if path != place and not path.name.startswith(".")]
    except OSError:
        return []
    return [path for path in beside if path.suffix == place.suffix]


def _with_digest(digest: str, paths: Iterable[Path]) -> Path | None:
    return next((path for path in paths if _digest(path) == digest), None)


def _take_away_parts(one: Announced) -> list[Path]:
    """Remove signed files that were written, wholly or in part, and not moved into place."""
    taken = []
    for part in one.published.path.parent.glob(f".{glob.escape(one.published.path.name)}.*.part"):
        with contextlib.suppress(OSError):
            if part.stat().st_size < one.size or _digest(part) == one.published.digest:
                part.unlink()
                taken.append(part)
    return taken


def _digest(path: Path) -> str:
    try:
        return digest_of_file(path)
    except OSError:
        return ""


def _recorded_by_papers(
    announcement: Path, workspace: Workspace, ledger: Ledger, registry: Registry | None
) -> Path | None:
    """Record the work of a damaged announcement by its own papers; where it lies, or None where it was not found."""
    digest = f"sha256:{announcement.stem}"
    place = _with_digest(digest, _likely_places(announcement, workspace))
    if place is None:
        return None
    in_ledger = Published.find(ledger, digest) is not None
    in_registry = registry is None or bool(registry.with_digest(digest))
    if in_ledger and in_registry:
        return place
    try:
        edition, said = _by_papers(place, workspace)
    except LimnerError:
        return None  # not one's own, or it no longer counts
    if not in_ledger:
        ledger.record_many(said.entries())
    if registry is not None and not in_registry:
        registry.add([edition])
    return place


def _by_papers(place: Path, workspace: Workspace) -> tuple[Edition, Published]:
    """What registry and ledger are to hold of a work of one's own, by what its papers say."""
    own, revoked = Identity.roots(workspace), read_revocations(workspace)
    with closing(Checker(own=own, revoked=revoked)) as checker:
        verdict = checker.check(place)
        if verdict.signer is None or verdict.signer.trust != "own":
            raise PapersError(place, "was not signed with a key of this workspace")
        edition = edition_of(place, checker, verdict.signer.fingerprint)
    made = verdict.generation
    if number := made.get("edition", {}).get("work"):
        edition = replace(edition, work=int(number, 16))
    provenance = replace(as_published(verdict, place), edition=made.get("edition", {}))
    signer, key = edition.signer, made.get("mark_key")
    said = Published.by(provenance, place, edition.digest, signer=signer, watermark=verdict.mark, mark_key=key)
    return edition, replace(said, inputs=made.get("inputs", []))


def _likely_places(announcement: Path, workspace: Workspace) -> Iterator[Path]:
    """Where the announcement says, as far as it can be read, beside that, and the workspace's works."""
    if (said := _PLACE.search(announcement.read_bytes())) is not None:
        with contextlib.suppress(ValueError):
            place = Path(json.loads(said[1]))
            yield from (place, *_beside(place))
    yield from (path for path in sorted(workspace.works.rglob("*")) if path.is_file())
