"""A hundred pairs of licences: what they oblige to, and whether one licence suits both; each with its source."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from limner.rights import Outcome, conflicts, joint, obligations

with (Path(__file__).parent / "pairs.csv").open(encoding="utf-8", newline="") as _file:
    PAIRS = list(csv.DictReader(_file, strict=True))


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair['one']} + {pair['other']}")
def test_a_pair(pair: dict[str, str]) -> None:
    both = [pair["one"], pair["other"]]
    assert sorted(obligations(both[0]) | obligations(both[1])) == sorted(pair["obligations"].split())
    for order in (both, both[::-1]):
        found = joint(order)
        assert (found.licence or found.outcome.value) == pair["joint"]
        assert bool(conflicts(order)) == (pair["joint"] == "none")


def test_there_are_a_hundred_different_ones_with_sources() -> None:
    assert len({frozenset((pair["one"], pair["other"])) for pair in PAIRS}) == len(PAIRS) >= 100
    assert all(pair["source"] for pair in PAIRS)
    assert {pair["joint"] for pair in PAIRS} >= {Outcome.NONE.value, Outcome.ASK.value, "CC-BY-SA-4.0"}
