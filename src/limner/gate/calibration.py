"""The thresholds: from which agreement on a picture is called a copy; honest new pictures are hardly ever blamed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from limner.gate.agreement import Agreement
from limner.statistics import share

ALARMS = 0.001
"""Share of honest new pictures that may be blamed."""
COPY = 0.5
"""The score from which a picture is a copy."""
_LOWEST, _HIGHEST = 0.25, 0.985
_SAME, _SAME_HASH = 0.9, 0.92
"""Agreement, and likeness of hashes, from which a picture shows the same as another nearly everywhere."""
_TAIL = 0.1
_FEWEST = 20
_MARGIN = 0.01


class Thresholds(BaseModel):
    """From which agreement on a picture is a copy, and what that was learned from."""

    model_config = ConfigDict(frozen=True)

    whole: float
    """Agreement, 0 to 1, of all that is compared."""
    most: float
    """Agreement of the six tenths of it that agree most."""
    hashed: float
    """Likeness of the perceptual hashes."""
    honest: int
    """Honest pictures that it rests on."""
    held_out: int
    """Those of them that were held out; the others are training pictures, each compared with all others."""
    above: int
    """Honest pictures that are called copies all the same: the collection uses one drawing in several pictures."""
    high: float
    """Upper end of the 95 % interval of their share."""

    def score(self, found: Agreement) -> float:
        """0 to 1; `COPY` where one of the agreements reaches its threshold."""
        pairs = (found.whole, self.whole), (found.most, self.most), (found.hashed, self.hashed)
        return max(_scaled(value, threshold) for value, threshold in pairs)


def thresholds(honest: Sequence[Agreement], held_out: int) -> Thresholds:
    """The agreements that one honest picture in a thousand reaches: a third of `ALARMS` is left to each of the three.

    A picture that agrees with a training picture nearly everywhere is the same drawing or photograph again: it is left
    out of the thresholds and counted in `above`.

    Args:
        honest: the best agreement of each honest picture.
        held_out: how many of them were held out.
    """
    new = [one for one in honest if one.whole < _SAME]
    whole = _threshold(np.array([one.whole for one in new]), _SAME)
    most = _threshold(np.array([one.most for one in new]), _HIGHEST)
    hashed = _threshold(np.array([one.hashed for one in new]), _SAME_HASH)
    found = Thresholds(whole=whole, most=most, hashed=hashed, honest=len(honest), held_out=held_out, above=0, high=1.0)
    blamed = [found.score(one) >= COPY for one in honest]
    if not blamed:
        return found
    return found.model_copy(update={"above": int(sum(blamed)), "high": round(share(blamed).high, 5)})


def _threshold(values: NDArray[np.float64], highest: float) -> float:
    """What a third of `ALARMS` of honest pictures reach, `_LOWEST` to `highest`.

    Counted, where there are enough values; else the upper tenth of them goes on as an exponential tail (peaks over
    threshold, Coles 2001, chapter 4, with shape 0).
    """
    if len(values) < _FEWEST:
        return (_LOWEST + highest) / 2
    found = float(values.max()) + _MARGIN
    if len(values) >= 1 / ALARMS:
        found = float(np.quantile(values, 1 - ALARMS / 3)) + _MARGIN
    else:
        start = float(np.quantile(values, 1 - _TAIL))
        beyond = values[values > start] - start
        if len(beyond):
            found = max(found, start + float(beyond.mean()) * np.log(len(beyond) / len(values) / (ALARMS / 3)))
    return round(float(np.clip(found, _LOWEST, highest)), 4)


def _scaled(value: float, threshold: float) -> float:
    if value < threshold:
        return COPY * value / threshold
    return COPY + (1 - COPY) * (value - threshold) / (1 - threshold)
