"""Landscapes in words: what they do to pictures, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from limner.errors import UsageError
from limner.latent.attributes import ATTRIBUTES
from limner.latent.directions import Directions
from limner.latent.landscapes import TIMES, LandscapeRequest, flattened, landscapes
from limner.latent.pipeline import Pipeline
from limner.latent.sensing import Sense


def test_words_pull_the_way_they_say(pipeline: Pipeline, directions: Directions) -> None:
    bright = list(landscapes(pipeline, directions, LandscapeRequest(steps={"brightness": 1.5}), 3, seed=4))
    dark = list(landscapes(pipeline, directions, LandscapeRequest(steps={"brightness": -1.5}), 3, seed=4))
    assert min(one.measured["brightness"] for one in bright) > max(one.measured["brightness"] for one in dark)
    assert bright[0].wanted["brightness"] > dark[0].wanted["brightness"]
    assert len({one.index for one in bright}) == 3


def test_time_and_words_add_up(pipeline: Pipeline, directions: Directions) -> None:
    sense = directions.sense
    assert isinstance(sense, Sense)
    goal, asked = LandscapeRequest(time="dusk", steps={"warmth": 0.5}, horizon=0.4).goal(sense)
    names = list(ATTRIBUTES)
    assert float(goal[names.index("warmth")]) == pytest.approx(TIMES["dusk"]["warmth"] + 0.5)
    at = names.index("horizon")
    assert float(goal[at] * sense.deviation[at] + sense.mean[at]) == pytest.approx(0.4, abs=1e-4)
    assert {names[i] for i in range(len(names)) if asked[i]} == {*TIMES["dusk"], "horizon"}


def test_no_words_leave_the_pictures_as_the_model_draws_them(pipeline: Pipeline, directions: Directions) -> None:
    plain = list(landscapes(pipeline, directions, LandscapeRequest(), 2, seed=4))
    drawn = pipeline.sample(2, seed=4)
    for i, one in enumerate(plain):
        assert one.index == i
        assert torch.equal(one.latent.content[0], drawn.content[i])
        assert not one.wanted
        assert one.flat is None


def test_flattening_leaves_large_forms_and_their_colours() -> None:
    picture = torch.full((1, 3, 32, 48), 40, dtype=torch.uint8)
    picture[:, :, 16:] = 200
    noisy = (picture.float() + 10 * torch.randn(picture.shape, generator=torch.Generator().manual_seed(1))).clamp(
        0, 255
    )
    flat = flattened(noisy.to(torch.uint8), 4)
    assert flat.shape == picture.shape
    assert len(flat[0].flatten(1).T.unique(dim=0)) <= 4
    assert float(flat[:, :, :15].float().mean()) == pytest.approx(40, abs=4)
    assert float(flat[:, :, 17:].float().mean()) == pytest.approx(200, abs=4)
    assert torch.equal(flat, flattened(noisy.to(torch.uint8), 4))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"horizon": 1.5}, "--horizon 1.5"),
        ({"horizon": float("nan")}, "out of range"),
        ({"time": "noon"}, "dawn, day, dusk, night"),
        ({"abstraction": -0.1}, "--abstraction -0.1"),
        ({"steps": {"warmth": 9.0}}, "too far"),
        ({"steps": {"charm": 1.0}}, "no attribute"),
    ],
)
def test_words_out_of_range_are_refused(words: dict[str, object], told: str) -> None:
    with pytest.raises(UsageError) as caught:
        LandscapeRequest(**words)  # type: ignore[arg-type]
    assert told in str(caught.value)


def test_directions_without_attributes_are_refused(pipeline: Pipeline, directions: Directions, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="directions find"):
        next(landscapes(pipeline, Directions(directions.model, []), LandscapeRequest(), 1, seed=1))
