from __future__ import annotations

from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest

from limner import pictures
from limner.demo import forging
from limner.demo.forging import flip_byte, save_again, seen_by_a_viewer
from reports.records import pixels


def test_one_bit_of_one_byte_of_the_picture_is_other(tmp_path: Path) -> None:
    pictures.write(pixels(1), tmp_path / "a.png")
    flip = flip_byte(tmp_path / "a.png", tmp_path / "b.png")
    before, after = (np.frombuffer((tmp_path / name).read_bytes(), np.uint8) for name in ("a.png", "b.png"))
    assert np.flatnonzero(before != after).tolist() == [flip.position]
    assert (before[flip.position], after[flip.position]) == (flip.before, flip.after)
    assert bin(flip.before ^ flip.after).count("1") == 1
    assert flip.size == len(before)


def test_saved_again_it_is_the_same_picture_in_other_bytes(tmp_path: Path) -> None:
    flat = np.full((32, 32, 3), 90, np.uint8)
    pictures.write(flat, tmp_path / "a.png", xmp=b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>")
    save_again(tmp_path / "a.png", tmp_path / "b.jpg")
    assert np.abs(pictures.read(tmp_path / "b.jpg").pixels.astype(int) - 90).max() <= 2
    assert b"xmpmeta" not in (tmp_path / "b.jpg").read_bytes()


def test_what_no_viewer_shows_is_none() -> None:
    assert seen_by_a_viewer(b"no picture") is None


def test_a_large_picture_in_many_chunks_is_still_shown_and_found_quickly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = np.random.default_rng(0).integers(0, 16, (512, 768, 3), np.uint8)
    pictures.write(noise + np.linspace(0, 200, 768, dtype=np.uint8)[None, :, None], tmp_path / "a.png")
    viewer = Mock(side_effect=seen_by_a_viewer)
    monkeypatch.setattr(forging, "seen_by_a_viewer", viewer)
    flip_byte(tmp_path / "a.png", tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes().count(b"IDAT") > 4
    assert viewer.call_count <= 120 and seen_by_a_viewer((tmp_path / "b.png").read_bytes()) is not None
