"""Pictures in the style of another label by a translator, which learned from pairs (`models.translator`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from limner.errors import ModelError
from limner.latent.pipeline import Pipeline
from limner.models.bundle import SHIPPED
from limner.models.painter import Latent
from limner.models.translator import TranslatorFile, load_translator
from limner.workspace import Workspace

__all__ = ["known_translator", "shipped_translator", "translate", "translator_file", "translator_told"]


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
        told = f"belongs to another model ({file.card.model_name}, {file.card.model[:19]})"
        raise ModelError(path, told, "remove it, or train one of this model with `limner train-translator`")
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
    rows = whitening(Latent(latent.content.to(device), latent.style.to(device)))
    told = torch.full((2, len(rows)), target, device=device)
    told[0] = count if own is None else own
    # Always in full precision: so small a network loses more by rounding than it gains in time.
    with torch.autocast(device.type, enabled=False):
        made = file.network.to(device)(rows, told[0], told[1])
    found: Latent = whitening.back(torch.lerp(rows, made, strength))
    return Latent(found.content.float(), found.style.float())


def translator_told(file: TranslatorFile, pipeline: Pipeline, label: str, source: str | None) -> dict[str, Any]:
    """What papers and ledger say of a translation; `owed` where its pictures ask for more than the model's do."""
    told: dict[str, Any] = {"translator": f"sha256:{file.digest}", "from": source or "unknown", "to": label}
    known, more = pipeline.model.card.rights, file.card.rights
    same = all(known.credits.get(name) == licences for name, licences in more.credits.items())
    if not (same and set(more.licences) <= set(known.licences)):
        told["owed"] = more.model_dump(mode="json")
    return told
