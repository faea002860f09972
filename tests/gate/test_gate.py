"""The copy gate on real paintings: copies, whole and in part, are found; other paintings are not blamed."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from limner import pictures
from limner.collection import PAINTINGS
from limner.errors import UsageError
from limner.gate import CopyGate
from limner.gate.calibration import COPY
from limner.gate.opening import Honest, open_gate
from limner.synthesis.exemplars import Exemplars
from limner.workspace import Workspace

Pixels = NDArray[np.uint8]
_FILES = sorted(path for path in PAINTINGS.rglob("*") if path.suffix in (".avif", ".jpg", ".png", ".webp"))
_INDEXED, _OTHERS = _FILES[0:40:2], _FILES[1:31:2]


def _small(path: Path) -> Pixels:
    image = Image.fromarray(pictures.read(path).pixels)
    image.thumbnail((360, 360))
    return np.asarray(image)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder, made = tmp_path_factory.mktemp("paintings"), []
    for path in _INDEXED:
        made.append(folder / f"{path.stem}.png")
        Image.fromarray(_small(path)).save(made[-1])
    return made


@pytest.fixture(scope="module")
def gate(files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> CopyGate:
    workspace = Workspace(tmp_path_factory.mktemp("home"))
    return open_gate(Exemplars.of_pictures(files), workspace, Honest(held_out=_OTHERS[:5]))


@pytest.fixture(scope="module")
def others() -> list[Pixels]:
    return [_small(path) for path in _OTHERS[5:]]


def _jpeg(pixels: Pixels) -> Pixels:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=30)
    return np.asarray(Image.open(file).convert("RGB"))


def _pasted(pixels: Pixels) -> Pixels:
    ground = np.random.default_rng(3).integers(0, 255, (6, 8, 3), dtype=np.uint8)
    ground = np.asarray(cv2.resize(ground, (512, 384), interpolation=cv2.INTER_CUBIC), np.uint8)
    height = round(220 * min(1, pixels.shape[0] / pixels.shape[1]))
    width = round(height * pixels.shape[1] / pixels.shape[0])
    ground[40 : 40 + height, 200 : 200 + width] = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    return ground


def _covered(pixels: Pixels) -> Pixels:
    covered = pixels.copy()
    covered[: pixels.shape[0] // 2, : pixels.shape[1] // 2] = (200, 40, 40)
    return covered


_COPIES: dict[str, Callable[[Pixels], Pixels]] = {
    "mirrored": lambda pixels: np.ascontiguousarray(pixels[:, ::-1]),
    "turned": lambda pixels: np.ascontiguousarray(np.rot90(pixels)),
    "tilted": lambda pixels: np.asarray(Image.fromarray(pixels).rotate(7, Image.Resampling.BICUBIC)),
    "cut": lambda pixels: pixels[pixels.shape[0] // 4 :, : -pixels.shape[1] // 4],
    "saved as JPEG 30": _jpeg,
    "darker": lambda pixels: (pixels * 0.6).astype(np.uint8),
    "covered": _covered,
    "pasted": _pasted,
}


@pytest.mark.parametrize("kind", _COPIES)
def test_copies_are_found_with_their_source(gate: CopyGate, files: list[Path], kind: str) -> None:
    asked = [_COPIES[kind](pictures.read(path).pixels) for path in files]
    found = gate.look(asked)
    right = [one.is_copy and one.nearest[0].title == path.name for one, path in zip(found, files, strict=True)]
    assert np.mean(right) >= (0.9 if kind not in ("covered", "pasted") else 0.7)


def test_other_paintings_are_not_blamed(gate: CopyGate, others: list[Pixels]) -> None:
    found = gate.look(others)
    assert not [one.nearest[0].title for one in found if one.is_copy]
    assert all(len(one.nearest) == 3 for one in found)


def test_a_finding_says_where_the_copy_lies(gate: CopyGate, files: list[Path]) -> None:
    pixels = pictures.read(files[0]).pixels
    asked = np.full((2 * pixels.shape[0], 2 * pixels.shape[1], 3), 127, np.uint8)
    asked[pixels.shape[0] :, : pixels.shape[1]] = pixels[:, ::-1]
    (found,) = gate.look([asked])
    near = found.nearest[0]
    assert found.is_copy and near.mirrored and near.region is not None
    assert np.allclose(near.region, (0, 0.5, 0.5, 1), atol=0.03)


def test_alone_and_in_a_batch_it_finds_the_same(gate: CopyGate, others: list[Pixels]) -> None:
    together = gate.look(others[:4], threads=3)
    alone = [gate.look([one])[0] for one in others[:4]]
    assert [one.score for one in together] == [one.score for one in alone]
    assert [[near.digest for near in one.nearest] for one in together] == [
        [near.digest for near in one.nearest] for one in alone
    ]


def test_a_plain_picture_copies_nothing(gate: CopyGate) -> None:
    (found,) = gate.look([np.full((200, 300, 3), 90, np.uint8)])
    assert found.score < COPY and not found.is_copy


def test_the_index_is_made_once(files: list[Path], workspace: Workspace) -> None:
    exemplars = Exemplars.of_pictures(files[:6])
    first = open_gate(exemplars, workspace)
    calls: list[int] = []
    again = open_gate(exemplars, workspace, progress=lambda done, total: calls.append(done))
    assert not calls and again.thresholds == first.thresholds
    with pytest.raises(UsageError):
        open_gate(Exemplars.of_pictures([]), workspace)
