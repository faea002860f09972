"""The options of a finish: one dial for the artist, everything else derived and overridable."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class FinishOptions(BaseModel):
    """How a composition is finished; frozen, kept in the acts of works."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int | None = Field(None, ge=32, le=2048)
    """Shorter side of the finished picture, px; that of the exemplars, 512 at most, where nothing is said."""
    borrow: float = Field(0.5, ge=0, le=1)
    """From small patches widely mixed (0) to large pieces (1)."""
    composition: int | None = Field(None, ge=8, le=64)
    """Shorter side at which the composition is taken, px: more keeps more of it, less lets the exemplars say more."""
    faithful: bool = False
    """Whether a composition is kept as it is seen, tones and all: for pictures that are restyled."""
    seed: int = Field(0, ge=0, le=2**31 - 1)
    """Of the random steps of the search."""
    exemplars: int | None = Field(None, ge=1, le=64)
    """How many pictures give patches to one work, at most; 8, or 24 of drawings, where nothing is said."""
    leave_out: tuple[str, ...] = ()
    """Digests of pictures that give none."""


class Plan(BaseModel):
    """Everything that shapes a finish, derived from the options and from what kind of pictures the exemplars are.

    The defaults are those of everything that is painted or photographed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    exemplars: int
    """How many pictures give patches, at most."""
    start: int
    """Shorter side at which the composition is taken, px."""
    growth: float = 1.45
    """By how much each level is larger than the one before."""
    coherence: float
    """How much dearer it is not to go on from a neighbour, as a share."""
    reach: tuple[float, float] = (0.25, 1.0)
    """How far from its own place a patch may come, down and across, as shares of the picture."""
    sharpness: float = 0.25
    """Cost at which the weight of a patch in the vote has fallen to 1/e, in median costs."""
    tone_shift: float
    """Share of a difference in mean colour that a patch is shifted by, free of cost: strokes suit many tones."""
    fade: float = 0.12
    """Distance over which tones fade from piece to piece, as a share of the shorter side; 0 lets them be."""
    tone: float
    """Share of the difference in broad tones between composition and finished picture that is made good at the end."""
    piece: float
    """Largest connected piece that may come from one picture as it stands there, as a share of the area that counts."""
    share: float
    """Largest share of the area that counts which one picture may give."""
    flat_counts: bool = True
    """Whether flat areas count in both."""


_USUAL = 0.5
_PIECE, _PIECE_OF_THINGS, _PIECE_OF_DRAWING, _SHARE = 0.03, 0.1, 0.1, 1 / 3


def plan_for(options: FinishOptions, *, graphic: bool, alike: bool = False) -> Plan:
    """The plan for drawings with flat colours (`graphic`), or for everything that is painted or photographed.

    Args:
        alike: whether the exemplars show the same kind of thing over and over, such as garments on a floor: larger
            pieces then say less about any one of them, and smaller ones tear things.
    """
    borrow = options.borrow
    # A tenth of the usual bound at 0, ten times at 1.
    times = 10 ** (2 * (borrow - _USUAL))
    share = _SHARE if borrow <= _USUAL else _SHARE + (borrow - _USUAL) / (1 - _USUAL) * (1 - _SHARE)
    if graphic:
        return Plan(
            exemplars=options.exemplars or 24,
            start=options.composition or (32 if options.faithful else 16),
            growth=1.4,
            coherence=0.0,
            reach=(0.15, 0.15),
            sharpness=0.2,
            tone_shift=0.0,
            fade=0.0,
            tone=0.0,
            piece=min(1.0, _PIECE_OF_DRAWING * times),
            share=share,
            flat_counts=False,
        )
    return Plan(
        exemplars=options.exemplars or (32 if options.faithful else 8),
        start=options.composition or (48 if options.faithful else 20 if alike else 14),
        coherence=(0.5 if options.faithful else 2.4 if alike else 1.6) * borrow,
        tone_shift=0.9 if options.faithful else 0.5,
        tone=0.8 if options.faithful else 0.5,
        piece=min(1.0, (_PIECE_OF_THINGS if alike else _PIECE) * times),
        share=share,
    )
