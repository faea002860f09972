"""What a check of one file found, as enums and typed fields: verdicts and compliance decide on these alone.

No sentence is here: `wording` makes them all.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

from limner.papers.c2pa.assets import Asset
from limner.papers.c2pa.chain import Earlier
from limner.papers.c2pa.claims import Trust
from limner.papers.c2pa.xmp import COMPOSITE, GENERATED, XmpSeen
from limner.papers.identity.certificates import NOTICE

if TYPE_CHECKING:
    from limner.papers.registry.registry import Match
    from limner.papers.registry.store import Edition

RELEASED = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
"""No copy of this file is older."""
_DRIFT = dt.timedelta(minutes=5)

State = Literal["valid", "tampered", "invalid", "none", "unreadable"]
"""valid: signed, and what the signature covers is unchanged. tampered: changed after signing. invalid: the signature
does not count (an expired certificate, say), or does not cover the picture. none: no signature. unreadable: no picture
that could be checked."""

LayerState = Literal["valid", "tampered", "invalid", "none", "unreadable", "unsigned", "alike"]
"""Of one layer; unsigned: it is there, and nothing protects it. alike: a registered work looks like it, no more."""


class Part(StrEnum):
    """A part of a signed file that was changed after signing."""

    PICTURE = "image"
    XMP = "xmp"
    FILE_TYPE = "brands"
    OTHER_BYTES = "other_bytes"
    """Neither the picture's data nor its XMP."""
    OUTSIDE_MANIFEST = "outside_manifest"
    """The picture or its metadata; the manifest has no digests by which to say which."""
    MANIFEST = "manifest"
    """Its claim or its signature."""
    ASSERTION = "assertion"
    MANIFEST_UNREADABLE = "manifest_unreadable"
    MANIFEST_FRAME = "manifest_frame"
    TIME_STAMP = "time_stamp"
    INGREDIENT = "ingredient"
    """The manifest of an earlier version."""


@dataclass(frozen=True)
class Change:
    """One part that was changed; `detail` is the assertion's label, or the fault in the manifest's frame."""

    part: Part
    detail: str = ""


class Refusal(StrEnum):
    """Why the signature of an unchanged file does not count."""

    NOT_COVERED = "not_covered"
    CLOCK_WRONG = "clock_wrong"
    NOT_BEGUN = "certificate_not_begun"
    ENDED = "certificate_ended"
    OUTSIDE_VALIDITY = "signed_outside_validity"
    """The certificate counts now, and did not when the file was signed."""
    REVOKED = "revoked"
    REVOKED_BY_ISSUER = "revoked_by_issuer"
    CERTIFICATE = "certificate_not_accepted"


class MarkFound(StrEnum):
    """What was found where a watermark may lie."""

    NONE = "none"
    TOO_SMALL = "none_too_small"
    NAMED_ONLY = "none_though_named"
    PRIVATE = "none_private_key"
    """The papers name a key of the publisher's own, which alone reads it."""
    AS_PAPERS_SAY = "as_papers_say"
    UNREGISTERED = "unregistered_work"
    NOT_ASKED = "registry_unreadable"
    """It names a work, and the registry could not be asked which."""
    REGISTERED = "registered_work"


@dataclass(frozen=True)
class MarkFinding:
    """What a picture's watermark says.

    Attributes:
        work: number of the work that it names; None where none was read.
        statistic: of the reading, in standard deviations.
        key: fingerprint of the reader's own key that read it; None for the public one.
        reason: why the registry could not be asked.
    """

    found: MarkFound
    work: str | None = None
    statistic: float = 0.0
    key: str | None = None
    edition: Edition | None = None
    reason: str = ""


@dataclass(frozen=True)
class ModelMark:
    """The mark of the model that painted a picture: as `read` from the pixels, as `named` by the papers."""

    read: str | None
    named: object


class RegistryFound(StrEnum):
    """What the registry knows of a picture."""

    NOT_ASKED = "registry_unreadable"
    NOTHING = "nothing"
    UNFIT = "row_changed"
    """A row says something else than the signed manifest that is kept in it."""
    SOURCE = "source_of_work"
    """The file is what a registered work was made from."""
    ALIKE = "looks_like_work"
    OTHER_SIGNER = "other_signer"
    """The work was published here before under another signature."""


class Lead(StrEnum):
    """What leads from a signed file to a registered work."""

    PAPERS = "papers"
    WATERMARK = "watermark"
    LIKENESS = "likeness"


@dataclass(frozen=True)
class RegistryFinding:
    """What the registry knows of a picture.

    Attributes:
        match: how the picture looks like it.
        lead: what led to it, where the file is signed.
        works: how many are registered.
        reason: why the registry could not be asked.
    """

    found: RegistryFound
    edition: Edition | None = None
    match: Match | None = None
    lead: Lead | None = None
    works: int = 0
    reason: str = ""


@dataclass(frozen=True)
class SignerSeen:
    """Who a signature says it is from.

    Attributes:
        name, organisation: of the certificate; the signer's own words unless `trust` says otherwise.
        named_by: what `name` is: `name`, `organisation`, `unit`, `e-mail`, or `nothing` where there is none.
        valid_from, valid_until: of the certificate, ISO 8601.
        trust: why the name can be believed, or `none`.
        time_stamp: when a time-stamp server saw the signature, ISO 8601.
        time_stamp_trusted: whether a trust anchor vouches for that server; only then a signature outlives its
            certificate.
        fingerprint: sha256 of the certificate, hexadecimal; empty where it could not be read.
        revoked: from when on this workspace regards the certificate as revoked, ISO 8601; None where it does not.
    """

    name: str
    organisation: str
    issuer: str
    serial: str
    algorithm: str
    valid_from: str
    valid_until: str
    trust: Trust
    time_stamp: str | None = None
    time_stamp_trusted: bool = False
    revoked: str | None = None
    named_by: str = "name"
    fingerprint: str = ""

    @property
    def expired(self) -> bool:
        """Whether the certificate has ended by now."""
        until = moment_of(self.valid_until)
        return until is not None and until < dt.datetime.now(dt.UTC)

    @property
    def anonymous(self) -> bool:
        """Whether the certificate bears no name."""
        return self.named_by == "nothing" or not self.name.strip()

    @property
    def self_made(self) -> bool:
        """Whether the certificate says that the artist made it, as limner's do."""
        return self.organisation == NOTICE

    @property
    def missed_by_clock(self) -> dt.datetime | None:
        """A moment that has surely passed and that this computer's clock has not reached; None where it may be right.

        A certificate of one's own was made on this computer, so its beginning has passed.
        """
        past = [self.time_stamp] if self.time_stamp and self.time_stamp_trusted else []
        past += [self.valid_from] if self.trust == "own" else []
        return latest_missed(dt.datetime.now(dt.UTC), past)

    @property
    def refusal_by_time(self) -> Refusal:
        """Why a signature outside its certificate's validity does not count: three findings with different remedies."""
        if self.missed_by_clock:
            return Refusal.CLOCK_WRONG
        begins = moment_of(self.valid_from)
        if begins is not None and dt.datetime.now(dt.UTC) < begins:
            return Refusal.NOT_BEGUN
        return Refusal.ENDED if self.expired else Refusal.OUTSIDE_VALIDITY


@dataclass(frozen=True)
class Findings:
    """What a check of one file found.

    Attributes:
        changes: what was changed after signing.
        generated: whether the signed manifest says that a trained model made the picture.
        source_type: IPTC's digital source type, as the signed manifest says: `digitalCapture`, ...
        generation: what limner's own assertion holds: model, collection, seed, latent digest, licences …
        training_mining_terms: under which terms, where they are constrained.
        chain: the earlier pictures that the signed manifest keeps or names; each before those it was made from.
        assets: the models and collections that the signed manifest names as ingredients.
        codes: the failures in the words of the C2PA specification, section 15.2.2, for those who look further.
        uncovered: bytes that no hash covers, by what they are in; empty where everything is covered.
        not_covered: why the signature does not cover the picture; empty where it does.
        mark: number of the work that the papers say the watermark names; None where they name none.
        xmp: what the XMP says; None where there is none that can be read.
        mark_read: None where it was not looked for.
        registered: what the registry knows of the picture; None where it was not asked or has nothing to add.
    """

    path: str
    state: State
    reason: str = ""
    changes: tuple[Change, ...] = ()
    signer: SignerSeen | None = None
    title: str | None = None
    creator: str | None = None
    tool: str | None = None
    generated: bool = False
    source_type: str | None = None
    generation: dict[str, Any] = field(default_factory=dict)
    training_mining: dict[str, str] = field(default_factory=dict)
    training_mining_terms: str = ""
    chain: tuple[Earlier, ...] = ()
    assets: tuple[Asset, ...] = ()
    codes: tuple[str, ...] = ()
    uncovered: dict[str, int] = field(default_factory=dict)
    not_covered: str = ""
    mark: str | None = None
    xmp: XmpSeen | None = None
    xmp_fault: str = ""
    mark_read: MarkFinding | None = None
    model_mark: ModelMark | None = None
    registered: RegistryFinding | None = None

    @property
    def contest(self) -> RegistryFinding | None:
        """What the registry knows of another signer for this work; likeness alone is no proof, and contests nothing."""
        found = self.registered
        if found is None or found.found is not RegistryFound.OTHER_SIGNER or found.lead is Lead.LIKENESS:
            return None
        return found

    @property
    def genuine(self) -> bool:
        """Whether the file is as its signer left it, and nothing known here contradicts whose it is."""
        return self.state == "valid" and self.contest is None

    @property
    def trusted(self) -> bool:
        """Whether the signer's name can be believed: the signature counts, and somebody vouches for its certificate."""
        return self.genuine and self.signer is not None and self.signer.trust != "none"

    @property
    def refusal(self) -> Refusal | None:
        """Why the signature of an unchanged file does not count; None where it counts, or the file was changed."""
        if self.state != "invalid":
            return None
        if self.not_covered:
            return Refusal.NOT_COVERED
        if self.signer and any("expired" in code.lower() or "outsideValidity" in code for code in self.codes):
            return self.signer.refusal_by_time
        if any("revoked" in code for code in self.codes):
            return Refusal.REVOKED if self.signer and self.signer.revoked else Refusal.REVOKED_BY_ISSUER
        return Refusal.CERTIFICATE

    @property
    def xmp_state(self) -> LayerState:
        """Of the XMP: what the signature over it is worth."""
        if self.xmp is None:
            return "unreadable" if self.xmp_fault else "none"
        if any(one.part is Part.XMP for one in self.changes):
            return "tampered"
        return "unsigned" if self.state in ("none", "tampered", "unreadable") else self.state

    @property
    def xmp_says_generated(self) -> bool:
        """Whether the XMP says that a trained model made the picture, or parts of it."""
        return self.xmp is not None and self.xmp.source_type in (COMPOSITE, GENERATED)

    @property
    def model_digest(self) -> str | None:
        """Digest of the model that painted the picture."""
        return self.generation.get("model_digest")


def latest_missed(now: dt.datetime, past: Iterable[str] = ()) -> dt.datetime | None:
    """A moment that the clock has not reached though it has surely passed; None where nothing shows the clock wrong.

    Args:
        past: moments that have surely passed, ISO 8601: of trusted time-stamps, of one's own certificates.
    """
    if now < RELEASED:
        return RELEASED
    return max((moment for one in past if (moment := moment_of(one)) and now + _DRIFT < moment), default=None)


def moment_of(text: str) -> dt.datetime | None:
    """A moment from ISO 8601; None where it is none."""
    try:
        return dt.datetime.fromisoformat(text).astimezone(dt.UTC)
    except ValueError:
        return None
