"""Where a training picture lies within another picture: the similarity that most pairs of local features agree on."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]
Affine = NDArray[np.float64]
"""From the pixels of one picture to those of another: # [2, 3]"""

_NEAR, _NEAR_OWN = 0.05, 0.3
_SCALE, _TURN = 0.35, 0.35
_STEPS, _FINEST = 12, 1e-3


def consistent(asked: Points, known: Points, span: float, weights: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which pairs of features agree on one similarity: each pair proposes one, and the weightiest wins.

    Args:
        asked, known: points of the pairs in the picture that is looked up, and in the training picture. # [n, 4]
        span: longer side of the training picture, px.
    """
    scale, turn = asked[:, 2] / known[:, 2], asked[:, 3] - known[:, 3]
    cos, sin = np.cos(turn) * scale, np.sin(turn) * scale
    across = asked[:, 0] - (cos * known[:, 0] - sin * known[:, 1])
    down = asked[:, 1] - (sin * known[:, 0] + cos * known[:, 1])
    x = cos[:, None] * known[None, :, 0] - sin[:, None] * known[None, :, 1] + across[:, None]
    y = sin[:, None] * known[None, :, 0] + cos[:, None] * known[None, :, 1] + down[:, None]
    near = np.hypot(x - asked[None, :, 0], y - asked[None, :, 1])
    turned = np.abs((turn[None] - turn[:, None] + np.pi) % (2 * np.pi) - np.pi)
    agree: NDArray[np.bool_] = near < _NEAR * span * scale[:, None] + _NEAR_OWN * asked[None, :, 2]
    agree &= (np.abs(np.log(scale[None] / scale[:, None])) < _SCALE) & (turned < _TURN)
    best: NDArray[np.bool_] = agree[(agree * weights).sum(1).argmax()]
    return best


def similarity(asked: Points, known: Points, span: float) -> Affine:
    """The similarity from training picture to picture: least squares, or the first pair's where they lie together."""
    if len(asked) < 3 or np.ptp(known[:, :2], axis=0).max() < 0.1 * span:
        scale, turn = float(asked[0, 2] / known[0, 2]), float(asked[0, 3] - known[0, 3])
        a, b = np.cos(turn) * scale, np.sin(turn) * scale
        from_point, to_point = known[0, :2].astype(np.float64), asked[0, :2].astype(np.float64)
    else:
        from_point, to_point = known[:, :2].mean(0, np.float64), asked[:, :2].mean(0, np.float64)
        (x, y), (u, v) = (known[:, :2] - from_point).T, (asked[:, :2] - to_point).T
        total = float((x * x + y * y).sum()) + 1e-9
        a, b = float((x * u + y * v).sum()) / total, float((x * v - y * u).sum()) / total
    turn_and_scale = np.array([[a, -b], [b, a]])
    return np.column_stack([turn_and_scale, to_point - turn_and_scale @ from_point])


def scale_of(affine: Affine) -> float:
    """How much larger lengths become, at the mean of both directions."""
    return float(np.sqrt(abs(np.linalg.det(affine[:, :2]))))


def of_reduced(affine: Affine, source: float, target: float) -> Affine:
    """The same where both pictures are resized by these factors; pixel centres stay pixel centres."""
    linear = affine[:, :2] * (target / source)
    shift = affine[:, :2] @ np.full(2, 0.5 / source - 0.5) + affine[:, 2]
    return np.column_stack([linear, (shift + 0.5) * target - 0.5])


def refined(known: NDArray[np.uint8], asked: NDArray[np.uint8], affine: Affine) -> Affine:
    """The affine map near `affine` by which two pictures correlate best (Evangelidis and Psarakis 2008).

    `affine` itself where none is found. # uint8 [h, w, 3] twice
    """
    grey = [cv2.cvtColor(one, cv2.COLOR_RGB2GRAY) for one in (known, asked)]
    until = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, _STEPS, _FINEST)
    try:
        start = affine.astype(np.float32)
        everywhere = np.full(grey[0].shape, 255, np.uint8)
        _, found = cv2.findTransformECC(grey[0], grey[1], start, cv2.MOTION_AFFINE, until, everywhere, 3)
    except cv2.error:  # too plain, or they do not overlap
        return affine
    return np.asarray(found, np.float64)
