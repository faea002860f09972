"""Training pictures by creator, source, licence or label: the groups of which one at a time is left out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from limner.collection import Row
from limner.collection.rows import did_you_mean
from limner.errors import UsageError

UNKNOWN = "unknown"
"""What a group is called of whose pictures the column says nothing."""
MOST = 12
"""Groups at most, those that are counted together among them."""
FEWEST = 4
"""Pictures of a group at least: what leaving out fewer changes is not seen."""
_COLUMNS = ("creator", "source", "licence")


@dataclass(frozen=True)
class Group:
    """Pictures that are left out together.

    Attributes:
        name: the value that they share; of several small ones counted together, what they are called.
        members: which of the training pictures.
        values: how many values of the column are in it; more than one for small ones that are counted together.
    """

    name: str
    members: tuple[int, ...]
    values: int = 1


@dataclass(frozen=True)
class Grouping:
    """All training pictures, each in one group.

    Attributes:
        by: the column.
        groups: most pictures first; those that are counted together last.
    """

    by: str
    groups: tuple[Group, ...]

    @property
    def pictures(self) -> int:
        """How many there are in all groups."""
        return sum(len(one.members) for one in self.groups)

    @property
    def portions(self) -> tuple[float, ...]:
        """What each group is of all pictures, 0 to 1."""
        return tuple(len(one.members) / self.pictures for one in self.groups)


def values_of(rows: Sequence[Row], by: str) -> list[str]:
    """What a column says of each picture.

    Args:
        by: `creator`, `source`, `licence`, or a label column.

    Raises:
        UsageError: there is no such column.
    """
    if by in _COLUMNS:
        return [getattr(row, by) or UNKNOWN for row in rows]
    labels = sorted({name for row in rows for name in row.labels})
    if by not in labels:
        known = (*_COLUMNS, *labels)
        raise UsageError(
            f"--by {by}", "is no column of the collection", f"{did_you_mean(by, known)}there are: {', '.join(known)}"
        )
    return [row.labels.get(by) or UNKNOWN for row in rows]


def grouping(rows: Sequence[Row], by: str = "creator", *, most: int = MOST) -> Grouping:
    """The training pictures in groups; values of few pictures are counted together.

    Args:
        most: groups at most.

    Raises:
        UsageError: there is no such column, or all pictures have the same value in it.
    """
    places: dict[str, list[int]] = defaultdict(list)
    for index, value in enumerate(values_of(rows, by)):
        places[value].append(index)
    if len(places) < 2:
        (only,) = places or ("",)
        reason = f"all {len(rows)} training pictures have the same: {only[:60]}"
        raise UsageError(f"--by {by}", reason, "nothing can be compared; choose another column")
    order = sorted(places, key=lambda name: (-len(places[name]), name))
    large = [name for name in order if len(places[name]) >= FEWEST]
    kept = large if len(large) == len(order) and len(order) <= most else large[: most - 1]
    rest = [name for name in order if name not in kept]
    groups = [Group(name, tuple(places[name])) for name in kept]
    if len(rest) == 1:
        groups.append(Group(rest[0], tuple(places[rest[0]])))
    elif rest:
        together = tuple(sorted(index for name in rest for index in places[name]))
        groups.append(Group(f"{len(rest)} others", together, len(rest)))
    if len(groups) < 2:
        reason = f"no value has {FEWEST} pictures: leaving out fewer changes nothing that can be seen"
        raise UsageError(f"--by {by}", reason, "choose another column")
    return Grouping(by, tuple(groups))
