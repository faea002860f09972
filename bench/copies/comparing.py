"""All programs on one set: descriptions, thresholds, recall, time; kept in `bench/results`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from bench.copies.describing import ProgramError, descriptions, timed
from bench.copies.methods import METHODS, Method
from bench.copies.pictures import PLACE, dealt
from bench.copies.planted import CopySet, copy_set
from bench.copies.scoring import Nearest, is_named, left_out, nearest, summed, worst
from bench.copies.sheets import Cell, contact_sheet, planted_sheet, set_sheets
from bench.machine import machine
from bench.places import RESULTS
from bench.venvs import SetupError
from limner.workspace import replace_file

__all__ = ["compare", "keep", "kept", "scored_sheets"]

_GATE = "limner"
"""How limner's own gate is asked for."""


def compare(name: str, data: Path, only: Sequence[str], *, yes: bool) -> dict[str, Any]:
    """Measure these programs, or all, on one set, and keep the figures; the others' stay as they are.

    Args:
        name: of the set.
        data: where the pictures lie.
        yes: may download programs.
    """
    given = copy_set(dealt(name, data))
    set_sheets(given)
    planted_sheet(given, RESULTS / f"copies-{name}.png", each=5, side=56)
    found = kept(name)
    for method in METHODS.values():
        if only and method.name not in only:
            continue
        try:
            found.setdefault("methods", {})[method.name] = _measured(method, given, yes)
            found.get("not_run", {}).pop(method.name, None)
        except (SetupError, ProgramError) as error:
            found.setdefault("not_run", {})[method.name] = str(error)
            print(f"bench: {method.title} failed: {error}", file=sys.stderr)
        keep(name, found | _about(given))
    if not only or _GATE in only:
        from bench.copies.gate import gate_summed

        found.setdefault("methods", {}).update(gate_summed(given))
        keep(name, found | _about(given))
    return kept(name)


def _measured(method: Method, given: CopySet, yes: bool) -> dict[str, Any]:
    print(f"bench: {method.title}, {given.name}", flush=True)
    rows = descriptions(method, given, yes=yes)
    parts = {part: nearest(rows[part], rows["training"]) for part in rows if part != "training"}
    told = summed(given, parts)
    scored_sheets(given, parts, told["threshold"], method.name)
    return told | timed(method, given)


def scored_sheets(given: CopySet, parts: dict[str, Nearest], threshold: float, name: str) -> None:
    """The honest pictures nearest to a training picture beside that one, and copies that were missed."""
    folder = PLACE / "sheets" / given.name
    honest, planted = parts["honest"], parts["planted"]
    near = worst(np.where(left_out(given), -np.inf, honest.score), 60)
    cells: list[Cell] = [_pair(given.honest[i], given, honest, i, given.honest.facts[i]["title"]) for i in near]
    contact_sheet(cells, folder / f"{name}-honest.png", columns=10)
    missed = [i for i, score in enumerate(planted.score) if score <= threshold]
    shown = missed[:: max(1, len(missed) // 80)][:80]
    pairs: list[Cell] = []
    for i in shown:
        fact = given.planted.facts[i]
        text = f"{fact['kind']} {fact['side']} {planted.score[i]:.2f}"
        pairs.append(((given.planted[i], given.training[fact["source"]]), text))
    contact_sheet(pairs, folder / f"{name}-missed.png", columns=10)


def _pair(picture: Any, given: CopySet, found: Nearest, number: int, text: str) -> Cell:
    return (picture, given.training[int(found.source[number])]), f"{found.score[number]:.3f} {text}"


def _about(given: CopySet) -> dict[str, Any]:
    """What was measured, on what and when."""
    facts = given.honest.facts
    out, named = left_out(given), is_named(facts)
    reporting = [fact for fact, passed in zip(facts, out, strict=True) if fact["half"] == 1 and not passed]
    return {
        "set": {
            **{part: len(pack) for part, pack in given.parts().items()},
            "honest pictures": len({fact["title"] for fact in facts}),
            "honest families": len({fact["family"] for fact in facts}),
            "reporting": len(reporting),
            "named": int(named.sum()),
            "plain": int((out & ~named).sum()),
        },
        "machine": machine(),
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _file(name: str) -> Path:
    return RESULTS / f"copies-{name}.json"


def kept(name: str) -> dict[str, Any]:
    """What was measured on a set so far."""
    found: dict[str, Any] = json.loads(_file(name).read_text()) if _file(name).is_file() else {}
    return found


def keep(name: str, found: dict[str, Any]) -> None:
    """Write it."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    with replace_file(_file(name)) as part:
        part.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
