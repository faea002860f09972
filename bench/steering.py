"""How quickly and how rightly a model is steered: moves and mixes, what each word changes, how even a walk is.

    python -m bench steering MODEL

Nothing else should run meanwhile. Directions of the model must be known (`limner directions find MODEL`).
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from limner.latent.attributes import ATTRIBUTES, measure_attributes
from limner.latent.directions import Directions
from limner.latent.filming import film, frames_of
from limner.latent.mixing import Region, mix_blocks, mix_region, mix_weights
from limner.latent.pipeline import Pipeline
from limner.latent.walking import Walk
from limner.models.latent_model import to_unit
from limner.models.painter import Latent
from limner.models.selfsupervised import SelfSupervisedFeatures
from limner.models.teacher import load_teacher
from limner.pictures.sheets import save_sheet

__all__ = ["attribute_table", "speeds", "steering", "told", "walked"]

_SEED = 4711
_TIMES = 100
_STATIONS, _SECONDS, _FPS = 3, 8, 30
_SHOWN = 3
_STEPS = (-2.0, -1.0, 0.0, 1.0, 2.0)


def speeds(pipeline: Pipeline, directions: Directions) -> dict[str, float]:
    """Milliseconds of one move or mix with its painting, warm: medians of 100."""
    latents = [pipeline.sample(1, seed=_SEED, first=i) for i in range(2)]
    config = pipeline.model.card.config.painter
    mask = Region.parse("ellipse:0.2,0.2,0.8,0.8").mask(config.height, config.width)
    swapped = [0] + [1] * config.blocks
    ways: dict[str, Callable[[], Latent]] = {
        "move": lambda: directions.moved(pipeline, latents[0], {"warmth": 1.0, "brightness": -0.5}),
        "mix by block": lambda: mix_blocks(latents, swapped),
        "mix by weight": lambda: mix_weights(pipeline, latents, [0.6, 0.4]),
        "mix by region": lambda: mix_region(latents[1], latents[0], mask),
    }
    found = {}
    for name, way in ways.items():
        times = []
        for _ in range(_TIMES + 5):
            start = time.perf_counter()
            pipeline.paint(way())
            times.append(time.perf_counter() - start)
        found[name] = 1000 * statistics.median(times[5:])
    return found


def attribute_table(pipeline: Pipeline, directions: Directions, count: int) -> dict[str, dict[str, Any]]:
    """What one step up along each attribute does to `count` new pictures.

    Returns:
        of each attribute: `right`, the share of pictures in which it rises; `effects`, the median change of every
        attribute in deviations of the model's own pictures; `side`, the largest of another one by its own.
    """
    latent = pipeline.sample(count, seed=_SEED)
    before = measure_attributes(pipeline.paint(latent))
    low, high = torch.quantile(before, torch.tensor([0.02, 0.98]), dim=0)
    unit = ((high - low) / 4.1).clamp_min(1e-6)
    found: dict[str, dict[str, Any]] = {}
    for i, name in enumerate(ATTRIBUTES):
        after = measure_attributes(pipeline.paint(directions.moved(pipeline, latent, {name: 1.0})))
        change = (after - before) / unit
        effects = change.median(0).values
        others = torch.cat([effects[:i], effects[i + 1 :]]).abs()
        names = [other for other in ATTRIBUTES if other != name]
        found[name] = {
            "right": float((change[:, i] > 0).float().mean()),
            "effects": {other: float(value) for other, value in zip(ATTRIBUTES, effects, strict=True)},
            "side": float(others.max() / effects[i].abs().clamp_min(1e-6)),
            "side_of": names[int(others.argmax())],
        }
    return found


def walked(pipeline: Pipeline) -> dict[str, float]:
    """A walk of 8 s at 30 frames a second: seconds that it took, and its largest step by the median one.

    Steps are measured between frames as they are painted: by the teacher's features place by place, as people see it;
    by self-supervised ones of whole pictures; and by pixels, by which walks are evened.
    """
    stations = [pipeline.sample(1, seed=_SEED, first=i) for i in range(_STATIONS)]
    count = _SECONDS * _FPS
    with tempfile.TemporaryDirectory() as place:
        start = time.perf_counter()
        walk = Walk(pipeline, stations)
        folder = Path(place)
        frames = list(frames_of(walk, pipeline, count, folder / "frames", "", lambda done, total: None))
        film(iter(frames), folder / "walk.mp4", _FPS, 4)
        took = time.perf_counter() - start
    shown = torch.stack([torch.from_numpy(frame) for frame in frames]).permute(0, 3, 1, 2)
    seen = {"teacher": _by_teacher(shown), "self-supervised": SelfSupervisedFeatures()(shown)}
    seen["pixels"] = shown.float().flatten(1)
    found = {"frames": float(count), "seconds": took}
    for name, rows in seen.items():
        steps = (rows[1:] - rows[:-1]).norm(dim=1)
        found[f"largest step by median ({name})"] = float(steps.max() / steps.median())
    return found


@torch.inference_mode()
def _by_teacher(shown: Tensor) -> Tensor:
    """Features of each place at three strides (Zhang et al. 2018, "LPIPS"). # uint8 [n, 3, h, w] -> [n, d]"""
    teacher = load_teacher()
    parts = []
    for chunk in shown.split(32):
        maps = teacher(to_unit(chunk))
        parts.append(torch.cat([m.flatten(1) / (m.shape[2] * m.shape[3]) ** 0.5 for m in maps], dim=1))
    return torch.cat(parts)


def steering(pipeline: Pipeline, directions: Directions, folder: Path, count: int = 200) -> dict[str, Any]:
    """Measure all of it, write `steering-MODEL.json` and a sheet of strips, and return what was found."""
    card = pipeline.model.card
    found: dict[str, Any] = {
        "model": card.name,
        "digest": pipeline.model.digest,
        "size": [card.config.painter.height, card.config.painter.width],
        "threads": pipeline.machine.threads,
        "precision": pipeline.machine.precision,
        "milliseconds": speeds(pipeline, directions),
        "walk": walked(pipeline),
        "pictures": count,
        "attributes": attribute_table(pipeline, directions, count),
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"steering-{card.name}.json").write_text(json.dumps(found, indent=2) + "\n")
    rows = []
    for name in ATTRIBUTES:
        for i in range(_SHOWN):
            own = pipeline.sample(1, seed=_SEED, first=i)
            rows += [pipeline.paint(directions.moved(pipeline, own, {name: step})) for step in _STEPS]
    save_sheet(torch.cat(rows), folder / f"steering-{card.name}.png", columns=_SHOWN * len(_STEPS))
    return found


def told(found: dict[str, Any]) -> str:
    """What was found, as a Markdown table."""
    lines = ["| attribute | rises in | " + " | ".join(ATTRIBUTES) + " | largest side effect |"]
    lines.append("|---|---|" + "---|" * len(ATTRIBUTES) + "---|")
    for name, one in found["attributes"].items():
        cells = [f"**{value:+.2f}**" if other == name else f"{value:+.2f}" for other, value in one["effects"].items()]
        side = f"{one['side']:.2f} ({one['side_of']})"
        lines.append(f"| {name} | {one['right']:.1%} | " + " | ".join(cells) + f" | {side} |")
    return "\n".join(lines)
