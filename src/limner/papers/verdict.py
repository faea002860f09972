"""What a check of one file showed, in words that do not say more than was proved."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from limner.papers.chain import Earlier

__all__ = ["Layer", "LayerState", "SignerSeen", "State", "Trust", "Verdict"]

State = Literal["valid", "tampered", "invalid", "none", "unreadable"]
"""valid: signed, and not a byte changed since. tampered: changed after signing. invalid: unchanged, but the signature
does not count (an expired certificate, say). none: no signature. unreadable: no picture that could be checked."""

LayerState = Literal["valid", "tampered", "invalid", "none", "unreadable", "unsigned", "alike"]
"""Of one layer; unsigned: it is there, and nothing protects it. alike: a registered work looks like it, no more."""

Trust = Literal["own", "anchor", "none"]
"""own: a key of this workspace. anchor: below a trust anchor that was given. none: nobody vouches for the name."""


@dataclass(frozen=True)
class SignerSeen:
    """Who a signature says it is from.

    Attributes:
        name, organisation: of the certificate; the signer's own words unless `trust` says otherwise.
        issuer: who issued the certificate.
        serial: of the certificate, hexadecimal.
        algorithm: of the signature.
        valid_from, valid_until: of the certificate, ISO 8601.
        trust: why the name can be believed, or `none`.
        time_stamp: when a time-stamp server saw the signature, ISO 8601.
        time_stamp_trusted: whether a trust anchor vouches for that server; only then a signature outlives its
            certificate.
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

    @property
    def expired(self) -> bool:
        """Whether the certificate has ended by now."""
        try:
            return dt.datetime.fromisoformat(self.valid_until).astimezone(dt.UTC) < dt.datetime.now(dt.UTC)
        except ValueError:
            return False


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

    @property
    def genuine(self) -> bool:
        """Whether the file is as its signer left it."""
        return self.state == "valid"

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
