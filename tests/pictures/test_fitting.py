"""One's own pictures come to a model's size: cut, padded or stretched, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from limner.cli.making import checked_fit
from limner.errors import UsageError
from limner.pictures.fitting import Fit, centred, fitted


@pytest.mark.parametrize("shape", [(40, 120), (120, 40), (64, 64)])
@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
def test_each_way_gives_the_size(shape: tuple[int, int], fit: Fit) -> None:
    pixels = np.full((*shape, 3), 90, np.uint8)
    pixels[:, : shape[1] // 2] = 200
    made = fitted(pixels, (48, 64), fit)
    assert (made.shape, made.dtype) == ((3, 48, 64), torch.uint8)


def test_cut_padded_and_stretched_show_what_they_say() -> None:
    pixels = np.full((40, 120, 3), 255, np.uint8)
    pixels[:, :20], pixels[:, -20:] = (255, 0, 0), (0, 0, 255)  # red at the left end, blue at the right one
    pixels[0], pixels[-1] = 255, 255
    crop, pad, stretch = (fitted(pixels, (64, 64), fit) for fit in ("crop", "pad", "stretch"))
    assert torch.equal(crop, centred(pixels, (64, 64)))
    assert crop[0].min() > 250
    assert crop[1].min() > 250  # neither end is seen
    for whole in (pad, stretch):
        assert whole[1, 32, 1] < 30
        assert whole[0, 32, 62] < 30
    assert stretch[1, 3, 1] < 30  # up to the edge
    assert pad[1, 3, 1] > 100  # and here the border's mean
    same = np.full((64, 64, 3), 7, np.uint8)
    assert all(torch.equal(fitted(same, (64, 64), fit), centred(same, (64, 64))) for fit in ("pad", "stretch"))


def test_another_word_is_refused() -> None:
    with pytest.raises(UsageError, match="use crop, pad or stretch"):
        checked_fit("cover")
