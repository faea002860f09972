"""Every example in the help texts and in the README is a command that the program understands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

from limner.cli.main import app

ROOT = Path(__file__).parents[2]
COMMAND = typer.main.get_command(app)


def examples() -> list[str]:
    """As they are printed in docs/commands.md, which is what the help texts say, and in the README's code."""
    found = re.findall(r"^Example: `(limner [^`]+)`", (ROOT / "docs" / "commands.md").read_text("utf-8"), re.MULTILINE)
    readme = (ROOT / "README.md").read_text("utf-8")
    for block in re.findall(r"```(?:sh|bash|console)?\n(.*?)```", readme, re.DOTALL):
        found += [line.strip() for line in block.splitlines() if line.strip().startswith("limner ")]
    return sorted({one.partition("  #")[0].strip() for one in found})


def test_there_are_examples_for_most_commands() -> None:
    assert len(examples()) >= 50


@pytest.mark.parametrize("example", examples())
def test_the_example_is_understood(example: str) -> None:
    words = [word for word in shlex.split(example)[1:] if word not in ("...", "…")]
    command, path = COMMAND, ["limner"]
    context = command.make_context("limner", list(words), resilient_parsing=True)
    while hasattr(command, "commands") and words and words[0] in command.commands:
        command, path = command.commands[words[0]], [*path, words[0]]
        words = words[1:]
    made = command.make_context(" ".join(path), list(words), parent=context)  # raises where a word is not understood
    assert made.command is command
