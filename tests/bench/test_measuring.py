"""How smooth ways are between two pictures."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from bench.measuring import path_length


def _pixels(pictures: Tensor) -> Tensor:
    return pictures.flatten(1).float()


def _ways(shares: list[float]) -> NDArray[np.uint8]:
    """Four pairs of pictures, so far on at each point. # [paths, points, h, w, 3]"""
    ends = np.random.default_rng(0).integers(0, 256, (2, 4, 1, 8, 8, 3)).astype(np.float64)
    on = np.asarray(shares)[None, :, None, None, None]
    ways: NDArray[np.uint8] = (ends[0] * (1 - on) + ends[1] * on).round().astype(np.uint8)
    return ways


_REAL = torch.randn(64, 192, generator=torch.Generator().manual_seed(0)) * 70


def test_a_fade_is_as_long_as_a_fade_and_straight() -> None:
    found = path_length(_pixels, _ways(list(np.linspace(0, 1, 17))), _REAL)
    assert found["fade"] == pytest.approx(1.0)
    assert found["detour"] == pytest.approx(1.0, abs=0.02)


def test_a_way_that_jumps_is_longer_than_a_fade_and_as_straight() -> None:
    found = path_length(_pixels, _ways([0.0] * 8 + [1.0] * 9), _REAL)
    assert found["fade"] == pytest.approx(16.0, rel=0.02)
    assert found["detour"] == pytest.approx(1.0, abs=0.01)


def test_a_way_there_and_back_and_there_is_a_detour() -> None:
    found = path_length(_pixels, _ways([0, 0.5, 1, 0.5, 0, 0.5, 1]), _REAL)
    assert found["detour"] == pytest.approx(3.0, rel=0.02)


def test_pictures_that_do_not_change_have_no_length() -> None:
    found = path_length(_pixels, np.full((3, 17, 8, 8, 3), 120, np.uint8), _REAL)
    assert (found["value"], found["fade"]) == (0.0, 0.0)
