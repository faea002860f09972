"""Large pictures are learned small first: what goes over, and that a run may be killed in between."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from helpers import Silent
from limner.models.bundle import load_model
from limner.models.latent_model import LatentModel, LatentModelConfig
from limner.models.painter import painter_config
from limner.models.prior import PriorConfig
from limner.training.growing import grow, half_config
from limner.training.options import TrainOptions
from limner.training.painter_stage import PainterStage
from limner.training.trainer import Training
from limner.workspace import Workspace
from pictures_made import made_collection

_PRIOR = PriorConfig(channels=16, width=32, layers=1, steps=2, embedding_width=8)


@pytest.mark.parametrize("height", range(32, 513, 32))
@pytest.mark.parametrize("width", (32, 64, 160, 192, 512))
def test_a_half_is_a_size_that_a_painter_has_or_there_is_none(height: int, width: int) -> None:
    whole = painter_config(height, width)
    small = half_config(whole)
    even = height % 64 == width % 64 == 0 and min(height, width) >= 128
    assert (small is not None) is even
    assert small is None or (small.height, small.width) == (height // 2, width // 2)


@pytest.mark.parametrize(("size", "half"), [(32, None), (64, None), (128, 64), (256, 128), (512, 256)])
def test_every_large_size_has_a_half_with_the_same_grid(size: int, half: int | None) -> None:
    whole = painter_config(size, size)
    small = half_config(whole)
    assert (small and small.width) == half
    if small is not None:
        assert small.grid == whole.grid
        assert small.content_channels == whole.content_channels


@pytest.mark.parametrize("size", [128, 512])
def test_what_is_learned_small_goes_over_whole(size: int) -> None:
    torch.manual_seed(1)
    config = painter_config(size, size)
    half = half_config(config)
    assert half is not None
    whole, small = (LatentModel(LatentModelConfig(painter=one, prior=_PRIOR)) for one in (config, half))
    with torch.no_grad():
        for tensor in small.painter.parameters():
            tensor.add_(0.05 * torch.randn_like(tensor))
    grow(whole, small)
    pictures = torch.rand(2, 3, size, size) * 2 - 1
    with torch.no_grad():
        ours, _ = whole.encoder(pictures)
        theirs, _ = small.encoder(F.avg_pool2d(pictures, 2))
        painted, smaller = whole.painter(ours), small.painter(theirs)
    assert torch.allclose(ours.content, theirs.content, atol=1e-5)
    assert torch.allclose(ours.style[:, : half.blocks], theirs.style, atol=1e-5)
    assert torch.allclose(painted, F.interpolate(smaller, scale_factor=2.0, mode="bilinear"), atol=1e-4)
    assert float(painted.std()) > 0.01


@pytest.mark.slow
def test_a_large_training_goes_through_the_small_one(workspace: Workspace, tmp_path: Path) -> None:
    collection = made_collection(workspace, tmp_path / "made", count=30)
    options = TrainOptions.model_validate(
        {
            "name": "m", "height": 128, "width": 128, "steps": 16, "teacher": "none", "precision": "fp32",
            "threads": 1, "batch": 4, "latents": 8, "crisp": False, "shape": _PRIOR,
        }
    )  # fmt: skip
    card = load_model(Training(options, collection, workspace, Silent(), resume=False).run()).card
    assert list(card.training.steps) == ["small-painter", "painter", "prior"]
    assert card.training.pictures_seen == 4 * (card.training.steps["small-painter"] + card.training.steps["painter"])
    sheets = {path.name for path in (workspace.runs / "m" / "sheets").glob("*.png")}
    assert {"reconstructions-small-painter-end.png", "reconstructions-painter-end.png"} <= sheets


def test_a_latent_that_holds_too_little_costs_less() -> None:
    stage = object.__new__(PainterStage)
    stage.weights = TrainOptions(name="m").weights

    class Target:
        weights = stage.weights

    stage._reconstruction = Target()  # type: ignore[assignment]
    low, high = stage.weights.nats / 2, stage.weights.nats * 3
    stage.adapt([{"nats": low}] * 3)
    calmer = stage._reconstruction.weights.kl
    assert calmer < stage.weights.kl / 2
    stage.adapt([{"nats": low}] * 3 + [{"nats": high}])
    assert calmer < stage._reconstruction.weights.kl < stage.weights.kl
    stage.adapt([{"nats": 0.01}] * 20)
    assert stage._reconstruction.weights.kl == pytest.approx(stage.weights.kl / 20)
