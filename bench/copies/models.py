"""What the gate says of models: of ones that learned ten pictures by heart, and of those that ship."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.copies.comparing import keep
from bench.copies.overtrained import FAMILIES, painted, trained
from bench.copies.pictures import PLACE, copies_workspace
from bench.copies.sheets import Cell, contact_sheet
from bench.machine import machine
from limner.collection import PAINTINGS, Collection, import_collection
from limner.gate import CopyFinding, CopyGate, gate_for
from limner.gate.calibration import COPY
from limner.models.bundle import find_model, load_model
from limner.statistics import share
from limner.workspace import Workspace

__all__ = ["overtrained", "shipped"]

Pixels = NDArray[np.uint8]
Seen = tuple[Pixels, CopyFinding]
_SHIPPED = "landscapes", "emoji-vae", "emoji-gan"
_BATCH, _SHOWN = 64, 48
_FINISHED = 256
"""Shorter side of finished works of the over-trained models, px; the models that ship finish at their own."""


def overtrained(count: int, minutes: float) -> None:
    """How many works of models that learned ten pictures by heart are stopped, bare and finished."""
    workspace = copies_workspace()
    rows = []
    for family in FAMILIES:
        name = trained(family, minutes)
        for bare in (True, False):
            how = "bare, 64 px" if bare else f"finished, {_FINISHED} px"
            rows.append(_row(name, how, count, workspace, size=_FINISHED, bare=bare))
            _keep("overtrained", "Models that learned ten pictures by heart", _TEN.format(minutes=minutes), rows)


def shipped(count: int) -> None:
    """How many works of the models that ship are stopped, finished as `limner sample` does it."""
    workspace = Workspace(PLACE / "shipped")
    workspace.make(workspace.root)
    if "paintings" not in Collection.names(workspace):
        import_collection(PAINTINGS, "paintings", workspace)
    rows = []
    for name in _SHIPPED:
        rows.append(_row(name, "finished", count, workspace, size=None, bare=False))
        _keep("shipped", "Models that ship", _SHIP, rows)


_TEN = (
    "Ten landscapes are learned from, ten more held out, for {minutes:g} minutes of the processor each, the GAN from "
    "the VAE: nearly every new picture is one of the ten. At least 98 % of their works are to be stopped.\n"
)
_SHIP = "Works of each model are shown to its gate as they would be published. Fewer than 1 % are to be stopped.\n"


def _row(name: str, how: str, count: int, workspace: Workspace, *, size: int | None, bare: bool) -> dict[str, Any]:
    gate = gate_for(load_model(find_model(name, workspace)), workspace)
    if isinstance(gate, str):
        raise ValueError(f"{name} has no gate: {gate}")
    works = (finished for _, finished in painted(name, count, workspace, size=size, bare=bare))
    scores, stopped, nearest = [], [], list[tuple[float, int, Seen]]()
    for number, (pixels, found) in enumerate(_looked_at(gate, works)):
        scores.append(found.score)
        stopped.append(found.is_copy)
        heapq.heappush(nearest, (found.score, number, (pixels, found)))
        if len(nearest) > _SHOWN:
            heapq.heappop(nearest)
    _sheet(f"{name}-{'bare' if bare else 'finished'}", gate, [seen for _, _, seen in sorted(nearest, reverse=True)])
    told = share(stopped).as_dict() | {"stopped": int(np.sum(stopped))}
    spread = np.quantile(scores, [0, 0.01, 0.5, 0.99, 1]).round(4).tolist()
    return {"model": name, "how": how, "threshold": COPY, "scores": spread, **told}


def _looked_at(gate: CopyGate, works: Iterator[Pixels]) -> Iterator[Seen]:
    while batch := list(islice(works, _BATCH)):
        yield from zip(batch, gate.look(batch), strict=True)


def _sheet(name: str, gate: CopyGate, seen: list[Seen]) -> None:
    """Works with the highest scores, each beside the training picture that the gate names first, small."""
    numbers = {one.digest: number for number, one in enumerate(gate.items)}
    cells: list[Cell] = []
    for pixels, found in seen:
        first = found.nearest[0] if found.nearest else None
        other = gate.local.thumbnail(numbers[first.digest]) if first else None
        shown = (pixels,) if other is None else (pixels, other)
        cells.append((shown, f"{found.score:.3f} {'STOPPED' if found.is_copy else ''} {first.title if first else ''}"))
    contact_sheet(cells, PLACE / "sheets" / "models" / f"{name}.png", columns=6, side=144)


def _keep(name: str, title: str, about: str, rows: list[dict[str, Any]]) -> None:
    lines = ["| model | works | count | stopped, % | score: least, median, most | threshold |", "| --- " * 6 + "|"]
    for row in rows:
        share_told = f"{100 * row['value']:.1f} ({100 * row['low']:.1f} to {100 * row['high']:.1f})"
        least, _, median, _, most = row["scores"]
        told = f"{least:.3f}, {median:.3f}, {most:.3f}"
        lines.append(
            f"| {row['model']} | {row['how']} | {row['count']:,} | {share_told} | {told} | {row['threshold']:.3f} |"
        )
    about += f"\n{machine()['processor']}, {datetime.now(UTC).date()}.\n"
    keep(name, {"title": title, "told": [about, *lines], "rows": rows, "machine": machine()})
