from __future__ import annotations

from pathlib import Path

import numpy as np

from limner import pictures
from limner.reports.forging import flip_byte, save_again, seen_by_a_viewer
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
