"""Enlarging: the asked size, no seams, the same again, and no colours that were not there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from limner.errors import UsageError
from limner.machine import Machine
from limner.models.upscaler import Upscaler
from limner.works.enlarging import _doubled, enlarge, plan_enlargement
from pictures_made import made_picture
from upscalers_made import made_upscaler

MACHINE = Machine("cpu", "fp32", 1, "", 0.0)


@pytest.fixture
def upscaler(tmp_path: Path) -> Upscaler:
    return made_upscaler(tmp_path / "u.safetensors", name="u")


@pytest.mark.parametrize("to", [65, 100, 127, 128, 131, 200, 257, 511])
@pytest.mark.parametrize("size", [(64, 64), (32, 64), (64, 48)])
def test_the_longer_side_is_what_was_asked(size: tuple[int, int], to: int, upscaler: Upscaler) -> None:
    pixels = made_picture(3, 64)[: size[0], : size[1]]
    plan = plan_enlargement(*size, to)
    made = enlarge(pixels, plan, upscaler, MACHINE)
    assert made.shape == (plan.height, plan.width, 3)
    assert max(made.shape) == to
    assert abs(made.shape[0] / made.shape[1] - size[0] / size[1]) < 0.03
    assert enlarge(pixels, plan_enlargement(*size, to, learned=False)).shape == made.shape


def test_tiles_leave_no_seam(upscaler: Upscaler) -> None:
    pixels = made_picture(5, 150)[:, :131]
    whole = _doubled(pixels, upscaler, MACHINE, 1, 1.0, lambda done: None, largest_tile=256)
    tiled = _doubled(pixels, upscaler, MACHINE, 1, 1.0, lambda done: None, largest_tile=32)
    assert whole.shape == (300, 262, 3)
    # A processor may round the last bit otherwise in tiles of another size.
    assert np.abs(whole.astype(int) - tiled).max() <= 1
    assert (whole != tiled).mean() < 0.001


def test_nothing_is_shifted(tmp_path: Path) -> None:
    network = made_upscaler(tmp_path / "u.safetensors", name="u")
    torch.nn.init.zeros_(network.leave.weight)
    pixels = made_picture(2, 48)
    for to in (96, 150, 768):
        made = enlarge(pixels, plan_enlargement(48, 48, to), network, MACHINE)
        back = np.asarray(Image.fromarray(made).resize((48, 48), Image.Resampling.BOX)).astype(int)
        right = np.roll(pixels, 1, 1).astype(int)
        assert np.abs(back - pixels).mean() < 6
        assert np.abs(back - pixels).mean() < np.abs(back - right).mean() / 2


def test_the_same_seed_gives_the_same_print(upscaler: Upscaler) -> None:
    pixels, plan = made_picture(5), plan_enlargement(48, 48, 300)
    one, same, other = (enlarge(pixels, plan, upscaler, MACHINE, seed=seed) for seed in (7, 7, 8))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_strength_says_how_much_is_added(upscaler: Upscaler) -> None:
    pixels, plan = made_picture(5), plan_enlargement(48, 48, 96)
    bicubic, some, all_of_it = (
        enlarge(pixels, plan, upscaler, MACHINE, strength=strength).astype(int) for strength in (0, 0.5, 1)
    )
    assert 0 < np.abs(some - bicubic).mean() < np.abs(all_of_it - bicubic).mean()
    with pytest.raises(UsageError, match="--strength 2"):
        enlarge(pixels, plan, upscaler, MACHINE, strength=2)


def test_progress_ends_at_the_total(upscaler: Upscaler) -> None:
    told: list[tuple[int, int]] = []
    enlarge(
        made_picture(1), plan_enlargement(48, 48, 700), upscaler, MACHINE, progress=lambda d, t: told.append((d, t))
    )
    assert told[-1][0] == told[-1][1] == len(told)
    assert sorted(told) == told


def test_lanczos_is_pillow_s(upscaler: Upscaler) -> None:
    pixels = made_picture(1)
    made = enlarge(pixels, plan_enlargement(48, 48, 200, learned=False))
    assert np.array_equal(made, np.asarray(Image.fromarray(pixels).resize((200, 200), Image.Resampling.LANCZOS)))


@pytest.mark.parametrize(("to", "told"), [(64, "no larger"), (10, "no larger"), (-1, "no larger"), (8193, "8192")])
def test_sizes_that_make_no_print(to: int, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        plan_enlargement(64, 48, to)
