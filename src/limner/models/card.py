"""The card: what a model says about itself, kept as JSON inside its file."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from limner import __version__
from limner.models.latent_model import LatentModelConfig
from limner.rights import RightsSummary

FORMAT = 3
"""Version of the model file: of its card, and of the names of its weights."""


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
    consents: int = 0
    """Number of the last consent in the workspace's list that counted; 0 where there was none."""
    day: str = ""
    """The day on which consents had to hold, ISO 8601; empty where there were none."""


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
    config: Any
    """What shapes the network."""
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
