"""What the comparison gave, as tables and as a figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.copies.alterations import KINDS, Class
from bench.copies.methods import METHODS
from limner.workspace import replace_file

__all__ = ["GATES", "MOST_ALARMS", "TARGETS", "by_kind", "figure", "overview"]

Found = dict[str, Any]
GATES = {"limner": "limner, at 1 in 1,000", "limner-own": "limner, its own threshold"}
"""limner's gate with a threshold chosen as for all others, and with the one that it calibrated itself."""
TARGETS = {Class.WHOLE: 0.97, Class.PARTIAL: 0.90}
MOST_ALARMS = 0.001
_TITLES = {**{method.name: method.title for method in METHODS.values()}, **GATES}
_SHOWN = "pdq", "pdq-8", "imagehash-phash", "lite2", "sscd", "limner", "limner-own"
"""In the figure; the other hashes lie beside pHash."""
_COLOURS = "#9aa5b1", "#5b7db1", "#e9a23b", "#7a9e7e", "#8e5ea2", "#c1440e", "#1d3557"


def overview(found: Found) -> str:
    """One line a program: recall by class, false alarms, time."""
    head = ["program", "whole, %", "partial, %", "two in a row, %", "false alarms on the other half, %", "kin, %", "ms"]
    rows = [head, ["---"] * len(head)]
    for name, one in _methods(found):
        classes = one["classes"]
        cells = [_cell(classes[of.value], TARGETS.get(of)) for of in (Class.WHOLE, Class.PARTIAL, Class.EXTRA)]
        alarms = one["alarms"]
        told = f"{100 * alarms['value']:.2f} ({100 * alarms['low']:.2f} to {100 * alarms['high']:.2f})"
        kin = f"{100 * one['kin']['value']:.0f}" if one["kin"] else ""
        rows.append([_TITLES[name], *cells, told, kin, f"{one['ms']:.1f}" if "ms" in one else ""])
    return _lines(rows)


def by_kind(found: Found) -> str:
    """Recall of every program by kind of alteration, with intervals."""
    methods = _methods(found)
    rows = [["", *(_TITLES[name] for name, _ in methods)], ["---"] * (len(methods) + 1)]
    for kind in KINDS.values():
        target = TARGETS.get(kind.of)
        rows.append([f"{kind.name} ({kind.count})", *(_cell(one["kinds"][kind.name], target) for _, one in methods)])
    for of in (Class.WHOLE, Class.PARTIAL):
        rows.append([f"**all {of.value}**", *(_cell(one["classes"][of.value], TARGETS[of]) for _, one in methods)])
    return _lines(rows)


def _methods(found: Found) -> list[tuple[str, Found]]:
    return [(name, found["methods"][name]) for name in _TITLES if name in found.get("methods", {})]


def _cell(one: dict[str, float], target: float | None) -> str:
    value = f"{100 * one['value']:.1f}"
    shown = f"**{value}**" if target is not None and one["value"] >= target else value
    return f"{shown} ({100 * one['low']:.0f} to {100 * one['high']:.0f})"


def _lines(rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def figure(sets: dict[str, Found], path: Path) -> None:
    """Recall by kind, one panel a set, one row of dots a program, with 95 % intervals, as PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names = list(KINDS)
    drawn = Figure(figsize=(13, 4.3 * len(sets)), dpi=110, layout="constrained")
    FigureCanvasAgg(drawn)
    panels = drawn.subplots(len(sets), 1, sharex=True, squeeze=False)[:, 0]
    for panel, (title, found) in zip(panels, sets.items(), strict=True):
        shown = [(name, one) for name, one in _methods(found) if name in _SHOWN]
        for i, (name, one) in enumerate(shown):
            at = np.arange(len(names)) + 0.11 * (i - (len(shown) - 1) / 2)
            ones = [one["kinds"][kind] for kind in names]
            values = np.array([100 * kind["value"] for kind in ones])
            below = (values - [100 * kind["low"] for kind in ones]).clip(0)
            above = ([100 * kind["high"] for kind in ones] - values).clip(0)
            colour = _COLOURS[_SHOWN.index(name)]
            panel.errorbar(at, values, (below, above), fmt="o", ms=4.5, lw=1, color=colour, label=_TITLES[name])
        for place, kind in enumerate(KINDS.values()):
            if kind.of in TARGETS:
                panel.hlines(100 * TARGETS[kind.of], place - 0.45, place + 0.45, "#555555", lw=1, ls="--")
        panel.set_ylim(-4, 104)
        panel.set_ylabel("found, %")
        panel.set_title(f"{title}; dashed: limner's targets", loc="left", fontsize=11)
        panel.grid(axis="y", alpha=0.25)
        panel.spines[["top", "right"]].set_visible(False)
    drawn.legend(*panels[0].get_legend_handles_labels(), frameon=False, loc="outside upper center", ncols=4)
    panels[-1].set_xticks(range(len(names)), names, rotation=35, ha="right", fontsize=9)
    with replace_file(path) as part, part.open("wb") as file:
        drawn.savefig(file, format="png")
