"""The card: what a model says about itself, kept as JSON inside its file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from limner import __version__
from limner.errors import ModelError
from limner.models.latent_model import LatentModelConfig
from limner.rights import RightsSummary

__all__ = ["FORMAT", "Card", "CollectionNote", "Learned", "TeacherNote", "TrainingNote", "card_of"]

FORMAT = 3
"""Version of the model file: of its card, and of the names of its weights."""
_Kind = TypeVar("_Kind", bound=BaseModel)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class CollectionNote(_Frozen):
    """What the model was learned from."""

    name: str
    digest: str
    """sha256 of the collection."""
    holdout_digest: str
    """sha256 of the pictures that were kept out of the training."""
    where: tuple[str, ...] = ()
    """Conditions that chose a part of the collection."""
    pictures: int
    """Pictures trained on."""
    held_out: int
    """Pictures kept out."""


class TeacherNote(_Frozen):
    """The foreign network whose features took part in the training, if any."""

    name: str
    weights: str = ""
    licence: str = ""
    trained_on: str = ""


class TrainingNote(_Frozen):
    """How the model was trained."""

    pictures_seen: int
    latents_seen: int
    minutes: float
    steps: dict[str, int]
    """Steps of each stage."""
    device: str
    precision: str
    threads: int
    seed: int
    resumed: int = 0
    """How many times it was interrupted and resumed."""
    settings: dict[str, Any] = {}
    """The options that were used."""


class Learned(_Frozen):
    """What everything that was learned says about itself."""

    format: int
    """Version of the file; another than limner knows is refused."""
    limner: str = __version__
    collection: CollectionNote
    rights: RightsSummary
    credit: str = ""
    """Whom the licences of the training pictures oblige to name."""
    teacher: TeacherNote
    training: TrainingNote
    quality: dict[str, Any] = {}
    """What was measured, on pictures that chose nothing; `memorised` by all pictures that were not learned from."""
    created: str = ""
    """UTC, ISO 8601."""


class Card(Learned):
    """Everything that a model says about itself."""

    format: int = FORMAT
    name: str
    family: str = "vae"
    config: LatentModelConfig
    parents: tuple[str, ...] = ()
    """sha256 of the model files that this one started from."""
    model_watermark: str = ""
    """Number, 12 hexadecimal digits, that the watermark of whatever it paints names; empty without one."""


def card_of(path: Path, text: str, kind: type[_Kind], layout: int, again: str) -> _Kind:
    """The card that a file's metadata holds as JSON.

    Args:
        path: of the file, for the message.
        kind: what it is a card of.
        layout: version of the card's layout that limner knows.
        again: what to do about a damaged file.

    Raises:
        ModelError: no JSON object, of another version, or damaged; says which.
    """
    try:
        raw = json.loads(text)
        version = raw.get("format", 0)
    except (ValueError, AttributeError, RecursionError):
        raise ModelError(path, "its card is no JSON object", again) from None
    if not isinstance(version, int) or version > layout:
        raise ModelError(path, f"made by a later limner (card format {version}, known: {layout})", "update limner")
    if version < layout:
        raise ModelError(path, f"made by an earlier limner (card format {version}, now {layout})", "train it again")
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ModelError(path, f"its card is damaged (at {where}: {first['msg']})", again) from None
