"""Results of trainings: read, merged over seeds, and written as tables."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

__all__ = ["Columns", "Result", "key_of", "merged", "quality_columns", "read_results", "speed_columns", "table"]

Result = dict[str, Any]
"""One training of one program; what `bench.quality` saved."""

Columns = list[tuple[str, Callable[[Sequence[Result]], str]]]
_WHO: Columns = [("program", lambda rs: rs[0]["title"]), ("family", lambda rs: rs[0]["family"])]
_BUSY = 0.7
"""Load average before a training from which its speeds are marked."""


def read_results(folder: Path) -> list[Result]:
    """All results of programs, in the order of their files' names."""
    found = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    return [one for one in found if "program" in one]


def key_of(
    data: str, minutes: float, program: str, seed: int, threads: int, vectors: str, own_time: bool = False
) -> str:
    """Names the files of one result."""
    return f"{data}-{minutes:g}min-{program}-seed{seed}-threads{threads}-{vectors.lower()}" + (
        "-own" if own_time else ""
    )


Group = tuple[str, float, int, str, bool]
"""What results have in common that may be compared: pictures, minutes, threads, how wide the processor computes,
and whether the minutes are its own."""


def merged(results: Sequence[Result]) -> dict[Group, dict[str, list[Result]]]:
    """Results by what they have in common, and then by program: seeds together, everything else apart."""
    found: dict[Group, dict[str, list[Result]]] = defaultdict(lambda: defaultdict(list))
    for result in sorted(results, key=lambda r: (*_group(r), r["seed"])):
        found[_group(result)][result["program"]].append(result)
    return {key: dict(programs) for key, programs in found.items()}


def _group(result: Result) -> Group:
    return (
        result["data"]["name"],
        result["minutes"],
        result["threads"],
        result["machine"]["vectors"],
        result.get("own_time", False),
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _spread(values: Sequence[float], form: str) -> str:
    shown = format(_mean(values), form)
    return shown if len(values) == 1 else f"{shown} ({min(values):{form}} to {max(values):{form}})"


def _estimate(results: Sequence[Result], key: str, form: str) -> str:
    """Mean and range over seeds; of one seed its value and interval."""
    found = [r["quality"][key] for r in results if key in r["quality"]]
    if not found:
        return ""
    if len(found) == 1:
        return f"{found[0]['value']:{form}} ({found[0]['low']:{form}} to {found[0]['high']:{form}})"
    return _spread([one["value"] for one in found], form)


def _stages(result: Result) -> list[dict[str, Any]]:
    return [stage for stage in result["run"]["training"]["stages"] if "after" not in stage["name"]]


def _learning(*names: str) -> Callable[[Sequence[Result]], str]:
    """How fast a stage of one of these names learns; without names the first, which every program has."""

    def shown(results: Sequence[Result]) -> str:
        stages = _stages(results[0])
        found = [stage for stage in stages if stage["name"] in names] if names else stages[:1]
        return _number(found[0]["per_second"]) + _busy(results[0]) if found else ""

    return shown


def _pictures(result: Result) -> int:
    """Of the first stage, repeats counted: a later one learns from latents."""
    return int(_stages(result)[0]["pictures"])


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 20 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def _busy(result: Result) -> str:
    return " *" if result["machine"]["load_before"] > _BUSY and not result.get("own_time") else ""


def _memory(result: Result) -> int:
    """Peak of the largest process while training; a loader's workers share most of theirs with their parent."""
    peaks = result["run"]["memory"]["training"]
    return max(int(peaks["own"]), int(peaks["largest_child"]))


def _painting(results: Sequence[Result], form: Callable[[float], str], key: str, batch: str | None = None) -> str:
    """How fast they paint; nothing where that was not timed, since minutes were the processor's own."""
    found = [r["run"]["painting"][key] for r in results if key in r["run"]["painting"]]
    if not found:
        return ""
    return form(_mean([one if batch is None else one[batch] for one in found])) + _busy(results[0])


def _other(result: Result) -> dict[str, Any]:
    """What the second features say: random ones, that nobody trained."""
    found: dict[str, Any] = result["quality"]["report"]["features"][1]
    return found


def _by_fade(results: Sequence[Result]) -> str:
    """Path length by that of a cross-fade; nothing where a result is older than this measure."""
    found = [r["quality"]["path_length"]["fade"] for r in results if "fade" in r["quality"]["path_length"]]
    return _spread(found, ".2f") if found else ""


def quality_columns() -> Columns:
    """How good its pictures are: heads, each with what it shows of one program's results."""
    return [
        *_WHO,
        ("seeds", lambda rs: str(len(rs))),
        ("KID", lambda rs: _estimate(rs, "kid", ".3f")),
        ("KID, random features", lambda rs: _spread([_other(r)["kid"]["value"] for r in rs], ".3f")),
        ("Fréchet", lambda rs: _estimate(rs, "frechet", ".1f")),
        ("precision", lambda rs: _estimate(rs, "precision", ".2f")),
        ("recall", lambda rs: _estimate(rs, "recall", ".2f")),
        ("coverage", lambda rs: _estimate(rs, "coverage", ".2f")),
        ("memorised", lambda rs: _estimate(rs, "memorised", ".1%")),
        ("PSNR, dB", lambda rs: _estimate(rs, "psnr", ".1f")),
        ("path length", lambda rs: _estimate(rs, "path_length", ".1f")),
        ("detour", lambda rs: _spread([r["quality"]["path_length"]["detour"] for r in rs], ".1f")),
        ("by a fade's", _by_fade),
    ]


def speed_columns() -> Columns:
    """How fast it is and what it needs: heads, each with what it shows of one program's results."""
    return [
        *_WHO,
        ("learns, pictures/s", _learning()),
        ("its prior, latents/s", _learning("prior")),
        ("adversarial stage, pictures/s", _learning("adversarial", "game")),
        ("learned from, pictures", lambda rs: f"{_pictures(rs[0]):,}"),
        ("one picture, ms", lambda rs: _painting(rs, lambda s: f"{1000 * s:,.0f}", "one_seconds")),
        ("16 at once, pictures/s", lambda rs: _painting(rs, _number, "per_second", "16")),
        ("best, pictures/s", lambda rs: _painting(rs, _number, "best_per_second")),
        ("memory, GB", lambda rs: f"{max(_memory(r) for r in rs) / 1e9:.1f}"),
        ("parameters, millions", lambda rs: f"{sum(rs[0]['run']['parameters'].values()) / 1e6:.1f}"),
    ]


def table(programs: dict[str, list[Result]], order: Sequence[str], shown: Columns) -> str:
    """One table in Markdown, a row a program."""
    rows = [[head for head, _ in shown], ["---"] * len(shown)]
    for name in sorted(programs, key=lambda n: order.index(n) if n in order else len(order)):
        rows.append([show(programs[name]) for _, show in shown])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
