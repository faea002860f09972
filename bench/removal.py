"""Removing limner's watermark in earnest, and copying it: what is left to read, and what the picture pays for it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from bench.attacks import REMOVALS, attacked
from bench.likeness import psnr, ssim
from bench.mark_pictures import samples
from bench.peers.watermarks import message_of
from limner.latent.pipeline import Pipeline
from limner.models.bundle import SHIPPED
from limner.papers.watermark import Embedder, Reader
from limner.statistics import share
from limner.workspace import Workspace

__all__ = ["removal"]

Pixels = NDArray[np.uint8]
_SIZE, _TILE, _BITS = 512, 64, 48
_WORKS = 20
"""How many works somebody averages."""
_HARMED = 8
"""Pictures on which the harm is measured."""
_MODEL = "landscapes"
_MOVED = ("rotation", "flip", "perspective")
"""What moves pixels; their distance says nothing of the harm then."""


class _Trial:
    """Marked pictures, and the reader that says what is left of their marks."""

    def __init__(self, pictures: Pixels) -> None:
        self.reader, self.embedder = Reader(), Embedder()
        self.plain = pictures
        self.messages = [message_of(i, _BITS) for i in range(len(pictures))]
        self.marked = [self.embedder.embed(p, m) for p, m in zip(pictures, self.messages, strict=True)]

    def told(self, changed: Callable[[int], Pixels], indices: Sequence[int] | None = None) -> dict[str, Any]:
        """How many are read exactly or wrongly, and the harm, where the size stays."""
        exact, wrong, harm = [], 0, []
        for n, i in enumerate(indices or range(len(self.marked))):
            seen = changed(i)
            message = self.reader.read(seen).message
            exact.append(message == self.messages[i])
            wrong += message not in (None, self.messages[i])
            if n < _HARMED and seen.shape == self.marked[i].shape:
                harm.append((psnr(self.marked[i], seen), ssim(self.marked[i], seen)))
        found: dict[str, Any] = share(torch.tensor(exact)).as_dict() | {"wrong": wrong}
        if harm:
            found |= {
                "psnr": float(np.mean([one[0] for one in harm])),
                "ssim": float(np.mean([one[1] for one in harm])),
            }
        return found


def removal(folder: Path | None, *, count: int) -> dict[str, Any]:
    """Try everything on so many pictures of 512 px.

    Args:
        folder: of photographs.
        count: pictures; at least 21, so that one is left beside the works that are averaged.
    """
    trial = _Trial(samples(_SIZE, folder, count).pixels[:count])
    found: dict[str, Any] = {}
    for name in REMOVALS:
        found[name] = trial.told(lambda i, name=name: attacked(trial.marked[i], name, i))  # type: ignore[misc]
        if name.startswith(_MOVED):
            found[name] = {key: value for key, value in found[name].items() if key not in ("psnr", "ssim")}
        _say(name, found[name])
    for name, result in (*_repainted(trial), *_averaged(trial), *_known(trial)):
        found[name] = result
        _say(name, result)
    copies = _copied(trial)
    return {"size": _SIZE, "count": count, "works_averaged": _WORKS, "attacks": found, "copies": copies}


def _say(name: str, told: dict[str, Any]) -> None:
    print(f"removal, {name}: {told}", file=sys.stderr, flush=True)


def _repainted(trial: _Trial) -> list[tuple[str, dict[str, Any]]]:
    """Encoded and painted again by limner's own model, at the model's size."""
    pipeline = Pipeline.open(str(SHIPPED / f"{_MODEL}.safetensors"), Workspace.default(), precision="fp32", threads=1)
    size = pipeline.model.card.config.painter.height

    def again(i: int) -> Pixels:
        small = np.asarray(Image.fromarray(trial.marked[i]).resize((size, size), Image.Resampling.LANCZOS))
        latent = pipeline.encode(torch.from_numpy(small.copy()).permute(2, 0, 1)[None])
        painted = pipeline.sketch(latent)[0].permute(1, 2, 0).numpy()
        return np.asarray(Image.fromarray(painted).resize((_SIZE, _SIZE), Image.Resampling.LANCZOS))

    def shrunk(i: int) -> Pixels:
        image = Image.fromarray(trial.marked[i]).resize((size, size), Image.Resampling.LANCZOS)
        return np.asarray(image.resize((_SIZE, _SIZE), Image.Resampling.LANCZOS))

    return [
        (f"repainted by {_MODEL} at {size} px", trial.told(again)),
        (f"made {size} px small and large again, for comparison", trial.told(shrunk)),
    ]


def _local(pixels: Pixels) -> NDArray[np.float32]:
    """What goes on around each pixel, grey levels, as anybody can estimate it. # [h, w]"""
    fine = _fine(pixels)
    found: NDArray[np.float32] = np.sqrt(np.maximum(ndimage.uniform_filter(fine * fine, 13), 0)) + np.float32(1)
    return found


def _fine(pixels: Pixels) -> NDArray[np.float32]:
    brightness = pixels.astype(np.float32).mean(axis=2)
    found: NDArray[np.float32] = brightness - ndimage.gaussian_filter(brightness, 1.5)
    return found


def _pattern(works: Sequence[Pixels]) -> NDArray[np.float32]:
    """What works have in common when they are laid tile upon tile. # -> [64, 64]"""
    tiles = [(_fine(work) / _local(work)).reshape(_SIZE // _TILE, _TILE, -1, _TILE).mean((0, 2)) for work in works]
    mean = np.mean(tiles, axis=0)
    found: NDArray[np.float32] = mean / mean.std()
    return found


def _added(pixels: Pixels, pattern: NDArray[np.float32], sign: int, decibels: float) -> Pixels:
    """A picture with a pattern added or taken away, as strong as it may be at this PSNR, more where more goes on."""
    change = np.tile(pattern, (_SIZE // _TILE, _SIZE // _TILE)) * _local(pixels)
    change *= sign * 255 / 10 ** (decibels / 20) / np.sqrt((change**2).mean())
    return np.clip(np.rint(pixels + change[..., None]), 0, 255).astype(np.uint8)


def _averaged(trial: _Trial) -> list[tuple[str, dict[str, Any]]]:
    """The mean mark of works with messages of their own taken away from other works."""
    pattern = _pattern(trial.marked[:_WORKS])
    others = range(_WORKS, len(trial.marked))
    return [
        (
            f"mean of {_WORKS} other works taken away, {decibels} dB",
            trial.told(lambda i, decibels=decibels: _added(trial.marked[i], pattern, -1, decibels), others),  # type: ignore[misc]
        )
        for decibels in (50, 46, 42, 38)
    ]


def _known(trial: _Trial) -> list[tuple[str, dict[str, Any]]]:
    """What somebody does who has the key, and the public one everybody has."""

    def taken_back(i: int) -> Pixels:
        marked = trial.marked[i]
        more = trial.embedder.embed(marked, trial.messages[i]).astype(np.int16) - marked
        return np.clip(marked - more, 0, 255).astype(np.uint8)

    def written_over(i: int) -> Pixels:
        return trial.embedder.embed(trial.marked[i], trial.messages[i] ^ 0xFFFF_FFFF_FFFF)

    return [
        ("taken back by one who has the key", trial.told(taken_back)),
        ("another message put over it by one who has the key", trial.told(written_over)),
    ]


def _copied(trial: _Trial) -> dict[str, Any]:
    """Marks carried over to pictures that never had one: how many then tell the message of the work, or any."""
    found = {}
    for name, works in (("one work", [0]), (f"{_WORKS} works", list(range(_WORKS)))):
        pattern = _pattern([trial.marked[i] for i in works])
        others = range(_WORKS, len(trial.plain))
        for decibels in (42, 36):
            told = [trial.reader.read(_added(trial.plain[i], pattern, 1, decibels)).message for i in others]
            mine = share(torch.tensor([message in {trial.messages[i] for i in works} for message in told]))
            any_at_all = sum(message is not None for message in told)
            key = f"from {name}, {decibels} dB"
            found[key] = mine.as_dict() | {"any_message": any_at_all}
            _say(f"copy {key}", found[key])
    return found
