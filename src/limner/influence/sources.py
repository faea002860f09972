"""The pictures that a model learned its compositions from, as it saw them: cut and mirrored likewise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from limner.collection import Collection, Row
from limner.collection.cache import PictureCache, cache_side, open_cache
from limner.collection.views import Augmentation, augmentation_for, views
from limner.errors import UsageError
from limner.influence.compositions import SIDE, squared
from limner.models.card import Card
from limner.models.learned import rows_of
from limner.workspace import Workspace


@dataclass(frozen=True)
class Learned:
    """Training pictures of a model.

    Attributes:
        digest: of the collection.
        size: height and width at which views are cut; the shorter side is that of a composition.
    """

    rows: tuple[Row, ...]
    digest: str
    cache: PictureCache
    size: tuple[int, int]
    augmentation: Augmentation

    def views(self, which: NDArray[np.int64], rng: np.random.Generator) -> Tensor:
        """A random view of each. # -> uint8 [n, 3, 32, 32]"""
        how = self.augmentation
        return squared(views(self.cache, which, self.size, rng, zoom=how.zoom_prior, flip=how.flip))

    @property
    def times(self) -> int:
        """In how many views each picture is looked at: several where training cuts or mirrors it."""
        if self.augmentation.zoom_prior[0] < 1:
            return max(2, min(8, -(-2000 // len(self.rows))))
        return 2 if self.augmentation.flip else 1

    def all_views(self, which: NDArray[np.int64], seed: int) -> Tensor:
        """`times` views of each, one after the other. # -> uint8 [times * n, 3, 32, 32]"""
        rng = np.random.default_rng([seed, 7])
        if self.augmentation.zoom_prior[0] < 1 or not self.augmentation.flip:
            return torch.cat([self.views(which, rng) for _ in range(self.times)])
        whole = squared(views(self.cache, which, self.size, rng, zoom=(1.0, 1.0), flip=False))
        return torch.cat([whole, whole.flip(3)])


def learned_by(card: Card, workspace: Workspace, progress: Callable[[int, int], None] | None = None) -> Learned:
    """The pictures that a model learned from, where its collection is here.

    Raises:
        UsageError: it is not.
    """
    collection = collection_of(card, workspace)
    settings = card.training.settings
    training = [row for row in rows_of(card, collection, workspace) if row.split == "train"]
    painter = card.config.painter
    size = painter.height, painter.width
    cache = open_cache(collection, training, cache_side(training, size), workspace, progress)
    how = augmentation_for(cache.shapes, size, settings.get("flip", True))
    shorter = min(size)
    small = round(size[0] * SIDE / shorter), round(size[1] * SIDE / shorter)
    return Learned(tuple(training), collection.digest, cache, small, how)


def collection_of(card: Card, workspace: Workspace) -> Collection:
    """The collection that a model learned from, among those of the workspace.

    Raises:
        UsageError: it is not here any more.
    """
    wanted = card.collection.digest
    found = (Collection(workspace.collections / name) for name in Collection.names(workspace))
    collection = next((one for one in found if one.digest == wanted), None)
    if collection is None:
        raise UsageError(
            f"collection {card.collection.name} ({wanted[:12]})",
            f"from which {card.name} learned, is not here",
            "import the same pictures again",
        )
    return collection
