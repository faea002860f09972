"""The pictures of the bench: one collection of limner, its training pictures as files, its hold-out kept aside."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.peers.common import SIDE
from bench.places import BENCH, WORK
from limner.collection import PAINTINGS, Collection, import_collection
from limner.collection.views import plain_views
from limner.rights import credit_line, summary
from limner.training.data import load_data
from limner.training.options import TrainOptions
from limner.workspace import Workspace, replace_folder

__all__ = ["EMOJI", "BenchData", "bench_workspace", "open_data"]

EMOJI = BENCH.parent.parent / "shared" / "data" / "emoji-styles"
"""Where the emoji lie in the house of limner's makers; elsewhere the bench takes the paintings or a folder."""


@dataclass(frozen=True)
class BenchData:
    """What all programs learn from and are measured against.

    Attributes:
        name: short name of the pictures.
        source: what was asked for: `emoji`, `paintings` or a folder.
        collection: name of the collection in the bench's workspace.
        digest: of the collection.
        credit: whom to name where sheets are shown.
        training: folder with the training pictures as PNG, 64 px: exactly these, for every program.
        real: the same as one array. # uint8 [n, 64, 64, 3]
        holdout: file with the hold-out half by which limner chooses nothing; no program sees it.
            # uint8 [m, 64, 64, 3]
        chose: file with the other half, by which limner chooses its prior. # uint8 [l, 64, 64, 3]
    """

    name: str
    source: str
    collection: str
    digest: str
    credit: str
    training: Path
    real: Path
    holdout: Path
    chose: Path

    def arrays(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
        """Training pictures and both halves of the hold-out. # uint8 [n, 64, 64, 3] each"""
        return np.load(self.real), np.load(self.holdout), np.load(self.chose)


def bench_workspace() -> Workspace:
    """limner's workspace of the bench, apart from the user's."""
    return Workspace(WORK / "home")


def open_data(name: str) -> BenchData:
    """Import the pictures (once) and write them out for the other programs (once).

    Args:
        name: `emoji`, `paintings`, or a folder of pictures.
    """
    workspace = bench_workspace()
    workspace.make(workspace.root)
    short = name if name in ("emoji", "paintings") else Path(name).resolve().name.lower()
    if short not in Collection.names(workspace):
        print(f"importing {short}", flush=True)
        if short == "emoji":
            import_collection(EMOJI, short, workspace, columns={"creator": "style"})
        else:
            source = PAINTINGS if short == "paintings" else Path(name)
            import_collection(source, short, workspace, creator="bench", licence="LicenseRef-Bench")
    collection = Collection.open(short, workspace)
    folder = WORK / "data" / f"{short}-{collection.digest.removeprefix('sha256:')[:12]}"
    if not (folder / "chose.npy").is_file():
        _write_out(collection, workspace, folder)
    return BenchData(
        name=short,
        source=name,
        collection=short,
        digest=collection.digest,
        credit=credit_line(summary(collection.rows())),
        training=folder / "training",
        real=folder / "training.npy",
        holdout=folder / "holdout.npy",
        chose=folder / "chose.npy",
    )


def _write_out(collection: Collection, workspace: Workspace, folder: Path) -> None:
    # The options that `limner train` has by default, so that the split is the one that limner trains on.
    options = TrainOptions(name="bench", height=SIDE, width=SIDE, accept_unknown="a measurement")
    data = load_data(collection, collection.rows(), options, workspace)
    with replace_folder(folder) as part:
        (part / "training").mkdir()
        training = _hwc(plain_views(data.cache, data.size).numpy())
        np.save(part / "training.npy", training)
        np.save(part / "holdout.npy", _hwc(data.reports.numpy()))
        np.save(part / "chose.npy", _hwc(data.chooses.numpy()))
        for i, picture in enumerate(training):
            Image.fromarray(picture).save(part / "training" / f"{i:06d}.png")


def _hwc(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(pictures.transpose(0, 2, 3, 1))
