"""A picture in another style: the content stays, the style becomes that of a work or of a label."""

from __future__ import annotations

import torch

from limner.errors import UsageError
from limner.latent.painting import Brush
from limner.models.painter import Latent

__all__ = ["label_style", "restyle"]

_DRAWN = 256
_SEED = 2_000_003


def label_style(brush: Brush, label: str) -> Latent:
    """The style that pictures of a label have in common: the mean of 256 that the model draws. # rows of one

    The content is the mean too, and of little use.

    Raises:
        UsageError: the model knows no such label.
    """
    drawn = brush.sample(_DRAWN, seed=_SEED, label=label)
    return Latent(drawn.content.mean(0, keepdim=True), drawn.style.mean(0, keepdim=True))


def restyle(latent: Latent, style: Latent, strength: float = 1.0) -> Latent:
    """Latents with another style. # rows of any number; style: one row

    Args:
        strength: 0 leaves the picture as it is, 1 takes the whole style.

    Raises:
        UsageError: the strength is out of range.
    """
    if not 0 <= strength <= 1:
        raise UsageError(f"--strength {strength:g}", "is out of range", "give 0 to 1")
    return Latent(latent.content, torch.lerp(latent.style, style.style.expand_as(latent.style), strength))
