"""A program that publishes, is killed at random moments, and says what its books then know; run by tests.

    python killing.py KILLS SEED FOLDER        kills a child at a random moment, KILLS times
    python killing.py full KILOBYTES FOLDER    publishes until the disk that FOLDER lies on, or a limit, is full

Prints one JSON line: what was reported done, what lies there, what is recorded, what was said.
"""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import sys
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

from limner.errors import LimnerError
from limner.ledger import Ledger
from limner.papers import open_publisher
from limner.papers.publishing.pending import unrecorded
from limner.papers.publishing.recovery import recover
from limner.papers.registry.registry import Registry
from limner.workspace import Workspace
from published_made import artist, picture, provenance

EACH = 24


def publish(workspace: Workspace, folder: Path, first: int, said: int, count: int = EACH) -> None:
    """Publish some works; the file of each is written to the descriptor `said` once it is reported done."""
    folder.mkdir(parents=True, exist_ok=True)
    jobs = (
        (picture(48, i), folder / f"{i:06}.png", provenance(index=i, latent_digest=f"sha256:{i:064x}"))
        for i in range(first, first + count)
    )
    with open_publisher(workspace) as publisher:
        publisher.publish_many(jobs, lambda work: os.write(said, f"{work.path.name}\n".encode()))


def books(workspace: Workspace, folder: Path) -> dict[str, Any]:
    """What lies in the folder, and which of it ledger and registry know."""
    lying = {path.name: f"sha256:{sha256(path.read_bytes()).hexdigest()}" for path in sorted(folder.glob("*.png"))}
    ledger, registry = Ledger.open(workspace.ledger), Registry(workspace.registry)
    acts = ledger.acts(what="publish")
    known = {digest for act in acts for digest in act.outputs}
    registered = {one.digest for one in registry.latest(1_000_000)}
    return {
        "lying": sorted(lying),
        "unrecorded": [name for name, digest in lying.items() if digest not in known],
        "unregistered": [name for name, digest in lying.items() if digest not in registered],
        "twice": len(acts) - len(known),
        "parts": [path.name for path in folder.glob(".*.part")],
        "chain": ledger.verify().ok,
        "pending": unrecorded(workspace),
    }


def killed(count: int, seed: int, root: Path) -> dict[str, Any]:
    """Kill a publishing child `count` times, recover after each, and sum up."""
    workspace, folder, dice = Workspace(root / "home"), root / "works", random.Random(seed)
    artist(workspace)
    done: list[str] = []
    left, taken, gone, missing = 0, 0, 0, []
    for number in range(count):
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read)
            for one in (signal.SIGTERM, signal.SIGHUP):
                signal.signal(one, signal.SIG_DFL)
            publish(workspace, folder, number * EACH, write)
            os._exit(0)
        os.close(write)
        with os.fdopen(read) as said:
            # After some works were reported, and a moment: so that as much is done on a busy machine. Every other time
            # as soon as some files lie there: works are reported together, once the books know them.
            begun = [said.readline() for _ in range(dice.randrange(9))] if number % 2 else []
            if number % 2:
                time.sleep(dice.uniform(0.0, 0.1 if begun else 0.5))
            else:
                before, wanted, end = len(list(folder.glob("*.png"))), dice.randrange(1, 9), time.monotonic() + 5
                while len(list(folder.glob("*.png"))) < before + wanted and time.monotonic() < end:
                    time.sleep(0.001)
            os.kill(child, dice.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGHUP]))
            os.waitpid(child, 0)
            done += "".join([*begun, said.read()]).split()
        left += unrecorded(workspace)
        found = recover(workspace, Ledger.open(workspace.ledger), Registry(workspace.registry))
        taken += len(found.taken_away)
        gone += len(found.gone)
    now = books(workspace, folder)
    missing = [name for name in done if name not in now["lying"]]
    return {**now, "done": len(done), "missing": missing, "left": left, "taken": taken, "gone": gone}


def filled(kilobytes: int, root: Path) -> dict[str, Any]:
    """Publish until nothing more can be written; then make room, and recover."""
    workspace, folder = Workspace(root / "home"), root / "works"
    artist(workspace)
    ballast = root / "ballast"
    said = []
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        if kilobytes:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes << 10, kilobytes << 10))
        try:
            publish(workspace, folder, 0, write, 400)
        except LimnerError as error:
            os.write(write, f"! {error}\n".encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as told:
        lines = told.read().splitlines()
    os.waitpid(child, 0)
    ballast.unlink(missing_ok=True)
    before = books(workspace, folder)
    recover(workspace, Ledger.open(workspace.ledger), Registry(workspace.registry))
    now = books(workspace, folder)
    said = [line[2:] for line in lines if line.startswith("! ")]
    done = [line for line in lines if not line.startswith("! ")]
    missing = [name for name in done if name not in now["lying"]]
    return {**now, "done": len(done), "missing": missing, "said": said, "before": before["unrecorded"]}


if __name__ == "__main__":
    first, second, place = sys.argv[1:4]
    if first == "full":
        print(json.dumps(filled(int(second), Path(place))))
    else:
        print(json.dumps(killed(int(first), int(second), Path(place))))
