"""What a check of one file showed, in words that do not say more than was proved."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from limner.papers.c2pa.chain import Earlier
from limner.papers.verify.clock import known_past

__all__ = ["Layer", "LayerState", "SignerSeen", "State", "Trust", "Verdict"]

State = Literal["valid", "tampered", "invalid", "none", "unreadable"]
"""valid: signed, and what the signature covers is unchanged. tampered: changed after signing. invalid: the signature
does not count (an expired certificate, say), or does not cover the picture. none: no signature. unreadable: no picture
that could be checked."""

LayerState = Literal["valid", "tampered", "invalid", "none", "unreadable", "unsigned", "alike"]
"""Of one layer; unsigned: it is there, and nothing protects it. alike: a registered work looks like it, no more."""

Trust = Literal["own", "anchor", "none"]
"""own: a key of this workspace. anchor: below a trust anchor that was given. none: nobody vouches for the name."""


@dataclass(frozen=True)
class SignerSeen:
    """Who a signature says it is from.

    Attributes:
        name, organisation: of the certificate; the signer's own words unless `trust` says otherwise.
        named_by: what `name` is: `name`, `organisation`, `unit`, `e-mail`, or `nothing` where there is none.
        issuer: who issued the certificate.
        serial: of the certificate, hexadecimal.
        algorithm: of the signature.
        valid_from, valid_until: of the certificate, ISO 8601.
        trust: why the name can be believed, or `none`.
        time_stamp: when a time-stamp server saw the signature, ISO 8601.
        time_stamp_trusted: whether a trust anchor vouches for that server; only then a signature outlives its
            certificate.
        fingerprint: sha256 of the certificate, hexadecimal; empty where it could not be read.
        revoked: from when on this workspace holds the certificate for revoked, ISO 8601; None where it does not.
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
        until = known_past(self.valid_until)
        return until is not None and until < dt.datetime.now(dt.UTC)

    @property
    def not_begun(self) -> bool:
        """Whether the certificate is not valid yet, by this computer's clock."""
        begins = known_past(self.valid_from)
        return begins is not None and dt.datetime.now(dt.UTC) < begins


@dataclass(frozen=True)
class Layer:
    """One layer of a file's papers.

    Attributes:
        name: `C2PA`, `XMP` or `registry`.
        state: of this layer alone; `none` where it is missing.
        holds: what is there.
        proves: what that proves, and what it does not.
    """

    name: str
    state: LayerState
    holds: str
    proves: str


@dataclass(frozen=True)
class Verdict:
    """What a check of one file showed.

    Attributes:
        path: the file.
        state: see `State`.
        summary: one line for a reader who knows nothing of signatures.
        layers: C2PA first, then XMP, then the registry where it was asked.
        tampered: which part was changed, where that can be said.
        signer: of the active manifest, where it could be read.
        title, creator, tool: as the signed manifest says.
        generated: whether the signed manifest says that a trained model made the picture.
        source_type: IPTC's digital source type, as the signed manifest says: `digitalCapture`, ...
        uncovered: bytes that no hash covers, by what they are in; empty where everything is covered.
        contested: what the registry knows of another signer for this work, in words; empty where it knows none.
        not_covered: why the signature does not cover the picture; empty where it does.
        generation: what limner's own assertion holds: model, collection, seed, latent digest, licences …
        training_mining: use by purpose, as the signed manifest says.
        codes: the failures in the words of the C2PA specification, section 15.2.2, for those who look further.
        registry: what the registry holds of the work that the picture looks like; None where it was not asked or
            knows none. Likeness, which is no proof.
        training_mining_terms: under which terms, where they are constrained.
        chain: the earlier pictures that the signed manifest keeps or names; each before those it was made from.
        mark: number of the work that the papers say the watermark names; None where they name none.
        watermark: what was read from the pixels: `work`, `evidence` in deviations, and whether it is `as_papers_say`;
            None where nothing was read, or nothing was looked for.
    """

    path: str
    state: State
    summary: str
    layers: tuple[Layer, ...] = ()
    tampered: str | None = None
    signer: SignerSeen | None = None
    title: str | None = None
    creator: str | None = None
    tool: str | None = None
    generated: bool = False
    generation: dict[str, Any] = field(default_factory=dict)
    training_mining: dict[str, str] = field(default_factory=dict)
    codes: tuple[str, ...] = ()
    registry: dict[str, Any] | None = None
    training_mining_terms: str = ""
    chain: tuple[Earlier, ...] = ()
    mark: str | None = None
    watermark: dict[str, Any] | None = None
    source_type: str | None = None
    uncovered: dict[str, int] = field(default_factory=dict)
    not_covered: str = ""
    contested: str = ""

    @property
    def genuine(self) -> bool:
        """Whether the file is as its signer left it, and nothing known here contradicts whose it is."""
        return self.state == "valid" and not self.contested

    @property
    def trusted(self) -> bool:
        """Whether the signer's name can be believed: the signature counts, and somebody vouches for its certificate."""
        return self.genuine and self.signer is not None and self.signer.trust != "none"

    @property
    def model_digest(self) -> str | None:
        """Digest of the model that painted the picture."""
        return self.generation.get("model_digest")

    @property
    def collection_digest(self) -> str | None:
        """Digest of the collection that the model learned from."""
        return self.generation.get("collection_digest")

    @property
    def seed(self) -> int | None:
        """Seed that the picture was drawn by."""
        return self.generation.get("seed")

    def to_dict(self) -> dict[str, Any]:
        """The verdict as plain values."""
        return {**asdict(self), "genuine": self.genuine, "trusted": self.trusted}

    def to_json(self) -> str:
        """The verdict as one JSON object."""
        return json.dumps(self.to_dict())
