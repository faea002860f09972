"""A watermarked model marks whatever it paints, and says so."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from limner.errors import ModelError
from limner.ledger import Ledger
from limner.models.bundle import load_model, read_card
from limner.papers.watermark.marking import read_mark, read_model_watermark
from limner.papers.watermark.model_watermark import add_model_watermark
from limner.workspace import Workspace
from models_made import made_model


def jpeg(pixels: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    with Image.open(buffer) as image:
        return np.asarray(image)


def untrained(workspace: Workspace, size: int) -> Path:
    path = workspace.make(workspace.models) / f"untrained-{size}.safetensors"
    made_model(path, labels=(), size=size)
    return path


def painted(path: Path) -> NDArray[np.uint8]:
    generator = load_model(path).generator.eval()
    with torch.inference_mode():
        return generator.paint(generator.sample(4, seed=3)).permute(0, 2, 3, 1).contiguous().numpy()


def test_whatever_a_marked_model_paints_names_it(workspace: Workspace) -> None:
    plain = untrained(workspace, 128)
    ledger = Ledger.open(workspace.ledger)
    marked = workspace.models / "marked.safetensors"
    digest, mark = add_model_watermark(plain, marked, "marked", ledger)
    card = read_card(marked)
    assert (load_model(marked).digest, card.model_watermark) == (digest, mark)
    assert load_model(plain).digest in card.parents
    before, after = painted(plain), painted(marked)
    change = (after.astype(float) - before) ** 2
    assert 10 * np.log10(255**2 / change.mean()) > 42
    for picture in after:
        for shown in (picture, jpeg(picture, 80)):
            assert read_model_watermark(shown).message == int(mark, 16)
        assert read_mark(picture).message is None
    assert all(read_model_watermark(picture).message is None for picture in before)
    assert "watermark" in [act.what for act in ledger.acts()]


def test_a_print_of_what_it_painted_still_names_it(workspace: Workspace) -> None:
    plain = untrained(workspace, 128)
    marked = workspace.models / "marked.safetensors"
    _, mark = add_model_watermark(plain, marked, "marked", Ledger.open(workspace.ledger))
    picture = Image.fromarray(painted(marked)[0]).resize((1024, 1024), Image.Resampling.LANCZOS)
    assert read_model_watermark(np.asarray(picture)).message == int(mark, 16)


def test_small_and_marked_models_are_refused(workspace: Workspace) -> None:
    ledger = Ledger.open(workspace.ledger)
    small = untrained(workspace, 64)
    with pytest.raises(ModelError, match="too small for a mark"):
        add_model_watermark(small, workspace.models / "x.safetensors", "x", ledger)
    large = untrained(workspace, 128)
    marked = workspace.models / "marked.safetensors"
    add_model_watermark(large, marked, "marked", ledger)
    with pytest.raises(ModelError, match="already"):
        add_model_watermark(marked, workspace.models / "x.safetensors", "x", ledger)
    assert not (workspace.models / "x.safetensors").exists()
