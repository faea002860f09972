"""A withdrawal, step by step: each step looks whether it is done, so that a broken-off one goes on when repeated.

Each step is one act of the ledger that names the withdrawal. What is written to the disk is written in one step, before
its act or, where it would not be found again, after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from limner.collection import Collection
from limner.collection.rows import digest_of
from limner.collection.succeeding import make_next, next_name, parent_digest, rows_without
from limner.errors import LimnerError, UsageError
from limner.ledger import Act, Ledger
from limner.models.files import sha256_of
from limner.models.superseded import SUPERSEDE, superseding
from limner.papers.publishing.publisher import Publisher
from limner.rights.consent import ConsentStore
from limner.rights.consent import Subject as ConsentSubject
from limner.synthesis.packing import repacked
from limner.withdrawal.gathering import Gathering, version_of
from limner.withdrawal.lineage import known_models
from limner.withdrawal.record import Findings, FoundModel, Version
from limner.withdrawal.retraining import Retraining, Retrainings
from limner.withdrawal.shown import MOVE
from limner.withdrawal.subject import withdrawal_name
from limner.works.refinishing import REFINISH, Refinisher, path_anew
from limner.workspace import Workspace

WITHDRAW, REPACK, STATE = "withdraw", "pack anew", "state withdrawal"
"""The acts of a withdrawal, beside `supersede`, `finish anew` and `move away`."""

Say = Callable[[str], object]
Run = Callable[[Sequence[str]], None]


@dataclass(frozen=True)
class Wanted:
    """What the artist asks of a withdrawal.

    Attributes:
        note: why, in one's own words.
        name: of the next version; one is made from that of the collection otherwise.
        retrain: whether models are trained anew.
        finish_anew: whether works with a piece are finished anew.
        move_old_to: folder for the files of works that were finished anew; None leaves them where they are.
    """

    note: str = ""
    name: str | None = None
    retrain: bool = False
    finish_anew: bool = False
    move_old_to: Path | None = None


@dataclass
class Withdrawal:
    """One withdrawal of a subject from a collection.

    Attributes:
        failed: what was asked for and could not be done, in words.
    """

    workspace: Workspace
    ledger: Ledger
    collection: Collection
    gathering: Gathering
    wanted: Wanted
    failed: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What names it: 12 hexadecimal digits."""
        return withdrawal_name(self.collection.digest, self.gathering.subject.digests)

    @property
    def next_version(self) -> Version:
        """The version without the pictures: as it is, or as it will be."""
        latest = self.gathering.latest
        if self.gathering.is_out:
            return version_of(latest)
        rows = rows_without(latest, self.gathering.subject.digests)
        name = self.wanted.name or next_name(latest, self.workspace)
        if (self.workspace.collections / name).exists() and not _is_next(name, digest_of(rows), self.workspace):
            raise UsageError(f"--name {name}", "is the name of another collection", "give another name")
        return Version(name=name, digest=digest_of(rows), pictures=len(rows))

    def acts(self) -> list[Act]:
        """The acts by which something of it was done, oldest first."""
        kinds = (WITHDRAW, REPACK, SUPERSEDE, REFINISH, MOVE, STATE)
        found = [act for what in kinds for act in self.ledger.acts(what=what)]
        own = [act for act in found if act.parameters.get("withdrawal") == self.name]
        return sorted(own, key=lambda act: act.id)

    def versions(self) -> dict[str, Version]:
        """The next version, by the digest of each version that it stands for."""
        following, found = self.next_version, {}
        opened: Collection | None = self.gathering.latest
        known = {one.digest: one for one in _all(self.workspace)}
        while opened is not None and opened.digest not in found:
            found[opened.digest] = following
            opened = known.get(parent_digest(opened))
        return found

    def retrainings(self, affected: Iterable[FoundModel]) -> list[tuple[FoundModel, Retraining]]:
        """How each affected model that has no successor is made anew; what others descend from stands first."""
        models = known_models(self.workspace, self.ledger)
        how = Retrainings(self.workspace, self.versions(), models)
        made = [(one, how.of(one)) for one in affected]
        return [(one, retraining) for one, retraining in made if retraining is not None]

    def is_done(self, findings: Findings) -> bool:
        """Whether all that is wanted was done before."""
        waiting = [one for one in findings.with_pieces if not one.anew and not one.from_file]
        return (
            any(act.what == WITHDRAW for act in self.acts())
            and self.gathering.is_out
            and all(pack.ships for pack in findings.packs)
            and all(one.superseded for one in findings.affected)
            and not (self.wanted.finish_anew and waiting)
            and not (self.wanted.retrain and self.retrainings(findings.affected))
        )

    def carry_out(self, publisher: Publisher, say: Say, run: Run) -> bool:
        """Do what is not done yet, all but the statement; whether there was anything to do.

        Args:
            publisher: opened, of whoever signs.
            say: told of each step that was done, in a line.
            run: runs a command of limner by its arguments.

        Raises:
            LimnerError: a step cannot be done; those before it are, and repeating goes on with it.
        """
        before = self.ledger.head()
        self._take_out(say)
        findings = self.gathering.findings()
        self._repack(findings, say)
        self._supersede(findings, say)
        if self.wanted.retrain:
            self._retrain(say, run)
        if self.wanted.finish_anew:
            self._finish_anew(findings, publisher, say)
        if self.wanted.move_old_to is not None:
            self._move(self.wanted.move_old_to, say)
        return self.ledger.head() != before

    def _take_out(self, say: Say) -> None:
        """Withdraw the consents, make the next version, and record both."""
        subject, store = self.gathering.subject, ConsentStore(self.workspace.root)
        consents = [ConsentSubject("picture", digest) for digest in subject.digests]
        if subject.kind == "creator":
            consents.append(ConsentSubject("creator", subject.name))
        note = f"withdrawal {self.name}"
        numbers = [store.withdraw(one, note).number for one in consents]
        following = self.next_version
        if not self.gathering.is_out:
            latest = self.gathering.latest
            rows = rows_without(latest, subject.digests)
            more = {"withdrawn": list(subject.digests), "withdrawal": self.name}
            made = make_next(latest, rows, following.name, self.workspace, **more)
            self.gathering.latest, following = made, version_of(made)
        if any(act.what == WITHDRAW for act in self.acts()):
            return
        how: dict[str, Any] = {
            "withdrawal": self.name, "kind": subject.kind, "name": subject.name, "pictures": list(subject.digests),
            "from": self.collection.name, "next": following.name, "consents": numbers, "note": self.wanted.note,
        }  # fmt: skip
        inputs = list(dict.fromkeys([_named(self.collection.digest), _named(self.gathering.former.digest)]))
        self.ledger.record("artist", WITHDRAW, inputs=inputs, outputs=[_named(following.digest)], parameters=how)
        say(f"{following.name}: the next version, {following.pictures:,} pictures; use of the others is blocked")

    def _repack(self, findings: Findings, say: Say) -> None:
        for pack in findings.packs:
            if pack.ships:
                continue
            path, left = Path(pack.path), pack.pictures - len(pack.holds)

            def record(now: str, path: Path = path, before: str = pack.digest, held: int = len(pack.holds)) -> None:
                how = {"withdrawal": self.name, "path": str(path), "taken_out": held}
                self.ledger.record("artist", REPACK, inputs=[before], outputs=[now] if now else [], parameters=how)

            repacked(path, set(self.gathering.subject.digests), record)
            say(
                f"{path}: {len(pack.holds)} taken out, {left:,} left" if left else f"{path}: held nothing else, removed"
            )

    def _supersede(self, findings: Findings, say: Say) -> None:
        marked = {digest for act in self.ledger.acts(what=SUPERSEDE) for digest in act.inputs}
        fresh = [one for one in findings.affected if _named(one.digest) not in marked]
        tools = [one for one in findings.tools if one.kind != "directions" and one.digest not in marked]
        reason = self._reason()
        entries = [superseding(_named(one.digest), one.name, reason, withdrawal=self.name) for one in fresh]
        entries += [superseding(one.digest, f"{one.kind} {one.name}", reason, withdrawal=self.name) for one in tools]
        self.ledger.record_many(entries)
        for name in [one.name for one in fresh] + [f"{one.kind} {one.name}" for one in tools]:
            say(f"{name}: superseded")

    def _reason(self) -> str:
        subject = self.gathering.subject
        if subject.kind == "creator":
            return f"pictures by {subject.name} that it learned from were withdrawn from {self.collection.name}"
        return f"the picture {subject.name} that it learned from was withdrawn from {self.collection.name}"

    def _retrain(self, say: Say, run: Run) -> None:
        """Train anew, one after the other: what descends from a model waits for its successor."""
        tried = set[str]()
        while True:
            affected = [one for one in self.gathering.models() if one.affected]
            waiting = [(one, how) for one, how in self.retrainings(affected) if one.digest not in tried]
            if not waiting:
                return
            found, retraining = waiting[0]
            tried.add(found.digest)
            if not retraining.done:
                try:
                    run(retraining.arguments)
                except LimnerError as error:
                    self.failed.append(f"{found.name} was not trained anew: {error}")
                    continue
            path = self.workspace.models / f"{retraining.name}.safetensors"
            now = {"replaced_by": retraining.name, "replacement": _named(sha256_of(path))}
            entry = superseding(_named(found.digest), found.name, self._reason(), **now, withdrawal=self.name)
            self.ledger.record_many([entry])
            say(f"{retraining.name}: replaces {found.name}")

    def _finish_anew(self, findings: Findings, publisher: Publisher, say: Say) -> None:
        why = {"withdrawal": self.name}
        reason = f"works are finished anew without withdrawn pictures (withdrawal {self.name})"
        refinisher = Refinisher(self.workspace, publisher, reason, why)
        for work in findings.with_pieces:
            if work.anew or work.made == "":
                continue
            if work.from_file:
                self.failed.append(f"{work.file.path} was not finished anew: a withdrawn picture is what it shows")
                continue
            to = path_anew(Path(work.file.path), self.name)
            try:
                to.parent.mkdir(parents=True, exist_ok=True)
                made = refinisher.refinish(work.digest, to)
            except (LimnerError, OSError) as error:
                self.failed.append(f"{work.file.path} was not finished anew: {error}")
                continue
            say(f"{made.path}: replaces {Path(work.file.path).name}")

    def _move(self, folder: Path, say: Say) -> None:
        """Move the files of works that were finished anew; what lies there already is not replaced."""
        for work in self.gathering.findings().with_pieces:
            path = Path(work.file.path)
            to = self.workspace.make(folder) / path.name
            if not work.anew or work.file.state != "there" or to.exists():
                continue
            how = {"withdrawal": self.name, "from": str(path), "to": str(to.absolute())}
            path.rename(to) if _same_disk(path, folder) else _carried(path, to)
            self.ledger.record("artist", MOVE, inputs=[work.digest], outputs=[str(to.absolute())], parameters=how)
            say(f"{to}: moved there, as it was")


def _all(workspace: Workspace) -> Iterator[Collection]:
    from limner.collection.succeeding import opened_collections

    return opened_collections(workspace)


def _is_next(name: str, digest: str, workspace: Workspace) -> bool:
    """Whether a collection of this name is what a broken-off withdrawal made."""
    return Collection.open(name, workspace).digest == digest


def _named(digest: str) -> str:
    return f"sha256:{digest.removeprefix('sha256:')}"


def _same_disk(path: Path, folder: Path) -> bool:
    return path.stat().st_dev == folder.stat().st_dev


def _carried(path: Path, to: Path) -> None:
    import shutil

    from limner.workspace import replace_file

    with replace_file(to) as part:
        shutil.copyfile(path, part)
    path.unlink()
