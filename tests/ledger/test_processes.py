"""The ledger under several processes at once, and under processes that are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence

import pytest

from limner.ledger import Ledger
from limner.workspace import Workspace

WRITER = """
import sys
from limner.ledger import Entry, Ledger
ledger = Ledger.open(sys.argv[1])
for i in range(int(sys.argv[3])):
    ledger.record_many([Entry("algorithm", sys.argv[2], parameters={"i": i})] * int(sys.argv[4]))
    print(i + 1, flush=True)
"""


def start(workspace: Workspace, *arguments: object) -> subprocess.Popen[str]:
    command: Sequence[str] = [sys.executable, "-c", WRITER, str(workspace.ledger), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_processes_that_write_at_once_lose_nothing(workspace: Workspace) -> None:
    workspace.make(workspace.root)
    writers = [start(workspace, f"writer {n}", 40, 2) for n in range(3)]  # they also race to make the file
    for writer in writers:
        _, errors = writer.communicate(timeout=60)
        assert writer.returncode == 0, errors
    ledger = Ledger.open(workspace.ledger)
    assert ledger.verify().count == 240
    for n in range(3):
        assert [act.parameters["i"] for act in ledger.acts(what=f"writer {n}")][::2] == list(range(40))


def test_threads_that_write_at_once_lose_nothing(workspace: Workspace) -> None:
    ledger = Ledger.open(workspace.ledger)
    threads = [threading.Thread(target=lambda: [ledger.record("artist", "x") for _ in range(20)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ledger.verify().count == 80


@pytest.mark.parametrize("moment", range(4))
def test_a_killed_writer_leaves_a_chain_that_holds(workspace: Workspace, moment: int) -> None:
    workspace.make(workspace.root)
    writer = start(workspace, "write", 10_000, 50)
    assert writer.stdout is not None
    done = 0
    for _ in range(5 + 3 * moment):
        done = int(writer.stdout.readline())
    os.kill(writer.pid, signal.SIGKILL)
    rest, _ = writer.communicate(timeout=60)
    done = max([done, *map(int, rest.split())])
    report = Ledger.open(workspace.ledger).verify()
    assert report.ok
    assert report.count % 50 == 0, "a batch was torn"
    assert report.count >= 50 * done, "an act that was reported as done is lost"
    Ledger.open(workspace.ledger).record("artist", "go on")
