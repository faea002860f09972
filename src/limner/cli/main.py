"""The program `limner`: its command groups, and how it ends."""

from __future__ import annotations

import errno
import importlib
import inspect
import os
import signal
import sys
import traceback
from typing import Annotated

import typer

from limner import __version__
from limner.cli.common import console_error, speak_plainly
from limner.errors import LimnerError
from limner.workspace import Workspace

FORMER_OPTIONS = {
    "rooted-mark": "model-watermark",
    "rate": "learning-rate",
    "game-rate": "adversarial-rate",
}
"""Names that options had before, without the dashes: still accepted, and named in no help."""

app = typer.Typer(
    name="limner",
    help="Train picture generators on your own pictures, and publish each picture with papers anyone can check.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={
        "help_option_names": ["-h", "--help"],
        "token_normalize_func": lambda name: FORMER_OPTIONS.get(name, name),
    },
)


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"limner {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """What is said before any command: that works lie unrecorded, where an ended command left some."""
    _say_unrecorded()


def _say_unrecorded() -> None:

    if (Workspace.default().root / "pending").is_dir():
        from limner.papers.publishing.pending import unrecorded

        if count := unrecorded(Workspace.default()):
            works = f"{count} signed work{'s' if count > 1 else ''}"
            console_error(f"{works} of a command that was broken off lie unrecorded; record them: limner works recover")


# In the order of the help.
_MAKING = (
    *("demo", "collection", "rights", "train", "merge", "sample", "directions", "steer", "translator", "invert"),
    *("evolve", "landscape", "works", "credits", "upscaler", "enlarge", "publish", "retouch", "walk"),
)
_CHECKING = (
    *(
        "identity",
        "trust",
        "verify",
        "withdraw",
        "statement",
        "evidence",
        "registry",
        "ledger",
        "model",
        "summary",
        "measure",
        "trace",
    ),
)


for module in (*_MAKING, *_CHECKING):
    importlib.import_module(f"limner.cli.{module}").register(app)


def _flow(commands: typer.Typer) -> None:
    """Let the terminal break the lines of help texts: the ends of a docstring's own lines are no breaks."""
    for command in commands.registered_commands:
        paragraphs = (inspect.getdoc(command.callback) or "").split("\n\n")
        command.help = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
    for group in commands.registered_groups:
        if group.typer_instance:
            _flow(group.typer_instance)


_flow(app)


_asked: list[int] = []
"""Signals that asked the program to end."""


def _end(number: int, frame: object) -> None:
    """The system, a closed terminal or Ctrl-C asks the program to end: what is under way is kept first."""
    _asked.append(number)
    raise KeyboardInterrupt


def main() -> None:
    """Run the program; what goes wrong gives one line and a status, never a traceback.

    Status 0 is done, 1 a finding of the command (a picture that is not genuine, say), 2 a mistake of the user or
    something that could not be judged, 3 a fault of limner or of the machine, 130 interrupted, 141 a reader that went
    away. With LIMNER_DEBUG set, a fault shows where it happened.
    """
    speak_plainly()
    os.umask(os.umask(0o077) | 0o022)  # what is written here nobody else may change
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup keeps its say
            signal.signal(number, _end)
    status: int | str | None = 0
    try:
        app()
    except SystemExit as ended:
        # Click ends with 1 where the reader of a pipe went away, which here means a finding.
        gone = type(sys.stdout).__name__ == "PacifyFlushWrapper"
        status = 141 if gone else 128 + _asked[0] if _asked else ended.code
    except LimnerError as error:
        console_error(str(error))
        _say_unrecorded()
        status = 2
    except KeyboardInterrupt:
        status = 128 + (_asked or [signal.SIGINT])[0]
    except BrokenPipeError:
        status = 141
    except OSError as error:
        status = _fault(f"{error.filename or 'the system'}: {error.strerror or error}{_remedy(error)}")
    except MemoryError:
        status = _fault("memory: there is not enough; close other programs, or ask for less")
    except Exception as error:
        status = _fault(f"a fault of limner ({type(error).__name__}: {error}); set LIMNER_DEBUG=1 to see where")
    if _asked:
        console_error("interrupted; nothing that was reported as done is lost")
    sys.exit(_flushed(status))


def _fault(message: str) -> int:
    if os.environ.get("LIMNER_DEBUG"):
        traceback.print_exc()
    console_error(message)
    return 3


def _remedy(error: OSError) -> str:
    remedies = {
        errno.ENOSPC: "; the disk is full: make room, then do it again",
        errno.EDQUOT: "; your share of the disk is used up: make room, then do it again",
        errno.EROFS: "; it lies on a disk that cannot be written to: choose another place",
        errno.EACCES: "; change its permissions, or choose another place",
        errno.EMFILE: "; too many files are open: close other programs",
    }
    return remedies.get(error.errno or 0, "")


def _flushed(status: int | str | None) -> int | str | None:
    """Write out what is still held back; what cannot be written (a full disk behind `>`) is said, and counts."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        status = 141
    except OSError as error:
        console_error(f"standard output: {error.strerror or error}{_remedy(error)}")
        status = 3
    else:
        return status
    # Python would try again on its way out, and end with a status of its own.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return status
