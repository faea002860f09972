"""The training picture nearest to a painted one, and how near unseen real pictures come: what a distance means."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from limner.models.features import RandomFeatures

_SIDE = 64


@dataclass(frozen=True)
class Neighbour:
    """The nearest view among those that were added.

    Attributes:
        view: number of its view, as it was given to `add`.
        distance: root mean square over the features, each in standard deviations of the training pictures; two
            pictures drawn at random lie about 1.4 apart.
    """

    index: int
    view: int
    distance: float


@dataclass(frozen=True)
class Usual:
    """How far pictures that were never trained on lie from their nearest training picture.

    Attributes:
        low, middle, high: 5 %, 50 % and 95 % of them.
        count: how many views of held-out pictures that was measured on.
    """

    low: float
    middle: float
    high: float
    count: int


class Neighbours:
    """Finds nearest training pictures by features that nobody trained (`RandomFeatures`), on at most 64 pixels a side.

    The features see colours, textures and rough shapes, wherever in the picture they are. So a small distance asks for
    a look at both pictures; a large one is no proof that nothing was copied.
    """

    def __init__(self) -> None:
        self._features = RandomFeatures()
        self._rows: list[Tensor] = []
        self._views: list[int] = []
        self._whole: tuple[Tensor, Tensor, Tensor] | None = None

    def add(self, pictures: Tensor, view: int = 0) -> None:
        """Add one view of every training picture, in the same order each time. # uint8 [n, 3, h, w]"""
        self._rows.append(self._seen(pictures))
        self._views.append(view)
        self._whole = None

    def nearest(self, pictures: Tensor) -> list[Neighbour]:
        """The nearest training picture of each. # uint8 [n, 3, h, w]"""
        rows, mean, deviation = self._scaled()
        seen = (self._seen(pictures) - mean) / deviation
        distances = torch.cdist(seen, rows) / math.sqrt(rows.shape[1])  # [n, views * training pictures]
        values, found = distances.min(1)
        each = len(self._rows[0])
        return [
            Neighbour(int(i) % each, self._views[int(i) // each], float(value))
            for i, value in zip(found, values, strict=True)
        ]

    def usual(self, held_out: Tensor) -> Usual:
        """The distances of pictures that were never trained on. # uint8 [n, 3, h, w]"""
        found = torch.tensor([one.distance for one in self.nearest(held_out)])
        low, middle, high = torch.quantile(found, torch.tensor([0.05, 0.5, 0.95])).tolist()
        return Usual(low, middle, high, len(found))

    def _scaled(self) -> tuple[Tensor, Tensor, Tensor]:
        if self._whole is None:
            rows = torch.cat(self._rows)
            mean, deviation = rows.mean(0), rows.std(0).clamp_min(1e-6)
            self._whole = (rows - mean) / deviation, mean, deviation
        return self._whole

    def _seen(self, pictures: Tensor) -> Tensor:
        height, width = pictures.shape[2:]
        share = _SIDE / max(height, width)
        if share < 1:
            size = max(16, round(height * share)), max(16, round(width * share))
            pictures = torch.cat(
                [F.interpolate(chunk, size, mode="bilinear", antialias=True) for chunk in pictures.split(64)]
            )
        found: Tensor = self._features(pictures)
        return found
