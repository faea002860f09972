"""A work is found again whichever way it is laid, at any turn, and a little wider or narrower."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limner import pictures
from limner.collection import PAINTINGS
from limner.papers.registry.registry import open_registry
from limner.papers.verify.checking import open_checker
from limner.papers.watermark.marking import marked, read_mark
from limner.workspace import Workspace
from papers.test_registered import fill, scene

COUNT = 8
Change = Callable[[Image.Image], Image.Image]


def turned(degrees: float) -> Change:
    def change(image: Image.Image) -> Image.Image:
        whole = image.rotate(degrees, resample=Image.Resampling.BICUBIC)
        x, y = round(0.12 * image.width), round(0.12 * image.height)
        return whole.crop((x, y, image.width - x, image.height - y))

    return change


def wider(share: float) -> Change:
    return lambda image: image.resize((round(share * image.width), image.height), Image.Resampling.BICUBIC)


CHANGES: dict[str, Change] = {
    "quarter turn": lambda image: image.transpose(Image.Transpose.ROTATE_90),
    "half turn": lambda image: image.transpose(Image.Transpose.ROTATE_180),
    "three quarters": lambda image: image.transpose(Image.Transpose.ROTATE_270),
    "turned and mirrored": lambda image: image.transpose(Image.Transpose.TRANSPOSE),
    "quarter turn, smaller": lambda image: image.transpose(Image.Transpose.ROTATE_90).resize(
        (round(0.75 * image.height), round(0.75 * image.width)), Image.Resampling.LANCZOS
    ),
    "5 degrees": turned(5),
    "17 degrees": turned(17),
    "45 degrees": turned(45),
    "100 degrees": turned(100),
    "2 % wider": wider(1.02),
    "5 % narrower": wider(0.95),
    "10 % wider": wider(1.1),
}


@pytest.fixture(scope="module")
def works() -> list[Image.Image]:
    found = []
    for number, path in enumerate(sorted(PAINTINGS.rglob("*.avif"))[:COUNT]):
        image = Image.fromarray(pictures.read(path).pixels)
        scale = 512 / min(image.size)
        size = round(scale * image.width), round(scale * image.height)
        found.append(Image.fromarray(marked(np.asarray(image.resize(size, Image.Resampling.LANCZOS)), 77_000 + number)))
    return found


@pytest.mark.parametrize("change", CHANGES)
def test_the_mark_is_read(change: str, works: list[Image.Image]) -> None:
    read = [read_mark(np.asarray(CHANGES[change](work))).message for work in works]
    assert read == [77_000 + number for number in range(COUNT)]


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_the_registry_finds_it(quarters: int, workspace: Workspace, tmp_path: Path) -> None:
    fill(workspace, range(4))
    copy = np.ascontiguousarray(np.rot90(scene(2), quarters))
    registry = open_registry(workspace)
    assert registry is not None
    match = registry.find(copy)
    assert match is not None
    assert (match.edition.latent, match.turned) == (f"sha256:{2:064x}", (360 - 90 * quarters) % 360)
    pictures.write(copy, tmp_path / "turned.png")
    with closing(open_checker(workspace)) as checker:
        verdict = checker.check(tmp_path / "turned.png")
    assert "looks like work" in verdict.summary
    assert any("turned by" in layer.holds for layer in verdict.layers)
    assert registry.find(np.ascontiguousarray(np.rot90(scene(9), quarters))) is None
