"""Pictures of the same things in several styles, as a translator learns from them: latents of views, made once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from limner.collection import Row
from limner.collection.cache import PictureCache
from limner.collection.views import augmentation_for, plain_views, views
from limner.errors import TrainingError
from limner.machine import Machine
from limner.models.bundle import Model
from limner.training.stage import Reporter

_FEWEST = 8
_VIEWS = 6
_PERMUTED = 1
"""Of the views, how many show other colours: red, green and blue change places in all pictures of a thing alike."""
_MOST_AT_ONCE = 6
"""Pictures of one thing in a batch, at most."""


def paired_rows(
    rows: Sequence[Row], label: str, pairs: str, labels: Sequence[str], name: str
) -> tuple[list[Row], list[Row]]:
    """Pictures to learn from and pictures never to be seen, each of things of which there are at least two labels.

    A thing of which any picture is held out is not learned from.

    Args:
        label: the column that names the styles.
        pairs: the column that says which pictures show the same thing.
        labels: those of the model.
        name: of the collection, for the message.

    Raises:
        TrainingError: no such columns, labels that the model does not know, or too few pairs.
    """
    columns = sorted({column for row in rows for column in row.labels})
    for option, column in (("--label", label), ("--pairs", pairs)):
        if column not in columns:
            known = f"columns: {', '.join(columns) or 'none'}"
            raise TrainingError(f"{option} {column}", "the collection has no such column", known)
    things: dict[str, dict[str, Row]] = {}
    for row in sorted(rows, key=lambda row: (row.labels.get(pairs, ""), row.pixel_sha256)):
        if row.labels.get(label) in labels and row.labels.get(pairs):
            things.setdefault(row.labels[pairs], {}).setdefault(row.labels[label], row)
    drawn = [list(own.values()) for own in things.values() if len(own) > 1]
    learned = [own for own in drawn if all(row.split == "train" for row in own)]
    if len(learned) < _FEWEST:
        raise TrainingError(
            f"{name}: {len(learned)} things of which there are two labels that {', '.join(labels)} name",
            f"are too few to learn from ({_FEWEST} are needed)",
            f"see that --label {label} holds the model's labels, and --pairs {pairs} the same value for the same thing",
        )
    unseen = [own for own in drawn if all(row.split == "holdout" for row in own)]
    unseen = unseen or [own for own in drawn if any(row.split == "holdout" for row in own)]
    return [row for own in learned for row in own], [row for own in unseen for row in own]


@dataclass
class Pairs:
    """Whitened latents of views, and which show the same.

    Attributes:
        rows: view by view, picture by picture. # float16 [views, n, numbers]
        labels: number of the label of each picture. # [n]
        members: numbers of the pictures of each thing.
    """

    rows: Tensor
    labels: Tensor
    members: list[Tensor]
    seed: int

    @classmethod
    def of(
        cls,
        model: Model,
        cache: PictureCache,
        rows: Sequence[Row],
        columns: tuple[str, str],
        machine: Machine,
        reporter: Reporter,
        *,
        count: int = _VIEWS,
        flip: bool = True,
        seed: int = 0,
    ) -> Pairs:
        """Encode views; pictures of one thing are cut and mirrored alike.

        Args:
            cache: of the rows, in their order.
            columns: that of the labels, and that of the things.
            count: of views; the first is the whole picture.
        """
        config = model.card.config
        label, pairs = columns
        things: dict[str, list[int]] = {}
        for i, row in enumerate(rows):
            things.setdefault(row.labels[pairs], []).append(i)
        members = [torch.tensor(own) for own in things.values()]
        alike = np.empty(len(rows), np.int64)
        for own in members:
            alike[own.numpy()] = int(own[0])
        size = config.painter.height, config.painter.width
        how = augmentation_for(cache.shapes, size, flip)
        found = torch.empty(count, len(rows), config.painter.numbers, dtype=torch.float16)
        for number in range(count):
            rng = np.random.default_rng([seed, 6, number])
            reporter.tick(number / count, 0.0, 0.0, {})
            if number == 0:
                shown = plain_views(cache, size)
            else:
                shown = views(cache, np.arange(len(rows)), size, rng, zoom=how.zoom, flip=flip, alike=alike)
            if number >= _VIEWS - _PERMUTED:
                shown = _permuted(shown, alike, rng)
            with machine.autocast():
                latents = model.generator.encode(shown)
            found[number] = model.generator.whitening(latents).cpu().half()
        labels = torch.tensor([config.labels.index(row.labels[label]) for row in rows])
        return cls(found, labels, members, seed)

    def batch(self, step: int, things: int) -> dict[str, Tensor]:
        """All pictures of some things, and the source of each among them: another picture of the same thing.

        # rows: float [n, numbers], labels: [n], source: [n]
        """
        rng = np.random.default_rng([self.seed, 7, step])
        chosen, sources, seen, start = [], [], [], 0
        for thing in rng.choice(len(self.members), things, replace=things > len(self.members)):
            own = self.members[int(thing)].numpy()
            own = rng.permutation(own)[:_MOST_AT_ONCE]
            chosen.append(own)
            seen.append(np.full(len(own), rng.integers(len(self.rows))))
            sources.append(start + np.roll(np.arange(len(own)), rng.integers(1, len(own))))
            start += len(own)
        kept = torch.from_numpy(np.concatenate(chosen))
        rows = self.rows[torch.from_numpy(np.concatenate(seen)), kept].float()
        return {"rows": rows, "labels": self.labels[kept], "source": torch.from_numpy(np.concatenate(sources))}


def _permuted(shown: Tensor, alike: NDArray[np.int64], rng: np.random.Generator) -> Tensor:
    """Colours change places, in all pictures of a thing alike. # uint8 [n, 3, h, w]"""
    orders = torch.tensor([(0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)])
    drawn = orders[torch.from_numpy(rng.integers(len(orders), size=len(shown))[alike])]
    return torch.gather(shown, 1, drawn[:, :, None, None].expand_as(shown))
