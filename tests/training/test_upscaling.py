"""Learning to enlarge: losses lead to the true picture, crops fit, the discriminator takes part, the card says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from helpers import Silent
from limner.collection import Collection, import_collection
from limner.collection.cache import open_cache
from limner.machine import Machine
from limner.models.bundle import load_model, save_model
from limner.models.discriminators import PixelDiscriminator
from limner.models.latent_model import LatentModel, LatentModelConfig, to_unit
from limner.models.painter import painter_config
from limner.models.prior import PriorConfig
from limner.models.upscaler import Upscaler, UpscalerConfig
from limner.training.crops import Crops, painted_pictures
from limner.training.upscaling import UpscalerOptions, UpscalingObjective, train_upscaler
from limner.workspace import Workspace
from models_made import made_card
from pictures_made import made_picture

MACHINE = Machine("cpu", "fp32", 1, "", 0.0)


@pytest.fixture
def collection(workspace: Workspace, tmp_path: Path) -> Collection:
    """Sharp-edged discs: what plain enlargement blurs and a network learns at once."""
    folder = tmp_path / "discs"
    folder.mkdir()
    down, across = np.mgrid[:160, :176]
    for number in range(16):
        rng = np.random.default_rng(number)
        picture = np.broadcast_to(rng.integers(0, 255, 3), (160, 176, 3)).astype(np.uint8).copy()
        for _ in range(25):
            y, x, radius = rng.uniform(0, 160), rng.uniform(0, 176), rng.uniform(4, 16)
            picture[(down - y) ** 2 + (across - x) ** 2 < radius**2] = rng.integers(0, 255, 3)
        Image.fromarray(picture).save(folder / f"{number}.png")
    (folder / "pictures.csv").write_text(
        "file,creator,licence\n" + "".join(f"{number}.png,Ada,CC0-1.0\n" for number in range(16))
    )
    import_collection(folder, "discs", workspace, processes=1)
    return Collection.open("discs", workspace)


def _options(**told: object) -> UpscalerOptions:
    plain = {"name": "u", "teacher": "none", "precision": "fp32", "threads": 1, "batch": 8}
    return UpscalerOptions.model_validate({**plain, "shape": UpscalerConfig(width=24, blocks=1), **told})


@pytest.mark.parametrize("late", [False, True])
def test_losses_lead_to_the_true_picture(late: bool) -> None:
    """What a few seconds can show: the true pictures are smoother than bicubic ones, and that is found out."""
    torch.manual_seed(0)
    network = Upscaler(UpscalerConfig(width=16, blocks=1))
    objective = UpscalingObjective(network, PixelDiscriminator((8, 8)), None, _options())
    small = to_unit(torch.from_numpy(np.stack([made_picture(number, 40) for number in range(4)])).permute(0, 3, 1, 2))
    large = torch.nn.functional.interpolate(small, scale_factor=2.0, mode="bicubic")
    large = torch.nn.functional.avg_pool2d(large, 5, 1, 2, count_include_pad=False)
    optimiser = torch.optim.Adam(objective.parameters(), 4e-3)
    seen = []
    for _ in range(40):
        losses = objective({"small": small, "large": large, "late": torch.tensor(late)})
        optimiser.zero_grad()
        losses["loss"].backward()
        optimiser.step()
        seen.append(float(losses["l1"]))
    assert set(losses) == {"loss", "l1", "discriminator", "fooled"} if late else {"loss", "l1"}
    assert seen[-1] < 0.7 * seen[0]


def test_a_short_training_gives_a_card(collection: Collection, workspace: Workspace) -> None:
    network, card = train_upscaler(collection, _options(steps=2), workspace, Silent())
    assert card.config == network.config
    assert card.collection.digest == collection.digest
    assert card.training.steps == {"upscaler": 2}
    assert card.rights.licences == {"CC0-1.0": card.collection.pictures}
    # Two steps change little: what is measured is about what bicubic gives.
    for name in ("x2", "x4"):
        assert 20 < card.quality[name]["psnr"]["value"] < card.quality[name]["lanczos_psnr"]["value"] + 1


def test_the_same_steps_with_a_discriminator_give_the_same(collection: Collection, workspace: Workspace) -> None:
    seen: list[set[str]] = []

    class Listening(Silent):
        def tick(self, share: float, seconds_left: float, rate: float, losses: dict[str, float]) -> None:
            seen.append(set(losses))

    one, two = (
        train_upscaler(collection, _options(steps=6, l1_share=0.0), workspace, Listening())[0] for _ in range(2)
    )
    assert seen[0] == {"loss", "gradient", "l1", "discriminator", "fooled"}
    for a, b in zip(one.parameters(), two.parameters(), strict=True):
        assert torch.equal(a, b)


def test_crops_fit_their_small_ones(collection: Collection, workspace: Workspace) -> None:
    cache = open_cache(collection, collection.rows(split="train"), 1024, workspace)
    small, large = Crops(cache, [], 0).batch(0, 8, Upscaler(UpscalerConfig(width=8, blocks=1)), MACHINE)
    assert small.shape == (8, 3, 40, 40)
    assert large.shape == (8, 3, 80, 80)
    # The same place of the same picture: shifted by one small pixel they fit worse.
    halved = torch.nn.functional.avg_pool2d(large, 2)
    assert (halved - small).abs().mean() < 0.6 * (halved - small.roll(1, 3)).abs().mean()


def test_a_painter_s_pictures_take_part(workspace: Workspace, collection: Collection, tmp_path: Path) -> None:
    from limner.collection.cache import open_cache

    torch.manual_seed(1)
    prior = PriorConfig(steps=2, layers=1, channels=16, width=32)
    model = LatentModel(LatentModelConfig(painter=painter_config(64, 64), prior=prior)).eval()
    save_model(tmp_path / "m.safetensors", model, made_card(model))
    cache = open_cache(collection, collection.rows(split="train"), 1024, workspace)
    painted = painted_pictures(load_model(tmp_path / "m.safetensors"), cache, MACHINE, 0)
    assert len(painted) == len(cache)
    assert painted[0].small.shape == (64, 64, 3)
    assert painted[0].twice.shape == (128, 128, 3)
    # 160 px are not four times 64.
    assert painted[0].four is None
    small, large = Crops(cache, painted, 0).batch(0, 8, Upscaler(UpscalerConfig(width=8, blocks=1)), MACHINE)
    assert torch.isfinite(small).all()
    assert torch.isfinite(large).all()
