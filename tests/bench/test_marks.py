"""Attacks are the same for all, likeness is what its paper says, and what was found is told as it was found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from bench import false_alarms, marks_page
from bench.attacks import LISTS, PAIRS, REMOVALS, TWO, attacked
from bench.likeness import psnr, ssim
from bench.mark_pictures import samples
from bench.marks_table import figure, summed, table, unmet
from bench.peers import watermarks

_TITLES = {"limner": "limner", "dwtDctSvd": "another"}


def _picture(side: int = 128) -> NDArray[np.uint8]:
    random = np.random.default_rng(0)
    rough = random.integers(0, 256, (side // 8, side // 8, 3), np.uint8)
    return np.asarray(Image.fromarray(rough).resize((side, side), Image.Resampling.BICUBIC))


_NAMES = [*(name for names in LISTS.values() for name in names), *REMOVALS]


@pytest.mark.parametrize("name", _NAMES)
def test_an_attack_is_the_same_each_time_and_changes_what_it_says(name: str) -> None:
    pixels = _picture()
    seen = attacked(pixels, name, 3)
    assert seen.dtype == np.uint8 and seen.shape[2] == 3
    assert np.array_equal(seen, attacked(pixels, name, 3))
    assert (seen.shape == pixels.shape and np.array_equal(seen, pixels)) == (name in ("none", "PNG"))


@pytest.mark.parametrize(("name", "side"), [("crop 25 %", 96), ("x0.75", 96), ("x1.5", 192), ("crop to 96 px", 96)])
def test_crops_and_scales_stay_at_their_new_size(name: str, side: int) -> None:
    assert attacked(_picture(), name, 0).shape == (side, side, 3)


def test_every_ordered_pair_is_dealt_once_in_a_round(monkeypatch: pytest.MonkeyPatch) -> None:
    met: list[str] = []

    def noted(name: str) -> Callable[..., Image.Image]:
        def attack(image: Image.Image, random: np.random.Generator) -> Image.Image:
            met.append(name)
            return image

        return attack

    monkeypatch.setattr("bench.attacks._ALL", {name: noted(name) for pair in PAIRS for name in pair})
    for index in range(len(PAIRS)):
        attacked(np.zeros((4, 4, 3), np.uint8), TWO, index)
    assert sorted(zip(met[::2], met[1::2], strict=True)) == sorted(PAIRS)
    assert len(PAIRS) == 56


def test_likeness_is_what_the_formulas_say() -> None:
    pixels = _picture()
    assert psnr(pixels, pixels) == 100
    assert ssim(pixels, pixels) == pytest.approx(1)
    plain = np.full((20, 20, 3), 100, np.uint8)
    assert psnr(plain, plain + 10) == pytest.approx(28.13, abs=0.01)
    # Of two plain pictures only the term of the means is left.
    c1 = (0.01 * 255) ** 2
    assert ssim(plain, plain + 10) == pytest.approx((2 * 100 * 110 + c1) / (100**2 + 110**2 + c1))
    noisy = attacked(pixels, "noise 10", 0)
    assert 0.2 < ssim(pixels, noisy) < ssim(pixels, attacked(pixels, "noise 5", 0)) < 1


def test_paintings_alone_do_without_photographs() -> None:
    shown = samples(256, None, 3)
    assert (shown.pixels.shape, shown.sets) == ((3, 256, 256, 3), ["paintings"] * 3)


def test_photographs_take_turns_with_paintings(tmp_path: Path) -> None:
    Image.fromarray(_picture(640)).save(tmp_path / "one.jpg")
    shown = samples(512, tmp_path, 2)
    assert shown.sets == ["paintings", "photographs"] * 2
    assert shown.pixels.shape == (4, 512, 512, 3)


class _Loud:
    """A mark that one pixel holds: lost as soon as that pixel changes."""

    bits, choices = 8, ["one pixel"]

    def embed(self, pixels: NDArray[np.uint8], message: int) -> NDArray[np.uint8]:
        marked = pixels.copy()
        marked[0, 0] = (251, 3, message)
        return marked

    def read(self, pixels: NDArray[np.uint8]) -> int | None:
        return int(pixels[0, 0, 2]) if tuple(pixels[0, 0, :2]) == (251, 3) else None


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr("bench.limner_mark.LimnerMark", _Loud)
    run, marked = watermarks.run("limner", np.stack([_picture()] * 4))
    assert marked.shape == (4, 128, 128, 3)
    return run | {"sets": ["paintings", "photographs"] * 2}


def test_a_run_counts_what_is_read(found: dict[str, Any]) -> None:
    told = summed(found)
    assert told["counts"] == {"paintings": 2, "photographs": 2}
    assert told["unmarked"] == {"count": 4, "answered": 0}
    assert told["attacks"]["PNG"]["value"] == 1 and told["attacks"]["flip"]["value"] == 0
    assert told["attacks"]["PNG"]["low"] == pytest.approx(0.510, abs=0.001)  # Wilson 1927 for 4 of 4


def test_what_is_missed_is_said_and_what_is_met_is_bold(found: dict[str, Any]) -> None:
    told = summed(found)
    assert any(line.startswith("flip: 0.0% of 95%") for line in unmet(512, told))
    assert not any(line.startswith("PNG") for line in unmet(512, told))
    shown = table(512, {"limner": told}, _TITLES)
    assert "| PNG | 99% | **100.0** (51 to 100) |" in shown
    assert "| flip | 95% | 0.0 (0 to 49) |" in shown
    assert "another" not in shown


def test_what_was_found_becomes_a_section(
    found: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marks_page, "_FILE", tmp_path / "marks.json")
    assert marks_page.section() == ""
    told = {"512": {"limner": summed(found)}}
    marks_page.keep("table", {"machine": {"processor": "a processor"}, "sizes": told, "not_run": {"rivaGan": "no"}})
    figure({512: told["512"]}, _TITLES, tmp_path / "marks.png")
    text = marks_page.section()
    assert "## Marks at 512 px" in text and "limner misses: " in text
    assert "rivaGan was not run: no" in text
    assert (tmp_path / "marks.png").stat().st_size > 10_000


def test_false_alarms_are_argued_from_both_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = {"guessed": np.full(2000, 3.0), "searched": np.full(2000, 4.0), "messages": np.array([])}
    heard["searched"][:20] = 9.0
    told = false_alarms._told({"some": heard})
    assert told["rate_argued"] == pytest.approx(0.01 / 65536)
    # Clopper and Pearson 1934 for 0 and for 20 of 2,000.
    assert told["rate_argued_below"] * 65536 == pytest.approx(0.00184 + 0.01540, abs=0.0001)
    assert told["share_with_a_message_below"] == 0.0015


def test_a_listener_reads_as_a_reader_does_and_remembers() -> None:
    listener = false_alarms.Listener()
    assert listener.read(_picture()).message is None
    assert (len(listener.guessed), len(listener.searched)) == (1, 1)


def test_what_was_read_before_an_end_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(false_alarms, "_KEPT", 1)
    path, shown = tmp_path / "some.npz", [_picture(), _picture(160), _picture(192)]

    def cut_short() -> Iterator[NDArray[np.uint8]]:
        yield from shown[:2]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        false_alarms._heard("some", cut_short(), false_alarms._kept(path), path)
    before = false_alarms._kept(path)
    assert len(before["guessed"]) == 2 and not before["done"]
    after = false_alarms._heard("some", iter(shown), before, path)
    assert len(after["guessed"]) == 3 and after["done"]
    assert np.array_equal(after["guessed"][:2], before["guessed"])
