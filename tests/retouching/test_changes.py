"""What changed in a file that came back is measured, wherever the work lies in it; another picture is told apart."""

from __future__ import annotations

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from limner.retouching.changes import Changes, changes_between
from limner.retouching.picture import map_picture

SIDE = 256


def landscape(seed: int) -> Image.Image:
    """Structure of all sizes, as in a painting."""
    rng, found = np.random.default_rng(seed), np.zeros((SIDE, SIDE, 3))
    for cells, strength in ((5, 90), (12, 60), (30, 40), (90, 22)):
        noise = rng.normal(0, strength, (cells, cells, 3)).clip(-250, 250)
        shown = Image.fromarray((noise + 255).clip(0, 510).astype(np.uint16).astype(np.float32).mean(2))
        found += np.asarray(shown.resize((SIDE, SIDE), Image.Resampling.BICUBIC))[..., None] - 255
        found += rng.normal(0, 8, 3)
    return Image.fromarray((found + 128).clip(0, 255).astype(np.uint8))


WORK = landscape(1)


def measured(file: Image.Image, work: Image.Image = WORK) -> Changes:
    return changes_between(np.asarray(work), np.asarray(file))


def as_jpeg(image: Image.Image, quality: int = 85) -> Image.Image:
    data = io.BytesIO()
    image.save(data, "JPEG", quality=quality)
    return Image.open(io.BytesIO(data.getvalue())).convert("RGB")


def painted(image: Image.Image = WORK, share: float = 0.1) -> Image.Image:
    """A square of one colour on it that takes this share."""
    copy, side = image.copy(), round((share * image.width * image.height) ** 0.5)
    ImageDraw.Draw(copy).rectangle((40, 60, 39 + side, 59 + side), fill=(180, 40, 60))
    return copy


def graded(image: Image.Image) -> Image.Image:
    unit = np.asarray(image) / 255.0
    return Image.fromarray(((unit ** [0.8, 1.0, 1.3]) * [250, 240, 215] + 5).clip(0, 255).astype(np.uint8))


def colours(pixels: NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(pixels)


@pytest.mark.parametrize(
    ("file", "slack"),
    [(painted(), 0.002), (as_jpeg(painted()), 0.01), (graded(painted()), 0.015), (painted(share=0.5), 0.01)],
    ids=["png", "jpeg", "graded", "half of it"],
)
def test_the_painted_part_is_measured(file: Image.Image, slack: float) -> None:
    share, found = (0.5 if slack == 0.01 and file.tobytes() == painted(share=0.5).tobytes() else 0.1), measured(file)
    assert found.related
    assert found.changed == pytest.approx(share, abs=slack)
    assert (found.added, found.kept) == (0, 1)
    rows, columns = np.nonzero(found.mask)
    assert abs(int(rows.min()) - 60) <= 2
    assert abs(int(columns.min()) - 40) <= 2


def test_colours_all_over_are_no_painted_part() -> None:
    found = measured(graded(WORK))
    assert found.changed < 0.02
    assert found.tones == pytest.approx(
        float(np.abs(np.asarray(graded(WORK), float) - np.asarray(WORK)).mean()), rel=0.1
    )
    assert not found.nothing


@pytest.mark.parametrize("factor", [0.5, 1.6])
def test_cropped_scaled_and_painted(factor: float) -> None:
    crop = painted().crop((20, 40, 220, 230))
    size = round(crop.width * factor), round(crop.height * factor)
    found = measured(as_jpeg(crop.resize(size, Image.Resampling.LANCZOS), 92))
    assert found.kept == pytest.approx(200 * 190 / SIDE**2, abs=0.02)
    assert found.scale == pytest.approx(factor, rel=0.02)
    assert found.changed == pytest.approx(81 * 81 / (200 * 190), abs=0.025)


def test_printed_and_scanned() -> None:
    scan = graded(painted()).rotate(1.5, Image.Resampling.BICUBIC, expand=True, fillcolor="white")
    found = measured(as_jpeg(scan.resize((420, 420), Image.Resampling.BICUBIC)))
    outside = 1 - SIDE**2 / scan.width**2
    assert found.angle == pytest.approx(1.5, abs=0.1)
    assert found.added == pytest.approx(outside, abs=0.01)
    assert found.changed - found.added == pytest.approx(0.1 * (1 - outside), abs=0.03)


def test_a_wider_canvas_is_new_around_the_work() -> None:
    canvas = Image.new("RGB", (SIDE + 90, SIDE + 60), (236, 230, 220))
    canvas.paste(WORK, (50, 30))
    found = measured(canvas)
    assert found.added == pytest.approx(1 - SIDE**2 / (canvas.width * canvas.height), abs=0.01)
    assert found.changed - found.added < 0.01
    assert found.kept == 1


def test_mirrored_and_turned() -> None:
    mirrored = measured(WORK.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    turned = measured(WORK.transpose(Image.Transpose.ROTATE_90))
    assert (mirrored.mirrored, mirrored.changed, mirrored.angle) == (True, 0, 0)
    assert (turned.mirrored, turned.changed, turned.angle) == (False, 0, 90)
    assert not mirrored.nothing
    assert not turned.nothing


def test_how_it_was_saved_is_no_change() -> None:
    assert measured(WORK).nothing
    assert measured(as_jpeg(WORK, 80)).nothing
    one = np.asarray(WORK).copy()
    one[100, 100] ^= 8
    assert measured(colours(one)).changed == pytest.approx(1 / SIDE**2)


def test_another_picture_is_not_related() -> None:
    for other in (landscape(2), Image.new("RGB", (64, 64))):
        assert not measured(other).related


def test_the_map_shows_the_three() -> None:
    found = measured(painted())
    sheet = map_picture(found)
    assert sheet.shape[1] > 2 * sheet.shape[0]
    assert sheet.dtype == np.uint8
