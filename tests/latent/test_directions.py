"""Directions: what they do, which file keeps them, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from limner.errors import UsageError
from limner.latent.attributes import ATTRIBUTES, measure_attributes
from limner.latent.directions import Direction, Directions, shipped_directions
from limner.latent.finding import find_directions
from limner.latent.pipeline import Pipeline
from limner.machine import Machine
from limner.models.bundle import SHIPPED, load_model


def test_a_step_along_an_attribute_changes_it_that_way(pipeline: Pipeline, directions: Directions) -> None:
    latent = pipeline.sample(64, seed=9)
    before = measure_attributes(pipeline.paint(latent))
    for name in ("brightness", "warmth"):
        after = measure_attributes(pipeline.paint(directions.moved(pipeline, latent, {name: 1.0})))
        change = (after - before)[:, list(ATTRIBUTES).index(name)]
        assert float((change > 0).float().mean()) > 0.9, name
        back = measure_attributes(pipeline.paint(directions.moved(pipeline, latent, {name: -1.0})))
        assert float(((back - before)[:, list(ATTRIBUTES).index(name)] < 0).float().mean()) > 0.9, name


def test_pictures_get_more_symmetrical_when_asked_and_alone_then() -> None:
    shipped = Pipeline(load_model(SHIPPED / "emoji-vae.safetensors"), Machine("cpu", "fp32", 1, "", 0.0))
    numbers = shipped.model.card.config.painter.numbers
    directions = Directions.load(shipped_directions(shipped.model.digest), f"sha256:{shipped.model.digest}", numbers)
    latent = shipped.sample(24, seed=9)
    before = measure_attributes(shipped.paint(latent))
    unit = torch.tensor([directions[name].known["unit"] for name in ATTRIBUTES])
    for steps in (1.0, -1.0):
        moved = directions.moved(shipped, latent, {"symmetry": steps})
        change = (measure_attributes(shipped.paint(moved)) - before) / unit
        own = list(ATTRIBUTES).index("symmetry")
        assert float((change[:, own] * steps > 0).float().mean()) > 0.95
        assert float(change.median(0).values.abs().sum() - change[:, own].median().abs()) < 0.5


def test_blocks_that_are_left_out_stay(pipeline: Pipeline, directions: Directions) -> None:
    latent = pipeline.sample(2, seed=9)
    moved = directions.moved(pipeline, latent, {"warmth": 1.0}, range(1, 3))
    assert torch.allclose(moved.content, latent.content, atol=1e-5)
    assert torch.allclose(moved.style[:, 2:], latent.style[:, 2:], atol=1e-5)
    assert not torch.allclose(moved.style[:, :2], latent.style[:, :2], atol=1e-3)


def test_the_file_keeps_everything(pipeline: Pipeline, directions: Directions, tmp_path: Path) -> None:
    numbers = pipeline.model.card.config.painter.numbers
    directions.renamed("warmth", "dusk").save(tmp_path / "d.safetensors")
    again = Directions.load(tmp_path / "d.safetensors", directions.model, numbers)
    assert [one.name for one in again] == ["dusk" if one.name == "warmth" else one.name for one in directions]
    latent = pipeline.sample(2, seed=9)
    ours, theirs = again.moved(pipeline, latent, {"dusk": 1.0}), directions.moved(pipeline, latent, {"warmth": 1.0})
    assert torch.equal(ours.content, theirs.content)
    assert again["dusk"].effects == directions["warmth"].effects


@pytest.mark.parametrize("method", ["pca", "closed-form", "labels"])
def test_the_other_methods(method: str, pipeline: Pipeline) -> None:
    directions = find_directions(pipeline, method, count=256, keep=3)
    assert len(directions) == (2 if method == "labels" else 3)
    for one in directions:
        assert one.method == method
        assert one.row.shape == (pipeline.model.card.config.painter.numbers,)
        assert set(one.effects) == set(ATTRIBUTES)
        assert one.low <= 0 <= one.high
    if method == "pca":
        shares = [one.known["variance"] for one in directions]
        assert shares == sorted(shares, reverse=True)


def test_what_is_refused(pipeline: Pipeline, directions: Directions, tmp_path: Path) -> None:
    numbers, path = pipeline.model.card.config.painter.numbers, tmp_path / "d.safetensors"
    with pytest.raises(UsageError, match="no such file"):
        Directions.load(path, directions.model, numbers)
    path.write_bytes(b"nothing")
    with pytest.raises(UsageError, match="holds no directions"):
        Directions.load(path, directions.model, numbers)
    directions.save(path)
    with pytest.raises(UsageError, match="belongs to another model"):
        Directions.load(path, "sha256:" + "0" * 64, numbers)
    with pytest.raises(UsageError, match=r"no direction of this model.*brightness"):
        directions.moved(pipeline, pipeline.sample(1, seed=1), {"sadness": 1.0})
    with pytest.raises(UsageError, match="is taken"):
        directions.renamed("warmth", "hue")
    with pytest.raises(UsageError, match="no name"):
        directions.renamed("warmth", "../hue")
    with pytest.raises(UsageError, match="no way to find"):
        find_directions(pipeline, "magic")
    Directions(directions.model, [Direction("x", "pca", torch.full((numbers,), torch.nan))]).save(path)
    with pytest.raises(UsageError, match="another shape"):
        Directions.load(path, directions.model, numbers)
