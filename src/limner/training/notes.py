"""What the cards of models, up-scalers and translators say in the same words: from what, with whom, on what."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from limner.collection import Collection
from limner.machine import Machine
from limner.models.card import Card, CollectionNote, TeacherNote, TrainingNote
from limner.models.teacher import TEACHERS
from limner.rights import RightsSummary, credit_line, joined
from limner.rights.consent import Use
from limner.training.options import RunOptions
from limner.training.stage import StageState

_OF_PICTURES = ("small-painter", "painter", "upscaler")
_OF_LATENTS = ("prior", "translator")
"""Stages whose `pictures` count as pictures, and as latents."""


def collection_note(
    collection: Collection, where: tuple[str, ...], *, learned: int, held_out: int, use: Use | None = None
) -> CollectionNote:
    """What was learned from, how many pictures of it, and which consents counted."""
    return CollectionNote(
        name=collection.name,
        digest=collection.digest,
        holdout_digest=collection.holdout_digest,
        where=where,
        pictures=learned,
        held_out=held_out,
        consents=use.number if use else 0,
        day=use.on.isoformat() if use and use.number else "",
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
    return TEACHERS.get(name) or TeacherNote(name="none")


def training_note(
    options: RunOptions,
    machine: Machine,
    states: Sequence[StageState],
    *,
    leave_out: frozenset[str] = frozenset({"name"}),
) -> TrainingNote:
    """How it was trained.

    Args:
        states: of its stages.
        leave_out: options that say something of the artist's machine, or that the card says elsewhere.
    """
    return TrainingNote(
        pictures_seen=sum(state.pictures for state in states if state.stage in _OF_PICTURES),
        latents_seen=sum(state.pictures for state in states if state.stage in _OF_LATENTS),
        minutes=round(sum(state.seconds for state in states) / 60, 2),
        steps={state.stage: state.step for state in states if state.step},
        device=machine.device,
        precision=machine.precision,
        threads=machine.threads,
        seed=options.seed,
        resumed=sum(state.resumed for state in states),
        settings=options.model_dump(mode="json", exclude=set(leave_out)),
    )


def learned_notes(
    options: RunOptions,
    collection: Collection,
    rights: RightsSummary,
    training: TrainingNote,
    *,
    learned: int,
    held_out: int,
    use: Use,
    teacher: TeacherNote | None = None,
) -> dict[str, Any]:
    """What every card says: fields of `models.card.Learned`.

    Args:
        rights: in all pictures that the weights were learned from.
        learned, held_out: how many pictures of the collection were.
        use: the consents that counted.
        teacher: whose features took part, where it is another than the options name.
    """
    return {
        "collection": collection_note(collection, options.where, learned=learned, held_out=held_out, use=use),
        "rights": rights,
        "credit": credit_line(rights),
        "teacher": teacher or teacher_note(options.teacher),
        "training": training,
        "created": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
    }
