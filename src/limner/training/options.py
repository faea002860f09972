"""The options of trainings: one dial for the user, everything else derived and overridable."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from limner.models.prior import PriorConfig
from limner.training.adversarial_objective import AdversarialWeights
from limner.training.objectives import PainterWeights
from limner.training.stage import Budget


class RunOptions(BaseModel):
    """What every training can be asked for; frozen, kept in the run's folder and in the card of what is learned."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    command: ClassVar[str]
    """That trains so."""
    run_suffix: ClassVar[str] = ""
    """What the run's folder is called beside the name of what is trained."""
    usual_minutes: ClassVar[float]
    """How long it takes where nothing is said."""

    minutes: float | None = Field(None, gt=0, allow_inf_nan=False)
    """Length by the clock, all stages together; `usual_minutes` where no steps are given either."""
    steps: int | None = Field(None, ge=1)
    """Length in steps, all stages together; the same steps give the same weights."""
    where: tuple[str, ...] = ()
    """Conditions that choose a part of the collection."""
    teacher: Literal["efficientnet-lite0", "none"] = "efficientnet-lite0"
    """Whose features say how alike two pictures look."""
    seed: int = Field(0, ge=0, le=2**62)
    """Of every random choice."""
    precision: Literal["bf16", "fp32"] | None = None
    """Skips the choice by the probe."""
    threads: int | None = Field(None, ge=1)
    """Skips the choice by the probe."""
    checkpoint_seconds: float = Field(110, gt=0)
    """Longest time between two checkpoints; what a killed process loses at most."""
    only_cleared: bool = False
    """Leave pictures out whose rights are held back."""
    accept_unknown: str | None = None
    """Why pictures whose rights are held back are used."""

    @model_validator(mode="before")
    @classmethod
    def _usual_length(cls, given: Any) -> Any:
        none = isinstance(given, dict) and given.get("minutes") is None and given.get("steps") is None
        return {**given, "minutes": cls.usual_minutes} if none else given

    def budget(self) -> Budget:
        """All of the minutes or steps for one stage."""
        return Budget(seconds=self.minutes and self.minutes * 60, steps=self.steps)


class TrainOptions(RunOptions):
    """One training of a model."""

    command = "train"
    usual_minutes = 20.0

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    """Name of the model."""
    family: Literal["vae", "gan"] = "vae"
    """Family of generators."""
    height: int = Field(64, ge=32, le=512, multiple_of=32)
    """Pixels."""
    width: int = Field(64, ge=32, le=512, multiple_of=32)
    """Pixels."""
    label: str | None = None
    """Column whose values the prior learns to tell apart."""
    label_is_style: bool = False
    """Whether the label says how pictures look, not what they show: the content is kept from telling it."""
    pairs: str | None = None
    """Column whose equal values show the same thing in several styles; they are learned from as pairs."""
    prior: Literal["best", "flow", "mixture"] = "best"
    """What says which latents are likely."""
    flip: bool = True
    """Whether pictures may be mirrored; not for writing."""
    batch: int = Field(48, ge=2, le=1024)
    """Pictures a step of the painter; a third of it at first (`training.batches`)."""
    latents: int = Field(64, ge=2, le=8192)
    """Latents a step of the prior; a third of it at first."""
    learning_rate: float = Field(1.5e-3, gt=0, le=1)
    """Of the painter."""
    prior_learning_rate: float = Field(1e-3, gt=0, le=1)
    """Of the prior."""
    painter_share: float = Field(0.38, gt=0, lt=1)
    """Share of the minutes or steps that the painter gets at most; what it does not need goes to the others. In minutes
    so few that a flow would not pay (on a slow machine) it has the flow's, too, unless a flow is asked for."""
    shape: PriorConfig = PriorConfig()
    """What shapes the prior; its kind and its number of embeddings follow from the rest."""
    crisp: bool = True
    """Whether a VAE's painter has an adversarial stage at the end; a GAN always does."""
    adversarial_share: float = Field(0.24, gt=0, lt=1)
    """Share of the minutes or steps that the adversarial stage gets."""
    adversarial_batch: int = Field(24, ge=4, le=1024)
    """Pictures a step of the adversarial stage."""
    adversarial_rate: float = Field(3e-4, gt=0, le=1)
    """Learning rate of the painter in the adversarial stage."""
    adversarial: AdversarialWeights = AdversarialWeights()
    """How much each part counts in the adversarial stage."""
    weights: PainterWeights = PainterWeights()
    """How much each term of the painter's loss counts."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where the networks learn."""
    model_watermark: bool = False
    """Whether the model is to mark what it paints, once it is trained."""
    parent: str | None = None
    """Model file that this one starts from."""

    @field_validator("label_is_style")
    @classmethod
    def _styles_are_labels(cls, label_is_style: bool, before: ValidationInfo) -> bool:
        if label_is_style and not before.data.get("label"):
            raise ValueError("no label is learned that could be a style: give --label COLUMN, too")
        return label_is_style

    @field_validator("pairs")
    @classmethod
    def _pairs_need_styles(cls, pairs: str | None, before: ValidationInfo) -> str | None:
        if pairs and not before.data.get("label_is_style"):
            raise ValueError("pairs differ in style alone: give --label and --label-is-style, too")
        return pairs

    @field_validator("prior")
    @classmethod
    def _gan_begins_as_flow(cls, prior: str, before: ValidationInfo) -> str:
        if prior == "mixture" and before.data.get("family") == "gan":
            raise ValueError("a GAN's mapping begins as a flow: leave --prior out")
        return prior


class MergeOptions(TrainOptions):
    """One training of a model by two others."""

    command = "merge"
