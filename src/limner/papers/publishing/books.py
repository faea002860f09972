"""The books of what is published: ledger and registry, and what they hold of each work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from limner.errors import LedgerError, PapersError
from limner.ledger import Act, Entry, Ledger
from limner.papers.c2pa.provenance import Provenance
from limner.papers.publishing.published import PUBLISH, Published
from limner.papers.publishing.signing import SignedWork, digest_of
from limner.papers.registry.registry import Registry

__all__ = ["Books", "PublishedWork", "entries_of", "published"]


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
class Books:
    """The ledger, and the registry where works are registered."""

    ledger: Ledger
    registry: Registry | None = None

    def check(self) -> None:
        """Refuse to go on with a ledger that was emptied: what it held is not to be taken for nothing.

        Raises:
            LedgerError: it holds nothing, and the registry holds works.
        """
        if len(self.ledger) == 0 and self.registry is not None and (count := len(self.registry)):
            reason = f"holds no act, but the registry {count:,} published works: it was emptied"
            remedy = "put a copy of the ledger back; to begin anew, move registry.sqlite away, too"
            raise LedgerError(self.ledger, reason, remedy)

    def check_place(self, path: Path, provenance: Provenance) -> None:
        """Refuse to replace what is not the same work, made in the same way.

        Raises:
            PapersError: another file lies there.
        """
        if not path.is_file():
            return
        digest = digest_of(path.read_bytes())
        acts = [act for act in self.ledger.made(digest) if act.what == PUBLISH]
        own = _said(provenance, path, digest)
        if not any(own.is_same_work(Published.of(act)) for act in acts):
            kind = "another work" if acts else "another file"
            raise PapersError(path, f"is {kind} that lies there already", "give another file, or add --overwrite")

    def record(self, works: Sequence[SignedWork]) -> list[PublishedWork]:
        """Record works that lie in their places, all or none.

        Raises:
            LedgerError: the ledger cannot be written to.
            PapersError: the registry cannot; the ledger holds them then.
        """
        entries = [entries_of(published(one)) for one in works]
        # Publications first, so that the acts of a batch lie together.
        ordered = [each[0] for each in entries] + [one for each in entries for one in each[1:]]
        acts = self.ledger.record_many(ordered)[: len(works)]
        if self.registry is not None:
            self.registry.add([one.edition for one in works])
        return [
            PublishedWork(one.path, one.digest, one.size, one.provenance, act, one.replaced)
            for one, act in zip(works, acts, strict=True)
        ]


def published(work: SignedWork) -> Published:
    """What the ledger is to say of a work."""
    return replace(
        _said(work.provenance, work.path, work.digest),
        signer=work.edition.signer,
        watermark=work.watermark,
        mark_key=work.mark_key,
        replaced=work.replaced,
    )


def _said(made: Provenance, path: Path, digest: str) -> Published:
    return Published(
        digest=digest,
        path=path.absolute(),
        title=made.title,
        model=made.model_digest,
        collection=made.collection_digest,
        latent=made.latent_digest,
        made=made.made,
        seed=made.seed,
        index=made.index,
        truncation=made.truncation,
        label=made.label,
        precision=made.parameters.get("precision"),
        training_mining=made.training_mining,
        visible_label=made.visible_label,
        edition=made.edition,
        finish=made.finish,
        inputs=[one.told() for one in made.ingredients if one.relationship == "inputTo"],
    )


def entries_of(work: Published) -> list[Entry]:
    """What the ledger is to hold of a work: its publication, and what ties an edition to the file it was made from."""
    if work.former is None:
        return [work.entry()]
    how = {name: value for name, value in work.edition.items() if name != "of"}
    if work.visible_label:
        how["label"] = work.visible_label["words"]
    return [work.entry(), Entry("artist", "export", [work.former, work.model], [work.digest], how)]
