"""What was measured, as pictures: every number against its floor; the most and the least typical new pictures."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from limner.measure.findings import MEANINGS, Finding, QualityReport
from limner.measure.model import ModelMeasurement
from limner.pictures.sheets import sheet
from limner.workspace import replace_file

_NEW, _REAL = "#c1440e", "#1d3557"
_SHARES = ("precision", "recall", "coverage")


def plot_numbers(report: QualityReport, path: Path) -> None:
    """One panel for each number: the generated pictures' interval beside that of real ones in their place, as PNG."""
    rows = math.ceil(len(MEANINGS) / 4)
    figure = _figure(13, 2.7 * rows)
    names = [one.features for one in report.features]
    for i, (key, meaning) in enumerate(MEANINGS.items()):
        axes = figure.add_subplot(rows, 4, i + 1)
        for row, one in enumerate(report.features):
            _interval(axes, one.findings()[key], row)
        better = {"low": "left is better", "high": "right is better", "floor": "close to real is better"}[meaning.good]
        axes.set_title(meaning.title, loc="left", fontsize=11)
        axes.set_xlabel(better, fontsize=8, color="#666")
        axes.set_yticks(range(len(names)), names if i % 4 == 0 else [""] * len(names), fontsize=9)
        axes.set_ylim(len(names) - 0.4, -0.6)
        if key in _SHARES:
            axes.set_xlim(0, 1)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles[:2], labels[:2], loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    _save(figure, path)


def plot_typical(measured: ModelMeasurement, path: Path, pairs: int = 24) -> None:
    """New pictures that lie nearest to a training picture, and farthest from any, each left of its nearest, as PNG."""
    order = measured.distances.argsort()
    count = min(pairs, max(1, len(order) // 2))
    shown = {"most typical: nearest to a training picture": order[:count]}
    shown["least typical: farthest from any"] = order.flip(0)[:count]
    wide = 11.0
    pictures = {title: _pairs(measured, which) for title, which in shown.items()}
    figure = _figure(wide, sum(wide * one.shape[0] / one.shape[1] + 0.4 for one in pictures.values()))
    for i, (title, which) in enumerate(shown.items()):
        axes = figure.add_subplot(2, 1, i + 1)
        axes.imshow(pictures[title], interpolation="nearest")
        low, high = (float(measured.distances[which[j]]) for j in (0, -1))
        axes.set_title(
            f"{title} (left: new, right: its nearest; {min(low, high):.2f} to {max(low, high):.2f} deviations apart)",
            loc="left",
            fontsize=10,
        )
        axes.set_axis_off()
    _save(figure, path)


def _pairs(measured: ModelMeasurement, which: Tensor) -> np.ndarray[Any, np.dtype[np.uint8]]:
    both = torch.cat([measured.generated[which], measured.nearest[which]], dim=3)  # side by side
    return sheet(both.permute(0, 2, 3, 1).numpy(), columns=8, gap=6)


def _interval(axes: Any, finding: Finding, row: int) -> None:
    for found, colour, shift, label in ((finding, _NEW, -0.13, "new"), (finding.floor, _REAL, 0.13, "real, as many")):
        if found is not None:
            axes.plot([found.low, found.high], [row + shift] * 2, color=colour, linewidth=3, alpha=0.45)
            axes.plot([found.value], [row + shift], "o", color=colour, markersize=5, label=label)
    axes.grid(alpha=0.25, axis="x")
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)


def _figure(width: float, height: float) -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=130, layout="constrained")


def _save(figure: Any, path: Path) -> None:
    with replace_file(path) as part, part.open("wb") as file:
        figure.savefig(file, format="png")
