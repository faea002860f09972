"""An up-scaler that learned nothing, for tests of what it is used for."""

from __future__ import annotations

from pathlib import Path

import torch

from limner.models.card import CollectionNote, TeacherNote, TrainingNote
from limner.models.upscaler import Upscaler, UpscalerCard, UpscalerConfig, save_upscaler
from limner.rights import summary
from limner.rights.clearing import RightsSummary


def made_upscaler_card(
    config: UpscalerConfig, name: str, *, collection: str = "0" * 64, rights: RightsSummary | None = None
) -> UpscalerCard:
    """A card for an up-scaler that learned nothing."""
    return UpscalerCard(
        name=name,
        config=config,
        collection=CollectionNote(name="c", digest=collection, holdout_digest="1" * 64, pictures=9, held_out=2),
        rights=rights or summary([]),
        teacher=TeacherNote(name="none"),
        training=TrainingNote(
            pictures_seen=1, latents_seen=0, minutes=1, steps={}, device="cpu", precision="fp32", threads=1, seed=0
        ),
    )


def made_upscaler(
    path: Path, name: str, *, collection: str = "0" * 64, seed: int = 3, rights: RightsSummary | None = None
) -> Upscaler:
    """Save an up-scaler with random weights and return it."""
    torch.manual_seed(seed)
    network = Upscaler(UpscalerConfig(width=8, blocks=1))
    torch.nn.init.normal_(network.leave.weight, std=0.02)
    torch.nn.init.normal_(network.fine.weight, std=0.1)
    save_upscaler(path, network, made_upscaler_card(network.config, name, collection=collection, rights=rights))
    return network.eval()
