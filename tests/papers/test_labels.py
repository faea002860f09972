"""The visible label: it can be read, lies where it hides least, and is refused rather than squeezed in."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from numpy.typing import NDArray

from limner.errors import UsageError
from limner.papers.publishing.labels import LANGUAGES, LabelKind, LabelRequest, draw_label


def grey(value: int, height: int = 200, width: int = 300) -> NDArray[np.uint8]:
    return np.full((height, width, 3), value, np.uint8)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", get_args(LabelKind))
@pytest.mark.parametrize("below", [0, 128, 255])
def test_it_can_be_read_on_anything(kind: LabelKind, language: str, below: int) -> None:
    pixels = grey(below)
    labelled, label = draw_label(pixels, LabelRequest(kind, language))
    left, top, width, height = label.box
    inside = labelled[top : top + height, left : left + width].astype(int)
    assert label.contrast >= 4.5
    assert inside.max() - inside.min() > 100
    outside = labelled.copy()
    outside[top : top + height, left : left + width] = below
    assert (outside == pixels).all()
    assert (pixels == below).all()


def test_noise_below_does_not_eat_the_words() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3)).astype(np.uint8)
    assert draw_label(noise, LabelRequest("text"))[1].contrast >= 4.5


def test_no_two_characters_of_chinese_look_alike() -> None:
    """A font without them would draw six equal boxes."""
    labelled, label = draw_label(grey(128, 800, 1200), LabelRequest("text", "zh"))
    left, top, width, height = label.box
    ink = labelled[top : top + height, left : left + width, 0] > 200
    columns = np.flatnonzero(ink.any(0))
    cells = np.array_split(
        ink[:, columns[0] : columns[-1] + 1][:, : (columns[-1] - columns[0] + 1) // 6 * 6], 6, axis=1
    )
    assert min((one != other).mean() for i, one in enumerate(cells) for other in cells[:i]) > 0.05


@pytest.mark.parametrize("corner", ["bottom right", "bottom left", "top right", "top left"])
def test_it_lies_in_the_plainest_corner(corner: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (200, 300, 3)).astype(np.uint8)
    down, across = corner.split()
    rows = slice(0, 60) if down == "top" else slice(140, 200)
    pixels[rows, slice(0, 160) if across == "left" else slice(140, 300)] = 90
    assert draw_label(pixels, LabelRequest("text"))[1].corner == corner


def test_a_plain_picture_has_it_where_one_looks_last() -> None:
    assert draw_label(grey(90), LabelRequest("eu"))[1].corner == "bottom right"


def test_letters_are_those_of_the_language() -> None:
    words = {language: LabelRequest("eu", language).words for language in ("en", "de", "fr", "zh")}
    assert words == {"en": "AI", "de": "KI", "fr": "IA", "zh": "AI"}


def test_what_is_too_small_is_refused() -> None:
    with pytest.raises(UsageError, match="--label eu"):
        draw_label(grey(90, 64, 64), LabelRequest("text"))
    assert draw_label(grey(90, 64, 64), LabelRequest("eu"))[1].box[2] == 15
    with pytest.raises(UsageError, match="limner enlarge"):
        draw_label(grey(90, 32, 32), LabelRequest("eu"))


def test_a_language_that_is_none_is_named() -> None:
    with pytest.raises(UsageError, match=r"--language xx.*use one of: de, en"):
        LabelRequest("text", "xx")
