"""An untrained translator's file for tests of what uses one."""

from __future__ import annotations

from pathlib import Path

import torch

from limner.models.bundle import Model
from limner.models.card import CollectionNote, TeacherNote, TrainingNote
from limner.models.translator import Translator, TranslatorCard, TranslatorConfig, save_translator
from limner.rights import RightsSummary, summary


def made_translator(path: Path, model: Model, rights: RightsSummary | None = None) -> str:
    """Save a translator that learned nothing and changes pictures all the same; its digest."""
    torch.manual_seed(0)
    config = TranslatorConfig(
        painter=model.card.config.painter, labels=model.card.config.labels, channels=16, width=40, layers=1
    )
    network = Translator(config)
    torch.nn.init.normal_(network.leave.weight, std=0.3)
    card = TranslatorCard(
        model=f"sha256:{model.digest}",
        model_name=model.card.name,
        config=config,
        pairs="thing",
        label="hour",
        collection=CollectionNote(name="c", digest="0" * 64, holdout_digest="1" * 64, pictures=9, held_out=2),
        rights=rights or summary([]),
        teacher=TeacherNote(name="none"),
        training=TrainingNote(
            pictures_seen=0, latents_seen=1, minutes=1, steps={}, device="cpu", precision="fp32", threads=1, seed=0
        ),
    )
    return save_translator(path, network, card)
