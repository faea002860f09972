"""Measures pictures that should show a concept in a style, where the right picture is known."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from bench.judging import StyleJudge
from bench.likening import SIGHTS, Likening
from limner import pictures
from limner.collection import Collection, Row
from limner.errors import UsageError
from limner.latent.pipeline import Pipeline
from limner.pictures.fitting import centred

__all__ = ["Concepts", "Seen", "Yardstick", "summed"]


@dataclass(frozen=True)
class Concepts:
    """All concepts of which there is a picture in every style.

    Attributes:
        shown: pictures of each style, concept by concept. # uint8 [n, 3, h, w] each
        unseen: numbers of the concepts of which no picture was trained on. # [m]
        new: of each style, whether the model itself never saw the picture of each unseen concept. # bool [m] each
    """

    styles: Sequence[str]
    shown: dict[str, Tensor]
    unseen: Tensor
    new: dict[str, Tensor]

    @classmethod
    def of(cls, collection: Collection, pipeline: Pipeline, own: Collection | None) -> Concepts:
        """Those of a collection.

        Args:
            own: what the model was trained on, where that is another collection or another hold-out.

        Raises:
            UsageError: it holds out no whole concept.
        """
        styles = pipeline.model.card.config.labels
        config = pipeline.model.card.config.painter
        rows = _by_concept(collection.rows(), styles)
        names = list(rows)
        unseen = [i for i, name in enumerate(names) if all(row.split == "holdout" for row in rows[name].values())]
        if not unseen:
            raise UsageError(collection.name, "holds out no whole concept", "import it with --together codepoints")
        size = config.height, config.width
        shown = {
            style: torch.stack(
                [centred(pictures.read(collection.picture_path(rows[n][style])).pixels, size) for n in names]
            )
            for style in styles
        }
        held = {row.pixel_sha256 for row in (own or collection).rows() if row.split == "holdout"}
        new = {s: torch.tensor([rows[names[i]][s].pixel_sha256 in held for i in unseen]) for s in styles}
        return cls(styles, shown, torch.tensor(unseen), new)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Every style to every other."""
        return list(itertools.permutations(self.styles, 2))

    def asked(self, style: str) -> Tensor:
        """The pictures of the unseen concepts in a style. # uint8 [m, 3, h, w]"""
        return self.shown[style][self.unseen]


@dataclass(frozen=True)
class Seen:
    """What was seen on the pictures of one pair of styles, picture by picture.

    Attributes:
        found: by each way to see, whether the nearest of all pictures of the style is the right one. # bool [m] each
        apart: by each, how far it is from the right one. # [m] each
        style: whether the judge calls it the target style. # bool [m]
        new: whether the model itself never saw the right one. # bool [m]
    """

    found: dict[str, Tensor]
    apart: dict[str, Tensor]
    style: Tensor
    new: Tensor


class Yardstick:
    """Four ways to see, and a judge of style that learned from the concepts that were trained on."""

    def __init__(self, concepts: Concepts, pipeline: Pipeline) -> None:
        self.concepts = concepts
        self._likenings = {name: Likening(name, concepts.shown) for name in SIGHTS}
        seen = torch.ones(len(next(iter(concepts.shown.values()))), dtype=torch.bool)
        seen[concepts.unseen] = False
        real = torch.cat([concepts.shown[style][seen] for style in concepts.styles])
        again = pipeline.sketch(pipeline.encode(real))
        self._judge = StyleJudge(len(concepts.styles))
        styles = torch.arange(len(concepts.styles)).repeat_interleave(int(seen.sum()))
        self._judge.learn(real, again, styles, pipeline.machine)

    def see(self, painted: Tensor, target: str) -> Seen:
        """Measure pictures of the unseen concepts that should be of a style. # uint8 [m, 3, h, w]"""
        asked = self.concepts.unseen
        rows = {name: likening.see(painted) for name, likening in self._likenings.items()}
        return Seen(
            {name: self._likenings[name].found(own, target, asked) for name, own in rows.items()},
            {name: self._likenings[name].apart(own, target, asked) for name, own in rows.items()},
            self._judge.judged(painted) == list(self.concepts.styles).index(target),
            self.concepts.new[target],
        )


def summed(seen: Sequence[Seen], plain: Sequence[Seen], new: bool | None = None) -> dict[str, Any]:
    """Shares over all pairs of styles; distances as shares of those of plain averaging of the same pairs.

    Args:
        new: only where the model itself never saw the right picture (True), or only where it did (False).
    """
    kept = torch.cat([one.new if new else ~one.new if new is False else torch.ones_like(one.new) for one in seen])

    def joined(parts: Sequence[Tensor]) -> Tensor:
        return torch.cat(list(parts))[kept].float()

    def far(some: Sequence[Seen], name: str) -> float:
        return float(joined([one.apart[name] for one in some]).mean())

    return {
        "pictures": int(kept.sum()),
        "concept": {name: float(joined([one.found[name] for one in seen]).mean()) for name in SIGHTS},
        "style": float(joined([one.style for one in seen]).mean()),
        "distance": {name: far(seen, name) / far(plain, name) for name in SIGHTS},
    }


def _by_concept(rows: Sequence[Row], styles: Sequence[str]) -> dict[str, dict[str, Row]]:
    """The pictures of each concept that there is in all styles."""
    found: dict[str, dict[str, Row]] = defaultdict(dict)
    for row in rows:
        if row.labels.get("style") in styles:
            found[row.labels["codepoints"]][row.labels["style"]] = row
    return {name: own for name, own in sorted(found.items()) if len(own) == len(styles)}
