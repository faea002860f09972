"""A model watermark: the painter itself paints it, so no step of publishing can leave it out.

The weights gain a pattern that the painter adds to whatever it paints. Whoever edits the weights can remove it; a model
trained on from this one inherits it. The aim is that of Stable Signature (Fernandez et al. 2023), without training.
"""

from __future__ import annotations

import datetime as dt
from hashlib import sha256
from pathlib import Path

import torch
import torch.nn.functional as F

from limner.errors import ModelError
from limner.ledger import Ledger
from limner.models.bundle import load_model, save_model
from limner.models.latent_model import LatentModel
from limner.models.painter import WATERMARK_TILE
from limner.papers.watermark import MODEL_KEY, Layout
from limner.papers.watermark.layout import SPREAD, TILE

_STRENGTH = 2.0
"""Deviation of the pattern, grey levels of brightness: 43.3 dB."""
SMALLEST = 128
"""Shorter side, in pixels, of the smallest pictures that a watermarked model paints."""
assert WATERMARK_TILE == TILE


def add_model_watermark(
    path: Path, to: Path, name: str, ledger: Ledger, *, strength: float = _STRENGTH
) -> tuple[str, str]:
    """Write a model that paints as the one at `path` does, with a watermark of its own in every picture.

    Args:
        to: where the new file goes.
        name: of the new model.
        ledger: where it is recorded.
        strength: deviation of the pattern in grey levels.

    Returns:
        sha256 of the new file; the number that `MODEL_KEY` reads from what it paints, 12 hexadecimal digits. They are
        the first of a sha256 over the sha256 of the model at `path`.

    Raises:
        ModelError: the model cannot be read, paints too small, or has a mark already.
    """
    model = load_model(path)
    card, painter = model.card, model.card.config.painter
    if min(painter.height, painter.width) < SMALLEST:
        size = f"{painter.width}x{painter.height}"
        raise ModelError(card.name, f"paints {size}, too small for a mark ({SMALLEST} at least)", "train it larger")
    if painter.watermarked:
        raise ModelError(card.name, f"has a model watermark already ({card.model_watermark})", "use it as it is")
    config = card.config.model_copy(update={"painter": painter.model_copy(update={"watermarked": True})})
    mark = sha256(f"limner rooted mark 1\n{model.digest}\n".encode()).hexdigest()[:12]
    marked = LatentModel(config)
    marked.load_state_dict({**model.generator.state_dict(), "painter.watermark": _pattern(int(mark, 16), strength)})
    changed = {
        "name": name, "config": config, "model_watermark": mark, "parents": (*card.parents, model.digest),
        "created": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
    }  # fmt: skip
    digest = save_model(to, marked, card.model_copy(update=changed))
    inputs, outputs = [f"sha256:{model.digest}"], [f"sha256:{digest}"]
    parameters = {"mark": mark, "strength": strength}
    ledger.record("algorithm", "watermark", inputs=inputs, outputs=outputs, parameters=parameters)
    return digest, mark


def _pattern(mark: int, strength: float) -> torch.Tensor:
    """What the painter's last level adds. # -> [12, 32, 32], pictures in -1..1"""
    layout = Layout(MODEL_KEY)
    tile = torch.from_numpy(layout.tile(layout.modulated(mark))) * (strength / 127.5)
    return F.pixel_unshuffle(tile * torch.from_numpy(SPREAD)[:, None, None], 2)
