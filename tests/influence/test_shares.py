"""Shares and their intervals, on compositions whose mixture is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from limner.influence.compositions import NUMBERS, describe
from limner.influence.ensemble import WHOLE
from limner.influence.groups import Group, Grouping
from limner.influence.shares import Verdict, influence

PARTS = {0: 0.5, 1: 0.3, 2: 0.2}
"""What part of all pictures is of each group."""
_CENTRES = torch.randn(3, NUMBERS, generator=torch.Generator().manual_seed(0)) * 0.2
COUNT = 400


def groups() -> Grouping:
    edges = [0, 50, 80, 100]
    return Grouping("creator", tuple(Group(f"G{i}", tuple(range(edges[i], edges[i + 1]))) for i in range(3)))


def model(seed: int, without: int, shows: dict[int, list[float]]) -> Tensor:
    """What a perfect model paints: `shows` says of each group how often it paints around each of three centres."""
    rng = np.random.default_rng([seed, without + 1])
    weights = np.array([0 if group == without else part for group, part in PARTS.items()])
    group = rng.choice(3, COUNT, p=weights / weights.sum())
    centre = np.array([rng.choice(3, p=shows[int(g)]) for g in group])
    noise = torch.from_numpy(rng.standard_normal((COUNT, NUMBERS))).float() * 0.03
    return _CENTRES[centre] + noise


def painted(shows: dict[int, list[float]], seed: int = 0) -> dict[int, list[Tensor]]:
    return {
        without: [model(seed + 10 * number, without, shows) for number in range(3 if without != WHOLE else 6)]
        for without in (0, 1, 2, WHOLE)
    }


def test_who_alone_composes_so_comes_first_with_nearly_everything() -> None:
    alone = {0: [1.0, 0, 0], 1: [1.0, 0, 0], 2: [0.5, 0, 0.5]}
    found = influence(_CENTRES[2], painted(alone), groups())
    assert found.first is not None and found.first.name == "G2" and found.first.stands_out
    assert found.first.share.low > 0.7 and found.first.without == pytest.approx(0, abs=0.01)
    assert sum(one.share.value for one in found.shares) == pytest.approx(1)


def test_two_who_compose_alike_share_it_and_neither_is_first() -> None:
    alike = {0: [1.0, 0, 0], 1: [0.6, 0, 0.4], 2: [0.4, 0, 0.6]}  # 0.3 * 0.4 = 0.2 * 0.6
    found = influence(_CENTRES[2], painted(alike), groups())
    by_name = {one.name: one.share for one in found.shares}
    assert by_name["G1"].value == pytest.approx(0.5, abs=0.12)
    assert by_name["G2"].value == pytest.approx(0.5, abs=0.12)
    assert found.verdict is Verdict.CANNOT_TELL and found.first is None


def test_who_composes_as_all_others_has_a_share_as_its_pictures() -> None:
    same = {group: [0.5, 0.25, 0.25] for group in PARTS}
    found = influence(_CENTRES[0], painted(same), groups())
    for one in found.shares:
        assert one.share.low <= one.portion <= one.share.high


def test_intervals_hold_the_truth() -> None:
    shows = {0: [0.8, 0, 0.2], 1: [0.6, 0, 0.4], 2: [0.7, 0, 0.3]}
    weights = np.array([PARTS[group] * shows[group][2] for group in PARTS])
    held = []
    for repeat in range(20):
        found = influence(_CENTRES[2], painted(shows, 1000 * repeat), groups())
        by_name = {one.name: one.share for one in found.shares}
        for group, true in enumerate(weights / weights.sum()):
            held.append(by_name[f"G{group}"].low <= true <= by_name[f"G{group}"].high)
    assert np.mean(held) > 0.88
    assert np.mean(held) < 1, "an interval that always holds the truth says nothing"


def test_what_no_model_paints_is_called_unlike() -> None:
    shows = {group: [0.5, 0.25, 0.25] for group in PARTS}
    assert influence(_CENTRES[0] + 1.0, painted(shows), groups()).verdict is Verdict.UNLIKE


def test_descriptions_do_not_change_with_contrast_and_see_where_it_is_light() -> None:
    rng = np.random.default_rng(0)
    picture = torch.from_numpy(rng.integers(60, 200, (1, 3, 4, 4))).float()
    picture = torch.nn.functional.interpolate(picture, (64, 64), mode="bilinear")
    strong, soft = (picture - 128) * 0.9 + 128, (picture - 128) * 0.6 + 128
    a, b, turned = (describe(x.round().byte()) for x in (strong, soft, strong.flip(2)))
    assert torch.dist(a, b) < 0.3 * torch.dist(a, turned)
