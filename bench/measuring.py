"""One outside yardstick for all programs: the same features, the same hold-out, the same seeds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bench.data import BenchData
from limner.models.features import RandomFeatures
from limner.training.validation import interval, kid, memorised, psnr

__all__ = ["measure", "path_length"]

_SEED = 20261123


def measure(folder: Path, data: BenchData) -> dict[str, Any]:
    """Everything that is told of the pictures a program left in `folder`.

    Args:
        folder: with `pictures.npy`, `paths.npy` and, where the program has an encoder, `reconstructed.npy`.
    """
    training, holdout = (_tensor(pictures) for pictures in data.arrays())
    painted, paths = _tensor(np.load(folder / "pictures.npy")), np.load(folder / "paths.npy")
    features = RandomFeatures()
    real, known = features(holdout), features(training)
    found: dict[str, Any] = {
        "features": "random convolutions on three scales (untrained)",
        "kid": kid(real, features(painted), seed=_SEED).as_dict(),
        "kid_floor": kid(real, known, seed=_SEED).as_dict(),
        "memorised": memorised(features, training, holdout, painted),
        "path_length": path_length(features, paths, known),
    }
    if (folder / "reconstructed.npy").is_file():
        found["psnr"] = interval(psnr(_tensor(np.load(folder / "reconstructed.npy")), holdout)).as_dict()
    return found


def path_length(features: nn.Module, paths: NDArray[np.uint8], real: Tensor) -> dict[str, float]:
    """Perceptual path length (Karras et al. 2019, section 4.1), with the yardstick's features for the distance.

    The step is the paths' own (1/16 of the way), not 1/10,000: all programs hand over bytes, and a smaller step would
    measure their rounding. Features are scaled by the real pictures' deviation.

    Args:
        paths: pictures on the way between pairs of latents. # uint8 [paths, points, h, w, 3]
        real: features of real pictures. # [n, d]

    Returns:
        `length`, mean of squared distance by squared step, with its interval; `detour`, median of the way along the
        path by the distance of its ends (1: straight).
    """
    count, points = paths.shape[:2]
    found = features(_tensor(paths.reshape(-1, *paths.shape[2:])))
    found = (found / real.std(0).clamp_min(1e-6)).unflatten(0, (count, points)) / real.shape[1] ** 0.5
    steps = (found[:, 1:] - found[:, :-1]).norm(dim=2)
    ends = (found[:, -1] - found[:, 0]).norm(dim=1).clamp_min(1e-6)
    lengths = interval((steps**2).mean(1) * (points - 1) ** 2)
    return lengths.as_dict() | {"detour": float((steps.sum(1) / ends).median())}


def _tensor(pictures: NDArray[np.uint8]) -> Tensor:
    """# uint8 [n, h, w, 3] -> [n, 3, h, w]"""
    return torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)))
