"""Films: each picture goes on from the one before, nothing flickers, and a killed film goes on where it was."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from limner import pictures
from limner.synthesis import Exemplars, Finisher, FinishOptions
from limner.synthesis.films import faded, key_count, key_pictures, looped

Pixels = NDArray[np.uint8]
_KEYS = 10


def _scene(seed: int, horizon: float, height: int = 90, width: int = 120) -> Pixels:
    """Sky over ground, each with a noise of its own. # -> uint8 [h, w, 3]"""
    rng = np.random.default_rng(seed)
    sky, ground = rng.integers(140, 230, 3), rng.integers(20, 110, 3)
    base = np.where(np.arange(height)[:, None, None] < horizon * height, sky, ground).astype(np.float64)
    noise = rng.normal(0, 12, (height, width, 1))
    found: Pixels = (base + noise).clip(0, 255).astype(np.uint8)
    return found


@pytest.fixture(scope="module")
def finisher(tmp_path_factory: pytest.TempPathFactory) -> Finisher:
    folder = tmp_path_factory.mktemp("exemplars")
    for number in range(8):
        pictures.write(_scene(number, 0.3 + 0.05 * number), folder / f"{number}.png")
    exemplars = Exemplars.of_pictures(sorted(folder.glob("*.png")), creator="Ada Example", licence="CC-BY-4.0")
    return Finisher(exemplars, FinishOptions(size=96))


def _compositions(first: int = 0) -> Iterable[Pixels]:
    """From one scene to another. # uint8 [24, 32, 3] each"""
    start, end = (_scene(seed, horizon, 24, 32).astype(np.float64) for seed, horizon in ((1, 0.35), (5, 0.55)))
    for number in range(first, _KEYS):
        share = number / (_KEYS - 1)
        yield (start + share * (end - start)).round().astype(np.uint8)


def _film(finisher: Finisher, folder: Path, key: str = "a") -> list[Pixels]:
    stations = list(_compositions())[:: _KEYS - 1]
    return [one.pixels for one in key_pictures(finisher, _compositions, _KEYS, folder, key, stations=stations)]


def flicker(frames: Iterable[Pixels], compositions: Iterable[Pixels]) -> float:
    """How much a film changes where its composition rests, as a multiple of how much compositions change on the whole.

    A place rests between two frames where the composition changes no more than in half of the places; 1 is as restless
    as the composition, and more is flicker.

    Args:
        frames, compositions: as many of both, two or more. # uint8 [h, w, 3] each; of another size, one a kind
    """
    rest, whole, former = 0.0, 0.0, None
    for frame, composition in zip(frames, compositions, strict=True):
        size = frame.shape[1], frame.shape[0]
        guide = np.asarray(Image.fromarray(composition).resize(size, Image.Resampling.BICUBIC), np.float32)
        here = frame.astype(np.float32)
        if former is not None:
            moved, asked = (np.abs(new - old).mean(axis=2) for new, old in zip((here, guide), former, strict=True))
            rest += float(moved[asked <= np.median(asked)].mean())
            whole += float(asked.mean())
        former = here, guide
    return rest / max(whole, 1e-6)


def test_a_film_flickers_less_than_pictures_finished_alone(finisher: Finisher, tmp_path: Path) -> None:
    carried = _film(finisher, tmp_path / "frames")
    chosen = finisher.choose(list(_compositions())[:: _KEYS - 1])
    alone = [finisher.finish(one, chosen=chosen).pixels for one in _compositions()]
    assert flicker(carried, _compositions()) < 0.6 * flicker(alone, _compositions())
    # It does not stand still, either: it ends nearer to the end's own finish than it began.
    assert np.abs(carried[-1].mean((0, 1)) - alone[-1].mean((0, 1))).mean() < 12


def test_a_preview_is_near_to_what_the_finish_goes_on_to(finisher: Finisher) -> None:
    first, *_, later = list(_compositions())[:5]
    before = finisher.finish(first, keep=True)
    assert before.carried is not None
    seen, whole = finisher.preview(later, before.carried), finisher.finish(later, before=before.carried)

    def apart(one: Pixels, other: Pixels) -> float:
        """Of what the eye sees first: the large forms."""
        small = [np.asarray(Image.fromarray(p).resize((12, 9), Image.Resampling.BOX), np.float64) for p in (one, other)]
        return float(np.abs(small[0] - small[1]).mean())

    assert seen.shape == whole.pixels.shape
    assert apart(seen, whole.pixels) < 0.8 * apart(before.pixels, whole.pixels)


def test_a_picture_of_another_size_is_nothing_to_go_on_from(finisher: Finisher) -> None:
    before = finisher.finish(next(iter(_compositions())), keep=True).carried
    larger = Finisher(finisher.exemplars, FinishOptions(size=160))
    with pytest.raises(ValueError, match="another size or shape"):
        larger.finish(next(iter(_compositions())), before=before)
    with pytest.raises(ValueError, match="another size or shape"):
        finisher.finish(_scene(1, 0.4, 24, 40), before=before)


def test_a_killed_film_goes_on_to_the_same_bits(finisher: Finisher, tmp_path: Path) -> None:
    whole = _film(finisher, tmp_path / "whole")
    stations = list(_compositions())[:: _KEYS - 1]
    begun = key_pictures(finisher, _compositions, _KEYS, tmp_path / "frames", "a", stations=stations)
    list(islice(begun, 6))
    del begun
    first = (tmp_path / "frames" / "key-000002.png").stat().st_mtime_ns
    again = _film(finisher, tmp_path / "frames")
    assert (tmp_path / "frames" / "key-000002.png").stat().st_mtime_ns == first
    assert all((a == b).all() for a, b in zip(again, whole, strict=True))
    _film(finisher, tmp_path / "frames", "another")
    assert (tmp_path / "frames" / "key-000002.png").stat().st_mtime_ns != first


def test_between_key_pictures_one_fades_into_the_next() -> None:
    keys = [np.full((2, 2, 3), tone, np.uint8) for tone in (0, 100, 50)]
    frames = [int(one[0, 0, 0]) for one in faded(keys, 3, 5)]
    assert frames == [0, 50, 100, 75, 50]
    assert key_count(240, 30, 5.0) == 41
    assert key_count(3, 30, 5.0) == 2


def test_a_film_that_goes_back_ends_as_it_began() -> None:
    keys = [np.full((2, 2, 3), tone, np.uint8) for tone in range(0, 200, 20)]
    found = [int(one[0, 0, 0]) for one in looped(keys, len(keys))]
    assert found[:5] == [0, 20, 40, 60, 80]
    assert found[-1] == 0
    assert np.abs(np.diff(found)).max() <= 60


def test_a_film_that_stands_still_does_not_flicker_and_noise_does() -> None:
    rng = np.random.default_rng(0)
    compositions = [np.full((8, 8, 3), tone, np.uint8) for tone in (100, 104, 108)]
    still = [np.full((64, 64, 3), 90, np.uint8)] * 3
    noise = [rng.integers(0, 256, (64, 64, 3), np.uint8) for _ in range(3)]
    assert flicker(still, compositions) == 0
    assert flicker(noise, compositions) > 10
