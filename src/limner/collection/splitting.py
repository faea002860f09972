"""The hold-out: a tenth of the pictures that training never sees, drawn from the contents alone."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from limner.collection.likeness import joined_groups

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
    first: dict[str, int] = {}
    pairs = [(first.setdefault(value, i), i) for i, value in enumerate(values) if value]
    return joined_groups(leaders, pairs)


def draw_holdout(groups: Sequence[str]) -> list[bool]:
    """Which pictures are held out, given the group of each; a group stays on one side.

    The order of drawing is a hash of the group's name, which comes from its contents: the same pictures give the
    same hold-out on any machine. A group that would overshoot is passed over.
    """
    sizes = Counter(groups)
    wanted, drawn, count = holdout_size(len(groups)), set(), 0
    for name in sorted(sizes, key=lambda name: hashlib.sha256(f"limner holdout 1 {name}".encode()).digest()):
        if count + sizes[name] <= wanted:
            drawn.add(name)
            count += sizes[name]
    return [name in drawn for name in groups]


def kept_split(groups: Sequence[str], given: Sequence[set[str]]) -> list[bool]:
    """Which pictures are held out where the artist made the split; what is held out takes all its copies along.

    Args:
        groups: the group of each picture.
        given: for each the sides on which it lies, `train` and `holdout`; empty where the split does not reach it.
    """
    out = {name for name, sides in zip(groups, given, strict=True) if "holdout" in sides}
    return [name in out for name in groups]


def choosing_half(groups: Sequence[str]) -> NDArray[np.bool_]:
    """Which held-out pictures choose what is kept, given the group of each; the others report. Groups stay whole.

    # -> bool [n]
    """
    _, number = np.unique(np.asarray(groups), return_inverse=True)
    first: NDArray[np.bool_] = number % 2 == 0
    return first if first.any() and not first.all() else np.arange(len(groups)) % 2 == 0
