"""What a work's papers say of it: who made it, with which model, from which collection, and what others may do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from limner.errors import PapersError
from limner.ledger import canonical_json
from limner.papers.c2pa.ingredients import Ingredient
from limner.text import storable

GENERATION = "org.limner.generation"
"""Label of limner's own assertion, by which its manifests are recognised."""

TrainingMining = Literal["notAllowed", "allowed", "constrained"]
_LARGEST = 2**63 - 1
_ELSEWHERE = ("title", "creator", "training_mining", "training_mining_terms", "ingredients")
_OPTIONAL = ("inputs", "edition", "retouches", "visible_label", "finish", "checked")


@dataclass(frozen=True)
class Provenance:
    """What is known of a work when it is published.

    Attributes:
        model_name, model_digest, family: the model that painted it (`gan` or `vae`).
        collection_name, collection_digest: what the model learned from.
        latent_digest: sha256 of the latent.
        seed, index: the work is picture number `index` of `seed`; None for one made from others.
        truncation: 0 to 1 and above; how far from the model's mean latents were drawn.
        label: the label that was asked for, if any.
        credit: the line that the licences of the collection oblige.
        licences: pictures of the collection by licence.
        parameters: whatever else is needed to paint it again; plain JSON.
        training_mining_terms: under which terms, where `training_mining` is `constrained`.
        model_parents: digests of the models that this one went on from, the first one first.
        made: what was done: `sample`, `move`, `mix`, ...
        parents: digests of the works and pictures that it was made from, the first one first.
        how: the words and numbers of what was done; plain JSON.
        ingredients: pictures whose papers are kept or named in its own: what came in, or the former edition.
        edition: how a work that is published again differs from the former edition; empty for a first one.
        retouches: what was measured when former editions were worked on elsewhere, the first one first; that of this
            edition stands in `edition`.
        visible_label: the label as it was drawn; empty where there is none.
        finish: how the composition was finished, and what each exemplar gave; empty for what a model painted alone.
        checked: what was checked before publishing, by the name of the check, with what it found.
    """

    title: str
    creator: str
    model_name: str
    model_digest: str
    family: str
    collection_name: str
    collection_digest: str
    latent_digest: str
    seed: int | None = None
    index: int | None = None
    truncation: float | None = None
    label: str | None = None
    credit: str = ""
    licences: dict[str, int] = field(default_factory=dict)
    training_mining: TrainingMining = "notAllowed"
    parameters: dict[str, Any] = field(default_factory=dict)
    training_mining_terms: str = ""
    model_parents: tuple[str, ...] = ()
    made: str = "sample"
    parents: tuple[str, ...] = ()
    how: dict[str, Any] = field(default_factory=dict)
    ingredients: tuple[Ingredient, ...] = ()
    edition: dict[str, Any] = field(default_factory=dict)
    retouches: tuple[dict[str, Any], ...] = ()
    visible_label: dict[str, Any] = field(default_factory=dict)
    finish: dict[str, Any] = field(default_factory=dict)
    checked: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.training_mining not in get_args(TrainingMining):
            choices = ", ".join(get_args(TrainingMining))
            raise PapersError(self.training_mining, "is no choice for training and mining", f"use one of: {choices}")

    @property
    def retouched(self) -> tuple[dict[str, Any], ...]:
        """What was measured each time that the work was worked on elsewhere, the first one first."""
        now = self.edition.get("retouch")
        return (*self.retouches, now) if now else self.retouches

    @property
    def composite(self) -> bool:
        """Whether something is in the picture that no model painted: patches of pictures, or work done elsewhere."""
        return bool(self.finish) or any(one.get("changed") != 0 for one in self.retouched)

    def generation(self) -> dict[str, Any]:
        """Everything but title, creator and opt-out, as the assertion `org.limner.generation` holds it.

        Raises:
            PapersError: `parameters` holds something that JSON cannot.
        """
        known: dict[str, Any] = {name: value for name, value in vars(self).items() if name not in _ELSEWHERE}
        known["inputs"] = [one.summary() for one in self.ingredients if one.relationship != "parentOf"]
        # What was not drawn from a seed says nothing of one.
        known = {
            name: value
            for name, value in known.items()
            if (value or name not in _OPTIONAL) and (value is not None or name == "label")
        }
        try:
            canonical_json(known)
        except (TypeError, ValueError) as error:
            raise PapersError("parameters of a work", str(error), "give plain numbers, texts and lists") from error
        plain: dict[str, Any] = _portable(known)
        return plain


def _portable(value: Any) -> Any:
    """`value` as every reader's CBOR holds it: whole numbers beyond 64 bits with sign become text."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(str(key)): _portable(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_portable(one) for one in value]
    if hasattr(value, "item"):
        return _portable(value.item())
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _LARGEST:
        return str(value)
    return value if value is None or isinstance(value, int | float | bool) else storable(str(value))
