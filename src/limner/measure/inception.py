"""Features for the FID that papers report: Inception v3, where this machine has it already; nothing is downloaded."""

from __future__ import annotations

import importlib
import importlib.util
import os
from pathlib import Path

import torch
from torch import Tensor

__all__ = ["INCEPTION", "inception_features", "inception_missing"]

INCEPTION = "weights-inception-2015-12-05-6726825d.pth"
"""The file of weights that torch-fidelity takes."""


def inception_missing() -> str:
    """Why Inception cannot be used here, in one line; empty where it can."""
    if importlib.util.find_spec("torch_fidelity") is None:
        return "no Inception FID: torch-fidelity is not installed (it is optional)"
    if not _weights().is_file():
        return f"no Inception FID: {_weights()} is not there, and limner downloads nothing"
    return ""


@torch.inference_mode()
def inception_features(pictures: Tensor) -> Tensor:
    """Features of the last pooling layer. # uint8 [n, 3, h, w] -> [n, 2048]

    Raises:
        ImportError: see `inception_missing`.
    """
    module = importlib.import_module("torch_fidelity.feature_extractor_inceptionv3")
    extractor = module.FeatureExtractorInceptionV3(
        "inception", ["2048"], feature_extractor_weights_path=str(_weights())
    )
    extractor.eval()
    return torch.cat([extractor(chunk)[0].float() for chunk in pictures.split(32)])


def _weights() -> Path:
    home = os.environ.get("TORCH_HOME") or Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "torch"
    return Path(home) / "hub" / "checkpoints" / INCEPTION
