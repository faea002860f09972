"""What the cards of models, up-scalers and translators say in the same words: from what, with whom, on what."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Protocol

from limner.collection import Collection
from limner.machine import Machine
from limner.models.card import Card, CollectionNote, TeacherNote, TrainingNote
from limner.models.teacher import TEACHERS
from limner.rights import RightsSummary, joined

__all__ = ["Told", "collection_note", "now", "rights_with", "teacher_note", "training_note"]


class Told(Protocol):
    """The part of a training's options that its card repeats."""

    @property
    def seed(self) -> int:
        """Of every random choice."""
        ...

    def model_dump(self, *, mode: str, exclude: set[str]) -> dict[str, Any]:
        """All of them."""
        ...


def collection_note(collection: Collection, where: tuple[str, ...], *, learned: int, held_out: int) -> CollectionNote:
    """What was learned from, and how many pictures of it."""
    return CollectionNote(
        name=collection.name,
        digest=collection.digest,
        holdout_digest=collection.holdout_digest,
        where=where,
        pictures=learned,
        held_out=held_out,
    )


def rights_with(
    own: RightsSummary, other: Card | None, collection: Collection, where: tuple[str, ...]
) -> RightsSummary:
    """The rights in all pictures that weights were learned from, those of another model's among them.

    Args:
        own: of the pictures of `collection` that were learned from, chosen by `where`.
        other: the model gone on from, or learned with; pictures of both count once where the one has all of them.
    """
    if other is None:
        return own
    theirs = other.rights
    if other.collection.digest != collection.digest:
        return joined(own, theirs)
    if where == other.collection.where:
        # The same but for what is held: who decided to use it has all.
        all_of_it, part = (own, theirs) if theirs.accepted is None else (theirs, own)
    elif not other.collection.where:
        all_of_it, part = theirs, own
    elif not where:
        all_of_it, part = own, theirs
    else:
        return joined(own, theirs)
    if part.accepted is None:
        return all_of_it
    if all_of_it.accepted is None:
        # What is held was left out of the larger part.
        return joined(own, theirs)
    reasons = dict.fromkeys((all_of_it.accepted.reason, part.accepted.reason))
    accepted = all_of_it.accepted.model_copy(update={"reason": "; ".join(reasons)})
    return all_of_it.model_copy(update={"accepted": accepted})


def teacher_note(name: str) -> TeacherNote:
    """The teacher of this name; `none` for none."""
    spec = TEACHERS.get(name)
    return TeacherNote(**vars(spec)) if spec else TeacherNote(name="none")


def training_note(
    options: Told,
    machine: Machine,
    *,
    seconds: float,
    steps: Mapping[str, int],
    pictures: int = 0,
    latents: int = 0,
    resumed: int = 0,
    leave_out: frozenset[str] = frozenset({"name"}),
) -> TrainingNote:
    """How it was trained.

    Args:
        leave_out: options that say something of the artist's machine, or that the card says elsewhere.
    """
    return TrainingNote(
        pictures_seen=pictures,
        latents_seen=latents,
        minutes=round(seconds / 60, 2),
        steps=dict(steps),
        device=machine.device,
        precision=machine.precision,
        threads=machine.threads,
        seed=options.seed,
        resumed=resumed,
        settings=options.model_dump(mode="json", exclude=set(leave_out)),
    )


def now() -> str:
    """UTC, ISO 8601."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
