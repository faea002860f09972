"""The card: what a model says about itself, kept as JSON inside its file."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from limner import __version__
from limner.models.vae import VAEConfig
from limner.rights import RightsSummary

__all__ = ["Card", "CollectionNote", "TeacherNote", "TrainingNote"]


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


class Card(_Frozen):
    """Everything that a model says about itself."""

    format: int = 2
    """Version of this layout; a higher one than limner knows is refused."""
    limner: str = __version__
    name: str
    family: str = "vae"
    config: VAEConfig
    collection: CollectionNote
    rights: RightsSummary
    credit: str = ""
    """Whom the licences of the training pictures oblige to name."""
    teacher: TeacherNote
    training: TrainingNote
    quality: dict[str, Any] = {}
    """What was measured, on pictures that chose nothing."""
    parents: tuple[str, ...] = ()
    """sha256 of the model files that this one started from."""
    created: str = ""
    """UTC, ISO 8601."""
