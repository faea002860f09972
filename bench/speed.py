"""How fast limner is here: importing, training, painting, signing. Nothing else should run meanwhile.

.venv/bin/python -m bench speed            # about three minutes
.venv/bin/python -m bench speed FOLDER     # trains on the collection in FOLDER instead of the paintings
"""

from __future__ import annotations

import itertools
import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from bench.places import WORK
from limner.collection import PAINTINGS, Collection, import_collection
from limner.latent.pipeline import Pipeline
from limner.ledger import Ledger
from limner.machine import Machine, probe
from limner.models.bundle import Model
from limner.models.latent_model import LatentModel, LatentModelConfig
from limner.models.painter import painter_config
from limner.papers import Identity, Publisher
from limner.training.data import load_data
from limner.training.loop import Loop
from limner.training.options import TrainOptions
from limner.training.painter_stage import PainterStage
from limner.training.prior_stage import PriorStage
from limner.training.stage import Budget
from limner.works.sampling import SampleRequest
from limner.workspace import Workspace

_JPEGS, _SAMPLES, _SIGNED, _SECONDS = 2000, 1000, 400, 40


class _Silent:
    def note(self, text: str) -> None:
        print(text, file=sys.stderr)

    def stage(self, title: str) -> None:
        print(f"measuring: {title}", file=sys.stderr)

    def tick(self, share: float, seconds_left: float, rate: float, losses: dict[str, float]) -> None:
        pass


def importing(workspace: Workspace, folder: Path) -> dict[str, float]:
    """Pictures a second for 256 px JPEG, all checks on."""
    rng = np.random.default_rng(0)
    sources = [Image.open(path).convert("RGB") for path in sorted((PAINTINGS / "img").glob("*.jpg"))[:100]]
    folder.mkdir()
    for i in range(_JPEGS):
        source = sources[i % len(sources)]
        left, top = (int(rng.integers(0, side - 255)) for side in source.size)
        crop = source.crop((left, top, left + 256, top + 256))
        (crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if i % 2 else crop).save(folder / f"{i:05d}.jpg", quality=88)
    start = time.monotonic()
    import_collection(folder, "jpegs", workspace, licence="CC0-1.0", creator="bench")
    spent = time.monotonic() - start
    return {"pictures_per_second": _JPEGS / spent}


def training(workspace: Workspace, collection: Collection, machine: Machine) -> tuple[LatentModel, dict[str, float]]:
    """Pictures and latents a second of the two stages: with checks and sheets, and of steps alone (median of tens)."""
    options = TrainOptions(name="bench", accept_unknown="a measurement")
    data = load_data(collection, collection.rows(), options, workspace)
    model = LatentModel(LatentModelConfig(painter=painter_config(64, 64)))
    folder = workspace.make(workspace.runs / "bench")
    workspace.make(folder / "sheets")
    found: dict[str, float] = {}
    for kind in (PainterStage, PriorStage):
        stage = kind(model, data, options, machine, folder)
        loop = Loop(
            stage, Budget(seconds=_SECONDS), folder, _Silent(), precision=machine.precision, device="cpu", seed=0
        )
        state = loop.run()
        found[f"{stage.name}_per_second_all_included"] = state.pictures / state.seconds
        steps = [(p["seconds"], p["pictures"]) for p in state.history]
        pairs = [((b[1] - a[1]) / (b[0] - a[0])) for a, b in itertools.pairwise(steps[1:])]
        found[f"{stage.name}_per_second"] = float(np.median(pairs))
        loop.path.unlink(missing_ok=True)
        model.eval()
    found["parameters_painter_and_encoder"] = sum(
        p.numel() for part in (model.encoder, model.painter) for p in part.parameters()
    )
    return model, found


def painting(model: LatentModel, workspace: Workspace, machine: Machine) -> tuple[Pipeline, dict[str, float]]:
    """Pictures a second of `limner sample`, the prior included, signing apart."""
    from limner.models.card import Card, CollectionNote, TeacherNote, TrainingNote
    from limner.rights import summary

    card = Card(
        name="bench",
        config=model.config,
        collection=CollectionNote(name="b", digest="0" * 64, holdout_digest="0" * 64, pictures=0, held_out=0),
        rights=summary([]),
        teacher=TeacherNote(name="none"),
        training=TrainingNote(
            pictures_seen=0, latents_seen=0, minutes=0, steps={}, device="cpu", precision="", threads=0, seed=0
        ),
    )
    pipeline = Pipeline(Model(workspace.root, "0" * 64, card, model.eval()), machine)
    list(pipeline.samples(64, seed=1))
    start = time.monotonic()
    for _ in pipeline.samples(_SAMPLES, seed=2):
        pass
    return pipeline, {"pictures_per_second": _SAMPLES / (time.monotonic() - start)}


def signing(pipeline: Pipeline, workspace: Workspace, folder: Path) -> dict[str, float]:
    """Signed PNG a second: XMP, signature, reading back, verifying, moving into place, ledger."""
    folder.mkdir()
    identity = Identity.new(workspace, "bench")
    request = SampleRequest(seed=3)
    works = [
        (p.pixels, folder / f"{p.index}.png", request.provenance(pipeline, p, "bench", None))
        for p in pipeline.samples(_SIGNED, seed=3)
    ]
    with Publisher(identity, Ledger.open(workspace.ledger)) as publisher:
        start = time.monotonic()
        publisher.publish_many(works)
        return {"png_per_second": _SIGNED / (time.monotonic() - start)}


def main(folder: str | None = None) -> None:
    """Measure, print, save in `bench/.work/speed.json` (it describes one machine, and is not kept with the code)."""
    with tempfile.TemporaryDirectory() as place:
        workspace = Workspace(Path(place) / "home")
        found: dict[str, Any] = {"importing": importing(workspace, Path(place) / "jpegs")}
        machine = probe()
        found["machine"] = {"told": machine.reason, "processor": platform.processor(), "cores": os.cpu_count()}
        if folder:
            collection = Collection.open(folder, workspace)
        else:
            import_collection(PAINTINGS, "paintings", workspace)
            collection = Collection.open("paintings", workspace)
        torch.manual_seed(0)
        model, found["training"] = training(workspace, collection, machine)
        pipeline, found["painting"] = painting(model, workspace, machine)
        found["signing"] = signing(pipeline, workspace, Path(place) / "works")
    WORK.mkdir(exist_ok=True)
    (WORK / "speed.json").write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found, indent=2))
