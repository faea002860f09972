"""What watermarks gave, as shares with their intervals, as tables and as a figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.attacks import LISTS
from limner.statistics import share
from limner.workspace import replace_file

__all__ = ["TARGETS", "figure", "summed", "table", "unmet"]

TARGETS: dict[int, dict[str, float]] = {
    512: {"first": 0.99, "second": 0.95, "third": 0.85},
    256: {"first": 0.97, "second": 0.90, "third": 0.75},
}
"""Share of pictures of which a mark should be read exactly, by size and list of attacks."""
_PSNR, _SSIM, _EMBED_MS, _READ_MS = 42.0, 0.985, 60.0, 100.0
"""What should hold at 512 px."""
_COLOURS = ("#1d3557", "#c1440e", "#e9a23b", "#7a9e7e")

Summed = dict[str, Any]


def summed(run: dict[str, Any]) -> Summed:
    """One watermark's run at one size, in shares and means.

    Args:
        run: what `bench.peers.watermarks` left, with `sets`.
    """
    sets = run["sets"]
    attacks: dict[str, dict[str, Any]] = {}
    for name, one in run["attacks"].items():
        reads = np.array(one["read"])
        by = {kind: share(reads[np.array(sets) == kind] == 1).as_dict() for kind in sorted(set(sets))}
        found = share(reads == 1).as_dict()
        attacks[name] = found | {"wrong": int((reads == -1).sum()), "ms": float(np.mean(one["ms"])), "by_set": by}
    told = {key: run[key] for key in ("bits", "choices", "versions")}
    means = {key: _spread(run[key]) for key in ("psnr", "ssim", "embed_ms", "unmarked_ms")}
    counts = {kind: sets.count(kind) for kind in sorted(set(sets))}
    # As it comes and as most pictures come: what has to be searched for takes longest.
    slowest = max((one["ms"], name) for name, one in attacks.items())[1]
    reading = {"as_marked": _spread(run["attacks"]["none"]["ms"]), "slowest_attack": slowest}
    unmarked = {"count": len(sets), "answered": int((np.array(run["unmarked"]) == -1).sum())}
    return told | {"counts": counts} | means | {"read_ms": reading, "unmarked": unmarked, "attacks": attacks}


def _spread(values: Sequence[float]) -> dict[str, float]:
    array = np.asarray(values)
    return {"mean": float(array.mean()), "least": float(array.min()), "most": float(array.max())}


def unmet(size: int, found: Summed) -> list[str]:
    """Which targets one watermark does not meet, in words."""
    missed = []
    for kind, names in LISTS.items():
        target = TARGETS[size][kind]
        low = [(name, found["attacks"][name]["value"]) for name in names]
        missed += [f"{name}: {value:.1%} of {target:.0%}" for name, value in low if value < target]
    if size == 512:
        for name, value, least in (("PSNR", "psnr", _PSNR), ("SSIM", "ssim", _SSIM)):
            if found[value]["mean"] < least:
                missed.append(f"{name}: {found[value]['mean']:.4g} of {least}")
        for name, spent, most in (
            ("embedding", found["embed_ms"]["mean"], _EMBED_MS),
            ("reading", found["read_ms"]["as_marked"]["mean"], _READ_MS),
            ('"no mark"', found["unmarked_ms"]["mean"], _READ_MS),
        ):
            if spent > most:
                missed.append(f"{name}: {spent:.0f} ms of {most:.0f}")
    return missed


def table(size: int, found: dict[str, Summed], titles: dict[str, str]) -> str:
    """All watermarks at one size, one column each; bold where the target of its list is met."""
    programs = [name for name in titles if name in found]
    rows = [["", "target", *(titles[name] for name in programs)], ["---"] * (len(programs) + 2)]
    for head, tell in _FACTS:
        rows.append([head, "", *(tell(found[name]) for name in programs)])
    for kind, names in LISTS.items():
        for name in names:
            cells = [_cell(found[program]["attacks"][name], TARGETS[size][kind]) for program in programs]
            rows.append([name, f"{TARGETS[size][kind]:.0%}", *cells])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def _cell(one: dict[str, Any], target: float) -> str:
    value = f"{100 * one['value']:.1f}"
    shown = f"**{value}**" if one["value"] >= target else value
    return f"{shown} ({100 * one['low']:.0f} to {100 * one['high']:.0f})"


def _counts(found: Summed) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in found["counts"].items())


_FACTS = (
    ("pictures", _counts),
    ("bits of a message", lambda found: str(found["bits"])),
    ("PSNR, dB: mean (least)", lambda found: f"{found['psnr']['mean']:.1f} ({found['psnr']['least']:.1f})"),
    ("SSIM: mean (least)", lambda found: f"{found['ssim']['mean']:.4f} ({found['ssim']['least']:.3f})"),
    ("embedding, ms", lambda found: f"{found['embed_ms']['mean']:.0f}"),
    ("reading, ms", lambda found: f"{found['read_ms']['as_marked']['mean']:.0f}"),
    ("reading a picture without a mark, ms", lambda found: f"{found['unmarked_ms']['mean']:.0f}"),
    (
        "message read from a picture without one",
        lambda found: f"{found['unmarked']['answered']} of {found['unmarked']['count']}",
    ),
)


def figure(sizes: dict[int, dict[str, Summed]], titles: dict[str, str], path: Path) -> None:
    """Exact recovery by attack, one panel a size, one row of dots a watermark, with 95 % intervals, as PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = {size: found for size, found in sizes.items() if found}
    names = [(kind, name) for kind, own in LISTS.items() for name in own]
    drawn = Figure(figsize=(12, 4.1 * len(shown)), dpi=110, layout="constrained")
    FigureCanvasAgg(drawn)
    panels = drawn.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
    for panel, (size, found) in zip(panels, shown.items(), strict=True):
        programs = [name for name in titles if name in found]
        for i, program in enumerate(programs):
            at = np.arange(len(names)) + 0.18 * (i - (len(programs) - 1) / 2)
            ones = [found[program]["attacks"][name] for _, name in names]
            values = np.array([100 * one["value"] for one in ones])
            below = values - [100 * one["low"] for one in ones]
            above = [100 * one["high"] for one in ones] - values
            panel.errorbar(
                at, values, (below.clip(0), above.clip(0)), fmt="o", ms=4.5, lw=1, color=_COLOURS[i],
                label=titles[program],
            )  # fmt: skip
        targets = [100 * TARGETS[size][kind] for kind, _ in names]
        panel.hlines(targets, np.arange(len(names)) - 0.45, np.arange(len(names)) + 0.45, "#555555", lw=1, ls="--")
        panel.set_ylim(-4, 104)
        panel.set_ylabel("read exactly, %")
        panel.set_title(f"{size} px; dashed: limner's targets", loc="left", fontsize=11)
        panel.grid(axis="y", alpha=0.25)
        panel.spines[["top", "right"]].set_visible(False)
    drawn.legend(*panels[0].get_legend_handles_labels(), frameon=False, loc="outside upper center", ncols=len(titles))
    panels[-1].set_xticks(range(len(names)), [name for _, name in names], rotation=40, ha="right", fontsize=9)
    with replace_file(path) as part, part.open("wb") as file:
        drawn.savefig(file, format="png")
