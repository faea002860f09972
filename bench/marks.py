"""limner's watermark beside the ones people use today: the same pictures, the same attacks, each in its own Python."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.mark_pictures import Samples, samples
from bench.places import WORK
from bench.venvs import ENVIRONMENTS, Environment, SetupError, set_up, surroundings

__all__ = ["MARKERS", "SIZES", "Marker", "place_of", "run_marks"]

SIZES = 512, 256
"""Sides of the pictures, px."""
_PLACE = WORK / "marks"
_PATIENCE = 4 * 3600


@dataclass(frozen=True)
class Marker:
    """One watermark of the bench.

    Attributes:
        name: as it is given to `--only`.
        title: as the table shows it.
        environment: where it runs; None is limner's own.
        counts: pictures of each size that it is measured on, the first of the same ones: slow ones get fewer.
    """

    name: str
    title: str
    environment: Environment | None
    counts: tuple[int, int]


_INVISIBLE, _BLIND = ENVIRONMENTS["invisible-watermark"], ENVIRONMENTS["blind-watermark"]
MARKERS = {
    marker.name: marker
    for marker in (
        Marker("limner", "limner", None, (200, 200)),
        Marker("dwtDctSvd", "invisible-watermark 0.2.0, dwtDctSvd", _INVISIBLE, (40, 80)),
        Marker("rivaGan", "invisible-watermark 0.2.0, rivaGan", _INVISIBLE, (4, 6)),
        Marker("blind-watermark", "blind-watermark 0.4.4", _BLIND, (12, 24)),
    )
}


def run_marks(
    names: Sequence[str], folder: Path | None, *, most: int, share: float, yes: bool, again: bool
) -> tuple[dict[int, dict[str, Any]], dict[str, str]]:
    """Run the watermarks named, or all, at both sizes; what is there already is not repeated.

    Args:
        folder: of photographs; paintings alone otherwise.
        most: pictures of either set.
        share: of each watermark's pictures, to try things out.
        yes: may download the other programs.
        again: repeat what is there.

    Returns:
        what was found, by size and name, and why others could not be run.
    """
    found: dict[int, dict[str, Any]] = {size: {} for size in SIZES}
    failed: dict[str, str] = {}
    shown = {size: _kept_samples(size, folder, most) for size in SIZES}
    for marker in MARKERS.values():
        if names and marker.name not in names:
            continue
        try:
            if marker.environment:
                set_up(marker.environment, yes=yes)
            for size, count in zip(SIZES, marker.counts, strict=True):
                pictures = shown[size]
                told = _run(marker, size, max(1, round(count * share)), again=again)
                found[size][marker.name] = told | {"sets": pictures.sets[: len(told["psnr"])]}
        except (SetupError, subprocess.SubprocessError, OSError) as error:
            failed[marker.name] = f"{error}"
            print(f"bench: {marker.title} failed: {error}", file=sys.stderr)
    return found, failed


def place_of(marker: str, size: int) -> Path:
    """Where a run's files lie."""
    return _PLACE / f"{marker}-{size}"


def _kept_samples(size: int, folder: Path | None, most: int) -> Samples:
    _PLACE.mkdir(parents=True, exist_ok=True)
    made = samples(size, folder, most)
    np.save(_PLACE / f"pictures-{size}.npy", made.pixels)
    return made


def _run(marker: Marker, size: int, count: int, *, again: bool) -> dict[str, Any]:
    folder = place_of(marker.name, size)
    if again or not (folder / "run.json").is_file():
        print(f"bench: {marker.title}, {count} pictures of {size} px", flush=True)
        folder.mkdir(parents=True, exist_ok=True)
        python = sys.executable if marker.environment is None else str(marker.environment.python)
        command = [
            python, "-m", "bench.peers.watermarks", marker.name, "--to", str(folder), "--count", str(count),
            "--pictures", str(_PLACE / f"pictures-{size}.npy"),
        ]  # fmt: skip
        with (folder / "log.txt").open("w") as log:
            variables = surroundings(marker.environment, 1)
            subprocess.run(command, env=variables, stdout=log, stderr=log, check=True, timeout=_PATIENCE)
    found: dict[str, Any] = json.loads((folder / "run.json").read_text())
    return found
