"""A picture in another style: the content stays, the style becomes that of a work or of a label.

A model that has a translator, which learned from pairs (`models.translator`), gives the picture as a whole to it;
otherwise style vectors are swapped.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from limner.errors import ModelError, UsageError, check_range
from limner.latent.pipeline import Pipeline
from limner.models.bundle import SHIPPED
from limner.models.painter import Latent
from limner.models.superseded import check_tool
from limner.models.translator import TranslatorFile, load_translator
from limner.workspace import Workspace

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
    check_range("--strength", strength, 0, 1)
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
    check_range("--strength", strength, 0, 1)
    pipeline.label(label)
    file = None if way == "swap" else known_translator(pipeline, workspace)
    if file is not None:
        if not pipeline.superseded:  # who uses a superseded model for a reason uses its translator, too
            name = f"translator of {pipeline.model.card.name}"
            check_tool(name, file.digest, workspace, "train another, or take --way swap")
        return translate(pipeline, file, latent, label, source, strength), _how(file, pipeline, label, source)
    if way == "translator":
        name = pipeline.model.card.name
        raise UsageError(name, "has no translator", f"train one: limner train-translator {name} COLLECTION --pairs ...")
    return restyle(latent, label_style(pipeline, label), strength), {}


def shipped_translator(digest: str) -> Path:
    """Where the translator of a model that comes with limner lies. # sha256 of the model's file"""
    return SHIPPED / "translators" / f"{digest.removeprefix('sha256:')[:32]}.safetensors"


def translator_file(digest: str, workspace: Workspace) -> Path:
    """Where a workspace keeps the translator of a model; there need not be one yet. # sha256 of the model's file"""
    return workspace.root / "translators" / shipped_translator(digest).name


def known_translator(pipeline: Pipeline, workspace: Workspace) -> TranslatorFile | None:
    """The translator of a model: that of the workspace, or the one that comes with it; None where there is none.

    Raises:
        ModelError: a damaged file, or one of another model.
    """
    digest = pipeline.model.digest
    places = translator_file(digest, workspace), shipped_translator(digest)
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        return None
    file, model = load_translator(path), pipeline.model.card
    if file.card.model != f"sha256:{digest}":
        reason = f"belongs to another model ({file.card.model_name}, {file.card.model[:19]})"
        raise ModelError(path, reason, "remove it, or train one of this model with `limner train-translator`")
    if file.card.config.painter != model.config.painter or file.card.config.labels != model.config.labels:
        raise ModelError(path, "fits neither the shape nor the labels of its model", "remove it, and train it again")
    return file


@torch.inference_mode()
def translate(
    pipeline: Pipeline,
    file: TranslatorFile,
    latent: Latent,
    label: str,
    source: str | None = None,
    strength: float = 1.0,
) -> Latent:
    """Latents of the same things in the style of a label. # rows of any number

    Args:
        source: the label that they are of, if that is known.
        strength: 0 leaves the picture as it is, 1 takes the whole style; between them lies what lies between the two.

    Raises:
        UsageError: the model knows no such label.
    """
    target, count = pipeline.label(label), len(file.card.config.labels)
    assert target is not None
    own = pipeline.label(source)
    whitening = pipeline.model.generator.whitening
    device = whitening.mean.device
    rows = whitening(Latent(*(part.to(device) for part in latent)))
    labels = torch.full((2, len(rows)), target, device=device)
    labels[0] = count if own is None else own
    # Always in full precision: so small a network loses more by rounding than it gains in time.
    with torch.autocast(device.type, enabled=False):
        made = file.network.to(device)(rows, labels[0], labels[1])
    return Latent(*(part.float() for part in whitening.back(torch.lerp(rows, made, strength))))


def _how(file: TranslatorFile, pipeline: Pipeline, label: str, source: str | None) -> dict[str, Any]:
    """What acts and papers say of a translation; `owed` where its pictures ask for more than the model's do."""
    how: dict[str, Any] = {"translator": f"sha256:{file.digest}", "from": source or "unknown", "to": label}
    known, more = pipeline.model.card.rights, file.card.rights
    same = all(known.credits.get(name) == licences for name, licences in more.credits.items())
    if not (same and set(more.licences) <= set(known.licences)):
        how["owed"] = more.model_dump(mode="json")
    return how
