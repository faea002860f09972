"""limner beside what people use today: the same pictures, minutes and cores, in turn; one yardstick, one table."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np

from bench.data import BenchData, bench_workspace, open_data
from bench.machine import machine, vectors
from bench.patches import PATCHES
from bench.places import RESULTS, WORK
from bench.programs import PROGRAMS, Program
from bench.results_table import Result, key_of
from bench.venvs import set_up, surroundings
from limner import pictures
from limner.pictures.sheets import sheet
from limner.training.options import TrainOptions
from limner.workspace import replace_file

__all__ = ["Training", "chosen", "measure_again", "quality"]

_SHOWN = 64
_PATIENCE = 1800


@dataclass(frozen=True)
class Training:
    """One training that the bench makes; its minutes are the wall's, or the processor's own."""

    program: Program
    minutes: float
    seed: int
    threads: int
    count: int = 2000
    own_time: bool = False

    def key(self, data: str) -> str:
        """Names its files on this machine."""
        return key_of(data, self.minutes, self.program.name, self.seed, self.threads, vectors(), self.own_time)


def chosen(names: Sequence[str]) -> list[Program]:
    """The programs named, or all usual ones that can run here.

    Raises:
        KeyError: no such program.
    """
    if names:
        return [PROGRAMS[name] for name in names]
    families = get_args(TrainOptions.model_fields["family"].annotation)
    return [p for p in PROGRAMS.values() if p.usual and (p.name != "limner-gan" or "gan" in families)]


def quality(trainings: Sequence[Training], data_name: str, *, yes: bool, again: bool) -> list[str]:
    """Train, measure and save each; what is there already is not repeated.

    Args:
        yes: may download the other programs.
        again: repeat what is there.

    Returns:
        names of the trainings that failed.
    """
    for environment in {
        t.program.environment.name: t.program.environment for t in trainings if t.program.environment
    }.values():
        set_up(environment, yes=yes)
    data = open_data(data_name)
    RESULTS.mkdir(exist_ok=True)
    _save_sheet(np.load(data.holdout), RESULTS / f"{data.name}-real.png")
    failed = []
    for training in trainings:
        key = training.key(data.name)
        path = RESULTS / f"{key}.json"
        if path.is_file() and not again:
            print(f"bench: {key} is there already (--again repeats it)", flush=True)
            continue
        print(f"bench: {key}", flush=True)
        try:
            result = _run(training, data, WORK / "runs" / key)
        except (subprocess.SubprocessError, OSError, ValueError) as error:
            failed.append(key)
            print(f"bench: {key} failed ({error}); its words are in {WORK / 'runs' / key / 'log.txt'}", file=sys.stderr)
            continue
        _save(result, path)
        _save_sheet(np.load(WORK / "runs" / key / "pictures.npy"), path.with_suffix(".png"))
    return failed


def measure_again() -> None:
    """Measure the pictures of all results anew, where they still lie here."""
    from bench.measuring import measure

    for path in sorted(RESULTS.glob("*.json")):
        result: Result = json.loads(path.read_text())
        folder = WORK / "runs" / path.stem
        if not (folder / "pictures.npy").is_file():
            print(f"bench: {path.stem}: its pictures are no longer here", file=sys.stderr)
            continue
        print(f"bench: measuring {path.stem}", flush=True)
        _save(result | {"quality": measure(folder, open_data(result["data"]["source"]))}, path)


def _run(training: Training, data: BenchData, folder: Path) -> Result:
    from bench.measuring import measure

    program, environment = training.program, training.program.environment
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    python = sys.executable if environment is None else str(environment.python)
    command = [
        python, "-m", "bench.peers.run", program.name, "--pictures", str(data.training), "--holdout", str(data.holdout),
        "--minutes", f"{training.minutes:g}", "--seed", str(training.seed), "--threads", str(training.threads),
        "--count", str(training.count), "--to", str(folder),
    ]  # fmt: skip
    variables = surroundings(environment, training.threads)
    variables |= {"LIMNER_HOME": str(bench_workspace().root), "BENCH_COLLECTION": data.collection}
    if training.own_time:
        variables["BENCH_OWN_TIME"] = "1"
        command.append("--untimed")
    before = os.getloadavg()[0]
    with (folder / "log.txt").open("w") as log:
        # The program ends itself after its minutes; this limit is for one that hangs.
        limit = training.minutes * 60 * (4 if training.own_time else 1.5) + _PATIENCE
        subprocess.run(command, cwd=folder, env=variables, stdout=log, stderr=log, check=True, timeout=limit)
    training_pictures, holdout, _ = data.arrays()
    return {
        "program": program.name,
        "title": program.title,
        "family": program.family,
        "minutes": training.minutes,
        "seed": training.seed,
        "threads": training.threads,
        "own_time": training.own_time,
        "when": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "data": {
            "name": data.name,
            "source": data.source,
            "digest": data.digest,
            "credit": data.credit,
            "training": len(training_pictures),
            "holdout": len(holdout),
        },
        "machine": machine() | {"load_before": before},
        "patches": [patch.as_dict() for patch in PATCHES.get(program.package, ())],
        "run": json.loads((folder / "run.json").read_text()),
        "quality": measure(folder, data),
    }


def _save(result: Result, path: Path) -> None:
    with replace_file(path) as part:
        part.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")


def _save_sheet(shown: Any, path: Path) -> None:
    pictures.write(sheet(np.ascontiguousarray(shown[:_SHOWN])), path)
