"""What each part of limner's training is worth: the same minutes of the processor, with one thing taken away at a time.

    python -m bench ablation --minutes 4

Counts the processor's time, so other work may go on beside it. A run that is there already is not repeated.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor

from bench.data import bench_workspace, open_data
from bench.machine import machine, vectors
from bench.measuring import measure
from bench.places import RESULTS, WORK
from limner.collection import Collection
from limner.latent.pipeline import Pipeline
from limner.models.bundle import SHIPPED
from limner.training.data import TrainingData
from limner.training.diffaugment import DiffAugment
from limner.training.loop import Loop
from limner.training.options import TrainOptions
from limner.training.trainer import Training
from limner.workspace import Workspace

__all__ = ["STUDIES", "ablation", "told"]

_DRAWN = 1024
_PARENT = SHIPPED / "emoji-vae.safetensors"
Change = Callable[[], contextlib.AbstractContextManager[object]]


def _batches(**instead: Callable[[dict[str, Tensor]], Tensor]) -> Change:
    """With other things in the painter's batches."""
    usual = TrainingData.painter_batch

    def changed(self: TrainingData, step: int, count: int, first: int | None = None) -> dict[str, Tensor]:
        batch = usual(self, step, count, first)
        return batch | {name: make(batch) for name, make in instead.items()}

    return lambda: patch.object(TrainingData, "painter_batch", changed)


def _no_average() -> contextlib.AbstractContextManager[object]:
    def latest(self: Loop) -> None:
        for average, live in zip(self.average, self.live, strict=True):
            average.copy_(live.detach())

    return patch.object(Loop, "_keep_average", latest)


def _not_augmented(self: DiffAugment, count: int, like: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda pictures: pictures


_PAINTER: dict[str, Any] = {"family": "vae", "crisp": False, "label": "style", "prior": "flow"}
_ADVERSARIAL: dict[str, Any] = {"family": "gan", "label": "style", "parent": str(_PARENT), "shape": None}
STUDIES: dict[str, dict[str, tuple[dict[str, Any], Change]]] = {
    "painter and flow": {
        "all": ({}, contextlib.nullcontext),
        "no teacher": ({"teacher": "none"}, contextlib.nullcontext),
        "content never turned or shrunk": ({}, _batches(turn=lambda batch: torch.tensor(0))),
        "each with its own style": ({}, _batches(source=lambda batch: torch.arange(len(batch["pictures"])))),
        "no average of weights": ({}, _no_average),
        "float32": ({"precision": "fp32"}, contextlib.nullcontext),
        "bfloat16": ({"precision": "bf16"}, contextlib.nullcontext),
        "channels first": ({}, lambda: patch.object(torch, "channels_last", torch.contiguous_format)),
        "latents of any length": ({"weights": {"kl": 0.0}}, contextlib.nullcontext),
        "a prior of 32 Gaussians": ({"prior": "mixture"}, contextlib.nullcontext),
    },
    "adversarial stage, from emoji-vae": {
        "all": ({}, contextlib.nullcontext),
        "no DiffAugment": ({}, lambda: patch.object(DiffAugment, "draw", _not_augmented)),
        "discriminator on pixels alone": ({"teacher": "none"}, contextlib.nullcontext),
        "no penalty on slopes": ({"adversarial": {"gamma": 0.0}}, contextlib.nullcontext),
        "no spectrum loss": ({"adversarial": {"spectrum": 0.0}}, contextlib.nullcontext),
        "artefacts not held down": (
            {"adversarial": {"noise": 0.0, "grid": 0.0, "spectrum": 0.0}},
            contextlib.nullcontext,
        ),
        "artefacts held down without bound": (
            {"adversarial": {"artefacts": 1e6, "spectrum": 0.0}},
            contextlib.nullcontext,
        ),
    },
}
"""Of each study, what is taken away: options that differ, and what is put in its place while it trains."""


class _Quiet:
    def note(self, text: str) -> None: ...
    def stage(self, title: str) -> None: ...
    def tick(self, share: float, seconds_left: float, rate: float, losses: dict[str, float]) -> None: ...


def ablation(study: str, minutes: float, only: list[str]) -> None:
    """Train and measure the runs of a study, and keep each in `bench/results/ablation`.

    Raises:
        KeyError: no such study or run.
    """
    data, workspace = open_data("emoji"), bench_workspace()
    (RESULTS / "ablation").mkdir(exist_ok=True)
    for name in only or STUDIES[study]:
        key = f"{study}-{name}-{minutes:g}min-{vectors().lower()}".replace(" ", "-").replace(",", "")
        path = RESULTS / "ablation" / f"{key}.json"
        if path.is_file():
            continue
        options, change = STUDIES[study][name]
        base = _PAINTER if study.startswith("painter") else _ADVERSARIAL
        with change():
            found = _run(base | options, minutes, workspace, data.collection, key)
        quality = measure(found, data)
        states = json.loads((found / "stages.json").read_text())
        told = {
            "study": study, "run": name, "minutes": minutes, "machine": machine(), "quality": quality,
            "learned": {state["stage"]: state["pictures"] for state in states},
            "seconds": {state["stage"]: state["seconds"] for state in states},
        }  # fmt: skip
        path.write_text(json.dumps(told, indent=2))
        print(_line(told), flush=True)


def _run(options: dict[str, Any], minutes: float, workspace: Workspace, name: str, key: str) -> Path:
    """Train, paint, and leave what `measure` wants in a folder of this key."""
    import numpy as np

    collection = Collection.open(name, workspace)
    given = {key: value for key, value in options.items() if value is not None}
    told = TrainOptions.model_validate(
        {"name": key[:64], "height": 64, "width": 64, "minutes": minutes, "threads": 1, **given}
    )
    path = Training(told, collection, workspace, _Quiet(), resume=False, clock=time.process_time).run()
    pipeline = Pipeline.open(str(path), workspace, threads=1)
    holdout = torch.from_numpy(open_data(name).arrays()[1]).permute(0, 3, 1, 2).contiguous()
    folder = WORK / "runs" / key
    folder.mkdir(parents=True, exist_ok=True)
    first, last = pipeline.sample(32, seed=8), pipeline.sample(32, seed=9)
    ways = [type(first)(*(a + share / 16 * (b - a) for a, b in zip(first, last, strict=True))) for share in range(17)]
    for file, painted in (
        ("pictures", pipeline.paint(pipeline.sample(_DRAWN, seed=7))),
        ("reconstructed", pipeline.paint(pipeline.encode(holdout))),
        ("paths", torch.stack([pipeline.paint(way) for way in ways], dim=1)),
    ):
        np.save(folder / f"{file}.npy", painted.movedim(-3, -1).numpy())
    states = workspace.runs / key[:64] / "stages.json"
    (folder / "stages.json").write_text(states.read_text())
    return folder


def _line(told: dict[str, Any]) -> str:
    quality, seconds = told["quality"], told["seconds"]
    speeds = ", ".join(f"{stage} {told['learned'][stage] / seconds[stage]:.0f}/s" for stage in told["learned"])
    other = quality["report"]["features"][1]
    return (
        f"| {told['run']} | {quality['psnr']['value']:.1f} | {quality['kid']['value']:.3f} "
        f"({quality['kid']['low']:.3f} to {quality['kid']['high']:.3f}) | {other['kid']['value']:.3f} "
        f"| {quality['precision']['value']:.2f}, {quality['recall']['value']:.2f} | {speeds} |"
    )


def _kept(study: str) -> Iterator[dict[str, Any]]:
    for path in sorted((RESULTS / "ablation").glob("*.json")):
        found = json.loads(path.read_text())
        if found["study"] == study and found["machine"]["vectors"] == vectors():
            yield found


def told(study: str) -> str:
    """The table of a study, of all runs that are there of processors like this one."""
    head = "| taken away | PSNR, dB | KID | KID, random features | precision, recall | learns |"
    order = list(STUDIES[study])
    rows = sorted(_kept(study), key=lambda one: order.index(one["run"]))
    return "\n".join([head, "| --- | --- | --- | --- | --- | --- |", *map(_line, rows)])
