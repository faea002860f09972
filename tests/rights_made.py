"""The rights in made pictures, for tests of what models owe."""

from __future__ import annotations

from dataclasses import dataclass

from limner.rights import RightsSummary, summary


@dataclass(frozen=True)
class Known:
    """The row of one picture."""

    creator: str
    licence: str
    held: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


def made_rights(creator: str, licence: str, count: int = 1) -> RightsSummary:
    """Those of pictures of one creator under one licence."""
    return summary([Known(creator, licence)] * count)
