"""A watermark is read back from what is left of a picture, and from nothing else."""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from bench.attacks import attacked
from bench.likeness import psnr, ssim
from limner import pictures
from limner.collection import PAINTINGS
from limner.errors import PapersError
from limner.papers.watermark import FULL, MODEL_KEY, Embedder, Prepared, Reader
from limner.papers.watermark.code import CODED, MESSAGE_BITS, decode, encode
from limner.papers.watermark.layout import mean_around

_MESSAGE = 0x3F9C_1234_5678
_NAMES = sorted(path.name for path in (PAINTINGS / "img").glob("*.avif"))[::45]


@cache
def _painting(name: str, size: int = 512) -> NDArray[np.uint8]:
    image = Image.fromarray(pictures.read(PAINTINGS / "img" / name).pixels)
    share = 256 / min(image.size)
    small = image.resize((round(image.width * share), round(image.height * share)), Image.Resampling.LANCZOS)
    return np.asarray(small.crop((0, 0, 256, 256)).resize((size, size), Image.Resampling.LANCZOS))


@cache
def _marked(name: str, size: int = 512) -> NDArray[np.uint8]:
    return Embedder().embed(_painting(name, size), _MESSAGE)


@pytest.mark.parametrize("name", ["none", "JPEG 70", "crop 25 %", "x0.75", "flip", "rotation 2", "screenshot"])
def test_a_mark_is_read_from_what_is_left(name: str) -> None:
    reader = Reader()
    assert [reader.read(attacked(_marked(one), name, 0)).message for one in _NAMES[:4]] == [_MESSAGE] * 4


def test_a_small_picture_keeps_its_mark_as_jpeg() -> None:
    assert Reader().read(attacked(_marked(_NAMES[0], 256), "JPEG 70", 0)).message == _MESSAGE


def test_the_pose_of_the_mark_is_read() -> None:
    pose = Reader().read(attacked(_marked(_NAMES[0]), "x0.75", 0)).pose
    assert pose is not None and not pose.mirrored
    assert pose.scale == pytest.approx(0.75, abs=0.01)
    mirrored = Reader().read(attacked(_marked(_NAMES[0]), "flip", 0)).pose
    assert mirrored is not None and mirrored.mirrored


def test_no_mark_is_an_answer() -> None:
    reader = Reader()
    found = [reader.read(_painting(name)) for name in _NAMES]
    assert {reading.message for reading in found} == {None}
    assert {reading.pose for reading in found} == {None}


def test_another_key_sees_nothing() -> None:
    assert Reader(b"somebody else's").read(_marked(_NAMES[0])).message is None
    own = Embedder(b"somebody else's").embed(_painting(_NAMES[0]), _MESSAGE)
    assert Reader(b"somebody else's").read(own).message == _MESSAGE
    assert Reader().read(own).message is None


@pytest.mark.parametrize("name", ["JPEG 50", "rotation 2", "crop 25 %"])
def test_readers_that_share_a_picture_read_what_each_reads_alone(name: str) -> None:
    readers = Reader(), Reader(MODEL_KEY, (FULL, 256, 128)), Reader(b"somebody else's")
    for pixels in (attacked(_marked(_NAMES[0]), name, 0), attacked(_painting(_NAMES[1], 256), name, 0)):
        shared = Prepared(pixels)
        assert [one.read(shared) for one in readers] == [one.read(pixels) for one in readers]


@pytest.mark.parametrize(("size", "beyond", "scipys"), [(9, "symmetric", "reflect"), (33, "edge", "nearest")])
def test_means_around_are_those_of_scipy(size: int, beyond: Literal["symmetric", "edge"], scipys: str) -> None:
    values = np.random.default_rng(0).normal(100, 30, (120, 97)).astype(np.float32)
    expected = ndimage.uniform_filter(values.astype(np.float64), size, mode=scipys)
    assert np.abs(mean_around(values, size, beyond) - expected).max() < 1e-4


@pytest.mark.parametrize("size", [256, 512])
def test_the_eye_sees_no_mark(size: int) -> None:
    pairs = [(_painting(name, size), _marked(name, size)) for name in _NAMES[:4]]
    assert min(psnr(*pair) for pair in pairs) >= 42
    assert float(np.mean([ssim(*pair) for pair in pairs])) >= 0.98


def test_the_given_picture_is_left_as_it_was() -> None:
    given = _painting(_NAMES[0]).copy()
    Embedder().embed(given, _MESSAGE)
    assert np.array_equal(given, _painting(_NAMES[0]))


def test_a_large_picture_keeps_its_mark_made_small_and_cut() -> None:
    marked = Image.fromarray(Embedder().embed(_painting(_NAMES[1], 1600), _MESSAGE))
    small = marked.resize((800, 800), Image.Resampling.LANCZOS)
    assert Reader().read(np.asarray(small)).message == _MESSAGE
    assert Reader().read(attacked(np.asarray(small), "crop 25 %", 0)).message == _MESSAGE


def test_a_wide_picture_is_marked_too() -> None:
    wide = np.concatenate([_painting(name, 256) for name in _NAMES[:3]], axis=1)[:, :700]
    assert Reader().read(attacked(Embedder().embed(wide, 0), "JPEG 70", 0)).message == 0


def test_too_small_a_picture_is_refused_in_one_line() -> None:
    with pytest.raises(
        PapersError, match=r"^300x255: is too small for a watermark .*; enlarge it first: limner enlarge$"
    ):
        Embedder().embed(np.zeros((255, 300, 3), np.uint8), 1)


@pytest.mark.parametrize("message", [-1, 1 << MESSAGE_BITS])
def test_a_message_that_does_not_fit_is_refused(message: int) -> None:
    with pytest.raises(PapersError, match=f"^{message}: does not fit into 48 bits; "):
        Embedder().embed(_painting(_NAMES[0]), message)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_plain_picture_is_never_read_wrongly(level: int) -> None:
    plain = np.full((256, 320, 3), level, np.uint8)
    assert Reader().read(plain).message is None
    assert Reader().read(Embedder().embed(plain, _MESSAGE)).message in (None, _MESSAGE)


@pytest.mark.parametrize("shape", [(1, 1, 3), (40, 900, 3), (96, 97, 3), (2000, 100, 3)])
def test_a_reader_takes_any_shape(shape: tuple[int, ...]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    assert Reader().read(noise).message is None


def _messages(count: int) -> list[int]:
    drawn = np.random.default_rng(1).integers(0, 1 << MESSAGE_BITS, count)
    return [0, (1 << MESSAGE_BITS) - 1, *map(int, drawn)]


@pytest.mark.parametrize(("flips", "lost"), [(0, 0), (18, 0), (30, 0), (0, 110), (16, 60)])
def test_the_code_corrects_what_is_flipped_and_lost(flips: int, lost: int) -> None:
    random = np.random.default_rng([flips, lost])
    for message in _messages(12):
        codeword = encode(message)
        hit = random.permutation(CODED)
        codeword[hit[:flips]] *= -1
        codeword[hit[flips : flips + lost]] = 0
        assert decode(codeword) == message


def test_the_code_says_so_where_nothing_was_encoded() -> None:
    random = np.random.default_rng(2)
    assert {decode(random.normal(size=CODED)) for _ in range(40)} == {None}
    assert decode(np.zeros(CODED)) is None


def test_messages_are_far_apart() -> None:
    """Any two differ in so many of the 256 numbers that flips of a fifth of the least still lead back."""
    codeword = np.stack([encode(message) for message in [*_messages(60), *(1 << i for i in range(MESSAGE_BITS))]])
    differ = (CODED - codeword @ codeword.T) / 2
    assert differ[~np.eye(len(codeword), dtype=bool)].min() >= 40
