"""What a machine is told to be worth."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from limner import machine as machines
from limner.machine import Machine, probe
from limner.training import trainer
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
    assert probe("fp32", 1) is found, "measured once a process"
    assert found.device != "cpu" or (found.peak > 0 and f"{found.peak:.0f}" in found.reason)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores are chosen on Linux alone")
def test_the_probe_sees_that_other_programs_have_the_processor() -> None:
    core, before = {min(os.sched_getaffinity(0))}, os.sched_getaffinity(0)
    spinning = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(3)]
    try:
        for program in spinning:
            os.sched_setaffinity(program.pid, core)
        os.sched_setaffinity(0, core)
        time.sleep(0.2)
        machines._fastest.cache_clear()
        assert probe("fp32", 1).given < 0.6
    finally:
        machines._fastest.cache_clear()
        os.sched_setaffinity(0, before)
        for program in spinning:
            program.kill()
            program.wait()


@pytest.mark.parametrize(
    ("peak", "given", "told"),
    [
        (110.0, 1.0, "this machine takes about 4.0 times as long"),
        (110.0, 0.5, "this machine, busy with other programs, takes now about 4.0 times as long"),
        (500.0, 0.5, None),
        (0.0, 1.0, None),
    ],
)
def test_a_slow_machine_says_what_its_minutes_are_worth(
    workspace: Workspace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    peak: float,
    given: float,
    told: str | None,
) -> None:
    machine = Machine("cpu", "fp32", 1, "as told", peak, given)
    monkeypatch.setattr(trainer, "probe", lambda *chosen: machine)
    reporter = Listening()
    options = TrainOptions(name="m", height=32, width=32, minutes=1, teacher="none")
    with pytest.raises(KeyboardInterrupt):
        Training(options, made_collection(workspace, tmp_path / "made"), workspace, reporter, resume=False).run()
    said = [note for note in reporter.notes if "times as long" in note]
    assert bool(said) is (told is not None)
    assert told is None or (told in said[0] and "about 80 here" in said[0])
