"""The curves of a training as a plot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from limner.training.stage import StageState
from limner.workspace import replace_file


def plot_curves(states: Sequence[StageState], path: Path) -> None:
    """One panel for each stage: losses by minute, and what the hold-out says, as PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.6 * len(states), 3.6), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    for i, state in enumerate(states):
        axes = figure.add_subplot(1, len(states), i + 1)
        minutes = [point["seconds"] / 60 for point in state.history]
        losses = [point["loss"] for point in state.history]
        axes.plot(minutes, losses, color="#b9c4cf", linewidth=0.8)
        axes.plot(minutes, _smooth(losses), color="#1d3557", linewidth=1.8, label="loss, training")
        checked = [point["seconds"] / 60 for point in state.checks]
        shown, name = _CHECKED[state.stage]
        other = axes if state.stage == "prior" else axes.twinx()
        values = [point[shown] for point in state.checks]
        other.plot(checked, values, "o-", color="#c1440e", markersize=3.5, label=name)
        axes.set_title(state.stage, loc="left", fontsize=11)
        axes.set_xlabel("minutes")
        axes.grid(alpha=0.25)
        for one in (axes, other):
            one.spines["top"].set_visible(False)
        if losses:
            kept = sorted(losses)[: max(1, int(len(losses) * 0.97))]
            axes.set_ylim(min(losses) * 0.9, kept[-1] * 1.05)
        lines = axes.get_legend_handles_labels()
        more = other.get_legend_handles_labels() if other is not axes else ([], [])
        axes.legend(lines[0] + more[0], lines[1] + more[1], frameon=False, fontsize=8, loc="center right")
    with replace_file(path) as part, part.open("wb") as file:
        figure.savefig(file, format="png")


_CHECKED = {
    "small-painter": ("psnr", "PSNR at half the size (dB)"),
    "painter": ("psnr", "PSNR, hold-out (dB)"),
    "prior": ("score", "loss, hold-out"),
    "adversarial": ("kid", "KID, hold-out that chooses"),
}


def _smooth(values: Sequence[float], keep: float = 0.9) -> NDArray[np.float64]:
    """The exponential moving average, without the bias of its start."""
    from scipy.signal import lfilter

    total, weight = (lfilter([1.0], [1.0, -keep], own) for own in (values, np.ones(len(values))))
    found: NDArray[np.float64] = total / weight
    return found
