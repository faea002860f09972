"""The act by which a work was published, as a record with names: written by the publisher, read by everyone else."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from limner.ledger import Act, Entry, Ledger
from limner.papers.c2pa.provenance import Provenance

PUBLISH, ALLOW_COPY = "publish", "allow-copy"
"""What such acts are called in the ledger: publishing, and deciding that a copy may be published."""
RETOUCH = "retouch"
"""The act by which an edition was made of a file that was worked on elsewhere."""
_ALWAYS = ("path", "title", "made", "seed", "index", "truncation", "label", "precision", "training_mining", "signer")
_WHERE_KNOWN = ("watermark", "mark_key", "replaced", "visible_label", "edition", "finish", "checked", "inputs")
_AS_IN_PAPERS = (
    "made", "seed", "index", "truncation", "label", "training_mining", "visible_label", "edition", "finish", "checked"
)  # fmt: skip


@dataclass(frozen=True)
class Published:
    """What the ledger says of a published work.

    Attributes:
        digest: sha256 of its file, `sha256:` before the hexadecimal digits, as all digests here.
        path: where the file was put; absolute.
        model, collection, latent: digests.
        made: what was done to get it: `sample`, `move`, `mix`, ...
        seed, index, truncation: how its latent was drawn; None where it was made from others.
        label: the label that it was drawn for, if any.
        precision: in which it was painted, `bf16` or `fp32`.
        watermark: the work's number in its watermark, hexadecimal; None where it carries none.
        mark_key: fingerprint of the key of its watermark; None for the public one.
        replaced: digest of the file that lay in its place before.
        visible_label: the label as it was drawn; empty where there is none.
        edition: how it differs from the edition `of` which it was made; empty for a first one.
        finish: how it was finished (`limner.works.finishing`); empty for what a model painted alone.
        checked: what was checked before, by the name of the check; empty in what was published without.
        inputs: the pictures from outside whose papers it keeps or names.
        time: when it was published, UTC, ISO 8601; empty before the ledger has it.
    """

    digest: str
    path: Path
    title: str
    model: str
    collection: str
    latent: str
    made: str = "sample"
    seed: int | None = None
    index: int | None = None
    truncation: float | None = None
    label: str | None = None
    precision: str | None = None
    training_mining: str = "notAllowed"
    signer: str = ""
    watermark: str | None = None
    mark_key: str | None = None
    replaced: str | None = None
    visible_label: dict[str, Any] = field(default_factory=dict)
    edition: dict[str, Any] = field(default_factory=dict)
    finish: dict[str, Any] = field(default_factory=dict)
    checked: dict[str, Any] = field(default_factory=dict)
    inputs: list[dict[str, Any]] = field(default_factory=list)
    time: str = ""

    @classmethod
    def by(cls, made: Provenance, path: Path, digest: str, **more: Any) -> Published:
        """What the ledger is to say of a work with these papers; `more` are further attributes."""
        return cls(
            digest=digest,
            path=path.absolute(),
            title=made.title,
            model=made.model_digest,
            collection=made.collection_digest,
            latent=made.latent_digest,
            precision=made.parameters.get("precision"),
            inputs=[one.summary() for one in made.ingredients if one.relationship != "parentOf"],
            **{name: getattr(made, name) for name in _AS_IN_PAPERS},
            **more,
        )

    @classmethod
    def of(cls, act: Act) -> Published:
        """What an act of publishing says."""
        # The model and the collection come first among the inputs, the latent last.
        model, collection, *_, latent = act.inputs
        known: dict[str, Any] = {n: act.parameters[n] for n in (*_ALWAYS, *_WHERE_KNOWN) if n in act.parameters}
        known |= {"path": Path(str(known.get("path", ""))), "time": act.time, "digest": act.outputs[0]}
        return cls(model=model, collection=collection, latent=latent, **known)

    @classmethod
    def all(cls, ledger: Ledger, digest: str) -> list[Published]:
        """The publications of the file with this digest, in their order; empty where it was not published here."""
        return [cls.of(act) for act in ledger.made(digest) if act.what == PUBLISH]

    @classmethod
    def find(cls, ledger: Ledger, digest: str) -> Published | None:
        """The work whose file has this digest, as it was published last."""
        return next(reversed(cls.all(ledger, digest)), None)

    @property
    def former(self) -> str | None:
        """Digest of the file that an edition was made from; None for a first one."""
        return str(self.edition["of"]) if self.edition else None

    def entries(self) -> list[Entry]:
        """The acts as the ledger keeps them: the publication, and what ties an edition to the file it was made from."""
        parameters = {name: getattr(self, name) for name in _ALWAYS} | {"path": str(self.path)}
        parameters |= {name: value for name in _WHERE_KNOWN if (value := getattr(self, name))}
        inputs = [self.model, self.collection, *([self.former] if self.former else []), self.latent]
        entries = [Entry("artist", PUBLISH, inputs, [self.digest], parameters)]
        if retouch := self.edition.get(RETOUCH):
            how = {name: value for name, value in retouch.items() if name != "file"}
            went_in = [self.edition["of"], retouch["file"], self.model]
            entries.append(Entry("artist", RETOUCH, went_in, [self.digest], how))
        elif self.former:
            how = {name: value for name, value in self.edition.items() if name != "of"}
            how |= {"label": self.visible_label["words"]} if self.visible_label else {}
            entries.append(Entry("artist", "export", [self.former, self.model], [self.digest], how))
        copied = self.checked.get("copies", {})
        if copied.get("allowed"):
            nearest = [f"sha256:{one['digest']}" for one in copied.get("nearest", ())[:1]]
            why = {"reason": copied["allowed"], "score": copied.get("score")}
            entries.append(Entry("artist", ALLOW_COPY, [*nearest, self.model], [self.digest], why))
        return entries

    @property
    def sameness(self) -> tuple[Any, ...]:
        """What two publications of one work share: model, latent, how it was made and finished, and the edition."""
        # The ledger keeps JSON, in which tuples are lists.
        finish = json.loads(json.dumps({name: self.finish.get(name) for name in ("options", "exemplars")}))
        return self.model, self.latent, self.made, finish, self.edition
