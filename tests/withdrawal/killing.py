"""A withdrawal that is killed at one point after the other, each time in a process of its own; a program.

Reads from its arguments the command, and the points; prints how each child ended.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from limner.cli.main import main
from limner.ledger import Ledger
from limner.withdrawal import statements

Function = Callable[..., Any]


def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def before_act(what: str) -> None:
    """Die when an act of this name is about to be recorded."""
    record = Ledger.record_many

    def killed(self: Ledger, entries: Any) -> Any:
        entries = list(entries)
        if any(one.what == what for one in entries):
            die()
        return record(self, entries)

    Ledger.record_many = killed  # type: ignore[method-assign]


def at(place: Any, name: str) -> None:
    """Die when a function is about to be called."""
    setattr(place, name, die)


POINTS: dict[str, Function] = {
    "the next version is made and not recorded": lambda: before_act("withdraw"),
    "a pack is about to be packed anew": lambda: before_act("pack anew"),
    "a work is finished anew and does not say of what": lambda: before_act("finish anew"),
    "a statement is about to be signed": lambda: at(statements, "sign_detached"),
    "the statement is written and not recorded": lambda: before_act("state withdrawal"),
    "never": lambda: None,
}


def run(arguments: list[str]) -> None:
    for point, set_up in POINTS.items():
        child = os.fork()
        if child == 0:
            set_up()
            sys.argv = ["limner", *arguments]
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            main()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        ended = "killed" if os.WIFSIGNALED(status) else f"status {os.WEXITSTATUS(status)}"
        print(json.dumps([point, ended]), flush=True)


if __name__ == "__main__":
    run(sys.argv[1:])
