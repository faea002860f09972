"""The clock that ends every program's training, and the ways between latents."""

from __future__ import annotations

import time

import pytest
import torch

from bench.peers.common import Clock, TimeUp, picture_bytes, slerp


def test_the_clock_starts_with_the_first_step_and_ends_after_its_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([200.0, 200.0, 206.0, 211.0])
    monkeypatch.setattr("bench.peers.common.time.monotonic", lambda: next(times))
    clock = Clock(seconds=10, batch=4)
    for _ in range(2):
        clock.begin()
        clock.tick()
    clock.begin()
    with pytest.raises(TimeUp):
        clock.tick()
    stage = clock.stage()
    assert (stage.steps, stage.pictures, stage.seconds) == (3, 12, 11.0)


def test_minutes_of_the_processor_do_not_pass_while_others_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def waits(clock: Clock) -> float:
        clock.begin()
        time.sleep(0.2)
        clock.tick()
        return clock.stage().seconds

    assert waits(Clock(seconds=60)) >= 0.2
    monkeypatch.setenv("BENCH_OWN_TIME", "1")
    assert waits(Clock(seconds=60)) < 0.1


def test_no_program_can_catch_the_end_by_accident() -> None:
    assert not issubclass(TimeUp, Exception)


def test_ends_of_the_way_are_the_latents_themselves() -> None:
    first, last = torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(slerp(first, last, 0.0), first, atol=1e-5)
    assert torch.allclose(slerp(first, last, 1.0), last, atol=1e-5)


def test_bytes_are_rounded_and_clamped() -> None:
    pictures = picture_bytes(torch.tensor([-1.0, 0.5, 2.0]).view(1, 3, 1, 1))
    assert pictures.tolist() == [[[[0, 128, 255]]]]
