"""docs/commands.md says what the program says; every command has words and an example."""

from __future__ import annotations

import typer

from limner.cli.main import app
from scripts.write_commands import PAGE, commands, page


def test_the_page_is_what_the_program_says() -> None:
    assert PAGE.read_text() == page(), "write it anew: python scripts/write_commands.py"


def test_every_command_tells_what_it_does_and_shows_it() -> None:
    silent = []
    for name, command in commands(typer.main.get_command(app), "limner"):
        if "Example" not in (command.help or ""):
            silent.append(name)
        silent += [f"{name} {one.name}" for one in command.params if not getattr(one, "help", None)]
    assert not silent
