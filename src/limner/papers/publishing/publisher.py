"""Publishing: papers in the design's order, read back, moved into place, recorded."""

from __future__ import annotations

import errno
import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from limner import pictures
from limner.errors import LedgerError, PapersError
from limner.ledger import Act, Entry, Ledger
from limner.papers.c2pa.library import Signing, manifest_of
from limner.papers.c2pa.parts import take_apart
from limner.papers.c2pa.provenance import Provenance
from limner.papers.c2pa.soft_bindings import of_fingerprints
from limner.papers.c2pa.store import manifest_store
from limner.papers.c2pa.xmp import write_packet
from limner.papers.identity.identity import Identity
from limner.papers.identity.timestamp import check_server
from limner.papers.publishing.labels import LabelWish, draw_label
from limner.papers.publishing.pending import Announced, Session, recover
from limner.papers.publishing.published import PUBLISH, Published
from limner.papers.registry.fingerprints import fingerprints_of, pack_thumbnail
from limner.papers.registry.registry import Edition, Registry, work_identifier, work_name
from limner.papers.verify.checking import Checker
from limner.papers.watermark import PUBLIC_KEY
from limner.papers.watermark.keys import MarkKey, key_in_use
from limner.papers.watermark.marking import ALGORITHM, carries_mark, marked, read_mark, still_says, value_of
from limner.text import storable
from limner.workspace import Workspace, replace_file

__all__ = ["PublishedWork", "Publisher", "check_books", "open_publisher"]

Job = tuple[NDArray[np.uint8], Path, Provenance]

_BATCH = 64
_FULL = (errno.ENOSPC, errno.EDQUOT)
# Two a core: one signs while the other waits for the disk.
_WORKERS = max(2, min(8, 2 * (os.cpu_count() or 1)))


@dataclass(frozen=True)
class PublishedWork:
    """A work that lies in its place, signed and recorded.

    Attributes:
        path: the file.
        digest: sha256 of the file, `sha256:` before the hexadecimal digits.
        size: of the file, in bytes.
        provenance: what its papers say.
        act: the entry in the ledger.
        replaced: digest of another file that lay at `path` before and is lost; None where nothing did.
    """

    path: Path
    digest: str
    size: int
    provenance: Provenance
    act: Act
    replaced: str | None = None


@dataclass(frozen=True)
class _Placed:
    """A work in its place that the ledger and the registry do not know yet."""

    path: Path
    digest: str
    size: int
    provenance: Provenance
    replaced: str | None
    edition: Edition
    watermark: str | None
    mark_key: str | None
    announced: Path | None = None


class Publisher:
    """Publishes works of one identity; a context manager, usable from one thread at a time.

    Args:
        identity: who signs.
        ledger: where each publication is recorded.
        timestamp_url: of a time-stamp server (RFC 3161).
        registry: where each work is registered in the same step; None registers none.
        mark_key: puts the watermark in; None takes the key that all know.
        overwrite: whether a file that is another work, or none, may be replaced; the same work always may.
        announce_in: root of the workspace in which works are announced before they come to their places; None
            announces none.

    Example:
        >>> with Publisher(identity, ledger) as publisher:
        ...     publisher.publish(pixels, Path("work.png"), provenance)
    """

    def __init__(
        self,
        identity: Identity,
        ledger: Ledger,
        *,
        timestamp_url: str | None = None,
        registry: Registry | None = None,
        mark_key: MarkKey | None = None,
        announce_in: Path | None = None,
        overwrite: bool = False,
    ) -> None:
        self._overwrite = overwrite
        self._announce_in = announce_in
        self._session: Session | None = None
        self.identity, self._ledger, self._timestamp_url = identity, ledger, timestamp_url
        self._mark_key = mark_key
        self._registry, self._signer = registry, identity.fingerprint
        self._signing: Signing | None = None
        self._checker: Checker | None = None

    def __enter__(self) -> Publisher:
        """Make ready to sign.

        Raises:
            PapersError: the key cannot sign, the time-stamp server does not answer as one, or the workspace cannot be
                written to.
        """
        if self._timestamp_url:
            check_server(self._timestamp_url)
        if self._announce_in is not None:
            self._session = Session(self._announce_in)
        self._signing = Signing(self.identity, self._timestamp_url)
        self._checker = Checker(own_roots=self.identity.root or "")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in (self._signing, self._checker, self._session):
            if one is not None:
                one.close()
        self._signing = self._checker = self._session = None

    def publish(
        self,
        pixels: NDArray[np.uint8],
        path: Path,
        provenance: Provenance,
        *,
        quality: int = 90,
        label: LabelWish | None = None,
    ) -> PublishedWork:
        """Write one work with its papers.

        Args:
            pixels: uint8, [height, width, 3], sRGB.
            path: its suffix says the format (PNG, JPEG, WebP, AVIF); its folder exists.
            provenance: what its papers say.
            quality: 1 to 100, for formats that lose something.
            label: a visible label to draw; papers and ledger tell of it.

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
    ) -> list[PublishedWork]:
        """Write many works with their papers, several at a time.

        Works are recorded in batches once their files are in place, in the order of `jobs`; `progress` is called with
        each as soon as it is recorded. Whatever is raised in between, every work that is in its place is recorded.

        Args:
            jobs: pixels, path and provenance of each, as in `publish`; taken only as fast as they are written.
            progress: called with each published work.
            quality: as in `publish`.

        Raises:
            PapersError, UsageError, LedgerError: as `publish` does.
        """
        works: list[PublishedWork] = []
        waiting: list[_Placed] = []

        def record() -> None:
            batch = waiting[:]
            waiting.clear()  # whatever comes of it, they are not recorded a second time
            for work in self._record(batch):
                works.append(work)
                if progress:
                    progress(work)

        try:
            with closing(self._place_all(jobs, quality)) as placed:
                for one in placed:
                    waiting.append(one)
                    if len(waiting) >= _BATCH:
                        record()
        finally:
            record()
        return works

    def _place_all(self, jobs: Iterable[Job], quality: int) -> Generator[_Placed, None, None]:
        """Each job's work once it is in its place, in order; after an error, what was under way is still yielded."""
        running: deque[Future[_Placed]] = deque()
        failure: BaseException | None = None
        with ThreadPoolExecutor(_WORKERS, thread_name_prefix="publish") as pool:
            try:
                for pixels, path, provenance in jobs:
                    running.append(pool.submit(self._place, pixels, Path(path), provenance, quality))
                    if len(running) > 2 * _WORKERS:
                        yield running.popleft().result()
            except GeneratorExit:  # nobody takes them any more; they stay announced
                raise
            except BaseException as error:
                failure = error
            for future in running:
                try:
                    yield future.result()
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
        label: LabelWish | None = None,
    ) -> _Placed:
        if self._signing is None or self._checker is None:
            raise PapersError("Publisher", "is not open", "use it in a `with` block")
        format = pictures.format_of(path)
        mime = pictures.FORMATS[format]
        self._check_place(path, provenance)
        work = self._number(provenance)
        pixels, key, put_in = self._marked(pixels, work, provenance)
        if label is not None:
            pixels, drawn = draw_label(pixels, label)
            provenance = replace(provenance, visible_label=drawn.told())
        encoded = pictures.encode(pixels, format, quality=quality, xmp=write_packet(provenance))
        prints = fingerprints_of(pixels)
        parts = take_apart(encoded)
        bindings = of_fingerprints(prints)
        # What its papers name can be read from it: a picture may be too small, or too busy, or compressed too much.
        told = carries_mark(pixels) and still_says(encoded, work, key.secret if key else PUBLIC_KEY)
        if told:
            bindings.append((ALGORITHM, value_of(work)))
        named = key.fingerprint if key and told else None
        manifest = manifest_of(
            provenance, parts.digests(), bindings, marked=told and put_in, mark_key=named, ledger=self._ledger.head()
        )
        signed = self._signing.sign(encoded, mime, manifest, provenance.ingredients)
        digest = _digest(signed)
        edition = Edition(
            work=work,
            digest=digest,
            title=storable(provenance.title),
            creator=storable(provenance.creator),
            path=os.fsencode(path.absolute()).decode(errors="replace"),
            signer=self._signer,
            signer_name=self.identity.name,
            model=storable(provenance.model_digest),
            latent=storable(provenance.latent_digest),
            manifest=manifest_store(signed, mime) or b"",
            thumbnail=pack_thumbnail(prints.thumbnail),
            look=prints.look,
            mirror=prints.mirror,
            layout=prints.layout,
            xmp=parts.xmp,
        )
        mark = work_name(work) if carries_mark(pixels) else None
        placed = _Placed(path, digest, len(signed), provenance, None, edition, mark, named)
        try:
            replaced = _digest(path.read_bytes()) if path.is_file() else None
            placed = replace(placed, replaced=replaced if replaced != digest else None)
            placed = replace(placed, announced=self._announce(placed))
            try:
                with replace_file(path) as part:
                    part.write_bytes(signed)
                    self._read_back(part, path, provenance)
            except Exception:
                if not path.is_file() or _digest(path.read_bytes()) != digest:
                    self._settle([placed])  # it did not come to its place
                raise
        except OSError as error:
            remedy = "make room; nothing was written" if error.errno in _FULL else "choose another place"
            raise PapersError(error.filename or path, f"cannot be written ({error.strerror})", remedy) from error
        return placed

    def _check_place(self, path: Path, provenance: Provenance) -> None:
        """Refuse to replace what is not the same work, made in the same way.

        Raises:
            PapersError: another file lies there.
        """
        if self._overwrite or not path.is_file():
            return
        digest = _digest(path.read_bytes())
        acts = [Published.of(act) for act in self._ledger.made(digest) if act.what == PUBLISH]
        own = self._published(provenance, path, digest)
        if not any(own.is_same_work(former) for former in acts):
            kind = "another work" if acts else "another file"
            raise PapersError(path, f"is {kind} that lies there already", "give another file, or add --overwrite")

    def _announce(self, one: _Placed) -> Path | None:
        if self._session is None:
            return None
        edition = one.edition if self._registry is not None else None
        return self._session.announce(
            Announced(one.path.absolute(), one.digest, one.size, tuple(self._entries(one)), edition)
        )

    def _settle(self, placed: Iterable[_Placed]) -> None:
        if self._session is not None:
            self._session.settle([one.announced for one in placed if one.announced])

    def _marked(
        self, pixels: NDArray[np.uint8], work: int, provenance: Provenance
    ) -> tuple[NDArray[np.uint8], MarkKey | None, bool]:
        """The picture with its work's number in it, by which key (None: the public one), and if it was put in now.

        An edition that still tells it is not marked a second time.
        """
        if provenance.edition and carries_mark(pixels):
            for key in {self._mark_key, None}:
                if read_mark(pixels, key.secret if key else PUBLIC_KEY).message == work:
                    return pixels, key, False
        own = self._mark_key
        return marked(pixels, work, own.secret if own else PUBLIC_KEY), own, carries_mark(pixels)

    def _number(self, provenance: Provenance) -> int:
        """The work's number; an edition keeps that of the former one, whoever signs it."""
        former = provenance.edition.get("work")
        if former:
            return int(former, 16)
        return work_identifier(provenance.latent_digest, provenance.model_digest, self._signer)

    def _read_back(self, part: Path, path: Path, provenance: Provenance) -> None:
        assert self._checker is not None
        verdict = self._checker.check_bytes(part.read_bytes(), path)
        if not verdict.genuine or verdict.generation.get("latent_digest") != provenance.latent_digest:
            raise PapersError(path, f"does not verify after signing ({verdict.summary})", "nothing was written")

    def _record(self, placed: list[_Placed]) -> list[PublishedWork]:
        entries = [self._entry(one) for one in placed]
        exports = [_export(one) for one in placed if one.provenance.edition]
        try:
            acts = self._ledger.record_many([*entries, *exports])[: len(entries)]
            if self._registry is not None:
                self._registry.add([one.edition for one in placed])
        except (LedgerError, PapersError) as error:
            if self._session is None:
                raise
            remedy = (
                f"{error.remedy}; what lies signed in {placed[0].path.parent} is then recorded by: limner works recover"
            )
            raise type(error)(error.value, error.reason, remedy) from error
        self._settle(placed)
        return [
            PublishedWork(one.path, one.digest, one.size, one.provenance, act, one.replaced)
            for one, act in zip(placed, acts, strict=True)
        ]

    def _entries(self, one: _Placed) -> list[Entry]:
        return [self._entry(one), *([_export(one)] if one.provenance.edition else [])]

    def _entry(self, one: _Placed) -> Entry:
        placed = self._published(one.provenance, one.path, one.digest)
        return replace(placed, watermark=one.watermark, mark_key=one.mark_key, replaced=one.replaced).entry()

    def _published(self, told: Provenance, path: Path, digest: str) -> Published:
        return Published(
            digest=digest,
            path=path.absolute(),
            title=told.title,
            model=told.model_digest,
            collection=told.collection_digest,
            latent=told.latent_digest,
            made=told.made,
            seed=told.seed,
            index=told.index,
            truncation=told.truncation,
            label=told.label,
            precision=told.parameters.get("precision"),
            training_mining=told.training_mining,
            signer=self._signer,
            visible_label=told.visible_label,
            edition=told.edition,
            finish=told.finish,
            inputs=[ingredient.told() for ingredient in told.ingredients if ingredient.relationship == "inputTo"],
        )


def _export(one: _Placed) -> Entry:
    """What ties an edition to the file that it was made from, for the work's family."""
    told = one.provenance
    how = {name: value for name, value in told.edition.items() if name != "of"}
    if told.visible_label:
        how["label"] = told.visible_label["words"]
    return Entry("artist", "export", [told.edition["of"], told.model_digest], [one.digest], how)


def open_publisher(
    workspace: Workspace,
    *,
    identity: str | None = None,
    certificate: Path | None = None,
    key: Path | None = None,
    timestamp: str | None = None,
    passphrase: str | None = None,
    ask: Callable[[str], str] | None = None,
    overwrite: bool = False,
) -> Publisher:
    """The publisher that a command's options ask for.

    Args:
        workspace: holds the identities and the ledger.
        identity: name of an identity in the workspace; None for the only or default one.
        certificate, key: PEM files of a bought certificate, instead of `identity`.
        timestamp: URL of a time-stamp server (RFC 3161).
        passphrase: of the key; None takes the environment variable LIMNER_PASSPHRASE.
        overwrite: as in `Publisher`.
        ask: asks the artist for the passphrase with a prompt, where it is needed and not given.

    Raises:
        PapersError: there is no identity, one of `certificate` and `key` is missing, or the key cannot be used.
        LedgerError: the ledger cannot be opened.
        PapersError: the registry cannot be opened, or the workspace's watermark key is damaged.
    """
    if (certificate is None) != (key is None):
        missing = "--key" if key is None else "--certificate"
        raise PapersError(missing, "is missing", "a bought certificate needs both --certificate and --key")
    passphrase = passphrase or os.environ.get("LIMNER_PASSPHRASE") or None
    if certificate is not None and key is not None:
        if passphrase is None and ask and Identity.is_encrypted_key(key):
            passphrase = ask(f"Passphrase of {key}")
        chosen = Identity.from_files(certificate, key, passphrase)
    else:
        if passphrase is None and ask and Identity.is_encrypted(workspace, identity):
            passphrase = ask("Passphrase")
        chosen = Identity.load(workspace, identity, passphrase)
    registry = Registry(workspace.registry, workspace.registry_index)
    ledger, mark_key = Ledger.open(workspace.ledger), key_in_use(workspace)
    check_books(ledger, registry)
    recover(workspace, ledger, registry)
    return Publisher(
        chosen,
        ledger,
        timestamp_url=timestamp,
        registry=registry,
        mark_key=mark_key,
        announce_in=workspace.root,
        overwrite=overwrite,
    )


def check_books(ledger: Ledger, registry: Registry) -> None:
    """Refuse to go on with a ledger that was emptied: what it held is not to be taken for nothing.

    Raises:
        LedgerError: it holds nothing, and the registry holds works.
    """
    if len(ledger) == 0 and (count := len(registry)):
        remedy = "put a copy of the ledger back; to begin anew, move registry.sqlite away, too"
        raise LedgerError(ledger, f"holds no act, but the registry {count:,} published works: it was emptied", remedy)


def _digest(data: bytes) -> str:
    return f"sha256:{sha256(data).hexdigest()}"
