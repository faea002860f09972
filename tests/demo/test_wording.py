"""What a page says in words."""

from __future__ import annotations

from pathlib import Path

from limner.demo import wording
from models_made import made_card, made_model


def test_a_sheet_says_that_its_pictures_were_finished_where_they_were(tmp_path: Path) -> None:
    card = made_card(made_model(tmp_path / "m.safetensors"))
    assert wording.size(card, 32, 32) == ""
    assert wording.size(card, 128, 192) == "Finished at 192 × 128 pixels from patches of what it learned from."
