"""A group of options stands in the command as if each were written there."""

from __future__ import annotations

from dataclasses import dataclass

import typer
from typer.testing import CliRunner

from limner.cli.options import Json, ModelName, Quiet, grouped


@dataclass(frozen=True)
class _Printing:
    as_json: Json = False
    quiet: Quiet = False


def test_a_group_is_asked_for_by_its_options() -> None:
    app, seen = typer.Typer(), []

    def show(model: ModelName, printing: _Printing) -> None:
        seen.append((model, printing))

    app.command()(grouped(show))
    found = CliRunner().invoke(app, ["mine", "--quiet"], catch_exceptions=False)
    assert found.exit_code == 0
    assert seen == [("mine", _Printing(quiet=True))]
    assert CliRunner().invoke(app, ["mine", "--printing"]).exit_code == 2
