"""Random streams are named: stages of equal length of name differ, every process and a resumed run draw the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from helpers import Silent
from limner.training.loop import Loop
from limner.training.stage import Budget, Stage, seed_of


class Objective(nn.Module):
    """Keeps what it draws."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.networks = nn.Linear(1, 1)
        self.drawn: list[float] = []

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        noise = torch.randn(len(batch["x"]), 1)
        self.drawn.append(float(noise[0]))
        found: Tensor = self.networks(batch["x"])
        return {"loss": (found - noise).square().mean()}


class Drawing(Stage):
    """A stage of a given name that is interrupted before a step."""

    learning_rate = 1e-2
    objective: Objective

    def __init__(self, name: str, stops_at: int | None = None) -> None:
        self.name = self.title = name
        self.objective = Objective()
        self.stops_at = stops_at

    def batch(self, step: int, share: float = 0.0) -> dict[str, Tensor]:
        if step == self.stops_at:
            raise KeyboardInterrupt
        return {"x": torch.full((4, 1), share)}


def loop(stage: Stage, folder: Path) -> Loop:
    folder.mkdir(exist_ok=True)
    return Loop(stage, Budget(steps=12), folder, Silent(), precision="fp32", device="cpu", seed=3)


def test_stages_whose_names_are_as_long_draw_other_numbers(tmp_path: Path) -> None:
    one, two, again = Drawing("first"), Drawing("other"), Drawing("first")
    for stage in (one, two, again):
        loop(stage, tmp_path / stage.name).run()
    assert len(set(one.objective.drawn)) == 12
    assert not set(one.objective.drawn) & set(two.objective.drawn)
    assert one.objective.drawn == again.objective.drawn


@pytest.mark.parametrize("stops_at", [1, 7])
def test_an_interrupted_stage_draws_what_an_unbroken_one_does(stops_at: int, tmp_path: Path) -> None:
    whole, broken, rest = Drawing("first"), Drawing("first", stops_at), Drawing("first")
    loop(whole, tmp_path / "whole").run()
    with pytest.raises(KeyboardInterrupt):
        loop(broken, tmp_path / "broken").run()
    resumed = loop(rest, tmp_path / "broken")
    assert resumed.saved()
    resumed.restore()
    resumed.run()
    assert broken.objective.drawn + rest.objective.drawn == whole.objective.drawn
    for ours, theirs in zip(whole.objective.parameters(), rest.objective.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_a_seed_is_the_same_in_every_process() -> None:
    code = "from limner.training.stage import seed_of; print(seed_of(3, 'first', 7))"
    found = {subprocess.check_output([sys.executable, "-c", code], text=True) for _ in range(2)}
    assert found == {f"{seed_of(3, 'first', 7)}\n"}
    assert 0 <= seed_of(3, "first", 7) < 2**63


@pytest.mark.parametrize("steps", [1, 3])
def test_a_stage_of_few_steps_keeps_what_it_learned(steps: int, tmp_path: Path) -> None:
    stage, fresh = Drawing("first"), Drawing("first")
    Loop(stage, Budget(steps=steps), tmp_path, Silent(), precision="fp32", device="cpu", seed=3).run()
    pairs = zip(stage.objective.parameters(), fresh.objective.parameters(), strict=True)
    assert any(not torch.equal(ours, theirs) for ours, theirs in pairs)
