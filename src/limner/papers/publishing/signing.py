"""A work's signed file, in their order (docs/architecture.md): watermark, visible label, XMP, C2PA signature last."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from limner import pictures
from limner.digests import digest_of
from limner.errors import PapersError
from limner.ledger import Ledger
from limner.papers.c2pa.library import Signing, manifest_of
from limner.papers.c2pa.parts import take_apart
from limner.papers.c2pa.provenance import Provenance
from limner.papers.c2pa.soft_bindings import of_fingerprints
from limner.papers.c2pa.store import manifest_store
from limner.papers.c2pa.xmp import write_packet
from limner.papers.identity.identity import Identity
from limner.papers.publishing.labels import LabelRequest, draw_label
from limner.papers.publishing.published import Published
from limner.papers.registry.fingerprints import fingerprints_of
from limner.papers.registry.store import Edition, work_identifier, work_name
from limner.papers.verify.checking import Checker
from limner.papers.watermark import PUBLIC_KEY
from limner.papers.watermark.keys import MarkKey
from limner.papers.watermark.marking import ALGORITHM, carries_mark, marked, read_mark, still_says, value_of
from limner.text import storable


@dataclass(frozen=True)
class SignedWork:
    """A work as it is signed.

    Attributes:
        path: its place, as it was given.
        data: its file; empty once it is written.
        announced: the announcement that it is about to come to its place.
    """

    path: Path
    data: bytes = field(repr=False)
    provenance: Provenance
    published: Published
    edition: Edition
    size: int
    announced: Path | None = None


class WorkSigner:
    """Makes signed files of one identity's works, by several threads at once.

    Args:
        ledger: whose head each work carries.
        mark_key: puts the watermark in; None takes the key that all know.

    Raises:
        PapersError: the key cannot sign.
    """

    def __init__(
        self, identity: Identity, ledger: Ledger, timestamp_url: str | None = None, mark_key: MarkKey | None = None
    ) -> None:
        self._identity, self._ledger, self._mark_key = identity, ledger, mark_key
        self.library = Signing(identity, timestamp_url)
        self._checker = Checker(own_roots=identity.root or "")

    def close(self) -> None:
        """Free what the C2PA library holds."""
        self.library.close()
        self._checker.close()

    def sign(
        self,
        pixels: NDArray[np.uint8],
        path: Path,
        provenance: Provenance,
        quality: int,
        label: LabelRequest | None = None,
    ) -> SignedWork:
        """A work with its papers, as `Publisher.publish` takes it; nothing is written.

        Raises:
            PapersError: it cannot be signed.
            UsageError: the format cannot be used, or the picture is too small for the label.
        """
        format = pictures.format_of(path)
        work = self._number(provenance)
        pixels, key, put_in = self._marked(pixels, work, provenance)
        if label is not None:
            pixels, drawn = draw_label(pixels, label)
            provenance = replace(provenance, visible_label=drawn.to_dict())
        encoded = pictures.encode(pixels, format, quality=quality, xmp=write_packet(provenance))
        prints, parts, marked = fingerprints_of(pixels), take_apart(encoded), carries_mark(pixels)
        # What its papers name can be read from it: a picture may be too small, or too busy, or compressed too much.
        readable = marked and still_says(encoded, work, key.secret if key else PUBLIC_KEY)
        named = key.fingerprint if key and readable else None
        bindings = of_fingerprints(prints) + ([(ALGORITHM, value_of(work))] if readable else [])
        mime, head, new = pictures.FORMATS[format], self._ledger.head(), readable and put_in
        manifest = manifest_of(provenance, parts.digests(), bindings, marked=new, mark_key=named, ledger=head)
        signed = self.library.sign(encoded, mime, manifest, provenance.ingredients)
        mark = work_name(work) if marked else None
        signer, digest = self._identity.fingerprint, digest_of(signed)
        published = Published.by(provenance, path, digest, signer=signer, watermark=mark, mark_key=named)
        edition = Edition(
            work=work,
            digest=digest,
            title=storable(provenance.title),
            creator=storable(provenance.creator),
            path=os.fsencode(published.path).decode(errors="replace"),
            signer=signer,
            signer_name=self._identity.name,
            model=storable(provenance.model_digest),
            latent=storable(provenance.latent_digest),
            manifest=manifest_store(signed, mime) or b"",
            xmp=parts.xmp,
            **prints.kept(),
        )
        return SignedWork(path, signed, provenance, published, edition, len(signed))

    def read_back(self, written: Path, path: Path, provenance: Provenance) -> None:
        """Verify the signed file of a work as it lies on the disk, before it is moved to `path`.

        Raises:
            PapersError: it is not what was signed.
        """
        verdict = self._checker.check_bytes(written.read_bytes(), path)
        if not verdict.genuine or verdict.generation.get("latent_digest") != provenance.latent_digest:
            raise PapersError(path, f"does not verify after signing ({verdict.summary})", "nothing was written")

    def _marked(
        self, pixels: NDArray[np.uint8], work: int, provenance: Provenance
    ) -> tuple[NDArray[np.uint8], MarkKey | None, bool]:
        """The picture with its work's number in it, by which key (None: the public one), and if it was put in now.

        An edition that still bears the number is not marked a second time.
        """
        if provenance.edition and carries_mark(pixels):
            for key in {self._mark_key, None}:
                if read_mark(pixels, key.secret if key else PUBLIC_KEY).message == work:
                    return pixels, key, False
        own = self._mark_key
        return marked(pixels, work, own.secret if own else PUBLIC_KEY), own, carries_mark(pixels)

    def _number(self, provenance: Provenance) -> int:
        """The work's number; an edition keeps that of the former one, whoever signs it."""
        if former := provenance.edition.get("work"):
            return int(former, 16)
        return work_identifier(provenance.latent_digest, provenance.model_digest, self._identity.fingerprint)
