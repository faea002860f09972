"""An untrained model file for tests of what comes after training."""

from __future__ import annotations

from pathlib import Path

import torch

from limner.models.bundle import save_model
from limner.models.card import Card, CollectionNote, TeacherNote, TrainingNote
from limner.models.latent_model import LatentModel, LatentModelConfig
from limner.models.painter import painter_config
from limner.models.prior import PriorConfig
from limner.rights import summary

STRAIGHT = {"path": "straight", "start": 0.0, "steps": 6, "shift": 0.3, "jump": 0.3}
"""A prior that draws along straight lines, as that of the emoji which ship."""


def made_card(model: LatentModel, name: str = "m") -> Card:
    """A card for a model that learned nothing."""
    nothing = {"value": 0.0, "low": 0.0, "high": 0.0, "count": 0}
    return Card(
        name=name,
        config=model.config,
        collection=CollectionNote(name="c", digest="0" * 64, holdout_digest="1" * 64, pictures=9, held_out=2),
        rights=summary([]),
        credit="Pictures by Ada Example (CC-BY-4.0)",
        teacher=TeacherNote(name="none"),
        training=TrainingNote(
            pictures_seen=1, latents_seen=1, minutes=1, steps={}, device="cpu", precision="fp32", threads=1, seed=0
        ),
        quality={"psnr": nothing, "kid": nothing},
    )


def made_model(path: Path, *, labels: tuple[str, ...] = ("a", "b"), seed: int = 3, size: int = 32) -> LatentModel:
    """Save an untrained model and return it, with weights that bfloat16 holds exactly."""
    torch.manual_seed(seed)
    prior = PriorConfig(steps=2, layers=1, channels=16, width=32)
    model = LatentModel(LatentModelConfig(painter=painter_config(size, size), prior=prior, labels=labels)).eval()
    kept = {n: t.bfloat16().float() if t.is_floating_point() else t for n, t in model.state_dict().items()}
    model.load_state_dict(kept)
    save_model(path, model, made_card(model, path.stem))
    return model
