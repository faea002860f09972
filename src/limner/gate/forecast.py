"""Before training: how likely a model of these pictures is to copy them, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from limner.collection import Row

_FEW, _SOME = 50, 200
_REPEATED = 0.2


class Risk(StrEnum):
    """How likely copies are."""

    HIGH = "high"
    SOME = "some"
    LOW = "low"


@dataclass(frozen=True)
class Forecast:
    """What is to be expected of a training. A rule of thumb by how many different pictures there are, no measurement.

    Attributes:
        different: pictures, near-duplicates counted once.
        repeated: share of the pictures that are near-duplicates of another one.
    """

    pictures: int
    different: int
    repeated: float
    risk: Risk

    @property
    def advice(self) -> str:
        """What lowers the risk, in one line."""
        if self.risk is Risk.LOW and self.repeated < _REPEATED:
            return "copies are stopped before they are published"
        more = [f"add pictures ({_SOME} different ones or more)"] if self.risk is not Risk.LOW else []
        once = ["leave near-duplicates out"] if self.repeated >= _REPEATED else []
        return ", ".join([*more, *once, "or train for less time"]) + "; copies are stopped before they are published"


def forecast(rows: Sequence[Row]) -> Forecast:
    """The forecast for a training on these pictures."""
    learned = [row for row in rows if row.split == "train"]
    different = len({row.group or row.pixel_sha256 for row in learned})
    risk = Risk.HIGH if different < _FEW else Risk.SOME if different < _SOME else Risk.LOW
    return Forecast(len(learned), different, 1 - different / len(learned) if learned else 0.0, risk)
