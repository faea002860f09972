"""Local features: places in a picture that can be found again when it is turned, mirrored, cut or pasted."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 224
"""Shorter side at which features are looked for, px."""
INDEXED, ASKED = 180, 400
"""Most features of a picture that is indexed, and of one that is looked up."""
UNIT = 512.0
"""Length of a descriptor."""
_MARGIN = 12
_CONTRAST = 0.03
_LONGEST = 3
# SIFT has 4 x 4 cells of 8 directions around a place, turned to its main direction. Mirrored about that direction, the
# rows of cells change places and directions turn the other way.
_MIRRORED = np.arange(128).reshape(4, 4, 8)[::-1][:, :, (-np.arange(8)) % 8].reshape(-1)


@dataclass(frozen=True)
class LocalFeatures:
    """The local features of one picture.

    Attributes:
        points: across and down (px of the picture, pixel centres), size (px) and direction (radians). # float32 [n, 4]
        descriptors: what each place looks like. # uint8 [n, 128]
    """

    points: NDArray[np.float32]
    descriptors: NDArray[np.uint8]

    def mirrored(self, width: int) -> LocalFeatures:
        """Those of the mirrored picture, which need not be looked for anew."""
        points = self.points.copy()
        points[:, 0] = width - 1 - points[:, 0]
        points[:, 3] = np.pi - points[:, 3]
        return LocalFeatures(points, self.descriptors[:, _MIRRORED])


def local_features(pixels: NDArray[np.uint8], most: int) -> LocalFeatures:
    """The strongest local features of a picture: SIFT (Lowe 2004) with square-rooted descriptors.

    The roots are of Arandjelovic and Zisserman 2012 ("RootSIFT").

    Args:
        pixels: uint8 [h, w, 3], sRGB.
        most: how many at most.
    """
    grey, scale = _reduced(pixels)
    wider = cv2.copyMakeBorder(grey, _MARGIN, _MARGIN, _MARGIN, _MARGIN, cv2.BORDER_REPLICATE)
    sift = cv2.SIFT_create(nfeatures=most, contrastThreshold=_CONTRAST)  # type: ignore[attr-defined]
    found, raw = sift.detectAndCompute(wider, None)
    if raw is None:
        return LocalFeatures(np.zeros((0, 4), np.float32), np.zeros((0, 128), np.uint8))
    points = np.array([(*one.pt, one.size, np.radians(one.angle)) for one in found[:most]], np.float32)
    points[:, :2] = (points[:, :2] - _MARGIN + 0.5) / scale - 0.5
    points[:, 2] /= scale
    roots = np.sqrt(raw[:most] / np.maximum(raw[:most].sum(1, keepdims=True), 1e-6))
    return LocalFeatures(points, np.clip(np.round(roots * UNIT), 0, 255).astype(np.uint8))


def _reduced(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], float]:
    """The picture in grey at the side at which features are looked for, and by how much it was reduced."""
    height, width = pixels.shape[:2]
    scale = min(SIDE / min(height, width), _LONGEST * SIDE / max(height, width))
    grey = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY)
    size = max(16, round(width * scale)), max(16, round(height * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(grey, size, interpolation=how), np.uint8), scale
