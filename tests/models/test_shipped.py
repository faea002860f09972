"""The models that come with limner: small enough, whole, true about themselves, and good for something."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from helpers import limner
from limner.latent.pipeline import Pipeline
from limner.machine import Machine
from limner.models.bundle import SHIPPED, find_model, load_model
from limner.workspace import Workspace

FILES = sorted(SHIPPED.glob("*.safetensors"))
NAMES = [path.stem for path in FILES]


def test_they_are_there() -> None:
    assert {"emoji-gan", "emoji-vae", "landscapes"} <= set(NAMES)


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_each_is_small_and_says_what_it_is(path: Path) -> None:
    assert path.stat().st_size <= 8_000_000
    card = load_model(path).card
    assert card.name == path.stem
    assert path.stem.endswith(card.family) or (path.stem, card.family) == ("landscapes", "vae")
    assert card.rights.pictures == card.collection.pictures
    assert not card.rights.held
    assert card.credit or set(card.rights.licences) == {"LicenseRef-Public-Domain-US"}
    told = card.model_dump_json()
    assert "/work/" not in told
    assert "/home/" not in told
    if path.stem.endswith("-gan"):
        digests = [load_model(other).digest for other in FILES if other.stem == path.stem.replace("-gan", "-vae")]
        assert card.parents == tuple(digests)


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_none_of_it_is_memorised(path: Path) -> None:
    """Fewer than 2 % of new pictures lie closer to a training picture than the closest 1 % of held-out ones do."""
    assert load_model(path).card.quality["memorised"] < 0.02


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_its_pictures_differ_and_have_colour(path: Path) -> None:
    pipeline = Pipeline(load_model(path), Machine("cpu", "fp32", 1, "", 0.0))
    painted = pipeline.paint(pipeline.sample(24, seed=3)).float()
    assert float(painted.std((1, 2, 3)).median()) > 15
    means = painted.mean((2, 3))
    assert float(torch.pdist(means).median()) > 15
    again = pipeline.paint(pipeline.encode(painted.to(torch.uint8))).float()
    assert float((again - painted).abs().mean()) < 20


def test_they_are_found_by_name_and_listed(workspace: Workspace) -> None:
    for name in NAMES:
        assert find_model(name, workspace) == SHIPPED / f"{name}.safetensors"
    listed = json.loads(limner("model", "list", "--json"))
    assert {one["card"]["name"] for one in listed} >= set(NAMES)


def test_the_emoji_know_four_styles(workspace: Workspace) -> None:
    for name in ("emoji-gan", "emoji-vae"):
        card = load_model(find_model(name, workspace)).card
        assert card.config.labels == ("fluent-flat", "noto", "openmoji", "twemoji")
        for creator in ("openmoji", "twemoji", "noto", "fluent"):
            assert creator in card.credit
