"""A picture in another style: the content stays, the style becomes that of a work or of a label.

A model that has a translator (`translating`) gives the picture as a whole to it; otherwise style vectors are swapped.
"""

from __future__ import annotations

from typing import Any

import torch

from limner.errors import UsageError
from limner.latent.pipeline import Pipeline
from limner.latent.translating import known_translator, translate, translator_told
from limner.models.painter import Latent
from limner.workspace import Workspace

__all__ = ["WAYS", "label_style", "restyle", "to_label"]

_DRAWN = 256
_SEED = 2_000_003
WAYS = ("translator", "swap")
"""How a latent gets the style of a label."""


def label_style(pipeline: Pipeline, label: str) -> Latent:
    """The style that pictures of a label have in common: the mean of 256 that the model draws. # rows of one

    The content is the mean too, and of little use.

    Raises:
        UsageError: the model knows no such label.
    """
    drawn = pipeline.sample(_DRAWN, seed=_SEED, label=label)
    return Latent(drawn.content.mean(0, keepdim=True), drawn.style.mean(0, keepdim=True))


def restyle(latent: Latent, style: Latent, strength: float = 1.0) -> Latent:
    """Latents with another style. # rows of any number; style: one row

    Args:
        strength: 0 leaves the picture as it is, 1 takes the whole style.

    Raises:
        UsageError: the strength is out of range.
    """
    _check(strength)
    return Latent(latent.content, torch.lerp(latent.style, style.style.expand_as(latent.style), strength))


def to_label(
    pipeline: Pipeline,
    workspace: Workspace,
    latent: Latent,
    label: str,
    *,
    source: str | None = None,
    strength: float = 1.0,
    way: str | None = None,
) -> tuple[Latent, dict[str, Any]]:
    """Latents in the style of a label, and what papers and ledger say of the way there. # rows of any number

    Args:
        source: the label that they are of, if that is known.
        way: one of `WAYS`; None for the translator where the model has one.

    Raises:
        UsageError: no such label or way, no translator, or the strength is out of range.
        ModelError: the translator's file is damaged.
    """
    if way not in (None, *WAYS):
        raise UsageError(f"--way {way}", "is no way to a style", f"give {' or '.join(WAYS)}")
    _check(strength)
    pipeline.label(label)
    file = None if way == "swap" else known_translator(pipeline, workspace)
    if file is not None:
        return translate(pipeline, file, latent, label, source, strength), translator_told(
            file, pipeline, label, source
        )
    if way == "translator":
        name = pipeline.model.card.name
        raise UsageError(name, "has no translator", f"train one: limner train-translator {name} COLLECTION --pairs ...")
    return restyle(latent, label_style(pipeline, label), strength), {}


def _check(strength: float) -> None:
    if not 0 <= strength <= 1:
        raise UsageError(f"--strength {strength:g}", "is out of range", "give 0 to 1")
