"""Held pictures keep a collection from being trained on until somebody decides; the summary; the credit."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from limner.errors import RightsError, UsageError
from limner.rights import Accepted, clear, credit_line, joined, summary


@dataclass(frozen=True)
class Known:
    creator: str = "Ada"
    licence: str = "CC0-1.0"
    held: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


CLEARED = Known()
HELD = Known("", "", ("no creator", "no licence"))


def test_cleared_pictures_pass() -> None:
    assert clear([CLEARED, CLEARED]) == ([CLEARED, CLEARED], None)


def test_held_pictures_stop_with_both_ways_out() -> None:
    with pytest.raises(RightsError) as caught:
        clear([CLEARED, HELD, HELD])
    line = str(caught.value)
    assert "2 of 3 pictures" in line
    assert "2 no licence" in line
    assert "--only-cleared" in line
    assert "--accept-unknown" in line


def test_only_cleared_leaves_the_held_out() -> None:
    assert clear([CLEARED, HELD], only_cleared=True) == ([CLEARED], None)
    with pytest.raises(RightsError, match="all 2 pictures"):
        clear([HELD, HELD], only_cleared=True)


def test_an_accepted_unknown_keeps_its_reason() -> None:
    rows, accepted = clear([CLEARED, HELD], accept_unknown=" found in my grandmother's attic ")
    assert rows == [CLEARED, HELD]
    assert accepted is not None
    assert accepted.reason == "found in my grandmother's attic"
    assert (accepted.pictures, accepted.why) == (1, {"no creator": 1, "no licence": 1})
    assert summary(rows, accepted).accepted == accepted


def test_contrary_and_empty_choices_are_refused() -> None:
    with pytest.raises(UsageError, match="exclude each other"):
        clear([HELD], only_cleared=True, accept_unknown="because")
    with pytest.raises(UsageError, match="empty reason"):
        clear([HELD], accept_unknown="  ")


def test_the_summary_counts() -> None:
    rows = [CLEARED, CLEARED, Known("Bo", "CC-BY-SA-4.0", (), ("generated picture (x)",)), HELD]
    found = summary(rows)
    assert found.pictures == 4
    assert found.licences == {"CC0-1.0": 2, "CC-BY-SA-4.0": 1, "unknown": 1}
    assert found.creators == {"Ada": 2, "Bo": 1, "unknown": 1}
    assert found.obligations == {"attribution": 1, "share-alike": 1, "unknown": 1}
    assert found.held == {"no creator": 1, "no licence": 1}
    assert found.flags == {"generated picture (x)": 1}
    assert type(found).model_validate_json(found.model_dump_json()) == found


def test_the_credit_names_whom_the_licences_oblige_to_name() -> None:
    assert credit_line([CLEARED]) == ""
    rows = [Known("Bo", "CC-BY-4.0"), Known("Cy", "MIT"), Known("Bo", "CC-BY-SA-4.0"), CLEARED]
    line = "Learned from pictures by Bo (CC-BY-4.0, CC-BY-SA-4.0), Cy (MIT)"
    assert credit_line(rows) == line
    assert credit_line(summary(rows)) == line


def test_two_decisions_are_both_kept() -> None:
    one = Accepted(reason="found in the attic", pictures=2, why={"no creator": 2})
    other = Accepted(reason="hers", pictures=1, why={"no creator": 1, "no licence": 1})
    both = joined(summary([HELD, HELD], one), summary([HELD], other)).accepted
    assert both == Accepted(reason="found in the attic; hers", pictures=3, why={"no creator": 3, "no licence": 1})
    assert joined(summary([HELD], other), summary([CLEARED])).accepted == other
