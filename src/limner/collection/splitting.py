"""The hold-out: a tenth of the pictures that training never sees, drawn from the contents alone."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence

__all__ = ["draw_holdout", "holdout_size", "kept_together"]

_SHARE = 0.1
_LEAST = 20


def holdout_size(count: int) -> int:
    """How many of `count` pictures are held out: a tenth, at least 20, never more than half."""
    return min(max(round(_SHARE * count), _LEAST), count // 2)


def kept_together(leaders: Sequence[int], values: Sequence[str]) -> list[int]:
    """Groups in which pictures of the same value are together too: for each the smallest index of its group.

    Args:
        leaders: for each picture the smallest index of the group that it is in so far.
        values: what keeps pictures together; an empty one keeps with none.
    """
    leader, first = list(leaders), dict[str, int]()

    def root(i: int) -> int:
        while leader[i] != i:
            leader[i] = leader[leader[i]]
            i = leader[i]
        return i

    for i, value in enumerate(values):
        if value:
            one, other = sorted((root(first.setdefault(value, i)), root(i)))
            leader[other] = one
    return [root(i) for i in range(len(leader))]


def draw_holdout(groups: Sequence[str]) -> list[bool]:
    """Which pictures are held out, given the group of each; a group stays on one side.

    The order of drawing is a hash of the group's name, which comes from its contents: the same pictures give the
    same hold-out on any machine. A group that would overshoot is passed over.
    """
    sizes: dict[str, int] = defaultdict(int)
    for name in groups:
        sizes[name] += 1
    wanted, drawn, count = holdout_size(len(groups)), set(), 0
    for name in sorted(sizes, key=lambda name: hashlib.sha256(f"limner holdout 1 {name}".encode()).digest()):
        if count + sizes[name] <= wanted:
            drawn.add(name)
            count += sizes[name]
    return [name in drawn for name in groups]
