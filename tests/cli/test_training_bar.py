"""What a training says where nobody watches a bar: on a pipe."""

from __future__ import annotations

import pytest

from limner.cli.training_bar import TerminalReporter


def test_on_a_pipe_a_line_a_minute_tells_how_long_it_will_take(capsys: pytest.CaptureFixture[str]) -> None:
    with TerminalReporter() as reporter:
        reporter.note("machine: slow")
        reporter.stage("painter")
        reporter.tick(0.5, 25 * 3600 + 61, 1234.0, {"l1": 0.25, "gradient": 3.0})
        reporter.tick(0.6, 1.0, 1234.0, {})
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["machine: slow", "painter 50%, 1,234/s, 25:01:01 left, l1 0.25"]


def test_where_nothing_is_learned_no_losses_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    with TerminalReporter() as reporter:
        reporter.stage("reading pictures")
        reporter.tick(0.5, 3.0, 64.0, {})
    assert capsys.readouterr().err == "reading pictures 50%, 64/s, 00:00:03 left\n"


def test_quiet_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    with TerminalReporter(quiet=True) as reporter:
        reporter.note("machine: slow")
        reporter.stage("painter")
        reporter.tick(0.5, 1.0, 1.0, {})
    assert capsys.readouterr().err == ""
