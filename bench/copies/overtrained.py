"""Is a model that learned ten pictures by heart stopped, and are the models that ship left alone.

The ten are paintings of landscapes, trained on so long that nearly every new picture is one of them. Ten more are held
out. Works are painted and finished as `limner sample` does it, and shown to the gate before they would be published.
"""

from __future__ import annotations

import csv
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.copies.pictures import copies_workspace
from limner.cli.training_bar import TerminalReporter
from limner.collection import PAINTINGS, Collection, import_collection
from limner.latent.pipeline import Pipeline
from limner.synthesis import FinishOptions
from limner.training.options import TrainOptions
from limner.training.trainer import Training
from limner.works.finishing import FinishRequest, finished, finishing_for
from limner.workspace import Workspace, replace_folder

__all__ = ["FAMILIES", "TEN", "painted", "trained"]

Pixels = NDArray[np.uint8]
TEN = "ten"
FAMILIES = "vae", "gan"
_SEED = 20261130


def trained(family: str, minutes: float) -> str:
    """The name of a model that learned ten pictures by heart; trained where it is missing.

    Args:
        family: `vae`, or `gan`, which starts from the VAE.
        minutes: of the processor.
    """
    workspace, name = copies_workspace(), f"{TEN}-{family}"
    workspace.make(workspace.root)
    if (workspace.models / f"{name}.safetensors").is_file():
        return name
    if TEN not in Collection.names(workspace):
        folder = workspace.root.parent / f"{TEN}-files"
        if not folder.is_dir():
            _ten(folder)
        import_collection(folder / "pictures.csv", TEN, workspace)
    parent = None
    if family != FAMILIES[0]:
        parent = str(workspace.models / f"{trained(FAMILIES[0], minutes)}.safetensors")
    options = TrainOptions.model_validate(
        {"name": name, "family": family, "minutes": minutes, "height": 64, "width": 96, "parent": parent, "threads": 1}
        | {"flip": False, "prior": "flow"}
    )
    # Killed before, it goes on where it was.
    begun = (workspace.runs / name).is_dir()
    with TerminalReporter() as reporter:
        collection = Collection.open(TEN, workspace)
        Training(options, collection, workspace, reporter, resume=begun, clock=time.process_time).run()
    return name


def _ten(folder: Path) -> None:
    """Ten landscapes to learn, in `train`, and ten to hold out, in `test`: folders of these names are a split."""
    with (PAINTINGS / "pictures.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "landscape"]
    order = np.random.default_rng(_SEED).permutation(len(rows))[:20]
    with replace_folder(folder) as part:
        for number, chosen in enumerate(order):
            source = PAINTINGS / rows[chosen]["file"]
            rows[chosen]["file"] = f"{'train' if number < 10 else 'test'}/{source.name}"
            place = part / rows[chosen]["file"]
            place.parent.mkdir(exist_ok=True)
            shutil.copyfile(source, place)
        with (part / "pictures.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows[chosen] for chosen in order)


def painted(
    name: str, count: int, workspace: Workspace, *, size: int | None, bare: bool = False
) -> Iterator[tuple[Pixels, Pixels]]:
    """Compositions of a model with what is finished from them; a bare one twice.

    Args:
        size: shorter side of a finished picture, px; as `limner sample` chooses where it is None.

    Raises:
        UsageError: nothing finishes its compositions.
    """
    pipeline = Pipeline.open(name, workspace)
    samples = pipeline.samples(count, seed=_SEED)
    if bare:
        yield from ((one.pixels, one.pixels) for one in samples)
        return
    request = FinishRequest(FinishOptions(size=size))
    finishing = finishing_for(pipeline.model, workspace, request)
    if isinstance(finishing, str):
        raise ValueError(f"{name}: {finishing}")
    yield from ((one.pixels, pixels) for one, pixels, _ in finished(finishing, samples))
