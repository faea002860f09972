"""Mixing by block, weight and region: what comes from whom, and what cannot be asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from limner.errors import UsageError
from limner.latent.filming import frames_of
from limner.latent.mixing import Region, mix_blocks, mix_region, mix_weights, parse_blocks, parse_range
from limner.latent.pipeline import Pipeline
from limner.latent.walking import Walk
from limner.machine import Machine
from limner.models.bundle import load_model
from limner.models.painter import Latent
from models_made import made_model


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    made_model(tmp_path / "m.safetensors")
    return Pipeline(load_model(tmp_path / "m.safetensors"), Machine("cpu", "fp32", 1, "", 0.0))


def one(latent: Latent, i: int) -> Latent:
    return Latent(latent.content[i : i + 1], latent.style[i : i + 1])


def test_blocks_are_taken_from_whom_they_are_asked_of(pipeline: Pipeline) -> None:
    latent, blocks = pipeline.sample(2, seed=1), pipeline.model.card.config.painter.blocks
    a, b = one(latent, 0), one(latent, 1)
    mixed = mix_blocks([a, b], parse_blocks(f"0-1:A,2-{blocks}:B", "AB", blocks))
    assert torch.equal(mixed.content, a.content)
    assert torch.equal(mixed.style[:, 0], a.style[:, 0])
    assert torch.equal(mixed.style[:, 1:], b.style[:, 1:])


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ("0-2:A", "missing"),
        ("0-2:A,2-4:B", "twice"),
        ("0-9:A", "no range"),
        ("3-1:A,0:B", "no range"),
        ("0-4:C", "none of them"),
        ("", "no range|none of them"),
    ],
)
def test_impossible_blocks_are_told(told: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        parse_blocks(told, "AB", 4)
    assert parse_range("2", 4) == range(2, 3)


def test_a_whole_weight_is_the_picture_itself_and_a_half_is_no_shorter(pipeline: Pipeline) -> None:
    latent = pipeline.sample(2, seed=1)
    a, b = one(latent, 0), one(latent, 1)
    whole = mix_weights(pipeline, [a, b], [2.0, 0.0])
    assert torch.allclose(whole.content, a.content, atol=1e-4)
    whitening = pipeline.model.generator.whitening
    lengths = [float(whitening(x).norm()) for x in (a, b, mix_weights(pipeline, [a, b], [1, 1]))]
    assert lengths[2] == pytest.approx((lengths[0] + lengths[1]) / 2, rel=1e-3)
    with pytest.raises(UsageError, match="sum to nothing"):
        mix_weights(pipeline, [a, b], [1, -1])
    with pytest.raises(UsageError, match="do not fit"):
        mix_weights(pipeline, [a, b], [1, 1, 1])


@pytest.mark.parametrize("shape", ["rectangle", "ellipse"])
def test_a_region_changes_what_is_inside_alone(shape: str, pipeline: Pipeline) -> None:
    mask = Region.parse(f"{shape}:0,0,0.5,0.5", feather=0.0).mask(32, 32)
    assert float(mask[8, 8]) == 1.0
    assert float(mask[24:, 24:].max()) == 0.0
    latent = pipeline.sample(2, seed=1)
    mixed = mix_region(one(latent, 0), one(latent, 1), mask)
    grid = mixed.content.shape[-1]
    far = mixed.content[..., grid // 2 + 1 :, grid // 2 + 1 :]
    assert torch.equal(far, latent.content[1:, :, grid // 2 + 1 :, grid // 2 + 1 :])
    assert not torch.equal(mixed.content[..., 1, 1], latent.content[1:, :, 1, 1])


@pytest.mark.parametrize("told", ["ellipse:0.5,0,0.2,1", "circle:0,0,1,1", "ellipse:a,b,c,d", "ellipse:0,0,1", "x"])
def test_no_region(told: str) -> None:
    with pytest.raises(UsageError, match="no region"):
        Region.parse(told)


def test_a_walk_begins_and_ends_at_its_stations_in_even_steps(pipeline: Pipeline) -> None:
    latent = pipeline.sample(3, seed=1)
    walk = Walk(pipeline, [one(latent, i) for i in range(3)])
    whole = [part for chunk in walk.latents(40) for part in chunk.content]
    assert len(whole) == 40
    assert torch.allclose(whole[0], latent.content[0], atol=1e-3)
    assert torch.allclose(whole[-1], latent.content[2], atol=1e-3)
    painted = torch.cat([pipeline.paint(chunk) for chunk in walk.latents(40)]).float()
    steps = (painted[1:] - painted[:-1]).flatten(1).norm(dim=1)
    assert float(steps.max() / steps.median()) < 1.6


def test_a_walk_may_be_taken_up_in_the_middle(pipeline: Pipeline) -> None:
    latent = pipeline.sample(2, seed=1)
    walk = Walk(pipeline, [one(latent, 0), one(latent, 1)], loop=True)
    whole = torch.cat([chunk.content for chunk in walk.latents(100)])
    assert torch.equal(torch.cat([chunk.content for chunk in walk.latents(100, 64)]), whole[64:])
    assert torch.allclose(whole[0], whole[-1], atol=1e-3)


def test_frames_of_a_killed_walk_are_not_painted_again(pipeline: Pipeline, tmp_path: Path) -> None:
    latent = pipeline.sample(2, seed=1)
    walk = Walk(pipeline, [one(latent, 0), one(latent, 1)])
    painted: list[int] = []

    def told(done: int, total: int) -> None:
        painted.append(len(list((tmp_path / "frames").glob("*.npy"))))

    whole = list(frames_of(walk, pipeline, 150, tmp_path / "whole", "a", lambda done, total: None))
    begun = frames_of(walk, pipeline, 150, tmp_path / "frames", "a", told)
    next(begun)
    del begun
    first = (tmp_path / "frames" / "000000.npy").stat().st_mtime_ns
    again = list(frames_of(walk, pipeline, 150, tmp_path / "frames", "a", told))
    assert (tmp_path / "frames" / "000000.npy").stat().st_mtime_ns == first
    assert painted == [1, 1, 2, 3]
    assert len(again) == 150
    assert all((a == b).all() for a, b in zip(again, whole, strict=True))
    next(frames_of(walk, pipeline, 150, tmp_path / "frames", "another", told))
    assert painted[-1] == 1
