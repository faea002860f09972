"""Every program's descriptions of every picture of a set: made once, in the program's own environment, and kept."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.copies.methods import Method
from bench.copies.packs import write_pack
from bench.copies.pictures import PLACE
from bench.copies.planted import CopySet
from bench.venvs import set_up, surroundings

__all__ = ["ProgramError", "descriptions", "timed"]

_TIMED = 64
"""Pictures by which programs are timed, one after the other."""


class ProgramError(RuntimeError):
    """A program failed; says its last words."""


def descriptions(method: Method, given: CopySet, *, yes: bool = False) -> dict[str, NDArray[Any]]:
    """Rows of each part: of training pictures one way round, of the others in all of the method's.

    # uint8 or float32 [n, views, d], by part

    Args:
        yes: may download the program.

    Raises:
        SetupError: its environment cannot be made.
        ProgramError: the program fails.
    """
    if method.environment:
        set_up(method.environment, yes=yes)
    folder = PLACE / "described" / given.planted.folder.parent.name
    found = {}
    for part, pack in given.parts().items():
        if not len(pack):
            continue
        views = 1 if part == "training" else method.views
        place = folder / f"{method.name}-{part}.npy"
        if not place.is_file():
            _run(method, pack.folder, place, views)
        found[part] = np.load(place)
    return found


def timed(method: Method, given: CopySet) -> dict[str, Any]:
    """Milliseconds of the processor that the program takes for a picture, and its version; first honest pictures."""
    pack = PLACE / "timed" / given.name
    if not (pack / "facts.json").is_file():
        step = max(1, len(given.honest) // _TIMED)
        write_pack(pack, ((given.honest[i * step], {}) for i in range(min(_TIMED, len(given.honest)))))
    place = pack / f"{method.name}.npy"
    _run(method, pack, place, method.views)
    told: dict[str, Any] = json.loads(place.with_suffix(".json").read_text())
    return told


def _run(method: Method, pack: Path, place: Path, views: int) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    python = sys.executable if method.environment is None else str(method.environment.python)
    part = place.with_suffix(".part.npy")
    command = [
        python, "-m", "bench.peers.descriptors", method.name, "--pictures", str(pack), "--to", str(part),
        "--views", str(views),
    ]  # fmt: skip
    log = place.parent / f"{place.stem}.log"
    with log.open("w") as file:
        done = subprocess.run(command, env=surroundings(method.environment, 1), stdout=file, stderr=file)
    if done.returncode:
        last = [line for line in log.read_text().splitlines() if line.strip()][-1:]
        raise ProgramError(f"it failed ({''.join(last) or done.returncode})")
    part.with_suffix(".json").replace(place.with_suffix(".json"))
    part.replace(place)
