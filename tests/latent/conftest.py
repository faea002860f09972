"""An untrained model and its directions, found once for all tests of a file."""

from __future__ import annotations

import pytest

from limner.latent.directions import Directions
from limner.latent.finding import find_directions
from limner.latent.pipeline import Pipeline
from limner.machine import Machine
from limner.models.bundle import load_model
from models_made import made_model


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    path = tmp_path_factory.mktemp("model") / "m.safetensors"
    made_model(path)
    return Pipeline(load_model(path), Machine("cpu", "fp32", 1, "", 0.0))


@pytest.fixture(scope="module")
def directions(pipeline: Pipeline) -> Directions:
    with pytest.MonkeyPatch.context() as patch:
        # Less of everything: a test wants to know that it works, not how well.
        patch.setattr("limner.latent.sensing._STEPS", 200)
        patch.setattr("limner.latent.sensing._AROUND", 512)
        patch.setattr("limner.latent.finding._TRIED", 32)
        return find_directions(pipeline, "attribute", count=512)
