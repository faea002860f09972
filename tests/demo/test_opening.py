from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from limner import pictures
from limner.demo import wording
from limner.demo.opening import SEED, columns, paint_opening
from limner.demo.planning import Opener
from limner.latent.pipeline import Pipeline
from limner.machine import Machine
from limner.models.bundle import load_model
from limner.workspace import Workspace
from shipped_made import STYLES, ship

_MACHINE = Machine("cpu", "fp32", 1, "", 0.0)


def test_every_style_is_seen_in_rows_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = ship(tmp_path / "shipped", monkeypatch, "emoji-gan") / "emoji-gan.safetensors"
    told: list[tuple[int, int]] = []
    opened = paint_opening(
        Opener(path, True), tmp_path / "opening", _MACHINE, Workspace(tmp_path / "home"), lambda *one: told.append(one)
    )
    assert [label for label, _ in opened.blocks] == list(STYLES)
    each = 2 * columns(32, by_label=True)
    assert {len(painted) for _, painted in opened.blocks} == {each} and opened.count == 3 * each
    assert told == [(done, 3 * each) for done in range(1, 3 * each + 1)]

    whole = pictures.read(opened.sheet).pixels
    assert opened.sheet == tmp_path / "opening" / "emoji-gan.png"
    assert whole.shape == (6 * 34 + 2, each // 2 * 34 + 2, 3)
    # The first picture of the second style opens the third row, and is what anybody paints with this seed and label.
    (asked,) = Pipeline(load_model(path), _MACHINE).samples(1, seed=SEED, label="noto")
    assert np.array_equal(whole[2 * 34 + 2 : 3 * 34, 2:34], asked.pixels)


def test_where_labels_do_not_matter_all_pictures_are_one_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = ship(tmp_path / "shipped", monkeypatch, "landscapes") / "landscapes.safetensors"
    opened = paint_opening(
        Opener(path), tmp_path / "opening", _MACHINE, Workspace(tmp_path / "home"), lambda done, total: None
    )
    assert [label for label, _ in opened.blocks] == [""]
    assert opened.digest == load_model(path).digest


def test_pictures_fill_the_page() -> None:
    for width in (32, 64, 128, 256, 512):
        tile = width * max(1, 128 // width)
        assert columns(width) * tile <= 1066 < (columns(width) + 1) * (tile + 2)
    assert columns(64, by_label=True) == 16


def test_a_caption_says_what_the_card_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = ship(tmp_path / "shipped", monkeypatch, "landscapes") / "landscapes.safetensors"
    card = load_model(path).card
    assert wording.learned_from(card) == (
        "A VAE of 32 × 32 pixels. It learned from 9 pictures of the collection c for 1 minute."
    )
    settings = {"parent": "/home/ada/models/landscapes.safetensors"}
    note = card.training.model_copy(update={"settings": settings, "minutes": 40.04})
    later = card.model_copy(update={"parents": ("ab" * 32,), "training": note})
    told = wording.learned_from(later)
    assert "for 40 minutes, going on from landscapes, whose own learning is not counted" in told
    assert "/home/ada" not in told
