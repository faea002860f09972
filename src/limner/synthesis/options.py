"""What a finish is told: one dial for the artist, everything else derived and overridable."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["FinishOptions", "Plan", "plan_for"]


class FinishOptions(BaseModel):
    """How a composition is finished; frozen, kept in the acts of works."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int | None = Field(None, ge=32, le=2048)
    """Shorter side of the finished picture, px; that of the exemplars, 512 at most, where nothing is said."""
    borrow: float = Field(0.5, ge=0, le=1)
    """From small patches widely mixed (0) to large pieces (1)."""
    seed: int = Field(0, ge=0, le=2**31 - 1)
    """Of the random steps of the search."""
    exemplars: int = Field(24, ge=1, le=64)
    """How many pictures give patches to one work, at most."""
    leave_out: tuple[str, ...] = ()
    """Digests of pictures that give none."""


class Plan(BaseModel):
    """Everything that shapes a finish, derived from the options and from what kind of pictures the exemplars are."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: int
    """Shorter side at which the composition is taken, px."""
    kept: int
    """Shorter side up to which the composition goes on to be felt, px."""
    blend: float
    """How much of it is felt there, 0 to 1."""
    growth: float
    """By how much each level is larger than the one before."""
    coherence: float
    """How much dearer it is not to go on from a neighbour, as a share."""
    tone: float
    """How many levels of 255 a patch may be made lighter or darker in a channel, to fit its place."""
    detail: float
    """Weight of the guidance that says how much goes on in a place."""
    crowding: float
    """Price of using a patch again, in median costs."""
    reach: tuple[float, float]
    """How far from its own place a patch may come, down and across, as shares of the picture."""
    sharpness: float
    """Cost at which the weight of a patch in the vote has fallen to 1/e, in median costs."""
    piece: float
    """Largest connected piece that may come from one picture as it stands there, as a share of the area that counts."""
    share: float
    """Largest share of the area that counts which one picture may give."""
    flat_counts: bool
    """Whether flat areas count in both."""


def plan_for(options: FinishOptions, *, graphic: bool) -> Plan:
    """The plan for drawings with flat colours (`graphic`), or for everything that is painted or photographed."""
    borrow = options.borrow
    bound = 0.03 * 10 ** (2 * borrow - 1) if borrow <= 0.5 else 0.03 * 16 ** (2 * borrow - 1)
    if graphic:
        return Plan(
            start=20,
            kept=40,
            blend=0.5,
            growth=1.4,
            coherence=0.6 * borrow,
            tone=0.0,
            detail=0.0,
            crowding=0.0,
            reach=(0.15, 0.15),
            sharpness=0.2,
            piece=min(1.0, bound / 0.03 * 0.1),
            share=1 / 3 if borrow <= 0.5 else 1 / 3 + (borrow - 0.5) * 4 / 3,
            flat_counts=False,
        )
    return Plan(
        start=24,
        kept=64,
        blend=0.5,
        growth=1.45,
        coherence=0.6 * borrow,
        tone=20.0,
        detail=20.0,
        crowding=0.5,
        reach=(0.25, 1.0),
        sharpness=0.25,
        piece=min(1.0, bound),
        share=1 / 3 if borrow <= 0.5 else 1 / 3 + (borrow - 0.5) * 4 / 3,
        flat_counts=True,
    )
