"""The copy gate: the training pictures nearest to a picture, and whether it copies one of them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limner.gate.calibration import COPY, Thresholds
from limner.gate.index import Candidate, LocalIndex
from limner.gate.looks import LooksIndex
from limner.synthesis import Exemplar

NEAREST = 3


@dataclass(frozen=True)
class Neighbour:
    """A training picture that is near to a picture, and its rights.

    Attributes:
        digest: sha256 of its pixels, as its collection names it.
        score: 0 to 1, `COPY` and more for a copy: how far both agree where the picture may show it; 0 where no place
            in it fits.
        look: cosine of their features (EfficientNet-Lite2), -1 to 1: how alike they look on the whole.
        region: left, top, right, bottom of the picture's part that shows it, as shares of the sides; None for none.
    """

    digest: str
    title: str
    creator: str
    licence: str
    score: float
    look: float
    region: tuple[float, float, float, float] | None = None
    mirrored: bool = False

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True)
class CopyFinding:
    """What the gate found about one picture.

    Attributes:
        score: the largest of its neighbours'; `COPY` and more is a copy.
        nearest: the training pictures nearest to it, three or fewer; those that it may show come first, by score.
    """

    score: float
    nearest: tuple[Neighbour, ...]

    @property
    def is_copy(self) -> bool:
        """Whether it copies a training picture, whole or in part."""
        return self.score >= COPY


@dataclass(frozen=True)
class CopyGate:
    """The training pictures of one model, ready to be compared with others.

    Attributes:
        items: the pictures, in the order of both indices.
        learned: how many pictures the model learned from; more than `items` where only a part of them is here.
    """

    items: tuple[Exemplar, ...]
    local: LocalIndex
    looks: LooksIndex
    thresholds: Thresholds
    learned: int

    def look(self, pictures: Sequence[NDArray[np.uint8]], threads: int = 2) -> list[CopyFinding]:
        """What the gate finds about each picture. # each uint8 [h, w, 3], sRGB

        Args:
            threads: pictures looked at at once.
        """
        rows = self.looks.features(pictures)
        alike, numbers = self.looks.nearest(rows, NEAREST)
        if len(pictures) == 1:
            found = [self.local.candidates(pictures[0])]
        else:
            with ThreadPoolExecutor(threads) as pool:
                found = list(pool.map(self.local.candidates, pictures))
        return [
            self._finding(one, candidates, row, dict(zip(near.tolist(), look.tolist(), strict=True)))
            for one, candidates, row, near, look in zip(pictures, found, rows, numbers, alike, strict=True)
        ]

    def _finding(
        self,
        pixels: NDArray[np.uint8],
        candidates: Sequence[Candidate],
        row: NDArray[np.float32],
        looks: dict[int, float],
    ) -> CopyFinding:
        shown = {one.picture: one for one in candidates}
        scores = {number: self.thresholds.score(one.agreement) for number, one in shown.items()}
        # What agrees in a few places only is no better neighbour than what looks alike.
        strong = [number for number, score in scores.items() if score >= COPY / 2]
        strong.sort(key=lambda number: -scores[number])
        order = list(dict.fromkeys((*strong, *looks)))[:NEAREST]
        near = tuple(self._neighbour(k, pixels, shown.get(k), looks.get(k), row) for k in order)
        return CopyFinding(round(max(scores.values(), default=0.0), 4), near)

    def _neighbour(
        self,
        number: int,
        pixels: NDArray[np.uint8],
        shown: Candidate | None,
        look: float | None,
        row: NDArray[np.float32],
    ) -> Neighbour:
        item = self.items[number]
        look = self.looks.alike(row, number) if look is None else look
        score = self.thresholds.score(shown.agreement) if shown else 0.0
        region = (
            _region(shown, self.local.shapes[number], pixels.shape) if shown and shown.agreement.whole > 0 else None
        )
        return Neighbour(
            item.digest,
            item.title,
            item.creator,
            item.licence,
            round(score, 4),
            round(look, 4),
            region,
            bool(shown and shown.mirrored),
        )


def _region(
    shown: Candidate, shape: NDArray[np.int32], asked: tuple[int, ...]
) -> tuple[float, float, float, float] | None:
    """The box around where a training picture lies, as shares of the sides; None where it lies outside."""
    height, width = shape
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]], np.float64)
    at = corners @ shown.place[:, :2].T + shown.place[:, 2]
    if shown.mirrored:
        at[:, 0] = asked[1] - at[:, 0]
    shares = np.clip(at / (asked[1], asked[0]), 0, 1)
    (left, top), (right, bottom) = shares.min(0).round(3).tolist(), shares.max(0).round(3).tolist()
    return (left, top, right, bottom) if right > left and bottom > top else None
