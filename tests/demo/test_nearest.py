from __future__ import annotations

import pytest
import torch

from limner.demo.wording import nearness
from limner.latent.nearest import Neighbours, Usual


def some(count: int, seed: int, size: int = 64) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.randint(0, 256, (count, 3, 6, 6), generator=generator, dtype=torch.uint8)
    return torch.nn.functional.interpolate(coarse, (size, size), mode="bilinear")


def test_a_copy_is_found_in_the_view_that_it_copies() -> None:
    training = some(12, 0)
    neighbours = Neighbours()
    neighbours.add(training, -1)
    neighbours.add(training.flip(3), 4)
    found = neighbours.nearest(torch.stack([training[3], training[7].flip(2)]))
    assert (found[0].index, found[0].view) == (3, -1)
    assert found[0].distance == pytest.approx(0, abs=0.02)
    assert (found[1].index, found[1].view) == (7, 4)


def test_held_out_pictures_say_what_is_usual() -> None:
    neighbours = Neighbours()
    neighbours.add(some(40, 1, 96))
    usual = neighbours.usual(some(30, 2, 96))
    assert 0 < usual.low < usual.middle < usual.high
    assert usual.count == 30


def test_the_words_do_not_say_more_than_the_distance() -> None:
    usual = Usual(0.5, 0.7, 0.9, 100)
    assert "Look at both" in nearness(0.4, usual)
    assert "no sign of a copy" in nearness(0.7, usual)
    assert "still unlike those that it learned from" in nearness(1.2, usual)
