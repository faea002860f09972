"""The pictures of a training, split by what they are for: to learn from, to choose by, to report on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from limner.collection import Collection, Row
from limner.collection.cache import PictureCache, cache_side, open_cache
from limner.collection.splitting import choosing_half
from limner.collection.views import Augmentation, augmentation_for, plain_views, views
from limner.errors import TrainingError
from limner.models.latent_model import to_unit
from limner.training.options import TrainOptions
from limner.workspace import Workspace

_FEWEST = 4
_OTHER_VIEW = 0.25
_PAIRED = 1 / 3
"""Share of a batch that is painted from the same thing in another style, where pairs are known."""


@dataclass
class TrainingData:
    """Pictures ready to be trained on.

    Attributes:
        cache: the training pictures.
        labels: index of each training picture's label, or None. # [n]
        things: index of what each training picture shows, equal where it is the same in other styles, or None. # [n]
        names: of the labels.
        chooses: hold-out pictures that choose what is kept. # uint8 [m, 3, h, w]
        reports: the other hold-out pictures, which choose nothing. # uint8 [k, 3, h, w]
        chooses_labels: index of the label of each picture in `chooses`, or None.
        unseen: all hold-out pictures, whole.
    """

    cache: PictureCache
    rows: Sequence[Row]
    labels: NDArray[np.int64] | None
    names: tuple[str, ...]
    chooses: Tensor
    reports: Tensor
    chooses_labels: Tensor | None
    size: tuple[int, int]
    augmentation: Augmentation
    seed: int
    unseen: PictureCache
    things: NDArray[np.int64] | None = None

    def painter_batch(self, step: int, count: int, first: int | None = None) -> dict[str, Tensor]:
        """Views for the painter, with whose style each is painted and how content is turned.

        Args:
            first: how many pictures were in the batches before; so many in each by default.
        """
        rng = np.random.default_rng([self.seed, 1, step])
        own = self._order(step * count if first is None else first, count)
        # The last quarter shows pictures of the batch once more in another view (or, where labels are known, a picture
        # of the same label): it lends and borrows styles.
        others = max(1, int(count * _OTHER_VIEW))
        for k in range(others):
            own[count - 1 - k] = self._partner(own[k], rng)
        source, things, alike = np.arange(count), np.arange(count), np.arange(count)
        for k in range(others):
            source[k], source[count - 1 - k] = count - 1 - k, k
        self._pair(
            own, things, alike, [(k, count - 1 - k) for k in range(others, others + int(count * _PAIRED / 2))], rng
        )
        how = self.augmentation
        pictures = views(self.cache, own, self.size, rng, zoom=how.zoom, flip=how.flip, colour=how.colour, alike=alike)
        self._borrow(own, things, source, rng)
        turn = int(rng.choice([0, 0, 0, 1, 2, 3, 4], p=[0.25, 0.125, 0.125, 0.2, 0.1, 0.1, 0.1]))
        batch = {"pictures": to_unit(pictures), "source": torch.from_numpy(source), "turn": torch.tensor(turn)}
        if self.labels is not None:
            batch["labels"] = torch.from_numpy(self.labels[own])
        if self.things is not None:
            batch["things"] = torch.from_numpy(things)
        return batch

    def adversarial_batch(self, step: int, count: int, kept: int) -> dict[str, Tensor]:
        """Views as new pictures should look; where pairs are known, some of the first `kept` are painted from them."""
        rng = np.random.default_rng([self.seed, 4, step])
        how = self.augmentation
        own = self._order(step * count, count)
        source, things, alike = np.arange(kept), np.arange(kept), np.arange(count)
        self._pair(own, things, alike, [(k, kept - 1 - k) for k in range(kept // 4)], rng)
        pictures = views(self.cache, own, self.size, rng, zoom=how.zoom_prior, flip=how.flip, alike=alike)
        batch = {"pictures": to_unit(pictures)}
        if self.things is not None:
            self._borrow(own[:kept], things, source, rng)
            batch |= {"source": torch.from_numpy(source), "things": torch.from_numpy(things)}
        return batch

    def prior_views(self, number: int) -> tuple[Tensor, Tensor | None]:
        """View number `number` of every training picture. # uint8 [n, 3, h, w], labels [n]"""
        rng = np.random.default_rng([self.seed, 2, number])
        how, everything = self.augmentation, np.arange(len(self.cache))
        pictures = views(self.cache, everything, self.size, rng, zoom=how.zoom_prior, flip=how.flip)
        return pictures, None if self.labels is None else torch.from_numpy(self.labels)

    def unseen_views(self, number: int) -> Tensor:
        """View number `number` of every hold-out picture, cut as the prior's views are. # uint8 [n, 3, h, w]"""
        rng = np.random.default_rng([self.seed, 5, number])
        how, everything = self.augmentation, np.arange(len(self.unseen))
        return views(self.unseen, everything, self.size, rng, zoom=how.zoom_prior, flip=how.flip)

    def _order(self, first: int, count: int) -> NDArray[np.int64]:
        """Which pictures a step sees: every epoch each picture once, in an order of its own."""
        size = len(self.cache)
        wanted = np.arange(first, first + count)
        out = np.empty(count, dtype=np.int64)
        for epoch in np.unique(wanted // size):
            order = np.random.default_rng([self.seed, 3, int(epoch)]).permutation(size)
            here = wanted // size == epoch
            out[here] = order[wanted[here] % size]
        return out

    def _pair(
        self,
        own: NDArray[np.int64],
        things: NDArray[np.int64],
        alike: NDArray[np.int64],
        places: Sequence[tuple[int, int]],
        rng: np.random.Generator,
    ) -> None:
        """Put the same thing in another style beside some of the pictures, each to be painted from the other."""
        for here, there in places:
            other = self._same_thing(own[here], rng)
            if other is not None:
                own[there], alike[there] = other, here
                things[here], things[there] = there, here

    def _borrow(
        self, own: NDArray[np.int64], things: NDArray[np.int64], source: NDArray[np.int64], rng: np.random.Generator
    ) -> None:
        """What only a picture has must come from the content: those of a pair take the style of any of their label."""
        if self.labels is not None:
            for k in np.flatnonzero(things != np.arange(len(things))):
                source[k] = rng.choice(np.flatnonzero(self.labels[own] == self.labels[own[k]]))

    def _same_thing(self, picture: np.int64, rng: np.random.Generator) -> np.int64 | None:
        """A picture of the same thing with another label; None where there is none."""
        if self.things is None or self.labels is None:
            return None
        there = np.flatnonzero((self.things == self.things[picture]) & (self.labels != self.labels[picture]))
        return np.int64(rng.choice(there)) if len(there) else None

    def _partner(self, picture: np.int64, rng: np.random.Generator) -> np.int64:
        """The picture itself or, half of the time where labels are known, one of its label."""
        if self.labels is None or rng.random() < 0.5:
            return picture
        return np.int64(rng.choice(np.flatnonzero(self.labels == self.labels[picture])))


def label_names(rows: Sequence[Row], column: str) -> tuple[str, ...]:
    """The values of a label column, sorted.

    Raises:
        TrainingError: no such column, or too many values to learn.
    """
    columns = sorted({name for row in rows for name in row.labels})
    if column not in columns:
        raise TrainingError(
            f"--label {column}", "the collection has no such label column", f"columns: {', '.join(columns) or 'none'}"
        )
    names = tuple(sorted({row.labels.get(column, "") for row in rows}))
    if not 2 <= len(names) <= 1000:
        raise TrainingError(
            f"--label {column}", f"has {len(names)} different values", "choose a column with 2 to 1,000 values"
        )
    return names


def split_rows(rows: Sequence[Row], options: TrainOptions) -> tuple[list[Row], list[Row], tuple[str, ...]]:
    """Training pictures, held-out ones sorted by group, and the names of the labels.

    Raises:
        TrainingError: too few pictures, or no such column.
    """
    training = [row for row in rows if row.split == "train"]
    held_out = sorted((row for row in rows if row.split == "holdout"), key=lambda row: row.group)
    if len(training) < _FEWEST or len(held_out) < 2:
        raise TrainingError(
            f"{len(training)} pictures to train on and {len(held_out)} held out",
            f"too few (at least {_FEWEST} and 2 are needed)",
            "add pictures, or choose more with --where",
        )
    names = label_names(rows, options.label) if options.label else ()
    if options.pairs and not any(row.labels.get(options.pairs) for row in training):
        columns = sorted({name for row in rows for name in row.labels})
        raise TrainingError(
            f"--pairs {options.pairs}", "the collection has no such column", f"columns: {', '.join(columns)}"
        )
    return training, held_out, names


def load_data(
    collection: Collection,
    rows: Sequence[Row],
    options: TrainOptions,
    workspace: Workspace,
    progress: Callable[[int, int], None] | None = None,
) -> TrainingData:
    """Cache the pictures at training size and split the hold-out in two halves.

    Args:
        progress: called with how many pictures are decoded, and of how many; not called where all were before.

    Raises:
        TrainingError: too few pictures, or no such column.
    """
    training, held_out, names = split_rows(rows, options)
    size = options.height, options.width
    side = cache_side(training, size)
    cache = open_cache(collection, training, side, workspace, progress)
    unseen = open_cache(collection, held_out, side, workspace)
    kept = plain_views(unseen, size)

    def indices(some: Sequence[Row]) -> NDArray[np.int64]:
        return np.array([names.index(row.labels.get(options.label or "", "")) for row in some], dtype=np.int64)

    first = torch.from_numpy(choosing_half([row.group for row in held_out]))
    return TrainingData(
        cache=cache,
        rows=training,
        labels=indices(training) if names else None,
        names=names,
        chooses=kept[first],
        reports=kept[~first],
        chooses_labels=torch.from_numpy(indices(held_out))[first] if names else None,
        size=size,
        augmentation=augmentation_for(cache.shapes, size, options.flip),
        seed=options.seed,
        unseen=unseen,
        things=_things(training, options.pairs) if options.pairs else None,
    )


def _things(rows: Sequence[Row], column: str) -> NDArray[np.int64]:
    """The same number for rows with the same value; rows without one stand alone. # [n]"""
    known = {value: i for i, value in enumerate(sorted({row.labels.get(column, "") for row in rows}))}
    alone = len(known)
    return np.array([known[v] if (v := row.labels.get(column)) else alone + i for i, row in enumerate(rows)], np.int64)
