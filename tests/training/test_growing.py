"""Large pictures are learned small first: what goes over, and that a run may be killed in between."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from limner.models.bundle import load_model
from limner.models.painter import painter_config
from limner.models.prior import PriorConfig
from limner.models.vae import VAE, VAEConfig
from limner.training.growing import grow, half_config
from limner.training.options import TrainOptions
from limner.training.stages import PainterStage
from limner.training.trainer import Training
from limner.workspace import Workspace
from pictures_made import made_collection

_PRIOR = PriorConfig(channels=16, width=32, layers=1, steps=2, place=8)


class Silent:
    def note(self, text: str) -> None: ...
    def stage(self, title: str) -> None: ...
    def tick(self, share: float, seconds_left: float, rate: float, losses: dict[str, float]) -> None: ...


@pytest.mark.parametrize(("size", "half"), [(32, None), (64, None), (128, 64), (256, 128), (512, 256)])
def test_every_large_size_has_a_half_with_the_same_grid(size: int, half: int | None) -> None:
    whole = painter_config(size, size)
    small = half_config(whole)
    assert (small and small.width) == half
    if small is not None:
        assert small.grid == whole.grid
        assert small.content_channels == whole.content_channels


def test_all_but_the_finest_level_goes_over() -> None:
    torch.manual_seed(1)
    config = painter_config(128, 128)
    half = half_config(config)
    assert half is not None
    whole, small = (VAE(VAEConfig(painter=one, prior=_PRIOR)) for one in (config, half))
    before = {name: tensor.clone() for name, tensor in whole.state_dict().items()}
    grow(whole, small)
    after, theirs = whole.state_dict(), small.state_dict()
    changed = {name for name in after if not torch.equal(after[name], before[name])}
    assert torch.equal(after["painter.blocks.4.first.weight"], theirs["painter.blocks.4.first.weight"])
    assert torch.equal(after["encoder.falls.1.weight"], theirs["encoder.falls.0.weight"])
    assert torch.equal(after["encoder.content.weight"], theirs["encoder.content.weight"])
    numbers = half.blocks * half.style_width
    mean, log = after["encoder.style.2.weight"].chunk(2)
    assert torch.equal(mean[:numbers], theirs["encoder.style.2.weight"][:numbers])
    assert torch.equal(log[:numbers], theirs["encoder.style.2.weight"][numbers:])
    fine = {"painter.leave.weight", "painter.rises.2.weight", "painter.blocks.5.first.weight", "encoder.enter.weight"}
    assert not changed & (fine | {"encoder.falls.0.weight", "prior.leave.weight"})
    # What the coarse levels of both make of one content is the same: maps before the finest level.
    content, style = torch.randn(2, half.content_channels, *half.grid), torch.randn(2, half.blocks, half.style_width)
    maps = []
    for model in (whole, small):
        x = model.painter.enter(content)
        for i in range(3):
            x = model.painter.blocks[i](x, style[:, i])
        maps.append(x)
    assert torch.equal(*maps)


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
