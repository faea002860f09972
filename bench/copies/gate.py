"""limner's copy gate on the same set: with a threshold chosen as for all others, and with the one it calibrated."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.copies.packs import Pack
from bench.copies.pictures import PLACE, copies_workspace
from bench.copies.planted import CopySet
from bench.copies.scoring import Nearest, summed
from limner.cli.training_bar import TerminalReporter
from limner.collection import Collection
from limner.gate import CopyGate, gate_for
from limner.gate.calibration import COPY
from limner.models.bundle import find_model, load_model
from limner.training.options import TrainOptions
from limner.training.trainer import Training

__all__ = ["GATE", "gate_of", "gate_summed", "looked_at"]

GATE = "limner"
_BATCH = 64
_TIMED = 64


def gate_of(name: str) -> CopyGate:
    """The gate of a model that learned from the set's collection: as short a training as there is, for its index."""
    workspace = copies_workspace()
    model = f"copies-{name}"
    if not (workspace.models / f"{model}.safetensors").is_file():
        collection = Collection.open(name, workspace)
        options = TrainOptions(name=model, steps=8, crisp=False, accept_unknown="a measurement")
        with TerminalReporter() as reporter:
            Training(options, collection, workspace, reporter, resume=False).run()
    gate = gate_for(load_model(find_model(model, workspace)), workspace)
    if isinstance(gate, str):
        raise ValueError(f"{model} has no gate: {gate}")
    return gate


def looked_at(gate: CopyGate, pictures: Pack, digests: Sequence[str]) -> Nearest:
    """Scores of pictures and the nearest training picture, in batches of 64.

    Args:
        digests: of the training pictures, by their numbers.
    """
    numbers = {digest: number for number, digest in enumerate(digests)}
    scores: list[float] = []
    sources: list[int] = []
    for start in range(0, len(pictures), _BATCH):
        batch = [np.array(pictures[i]) for i in range(start, min(start + _BATCH, len(pictures)))]
        for found in gate.look(batch):
            scores.append(found.score)
            sources.append(numbers.get(found.nearest[0].digest, -1) if found.nearest else -1)
        print(f"{len(scores)} of {len(pictures)}", flush=True)
    return Nearest(np.array(scores), np.array(sources))


def gate_summed(given: CopySet) -> dict[str, Any]:
    """Figures with either threshold, by the names of the table."""
    from bench.copies.comparing import scored_sheets

    gate = gate_of(given.name)
    digests = [fact["digest"] for fact in given.training.facts]
    asked = {name: pack for name, pack in given.parts().items() if name != "training" and len(pack)}
    parts = {name: looked_at(gate, pack, digests) for name, pack in asked.items()}
    place = PLACE / "described" / f"limner-{given.name}"
    place.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        place, **{f"{name}_{key}": getattr(one, key) for name, one in parts.items() for key in ("score", "source")}
    )
    # From `COPY` on it is a copy; a threshold here is passed by what exceeds it.
    told = {"limner": summed(given, parts), "limner-own": summed(given, parts, float(np.nextafter(COPY, 0)))}
    scored_sheets(given, parts, told["limner-own"]["threshold"], GATE)
    return {name: one | {"ms": _milliseconds(gate, given)} for name, one in told.items()}


def _milliseconds(gate: CopyGate, given: CopySet) -> float:
    """Of the processor for one picture, in one batch."""
    batch: list[NDArray[np.uint8]] = [np.array(given.honest[i]) for i in range(min(_TIMED, len(given.honest)))]
    gate.look(batch[:2])
    began = time.process_time()
    gate.look(batch)
    return 1000 * (time.process_time() - began) / len(batch)
