"""The program `limner`: its command groups, and how it ends."""

from __future__ import annotations

import sys

import typer

from limner import __version__
from limner.cli.common import console_error
from limner.errors import LimnerError

__all__ = ["app", "main"]

app = typer.Typer(
    name="limner",
    help="Train picture generators on your own pictures, and publish each picture with papers anyone can check.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"limner {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_show_version, is_eager=True, help="Print the version."),
) -> None:
    """Nothing to do before a command but the options above."""


# In the order of the help.
_MAKING = (
    "collection",
    "train",
    "merge",
    "sample",
    "directions",
    "steer",
    "translator",
    "invert",
    "evolve",
    "landscape",
    "works",
    "credits",
    "enlarge",
    "publish",
    "walk",
)
_CHECKING = ("identity", "trust", "verify", "evidence", "registry", "ledger", "model", "measure", "demo")


def _register() -> None:
    import importlib.util

    for module in (*_MAKING, *_CHECKING):
        if importlib.util.find_spec(f"limner.cli.{module}"):
            importlib.import_module(f"limner.cli.{module}").register(app)


_register()


def main() -> None:
    """Run the program; a user's mistake gives one line and status 2, never a traceback."""
    try:
        app()
    except LimnerError as error:
        console_error(str(error))
        sys.exit(2)
    except KeyboardInterrupt:
        console_error("interrupted; nothing that was reported as done is lost")
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(141)
