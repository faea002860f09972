"""Publishing: papers in their order (docs/architecture.md), read back, moved into place, recorded."""

from __future__ import annotations

import errno
import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from dataclasses import KW_ONLY, dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from limner.digests import digest_of
from limner.errors import LedgerError, PapersError
from limner.gate.opening import Progress
from limner.ledger import Act, Ledger
from limner.papers.c2pa.provenance import Provenance
from limner.papers.identity.identity import Identity
from limner.papers.identity.timestamp import check_server
from limner.papers.publishing.copies import CopyCheck, CopyFoundError
from limner.papers.publishing.labels import LabelRequest
from limner.papers.publishing.pending import Announced, Session
from limner.papers.publishing.permission import Permission
from limner.papers.publishing.published import Published
from limner.papers.publishing.recovery import recover
from limner.papers.publishing.signing import SignedWork, WorkSigner
from limner.papers.registry.registry import Registry
from limner.papers.watermark.keys import MarkKey, key_in_use
from limner.workspace import Workspace, replace_file

Job = tuple[NDArray[np.uint8], Path, Provenance]
Check = Callable[[NDArray[np.uint8], Path, Provenance], Provenance]
"""Looks at a work before it is signed: raises to refuse it, or gives its papers with what was found in `checked`.

Called by several threads at once, with the pixels as painted (uint8 [h, w, 3]), the work's place, and its papers.
"""

_BATCH = 64
_FULL = (errno.ENOSPC, errno.EDQUOT)
# Two a core: one signs while the other waits for the disk.
_WORKERS = max(2, min(8, 2 * (os.cpu_count() or 1)))


@dataclass(frozen=True)
class PublishedWork:
    """A work that lies in its place, signed and recorded.

    Attributes:
        digest: sha256 of the file, `sha256:` before the hexadecimal digits.
        replaced: digest of another file that lay at `path` before and is lost; None where nothing did.
    """

    path: Path
    digest: str
    size: int
    provenance: Provenance
    act: Act
    replaced: str | None = None


@dataclass(eq=False)
class Publisher:
    """Publishes works of one identity; a context manager, usable from one thread at a time.

    Args:
        registry: where each work is registered in the same step; None registers none.
        mark_key: puts the watermark in; None takes the key that all know.
        overwrite: whether a file that is another work, or none, may be replaced; the same work always may.
        checks: what each work must pass before it is signed, in their order.
        announce_in: root of the workspace in which works are announced before they come to their places; None
            announces none.

    Example:
        >>> with Publisher(identity, ledger) as publisher:
        ...     publisher.publish(pixels, Path("work.png"), provenance)
    """

    identity: Identity
    ledger: Ledger
    _: KW_ONLY
    timestamp_url: str | None = None
    registry: Registry | None = None
    mark_key: MarkKey | None = None
    announce_in: Path | None = None
    overwrite: bool = False
    checks: tuple[Check, ...] = ()
    _session: Session | None = field(default=None, init=False)
    _signer: WorkSigner | None = field(default=None, init=False)

    def __enter__(self) -> Publisher:
        """Make ready to sign.

        Raises:
            PapersError: the key cannot sign, the time-stamp server does not answer as one, or the workspace cannot be
                written to.
        """
        if self.timestamp_url:
            check_server(self.timestamp_url)
        if self.announce_in is not None:
            self._session = Session(self.announce_in)
        self._signer = WorkSigner(self.identity, self.ledger, self.timestamp_url, self.mark_key)
        return self

    def __exit__(self, *ending: object) -> None:
        for one in (self._signer, self._session):
            if one is not None:
                one.close()
        self._signer = self._session = None

    def publish(
        self,
        pixels: NDArray[np.uint8],
        path: Path,
        provenance: Provenance,
        *,
        quality: int = 90,
        label: LabelRequest | None = None,
    ) -> PublishedWork:
        """Write one work with its papers.

        Args:
            pixels: uint8, [height, width, 3], sRGB.
            path: its suffix says the format (PNG, JPEG, WebP, AVIF); its folder exists.
            quality: 1 to 100, for formats that lose something.
            label: a visible label to draw; papers and ledger describe it.

        Raises:
            PapersError: it cannot be signed, or read back as what was signed; nothing is written then.
            UsageError: the format or the place cannot be used, or the picture is too small for the label.
            LedgerError: the work lies in its place, but the ledger cannot be written to.
            PapersError: or the registry cannot; then it is recorded and not registered.
        """
        return self._record([self._place(pixels, Path(path), provenance, quality, label)])[0]

    def publish_many(
        self,
        jobs: Iterable[Job],
        progress: Callable[[PublishedWork], object] | None = None,
        *,
        quality: int = 90,
        stopped: list[CopyFoundError] | None = None,
    ) -> list[PublishedWork]:
        """Write many works with their papers, several at a time.

        Works are recorded in batches once their files are in place, in the order of `jobs`; `progress` is called with
        each as soon as it is recorded. Whatever is raised in between, every work that is in its place is recorded.

        Args:
            jobs: pixels, path and provenance of each, as in `publish`; taken only as fast as they are written.
            quality: as in `publish`.
            stopped: takes the works that copy training pictures and are therefore left out; None raises for the first.

        Raises:
            PapersError, UsageError, LedgerError: as `publish` does.
        """
        works: list[PublishedWork] = []
        waiting: list[SignedWork] = []

        def record() -> None:
            batch = waiting[:]
            waiting.clear()  # whatever comes of it, they are not recorded a second time
            for work in self._record(batch):
                works.append(work)
                if progress:
                    progress(work)

        try:
            with closing(self._place_all(jobs, quality, stopped)) as placed:
                for one in placed:
                    waiting.append(one)
                    if len(waiting) >= _BATCH:
                        record()
        finally:
            record()
        return works

    def _place_all(
        self, jobs: Iterable[Job], quality: int, stopped: list[CopyFoundError] | None
    ) -> Generator[SignedWork, None, None]:
        """Each job's work once it is in its place, in order; after an error, what was under way is still yielded."""
        running: deque[Future[SignedWork]] = deque()
        failure: BaseException | None = None
        with ThreadPoolExecutor(_WORKERS, thread_name_prefix="publish") as pool:
            try:
                for pixels, path, provenance in jobs:
                    running.append(pool.submit(self._place, pixels, Path(path), provenance, quality))
                    if len(running) > 2 * _WORKERS and (work := _done(running.popleft(), stopped)):
                        yield work
            except GeneratorExit:  # nobody takes them any more; they stay announced
                raise
            except BaseException as error:
                failure = error
            for future in running:
                try:
                    if work := _done(future, stopped):
                        yield work
                except Exception as error:
                    failure = failure or error
        if failure:
            raise failure

    def _place(
        self,
        pixels: NDArray[np.uint8],
        path: Path,
        provenance: Provenance,
        quality: int,
        label: LabelRequest | None = None,
    ) -> SignedWork:
        """Sign a work, announce it, and move its file into place; ledger and registry do not know it yet."""
        if self._signer is None:
            raise PapersError("Publisher", "is not open", "use it in a `with` block")
        if not self.overwrite and path.is_file():
            self._check_place(path, provenance)
        for check in self.checks:
            provenance = check(pixels, path, provenance)
        work = self._signer.sign(pixels, path, provenance, quality, label)
        digest, edition = work.published.digest, work.edition if self.registry is not None else None
        try:
            former = digest_of(path.read_bytes()) if path.is_file() else digest
            work = replace(work, published=replace(work.published, replaced=former if former != digest else None))
            if self._session is not None:
                announced = self._session.announce(Announced(work.published, work.size, edition))
                work = replace(work, announced=announced)
            try:
                with replace_file(path) as part:
                    part.write_bytes(work.data)
                    self._signer.read_back(part, path, provenance)
            except Exception:
                if not path.is_file() or digest_of(path.read_bytes()) != digest:
                    _take_back(work)  # it did not come to its place
                raise
        except OSError as error:
            remedy = "make room; nothing was written" if error.errno in _FULL else "choose another place"
            raise PapersError(error.filename or path, f"cannot be written ({error.strerror})", remedy) from error
        return replace(work, data=b"")

    def _check_place(self, path: Path, provenance: Provenance) -> None:
        """Refuse to replace what is not the same work, made in the same way."""
        digest = digest_of(path.read_bytes())
        formers = Published.all(self.ledger, digest)
        if Published.by(provenance, path, digest).sameness not in [former.sameness for former in formers]:
            kind = "another work" if formers else "another file"
            raise PapersError(path, f"is {kind} that lies there already", "give another file, or add --overwrite")

    def _record(self, works: list[SignedWork]) -> list[PublishedWork]:
        """Record works that lie in their places, all or none, and take their announcements back."""
        entries = [one.published.entries() for one in works]
        # Publications first, so that the acts of a batch lie together.
        ordered = [each[0] for each in entries] + [one for each in entries for one in each[1:]]
        try:
            acts = self.ledger.record_many(ordered)
            if self.registry is not None:
                self.registry.add([one.edition for one in works])
        except (LedgerError, PapersError) as error:
            if self._session is None:
                raise
            lies = f"what lies signed in {works[0].path.parent} is then recorded by: limner works recover"
            raise type(error)(error.value, error.reason, f"{error.remedy}; {lies}") from error
        for one in works:
            _take_back(one)
        return [
            PublishedWork(one.path, one.published.digest, one.size, one.provenance, act, one.published.replaced)
            for one, act in zip(works, acts, strict=False)
        ]


def _done(future: Future[SignedWork], stopped: list[CopyFoundError] | None) -> SignedWork | None:
    """The work; None where it was stopped as a copy and goes on the list of those."""
    try:
        return future.result()
    except CopyFoundError as error:
        if stopped is None:
            raise
        stopped.append(error)
        return None


def _take_back(work: SignedWork) -> None:
    if work.announced:
        work.announced.unlink(missing_ok=True)


def open_publisher(
    workspace: Workspace,
    *,
    identity: str | None = None,
    certificate: Path | None = None,
    key: Path | None = None,
    timestamp: str | None = None,
    passphrase: str | None = None,
    ask: Callable[[str], str] | None = None,
    note: Callable[[str], object] = lambda line: None,
    overwrite: bool = False,
    allow_copy: str | None = None,
    watch: Callable[[], AbstractContextManager[Progress]] | None = None,
) -> Publisher:
    """The publisher that a command's options ask for.

    Args:
        identity: name of an identity in the workspace; None for the only or default one.
        certificate, key: PEM files of a bought certificate, instead of `identity`.
        timestamp: URL of a time-stamp server (RFC 3161).
        passphrase: of the key; None takes the environment variable LIMNER_PASSPHRASE.
        ask: asks the artist for the passphrase with a prompt, where it is needed and not given.
        note: given a line on each damaged announcement that was set aside.
        overwrite: as in `Publisher`.
        allow_copy: why works that copy a training picture may be published all the same.
        watch: shows progress where training pictures are indexed for the copy gate for the first time.

    Raises:
        PapersError: there is no identity, one of `certificate` and `key` is missing, or the key cannot be used.
        LedgerError: the ledger cannot be opened.
        PapersError: the registry cannot be opened, or the workspace's watermark key is damaged.
    """
    signer = _identity(workspace, identity, certificate, key, passphrase or os.environ.get("LIMNER_PASSPHRASE"), ask)
    registry = Registry(workspace.registry, workspace.registry_index)
    ledger = _ledger(workspace, registry)
    for damaged in recover(workspace, ledger, registry).damaged:
        note(f"{damaged}: an announcement that cannot be read was set aside; look for its work: limner works recover")
    return Publisher(
        signer,
        ledger,
        timestamp_url=timestamp,
        registry=registry,
        mark_key=key_in_use(workspace),
        announce_in=workspace.root,
        overwrite=overwrite,
        checks=(Permission(workspace), CopyCheck(workspace, allow_copy, watch)),
    )


def _ledger(workspace: Workspace, registry: Registry) -> Ledger:
    """The workspace's ledger; one that was emptied is refused: what it held is not to be taken for nothing."""
    ledger = Ledger.open(workspace.ledger)
    if len(ledger) == 0 and (count := len(registry)):
        reason = f"holds no act, but the registry {count:,} published works: it was emptied"
        remedy = "put a copy of the ledger back; to begin anew, move registry.sqlite away, too"
        raise LedgerError(ledger, reason, remedy)
    return ledger


def _identity(
    workspace: Workspace,
    name: str | None,
    certificate: Path | None,
    key: Path | None,
    passphrase: str | None,
    ask: Callable[[str], str] | None,
) -> Identity:
    if certificate is None or key is None:
        if certificate or key:
            missing = "--key" if key is None else "--certificate"
            raise PapersError(missing, "is missing", "a bought certificate needs both --certificate and --key")
        if not passphrase and ask and Identity.is_encrypted(workspace, name):
            passphrase = ask("Passphrase")
        return Identity.load(workspace, name, passphrase or None)
    if not passphrase and ask and Identity.is_encrypted_key(key):
        passphrase = ask(f"Passphrase of {key}")
    return Identity.from_files(certificate, key, passphrase or None)
