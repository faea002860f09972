"""Sheets to be looked at: what was planted beside what it was copied from, honest pictures, alarms, misses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from bench.copies.alterations import KINDS
from bench.copies.pictures import PLACE
from bench.copies.planted import CopySet

__all__ = ["Cell", "contact_sheet", "planted_sheet", "set_sheets"]

Pixels = NDArray[np.uint8]
Cell = tuple[Sequence[Pixels], str]
"""Pictures that stand side by side, and what stands below."""
_GAP, _TEXT = 6, 12


def contact_sheet(cells: Sequence[Cell], path: Path, *, columns: int, side: int = 96) -> None:
    """Cells in rows, as PNG."""
    if not cells:
        return
    across = max(len(pictures) for pictures, _ in cells) * side + _GAP
    rows = -(-len(cells) // columns)
    sheet = Image.new("RGB", (columns * across, rows * (side + _TEXT + _GAP)), "#d8d8d8")
    pen = ImageDraw.Draw(sheet)
    for number, (pictures, text) in enumerate(cells):
        x, y = (number % columns) * across, (number // columns) * (side + _TEXT + _GAP)
        for place, picture in enumerate(pictures):
            small = Image.fromarray(np.ascontiguousarray(picture))
            small = small.resize(_within(small.size, side), Image.Resampling.LANCZOS)
            sheet.paste(small, (x + place * side, y))
        pen.text((x, y + side), text.encode("latin-1", "replace").decode("latin-1")[: across // 6], fill="black")
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.quantize(256).save(path, optimize=True)


def _within(size: tuple[int, int], side: int) -> tuple[int, int]:
    share = side / max(size)
    return max(1, round(size[0] * share)), max(1, round(size[1] * share))


def planted_sheet(given: CopySet, path: Path, *, each: int = 6, side: int = 96) -> None:
    """One row a kind: copies, each beside its source."""
    cells = [cell for kind in KINDS for cell in _planted_cells(given, kind, each)]
    contact_sheet(cells, path, columns=each, side=side)


def _planted_cells(given: CopySet, kind: str, each: int) -> Iterator[Cell]:
    own = [number for number, fact in enumerate(given.planted.facts) if fact["kind"] == kind]
    for number in own[:: max(1, len(own) // each)][:each]:
        fact = given.planted.facts[number]
        yield (given.planted[number], given.training[fact["source"]]), f"{kind}, {fact['side']} px"


def set_sheets(given: CopySet) -> Path:
    """Sheets of a whole set; the folder that they lie in."""
    folder = PLACE / "sheets" / given.name
    planted_sheet(given, folder / "planted.png", each=8)
    random = np.random.default_rng(0)
    chosen = sorted(random.choice(len(given.honest), min(200, len(given.honest)), replace=False).tolist())
    honest = [((given.honest[i],), given.honest.facts[i]["title"]) for i in chosen]
    contact_sheet(honest, folder / "honest.png", columns=20)
    kin = sorted(range(len(given.kin)), key=lambda i: float(given.kin.facts[i]["share"]))
    shown = kin[:: max(1, len(kin) // 120)]
    pairs = [
        ((given.kin[i], given.training[given.kin.facts[i]["source"]]), f"{given.kin.facts[i]['share']:.2f}")
        for i in shown
    ]
    contact_sheet(pairs, folder / "kin.png", columns=12)
    return folder
