"""The planted set: what an alteration does, who is no honest test, and what a threshold finds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from bench.copies.alterations import KINDS, Class, altered
from bench.copies.packs import write_pack
from bench.copies.pictures import family_of
from bench.copies.planted import CopySet
from bench.copies.scoring import Nearest, nearest, summed, threshold_of
from bench.copies.twins import twins


def _drawing(colour: str, seed: int) -> NDArray[np.uint8]:
    image = Image.new("RGB", (128, 128), "white")
    pen, random = ImageDraw.Draw(image), np.random.default_rng(seed)
    for _ in range(12):
        x, y = random.integers(0, 96, 2)
        pen.ellipse((x, y, x + 30, y + 20), fill=colour, outline="black", width=2)
    return np.asarray(image)


def test_the_set_has_2000_copies_and_pairs_beside() -> None:
    counts = {of: sum(kind.count for kind in KINDS.values() if kind.of is of) for of in Class}
    assert counts[Class.WHOLE] + counts[Class.PARTIAL] == 2000
    assert counts[Class.EXTRA] == 200


@pytest.mark.parametrize("name", KINDS)
def test_an_alteration_is_the_same_each_time_and_changes_something(name: str) -> None:
    picture, other = _drawing("red", 0), _drawing("blue", 1)
    once, again = (altered(picture, other, KINDS[name], 128, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(once, again)
    assert min(once.shape[:2]) == 128
    assert once.shape != picture.shape or np.abs(once.astype(int) - picture).mean() > 0.5


@pytest.mark.parametrize(("name", "least", "most"), [("crop 10-30 %", 0.1, 0.3), ("crop 30-50 %", 0.3, 0.5)])
def test_a_crop_takes_away_as_much_as_its_name_says(name: str, least: float, most: float) -> None:
    image = Image.new("RGB", (300, 200))
    for seed in range(20):
        cut = KINDS[name].alter(image, image, np.random.default_rng(seed))
        lost = 1 - cut.width * cut.height / (200 * 300)
        assert least - 0.02 <= lost <= most + 0.02


def test_cut_rotations_show_no_corner() -> None:
    white = Image.new("RGB", (300, 200), "white")
    for seed in range(20):
        kind = KINDS["rotation 2-10, corners cut off"]
        assert np.asarray(kind.alter(white, white, np.random.default_rng(seed))).min() > 250


def test_the_same_drawing_in_another_colour_is_a_twin_and_another_one_is_not() -> None:
    training = [_drawing("red", 0), _drawing("green", 5)]
    shifted = np.roll(_drawing("blue", 0), 2, 0)
    same, other, mirrored = twins([shifted, _drawing("red", 9), _drawing("blue", 0)[:, ::-1]], training)
    assert same.share > 0.6 and same.other == 0
    assert mirrored.share > 0.6 and mirrored.other == 0
    assert other.share < 0.3


def test_tones_genders_and_directions_are_one_family() -> None:
    runners = "1f3c3", "1f3c3-1f3fb-200d-2640-fe0f", "1f3c3-200d-2642-200d-27a1"
    assert len({family_of(one) for one in runners}) == 1
    assert family_of("1f468-1f3fb-200d-1f692") == family_of("1f469-200d-1f692") != family_of("1f469-200d-1f33e")


def test_one_honest_picture_in_a_thousand_may_exceed_the_threshold() -> None:
    scores = np.arange(3000.0)
    assert (scores > threshold_of(scores)).sum() == 3


def test_hashes_are_compared_by_bits_and_in_all_ways_round() -> None:
    training = np.array([[[0b1111_0000]], [[0b0000_1111]]], np.uint8)
    asked = np.array([[[0b1010_1010], [0b0000_1110]]], np.uint8)
    found = nearest(asked, training)
    assert found.score.tolist() == [-1] and found.source.tolist() == [1]


def test_recall_counts_by_kind_what_the_threshold_of_half_the_honest_finds(tmp_path: Path) -> None:
    picture = _drawing("red", 0)
    kinds = ["flip", "flip", "crop 10-30 %", "two in a row", *(kind for kind in KINDS)]
    planted = [(picture, {"kind": kind, "source": 0, "side": 128}) for kind in kinds]
    honest = [(picture, {"title": "", "family": str(number), "half": number % 2}) for number in range(40)]
    packs: dict[str, list[tuple[NDArray[np.uint8], dict[str, Any]]]] = {
        "training": [(picture, {})], "planted": planted, "honest": honest, "kin": [],
    }  # fmt: skip
    given = CopySet("test", *(write_pack(tmp_path / name, part) for name, part in packs.items()))
    scores = np.full(len(kinds), 0.5)
    scores[0] = 0.9
    parts = {
        "planted": Nearest(scores, np.zeros(len(kinds), int)),
        # The half that chooses reaches 0.7, the half that reports has one above it.
        "honest": Nearest(np.array([0.7, 0.8] + [0.1] * 38), np.zeros(40, int)),
    }
    found = summed(given, parts)
    assert found["threshold"] == 0.7
    assert found["kinds"]["flip"]["value"] == pytest.approx(1 / 3)
    assert found["classes"]["partial"]["value"] == 0
    assert found["alarms"]["stopped"] == 1 and found["alarms"]["count"] == 20
