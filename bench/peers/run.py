"""Runs one program, in its own environment: trains, paints, times, and leaves files that the bench measures.

    python -m bench.peers.run PROGRAM --pictures FOLDER --holdout FILE --minutes 5 --seed 0 --threads 2 --to FOLDER

Leaves `pictures.npy`, `paths.npy`, `reconstructed.npy` (where the program has an encoder) and `run.json`.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import statistics
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.peers.common import Peer, Pictures, seed_all

__all__ = ["PEERS", "main"]

PEERS: dict[str, tuple[str, str, tuple[Any, ...]]] = {
    "lightweight-gan": ("bench.peers.lightweight", "LightweightGAN", ()),
    "lightweight-gan-plain": ("bench.peers.lightweight", "LightweightGAN", (False,)),
    "stylegan2-pytorch": ("bench.peers.stylegan2", "StyleGAN2", ()),
    "pythae-vae": ("bench.peers.pythae_models", "PythaeModel", ("vae",)),
    "pythae-vaegan": ("bench.peers.pythae_models", "PythaeModel", ("vaegan",)),
    "pythae-vqvae": ("bench.peers.pythae_models", "PythaeModel", ("vqvae",)),
    "torchgan-dcgan": ("bench.peers.torchgan_dcgan", "DCGAN", ()),
    "limner-vae": ("bench.limner_runs", "made", ("vae",)),
    "limner-gan": ("bench.limner_runs", "made", ("gan",)),
    "limner-vae-finished": ("bench.limner_runs", "made", ("vae", True)),
    "limner-gan-finished": ("bench.limner_runs", "made", ("gan", True)),
}
"""Module, what makes the peer, and its arguments; modules are imported only when asked for."""

_AT_ONCE = 64
_LATENCY_TIMES = 20
_TIMED_SECONDS = 3.0
_BATCHES = (16, 32, 64, 128, 256)
_LONGEST = 15.0
"""Seconds for one batch after which no larger one is tried."""
_PATHS, _POINTS = 64, 17


class Memory:
    """Watches the most memory that this process and its children held, in bytes.

    VmHWM of each process is the kernel's own peak; `ru_maxrss` of a child would count its parent's peak too.
    """

    def __init__(self) -> None:
        self._peaks: dict[int, int] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._stop.wait(0.5):
            self.look()

    def look(self) -> None:
        """Read the peaks once."""
        for process in _family(os.getpid()):
            try:
                status = Path(f"/proc/{process}/status").read_text()
            except OSError:
                continue
            kilobytes = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
            if kilobytes:
                self._peaks[process] = int(kilobytes[0]) * 1024

    def peaks(self) -> dict[str, int]:
        """Of this process, of the largest child, and how many children there were."""
        self.look()
        own = self._peaks.get(os.getpid(), 0)
        children = [peak for process, peak in self._peaks.items() if process != os.getpid()]
        return {"own": own, "largest_child": max(children, default=0), "children": len(children)}


def _family(process: int) -> list[int]:
    found = [process]
    try:
        for task in Path(f"/proc/{process}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += _family(int(child))
    except OSError:
        pass
    return found


def _painted(peer: Peer, count: int) -> Pictures:
    parts = [peer.paint(peer.draw(min(_AT_ONCE, count - start))) for start in range(0, count, _AT_ONCE)]
    return np.concatenate(parts)


def _paths(peer: Peer) -> Pictures:
    """Pictures on the way between pairs of latents. # -> uint8 [paths, points, 64, 64, 3]"""
    first, last = peer.draw(_PATHS), peer.draw(_PATHS)
    shares = np.linspace(0, 1, _POINTS)
    return np.stack([peer.paint(peer.between(first, last, float(share))) for share in shares], axis=1)


def _rate(work: Callable[[], Any], pictures: int) -> float:
    """Pictures a second over a few seconds, after one call to warm up."""
    work()
    start, times = time.monotonic(), 0
    while time.monotonic() - start < _TIMED_SECONDS:
        work()
        times += 1
    return times * pictures / (time.monotonic() - start)


def _speed(peer: Peer) -> dict[str, Any]:
    """Seconds for one picture (drawn and painted), and pictures a second for many."""
    peer.paint(peer.draw(1))
    singles = []
    for _ in range(_LATENCY_TIMES):
        start = time.monotonic()
        peer.paint(peer.draw(1))
        singles.append(time.monotonic() - start)
    rates: dict[int, float] = {}
    for batch in _BATCHES:
        rates[batch] = _rate(lambda n=batch: peer.paint(peer.draw(n)), batch)  # type: ignore[misc]
        if batch / rates[batch] > _LONGEST:
            break
    best = max(rates, key=lambda batch: rates[batch])
    return {
        "one_seconds": statistics.median(singles),
        "per_second": {str(batch): rate for batch, rate in rates.items()},
        "best_batch": best,
        "best_per_second": rates[best],
    }


def run(program: str, given: argparse.Namespace) -> dict[str, Any]:
    """Train, paint, time.

    Returns:
        what was found, for JSON.
    """
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: given.threads])
    torch.set_num_threads(given.threads)
    module, name, arguments = PEERS[program]
    peer: Peer = getattr(importlib.import_module(module), name)(*arguments)
    memory = Memory()
    seed_all(given.seed)
    began = time.monotonic()
    stages = peer.train(given.pictures, given.minutes * 60, seed=given.seed, threads=given.threads, place=given.to)
    whole = time.monotonic() - began
    training_peaks = memory.peaks()
    torch.set_num_threads(given.threads)
    seed_all(given.seed + 1)
    began = time.monotonic()
    np.save(given.to / "pictures.npy", _painted(peer, given.count))
    painting = time.monotonic() - began
    np.save(given.to / "paths.npy", _paths(peer))
    reconstructed = peer.reconstruct(np.load(given.holdout))
    if reconstructed is not None:
        np.save(given.to / "reconstructed.npy", reconstructed)
    return {
        "training": {"stages": [stage.as_dict() for stage in stages], "seconds_with_loading": whole},
        "painting": {"pictures": given.count, "seconds": painting} | ({} if given.untimed else _speed(peer)),
        "memory": {"training": training_peaks},
        "parameters": peer.parameters(),
        "choices": peer.choices,
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
    }


def main() -> None:
    """Read the command line, run, leave `run.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", choices=sorted(PEERS))
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--holdout", type=Path, required=True)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--untimed", action="store_true", help="skip the timings of painting, to try a program out")
    parser.add_argument("--to", type=Path, required=True)
    given = parser.parse_args()
    given.to = given.to.resolve()
    given.to.mkdir(parents=True, exist_ok=True)
    found = run(given.program, given)
    (given.to / "run.json").write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
