"""Kill real commands at random moments and look at what the books then know: importing, training, sampling.

    python scripts/kill_commands.py --kills 30 --to /tmp/killed

Each command is started, killed (KILL, TERM, HUP) after a random while, and started again; then it must come to its
end, and nothing that was signed may lie unrecorded. Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from limner.collection import PAINTINGS
from limner.ledger import Ledger
from limner.papers.publishing.pending import unrecorded
from limner.papers.registry.registry import Registry
from limner.workspace import Workspace


def limner(home: Path, *arguments: object) -> subprocess.Popen[str]:
    """Start a command in a workspace of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "limner", *map(str, arguments)],
        env={**os.environ, "LIMNER_HOME": str(home), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # where this program runs under nohup
    )


def done(home: Path, *arguments: object) -> str:
    """Run a command to its end; its output."""
    process = limner(home, *arguments)
    out, err = process.communicate(timeout=900)
    if process.returncode:
        raise SystemExit(f"{arguments}: status {process.returncode}: {err[-2000:]}")
    return out


def kill(home: Path, arguments: Sequence[object], dice: random.Random, longest: float) -> int:
    """Start a command and kill it after a while; its status, 0 where it was sooner done."""
    process = limner(home, *arguments)
    time.sleep(dice.uniform(0.2, longest))
    process.send_signal(dice.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGHUP]))
    process.communicate(timeout=60)
    return process.returncode


def books(home: Path) -> dict[str, Any]:
    """What lies in the works' folder and is not recorded."""
    workspace = Workspace(home)
    lying = [path for path in workspace.works.rglob("*.png") if not path.name.startswith(".")]
    digests = {path.name: f"sha256:{sha256(path.read_bytes()).hexdigest()}" for path in lying}
    known = {digest for act in Ledger.open(workspace.ledger).acts(what="publish") for digest in act.outputs}
    registered = {one.digest for one in Registry(workspace.registry).latest(1_000_000)}
    return {
        "works": len(lying),
        "unrecorded": [name for name, digest in digests.items() if digest not in known],
        "unregistered": [name for name, digest in digests.items() if digest not in registered],
        "parts": [str(path) for path in workspace.works.rglob(".*.part")],
        "pending": unrecorded(workspace),
    }


def main() -> None:
    """Kill, look, say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=30, help="of each command")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--to", type=Path, required=True, help="folder for workspaces")
    given = parser.parse_args()
    dice, home = random.Random(given.seed), given.to / "home"
    done(home, "identity", "new", "--name", "Ada Example")
    said: dict[str, Any] = {}
    add = ["collection", "add", PAINTINGS, "--name", "p", "--quiet"]
    ends = [kill(home, add, dice, 12) for _ in range(given.kills)]
    done(home, *add)
    whole = json.loads(done(home, "collection", "check", "p", "--json"))["whole"]
    said["import"] = {"killed": sum(end != 0 for end in ends), "whole": whole}
    train = [
        "train",
        "p",
        "--name",
        "m",
        "--size",
        "32",
        "--steps",
        "40",
        "--batch",
        "8",
        "--teacher",
        "none",
        "--quiet",
    ]
    ends, trained = [], 0
    for _ in range(given.kills):
        again = (home / "runs" / "m").exists()
        ends.append(kill(home, [*train, *(["--resume"] if again else [])], dice, 25))
        if (home / "models" / "m.safetensors").exists():
            trained += 1
            done(home, "model", "show", "m")
            (home / "models" / "m.safetensors").unlink()
            subprocess.run(["rm", "-rf", str(home / "runs" / "m")], check=True)
    said["train"] = {"killed": sum(end != 0 for end in ends), "came to their end": trained}
    ends, left = [], 0
    for number in range(given.kills):
        sample = ["sample", "landscapes", "-n", "6", "--seed", str(number + 1), "--size", "64", "--quiet"]
        ends.append(kill(home, sample, dice, 20))
        left += unrecorded(Workspace(home))
        if number % 3 == 0:
            done(home, "works", "recover")  # otherwise the next command does the same by itself
    done(home, "works", "recover")
    said["sample"] = {"killed": sum(end != 0 for end in ends), "left behind": left, **books(home)}
    print(json.dumps(said))


if __name__ == "__main__":
    main()
