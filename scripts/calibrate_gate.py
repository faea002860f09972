"""Calibrates the copy gate of the models that ship, once for all: writes `src/limner/gate/shipped/*.json`.

Run it after a change of `limner.gate`: .venv/bin/python scripts/calibrate_gate.py
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from limner.collection import PAINTINGS, Collection, import_collection
from limner.gate import opening
from limner.models.bundle import SHIPPED, load_model
from limner.synthesis.finding import own_exemplars
from limner.workspace import Workspace

KEPT = Path(opening.__file__).parent / "shipped"


def calibrate(name: str, workspace: Workspace) -> None:
    """Write the thresholds of one shipped model."""
    model = load_model(SHIPPED / f"{name}.safetensors")
    own = own_exemplars(model, workspace)
    if isinstance(own, str):
        sys.exit(own)
    digest = own.exemplars.digest.removeprefix("sha256:")[:32]
    (KEPT / f"{digest}.json").unlink(missing_ok=True)
    collection = Collection.open(PAINTINGS.name, workspace)
    known = {one.digest for one in own.exemplars.items}
    # Other paintings of the same sources are honest new pictures for the landscapes; the emoji have only themselves.
    others = [row for row in collection.rows() if row.pixel_sha256 not in known] if name == "landscapes" else []
    honest = opening.Honest([collection.picture_path(row) for row in others])
    gate = opening.open_gate(own.exemplars, workspace, honest, progress=lambda done, total: None)
    (KEPT / f"{digest}.json").write_text(gate.thresholds.model_dump_json() + "\n")
    print(name, json.dumps(gate.thresholds.model_dump()))


if __name__ == "__main__":
    KEPT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        home = Workspace(Path(folder))
        import_collection(PAINTINGS, PAINTINGS.name, home)
        for shipped in ("landscapes", "emoji-vae"):
            calibrate(shipped, home)
