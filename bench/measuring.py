"""One outside yardstick for all programs: the same features, the same hold-out, the same seeds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bench.data import BenchData
from limner.measure.quality import RealPictures, extractor, measure_sets
from limner.models.feature_distances import standardised
from limner.models.similarity import psnr
from limner.statistics import interval

__all__ = ["HEADLINES", "measure", "path_length"]

_SEED = 20261123
_FEATURES = "lite2", "random"
"""The first is the yardstick; neither trains any of the programs. limner's teacher is another network."""
HEADLINES = ("kid", "frechet", "precision", "recall", "density", "coverage", "memorised", "diversity")
"""What is told of the first features; everything else is in the result's `report`."""


def measure(folder: Path, data: BenchData) -> dict[str, Any]:
    """Everything that is told of the pictures a program left in `folder`.

    Args:
        folder: with `pictures.npy`, `paths.npy` and, where the program has an encoder, `reconstructed.npy`.
    """
    training, holdout, chose = (_tensor(pictures) for pictures in data.arrays())
    painted, paths = _tensor(np.load(folder / "pictures.npy")), np.load(folder / "paths.npy")
    report = measure_sets(RealPictures.of(training, holdout, chose), painted, _FEATURES, _SEED)
    first = report.features[0]
    extract = extractor(first.features)
    found: dict[str, Any] = {
        "features": f"{first.features} ({first.note})",
        **{name: getattr(first, name).model_dump(mode="json") for name in HEADLINES},
        "path_length": path_length(extract, paths, extract(training)),
    }
    if (folder / "reconstructed.npy").is_file():
        found["psnr"] = interval(psnr(_tensor(np.load(folder / "reconstructed.npy")), holdout)).as_dict()
    return found | {"report": report.model_dump(mode="json")}


def path_length(extract: Callable[[Tensor], Tensor], paths: NDArray[np.uint8], real: Tensor) -> dict[str, float]:
    """Perceptual path length (Karras et al. 2019, section 4.1), with the yardstick's features for the distance.

    The step is the paths' own (1/16 of the way), not 1/10,000: all programs hand over bytes, and a smaller step would
    measure their rounding. Features are scaled by the real pictures' deviation.

    Args:
        extract: gives the features. # uint8 [n, 3, h, w] -> [n, d]
        paths: pictures on the way between pairs of latents. # uint8 [paths, points, h, w, 3]
        real: features of real pictures. # [n, d]

    Returns:
        `value`, mean of squared distance by squared step, with its interval; `detour`, median of the way along the
        path by the distance of its ends (1: straight); `fade`, the path's length by that of a cross-fade between the
        same two pictures, means of both (below 1: forms change into each other more smoothly than by fading; pictures
        that say little have short paths and short fades).
    """

    def seen(pictures: NDArray[np.uint8]) -> Tensor:  # [paths, points, h, w, 3] -> [paths, points, d]
        found = standardised(extract(_tensor(pictures.reshape(-1, *pictures.shape[2:]))), real)
        rows: Tensor = (found / real.shape[1] ** 0.5).unflatten(0, pictures.shape[:2])
        return rows

    def lengths(found: Tensor) -> Tensor:
        return (found[:, 1:] - found[:, :-1]).square().sum(2).mean(1) * (found.shape[1] - 1) ** 2

    found = seen(paths)
    own = lengths(found)
    ends = (found[:, -1] - found[:, 0]).norm(dim=1).clamp_min(1e-6)
    steps = (found[:, 1:] - found[:, :-1]).norm(dim=2)
    fade = lengths(seen(_faded(paths))).mean().clamp_min(1e-6)
    return interval(own).as_dict() | {
        "detour": float((steps.sum(1) / ends).median()),
        "fade": float(own.mean() / fade),
    }


def _faded(paths: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """From the first picture of each path to its last, pixel by pixel. # uint8 [paths, points, h, w, 3]"""
    share = np.linspace(0, 1, paths.shape[1], dtype=np.float32)[None, :, None, None, None]
    mixed: NDArray[np.uint8] = (paths[:, :1] * (1 - share) + paths[:, -1:] * share).round().astype(np.uint8)
    return mixed


def _tensor(pictures: NDArray[np.uint8]) -> Tensor:
    """# uint8 [n, h, w, 3] -> [n, 3, h, w]"""
    return torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)))
