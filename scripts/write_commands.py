"""Write docs/commands.md: every command of limner, its arguments and options, as its help tells them.

    python scripts/write_commands.py

A test compares the page with the program, so neither can change without the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from limner.cli.main import app

PAGE = Path(__file__).parent.parent / "docs" / "commands.md"
_MARKUP = re.compile(r"\[/?bold\]")


def main() -> None:
    """Write the page."""
    PAGE.write_text(page())


def page() -> str:
    """The whole page, in Markdown."""
    parts = ["# Commands\n", "Written by `python scripts/write_commands.py` from the program's own help.\n"]
    for name, command in commands(typer.main.get_command(app), "limner"):
        parts.append(f"## {name}\n")
        parts.append(_told(command) + "\n")
        rows = [_row(one) for one in command.params if one.name != "help" and not getattr(one, "hidden", False)]
        if rows:
            parts.append("| option | meaning | default |\n|---|---|---|\n" + "\n".join(rows) + "\n")
    return "\n".join(parts)


def commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Every command that does something and is not hidden, with its whole name, in the order of the help."""
    own_commands: dict[str, Any] | None = getattr(command, "commands", None)
    if own_commands is None:
        yield name, command
        return
    if getattr(command, "invoke_without_command", False):
        yield name, command
    for short, own in own_commands.items():
        if not own.hidden:
            yield from commands(own, f"{name} {short}")


def _told(command: Any) -> str:
    """The help, examples as code."""
    paragraphs = [" ".join(part.split()) for part in (command.help or "").split("\n\n")]
    return "\n\n".join(re.sub(r"\[bold\](.*?)\[/bold\]", r"`\1`", part) for part in paragraphs)


def _row(one: Any) -> str:
    names = ", ".join(f"`{name}`" for name in (*one.opts, *one.secondary_opts))
    if one.param_type_name == "argument":
        names = f"`{(one.name or '').upper()}`" + ("..." if one.nargs == -1 else "")
    meaning = _MARKUP.sub("", getattr(one, "help", None) or "").replace("|", "\\|")
    default = one.default
    shown = "" if default is None or default is False or default == () or callable(default) else f"`{default}`"
    if one.required:
        shown = "needed"
    return f"| {names} | {meaning} | {shown} |"


if __name__ == "__main__":
    main()
