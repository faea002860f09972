"""The same thing in several styles: each picture of a pair is painted from the other's content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pydantic import ValidationError

from limner.collection.cache import PictureCache
from limner.collection.views import Augmentation
from limner.training.data import TrainingData
from limner.training.options import TrainOptions

THINGS, STYLES = 20, 3


@dataclass
class Flat:
    """Pictures of one colour: red says which thing, green which style; a ramp across them says how they are cut."""

    def __len__(self) -> int:
        return THINGS * STYLES

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        picture = np.zeros((64, 64, 3), np.uint8)
        picture[..., 0], picture[..., 1] = 10 * (index // STYLES), 80 * (index % STYLES)
        picture[..., 2] = np.arange(64) * 4
        return picture


def data(things: bool = True) -> TrainingData:
    labels = np.arange(THINGS * STYLES) % STYLES
    flat = cast(PictureCache, Flat())
    nothing = torch.zeros(0, 3, 32, 32, dtype=torch.uint8)
    return TrainingData(
        cache=flat, rows=[], labels=labels, names=("a", "b", "c"), chooses=nothing, reports=nothing,
        chooses_labels=None, size=(32, 32), augmentation=Augmentation(zoom=(0.6, 1.0)), seed=0, unseen=flat,
        things=np.arange(THINGS * STYLES) // STYLES if things else None,
    )  # fmt: skip


def test_a_pair_is_the_same_thing_in_another_style_cut_alike() -> None:
    batch = data().painter_batch(3, 48)
    pictures, things, labels = batch["pictures"], batch["things"], batch["labels"]
    paired = (things != torch.arange(48)).nonzero()[:, 0]
    assert len(paired) == 16
    assert torch.equal(things[things], torch.arange(48))
    other = things[paired]
    assert torch.equal(pictures[paired, 0], pictures[other, 0])
    assert torch.equal(pictures[paired, 2], pictures[other, 2])
    assert bool((labels[paired] != labels[other]).all())
    assert torch.equal(labels[batch["source"][paired]], labels[paired])


def test_without_pairs_every_picture_is_painted_from_its_own_content() -> None:
    assert "things" not in data(things=False).painter_batch(3, 48)


def test_pairs_need_a_label_that_is_a_style() -> None:
    with pytest.raises(ValidationError, match="pairs differ in style alone"):
        TrainOptions(name="x", label="style", pairs="codepoints")
