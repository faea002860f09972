"""So many pictures are what the painter sees, whatever else is learned in the same steps."""

from __future__ import annotations

import pytest

from limner.training.batches import seen_before
from limner.training.options import TrainOptions
from limner.training.sharing import SMALL_SHARE, painter_until, steps_for

_WAYS: list[dict[str, object]] = [
    {},
    {"prior": "mixture"},
    {"prior": "mixture", "crisp": False},
    {"family": "gan"},
    {"batch": 7},
    {"height": 128, "width": 128},
    {"height": 128, "width": 128, "parent": "p"},
]


@pytest.mark.parametrize("pictures", [1, 17, 6400, 50_000])
@pytest.mark.parametrize("told", _WAYS, ids=str)
def test_steps_for_so_many_pictures_are_the_fewest(told: dict[str, object], pictures: int) -> None:
    options = TrainOptions.model_validate({"name": "m", **told})
    small = SMALL_SHARE if options.height == 128 and options.parent is None else 0.0

    def seen(steps: int) -> int:
        until = steps * painter_until(options)
        begun = round(until * small)
        return seen_before(begun, options.batch) + seen_before(round(until) - begun, options.batch)

    steps = steps_for(pictures, options)
    assert seen(steps) >= pictures
    assert steps == 1 or seen(steps - 1) < pictures


def test_the_painter_has_more_where_less_follows() -> None:
    shares = [painter_until(TrainOptions.model_validate({"name": "m", **told})) for told in _WAYS[:3]]
    assert shares == pytest.approx([0.38, 0.73, 0.97])
