"""Stand-ins for the models that ship with limner: untrained, of 32 px."""

from __future__ import annotations

from pathlib import Path

import pytest

from limner.models import bundle
from limner.models.bundle import load_model, save_model
from models_made import made_model

STYLES = ("fluent-flat", "noto", "openmoji")


def ship(folder: Path, monkeypatch: pytest.MonkeyPatch, *names: str) -> Path:
    """Put stand-ins of these names where limner looks for the models that ship with it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        path = folder / f"{name}.safetensors"
        made_model(path, labels=STYLES if name.startswith("emoji") else ())
        if name.endswith("gan"):
            model = load_model(path)
            model.generator.become_mapping()
            card = model.card.model_copy(update={"family": "gan", "config": model.generator.config})
            save_model(path, model.generator, card)
    monkeypatch.setattr(bundle, "SHIPPED", folder)
    return folder
