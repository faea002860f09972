"""What a machine is told to be worth."""

from __future__ import annotations

from pathlib import Path

import pytest

from limner.training import trainer
from limner.training.machine import Machine, probe
from limner.training.options import TrainOptions
from limner.training.trainer import Training
from limner.workspace import Workspace
from pictures_made import made_collection


class Listening:
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def stage(self, title: str) -> None:
        raise KeyboardInterrupt

    def tick(self, share: float, seconds_left: float, rate: float, losses: dict[str, float]) -> None: ...


def test_the_probe_tells_what_it_chose_and_how_fast_that_is() -> None:
    found = probe("fp32", 1)
    assert (found.precision, found.threads) == ("fp32", 1)
    assert found.device != "cpu" or (found.peak > 0 and f"{found.peak:.0f}" in found.reason)


@pytest.mark.parametrize(("peak", "told"), [(110.0, "4.0 times as long"), (500.0, None), (0.0, None)])
def test_a_slow_machine_says_what_its_minutes_are_worth(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, peak: float, told: str | None
) -> None:
    machine = Machine("cpu", "fp32", 1, "as told", peak)
    monkeypatch.setattr(trainer, "probe", lambda *chosen: machine)
    reporter = Listening()
    options = TrainOptions(name="m", height=32, width=32, minutes=1, teacher="none")
    with pytest.raises(KeyboardInterrupt):
        Training(options, made_collection(workspace, tmp_path / "made"), workspace, reporter, resume=False).run()
    said = [note for note in reporter.notes if "times as long" in note]
    assert bool(said) is (told is not None)
    assert told is None or (told in said[0] and "about 80 here" in said[0])
