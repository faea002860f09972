"""What is said of copying before a training."""

from __future__ import annotations

from limner.collection import Row
from limner.gate.forecast import Risk, forecast


def _rows(count: int, each: int = 1) -> list[Row]:
    return [Row(f"{i}.png", f"{i:064x}", "", 8, 8, "png", "", group=str(i // each)) for i in range(count)]


def test_few_pictures_are_a_risk() -> None:
    assert forecast(_rows(20)).risk is Risk.HIGH
    assert forecast(_rows(100)).risk is Risk.SOME
    assert forecast(_rows(400)).risk is Risk.LOW


def test_near_duplicates_count_once_and_are_named() -> None:
    found = forecast(_rows(120, each=4))
    assert found.different == 30 and found.risk is Risk.HIGH and "near-duplicates" in found.advice
