"""The finish: what comes from where, to the bit, and within its bounds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from limner import pictures
from limner.errors import UsageError
from limner.synthesis import Exemplars, Finisher, FinishOptions, SourceMap
from limner.synthesis.levels import level_sides
from limner.synthesis.stores import SourceStore
from limner.workspace import Workspace

Pixels = NDArray[np.uint8]
_SIDE = 128


def _landscape(seed: int, height: int = 140, width: int = 180) -> Pixels:
    """Sky over ground, each with a grain of its own. # -> uint8 [h, w, 3]"""
    rng = np.random.default_rng(seed)
    horizon = height * (0.4 + 0.2 * rng.random())
    sky, ground = rng.integers(120, 240, 3), rng.integers(20, 120, 3)
    down = np.arange(height)[:, None, None]
    base = np.where(down < horizon, sky, ground).astype(np.float64)
    grain = rng.normal(0, 14, (height, width, 1)) + 10 * np.sin(np.arange(width) / (3 + seed))[None, :, None]
    found: Pixels = np.broadcast_to(base + grain, (height, width, 3)).clip(0, 255).astype(np.uint8)
    return np.array(found)


@pytest.fixture(scope="module")
def exemplars(tmp_path_factory: pytest.TempPathFactory) -> Exemplars:
    folder = tmp_path_factory.mktemp("exemplars")
    for number in range(10):
        pictures.write(_landscape(number), folder / f"{number}.png")
    return Exemplars.of_pictures(sorted(folder.glob("*.png")), creator="Ada Example", licence="CC-BY-4.0")


@pytest.fixture(scope="module")
def composition() -> Pixels:
    return _landscape(77, 32, 48)


def _finisher(exemplars: Exemplars, threads: int = 1, **told: object) -> Finisher:
    return Finisher(exemplars, FinishOptions.model_validate({"size": _SIDE, **told}), threads)


def test_a_finish_is_as_large_as_asked_and_keeps_what_is_where(exemplars: Exemplars, composition: Pixels) -> None:
    pixels = _finisher(exemplars).finish(composition).pixels
    assert pixels.shape == (128, 192, 3)
    top, bottom = pixels[:40].mean(), pixels[-40:].mean()
    assert top > bottom + 30


def test_the_same_to_the_bit_whatever_is_beside_it_and_on_any_threads(
    exemplars: Exemplars, composition: Pixels
) -> None:
    alone = _finisher(exemplars).finish(composition).pixels
    others = [_landscape(80 + i, 32, 48) for i in range(3)]
    batch = list(_finisher(exemplars, threads=2).finish_many([*others, composition]))
    banded = _finisher(exemplars, threads=2).finish(composition).pixels
    assert np.array_equal(batch[-1].pixels, alone)
    assert np.array_equal(banded, alone)
    assert not np.array_equal(batch[0].pixels, alone)
    assert not np.array_equal(_finisher(exemplars, seed=5).finish(composition).pixels, alone)


def test_every_pixel_says_where_it_is_from(exemplars: Exemplars, composition: Pixels) -> None:
    sources = _finisher(exemplars).finish(composition).sources
    assert sum(one.share for one in sources.shares()) == pytest.approx(1)
    assert sum(one.area for one in sources.shares()) == pytest.approx(1)
    assert {one.exemplar.creator for one in sources.shares()} == {"Ada Example"}
    tall, wide = np.array(sources.shapes)[sources.places[..., 0]].transpose(2, 0, 1)
    assert (sources.places[..., 1] >= 0).all()
    assert (sources.places[..., 1] < tall).all()
    assert (sources.places[..., 2] >= 0).all()
    assert (sources.places[..., 2] < wide).all()


def test_pieces_and_shares_stay_within_their_bounds(exemplars: Exemplars, composition: Pixels) -> None:
    finisher = _finisher(exemplars)
    sources = finisher.finish(composition).sources
    assert sources.largest_piece() <= finisher.plan.piece
    assert sources.shares()[0].area <= finisher.plan.share + 0.01
    free = _finisher(exemplars, borrow=1.0).finish(composition).sources
    assert free.largest_piece() > 2 * sources.largest_piece()


def test_what_is_left_out_gives_nothing(exemplars: Exemplars, composition: Pixels) -> None:
    most = _finisher(exemplars).finish(composition).sources.shares()[0].exemplar.digest
    without = _finisher(exemplars, leave_out=(most,)).finish(composition).sources
    assert most not in {one.exemplar.digest for one in without.shares()}


def test_a_larger_finish_is_the_same_picture(exemplars: Exemplars, composition: Pixels) -> None:
    small = _finisher(exemplars).finish(composition).pixels
    large = _finisher(exemplars, size=224).finish(composition).pixels
    assert large.shape == (224, 336, 3)
    other = _finisher(exemplars).finish(_landscape(78, 32, 48)).pixels
    # Without the grain, which is finer in the larger one.
    coarse = [_coarse(one).astype(np.float64) for one in (small, large, other)]
    assert np.abs(coarse[1] - coarse[0]).mean() < 0.4 * np.abs(coarse[2] - coarse[0]).mean()


def test_a_picture_that_changed_little_goes_on_from_the_former(exemplars: Exemplars, composition: Pixels) -> None:
    finisher = _finisher(exemplars)
    before = finisher.finish(composition, keep=True)
    moved = np.clip(composition.astype(np.int16) + 3, 0, 255).astype(np.uint8)
    alone, carried = finisher.finish(moved), finisher.finish(moved, before=before.carried)

    def apart(one: Pixels) -> float:
        return float(np.abs(one.astype(np.float64) - before.pixels).mean())

    assert apart(carried.pixels) < apart(alone.pixels)


def test_a_warm_composition_stays_warm_whatever_its_exemplars_are(exemplars: Exemplars, composition: Pixels) -> None:
    turned = np.clip(composition.astype(np.int16) + np.array([40, 0, -40]), 0, 255).astype(np.uint8)
    plain, warm = (_finisher(exemplars).finish(one).pixels.astype(np.float64) for one in (composition, turned))
    warmer = (warm[..., 0] - warm[..., 2]).mean() - (plain[..., 0] - plain[..., 2]).mean()
    assert warmer > 20


def test_collections_of_one_kind_of_thing_give_larger_pieces(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)

    def finisher(pixels: list[Pixels], name: str) -> Finisher:
        folder = tmp_path / name
        folder.mkdir()
        for number, one in enumerate(pixels):
            pictures.write(one, folder / f"{number:03d}.png")
        return Finisher(Exemplars.of_pictures(sorted(folder.glob("*.png"))), FinishOptions(size=64))

    kinds = [rng.integers(0, 200, (48, 48, 3), np.uint8) for _ in range(6)]
    alike = [(kinds[number % 6] + rng.integers(0, 50, (48, 48, 3), np.uint8)) for number in range(120)]
    grain = rng.integers(0, 50, (48, 48, 3))
    apart = [
        (np.kron(rng.integers(0, 200, (8, 8, 3)), np.ones((6, 6, 1))) + grain).astype(np.uint8) for _ in range(120)
    ]
    assert finisher(alike, "alike").plan.piece == pytest.approx(0.1)
    assert finisher(apart, "apart").plan.piece == pytest.approx(0.03)
    assert finisher(alike[:20], "few").plan.piece == pytest.approx(0.03), "of few pictures nothing is known"


def test_levels_are_the_same_rungs_whatever_the_last() -> None:
    small, large = level_sides(16, 512, 1.45), level_sides(16, 1024, 1.45)
    assert small[0] == large[0] == 16
    assert (small[-1], large[-1]) == (512, 1024)
    assert large[: len(small) - 1] == small[:-1]
    assert level_sides(16, 12, 1.4) == [12]


def test_drawings_are_told_from_paintings(exemplars: Exemplars, tmp_path: Path) -> None:
    flat = np.full((64, 64, 3), 255, np.uint8)
    flat[20:40, 20:40] = (200, 30, 30)
    pictures.write(flat, tmp_path / "flat.png")
    assert Finisher(Exemplars.of_pictures([tmp_path / "flat.png"])).graphic
    assert not _finisher(exemplars).graphic


def test_source_maps_are_kept_and_read_back(exemplars: Exemplars, composition: Pixels, workspace: Workspace) -> None:
    sources, store = _finisher(exemplars).finish(composition).sources, SourceStore(workspace)
    digest = store.keep(sources)
    again = store.load(digest)
    assert again is not None
    assert again.exemplars == sources.exemplars
    assert np.array_equal(again.places, sources.places)
    assert np.array_equal(again.busy, sources.busy)
    path = next(workspace.sources.rglob("*.sources"))
    path.write_bytes(path.read_bytes()[:-5])
    assert store.load(digest) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"limner sources 1\n",
        b"limner sources 1\n{}\nx",
        b'limner sources 1\n{"size": [99999999, 99999999], "exemplars": [], "shapes": []}\nx',
        b'limner sources 1\n{"size": [8, 8], "exemplars": [], "shapes": []}\n\x78\x9c\x03\x00',
    ],
)
def test_files_that_are_no_source_maps_say_so(data: bytes) -> None:
    with pytest.raises(UsageError, match="holds no sources"):
        SourceMap.unpacked(data, "a.sources")


def _coarse(pixels: Pixels) -> Pixels:
    """The picture at 16x24 px. # uint8 [h, w, 3] -> [16, 24, 3]"""
    return np.array(Image.fromarray(pixels).resize((24, 16), Image.Resampling.BOX))


def test_a_faithful_finish_keeps_tones_that_no_exemplar_has(exemplars: Exemplars) -> None:
    across = np.linspace(40, 200, 48)[None, :, None]
    unlike = np.broadcast_to(across * np.array([1.0, 0.2, 0.6]), (32, 48, 3)).astype(np.uint8)
    wanted = np.asarray(Image.fromarray(unlike).resize((6, 4), Image.Resampling.BOX), np.float64)

    def apart(*, faithful: bool) -> float:
        pixels = _finisher(exemplars, faithful=faithful).finish(unlike).pixels
        return float(np.abs(np.asarray(Image.fromarray(pixels).resize((6, 4), Image.Resampling.BOX)) - wanted).mean())

    assert apart(faithful=True) < 0.7 * apart(faithful=False)


def test_what_was_broken_is_filled_with_whole_parts_of_other_places(exemplars: Exemplars) -> None:
    picture = _landscape(3)
    whole = _finisher(exemplars, borrow=1.0).finish(picture).sources
    held = _finisher(exemplars).finish(picture).sources
    assert whole.largest_piece() > 0.1, "a training picture itself is found again where nothing forbids it"
    assert held.largest_piece() <= 0.03
    labels = held.places[..., 0] * 1_000_000 + (held.places[..., 2] - np.arange(held.places.shape[1])) * 1000
    assert np.mean(labels[:, 1:] == labels[:, :-1]) > 0.6, "pixels go on from their neighbours"
