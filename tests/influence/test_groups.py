"""Training pictures in groups."""

from __future__ import annotations

import pytest

from limner.collection import Row
from limner.errors import UsageError
from limner.influence.groups import grouping


def row(creator: str, **labels: str) -> Row:
    return Row("f", "0" * 64, "1" * 64, 8, 8, "png", "", creator=creator, licence="CC0-1.0", labels=labels)


def test_who_has_few_pictures_is_counted_together_with_others() -> None:
    rows = [row("A")] * 9 + [row("B")] * 5 + [row("C")] * 2 + [row("D")] + [row("")] * 4
    found = grouping(rows)
    assert [(one.name, len(one.members), one.values) for one in found.groups] == [
        ("A", 9, 1),
        ("B", 5, 1),
        ("unknown", 4, 1),
        ("2 others", 3, 2),
    ]
    assert sorted(i for one in found.groups for i in one.members) == list(range(21)), "each picture in one group"
    assert sum(found.portions) == pytest.approx(1)


def test_there_are_no_more_groups_than_asked_for() -> None:
    rows = [row(f"P{number:02d}") for number in range(20) for _ in range(5)]
    found = grouping(rows, most=6)
    assert len(found.groups) == 6
    assert (found.groups[-1].name, len(found.groups[-1].members)) == ("15 others", 75)


@pytest.mark.parametrize(
    ("rows", "by", "said"),
    [
        ([row("A")] * 8, "creator", "all 8 training pictures have the same: A"),
        ([row("A"), row("B")] * 5, "kund", "did you mean kind"),
        ([row(f"P{number}") for number in range(20)], "creator", "no value has 4 pictures"),
    ],
)
def test_what_cannot_be_compared_is_refused(rows: list[Row], by: str, said: str) -> None:
    rows = [Row(**{**{n: getattr(one, n) for n in Row.__slots__}, "labels": {"kind": "k"}}) for one in rows]
    with pytest.raises(UsageError, match=said):
        grouping(rows, by)
