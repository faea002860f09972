"""What tests of several rooms share: the command line in this process, and a reporter that keeps what it is given."""

from __future__ import annotations

import functools
import signal

import pytest
import typer.testing
from typer.testing import CliRunner, Result

from limner.cli.main import app
from limner.errors import LimnerError

# The command line is built once, and not anew for every call of a runner, which takes as long as many a command.
vars(typer.testing)["_get_command"] = functools.cache(typer.main.get_command)


class Silent:
    """A training's reporter that prints nothing."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.stages: list[str] = []
        self.ticks = 0

    def note(self, text: str) -> None:
        self.notes.append(text)

    def stage(self, title: str) -> None:
        self.stages.append(title)

    def tick(self, share: float, seconds_left: float, rate: float, losses: dict[str, float]) -> None:
        assert 0 <= share <= 1
        self.ticks += 1


def ran(*arguments: object, columns: int = 200) -> Result:
    """What the command said, whether it went well or was refused; any other error is raised."""
    result = CliRunner(env={"COLUMNS": str(columns)}).invoke(app, [str(one) for one in arguments])
    if result.exception and not isinstance(result.exception, SystemExit | LimnerError):
        raise result.exception
    return result


def limner(*arguments: object, status: int = 0) -> str:
    """What the command printed, after it ended with `status`; a refusal is raised."""
    result = ran(*arguments)
    if isinstance(result.exception, LimnerError):
        raise result.exception
    assert result.exit_code == status, result.output
    return result.stdout


def refused(*arguments: object) -> str:
    """Why the command refused: one line."""
    with pytest.raises(LimnerError) as caught:
        limner(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def as_in_a_terminal() -> None:
    """Signals that tests in the background or under nohup would hand on as ignored."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
