"""Where a work lies in a file that came back from elsewhere: cropped, scaled, turned, shifted, painted over in parts.

Coarse: masked normalised cross-correlation of band-passed pictures over scales (Padfield 2012, IEEE TIP 21(5), eq. 9,
without means, since a band-passed picture has none). Fine: Lucas and Kanade (1981) with six parameters by Gauss-Newton
steps, whose residuals are weighted by Tukey's biweight, so that what was painted over does not pull.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import fft, ndimage

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]
Progress = Callable[[int, int], object]

_COARSE, _FINE = 128, (128, 256, 512)
"""Longer sides at which is searched, and at which steps are made, px."""
_SCALES = tuple(float(1.055**step) for step in range(-20, 21))
"""How many times as large the work is in the file, tried one after the other: 0.34 to 2.9."""
_STEPS = 12
_OVERLAP = 0.2
"""Of the smaller of both, how much must lie on the other."""
_LOOKED, _BLOCK, _ALIKE = 320, 16, 0.6
"""Longer side at which both are compared and side of a block there, px; from which correlation on one is the same."""
_FOUND = 0.3
"""From which share of the structure on a placement is taken for right."""
_SAME = 0.35
"""Pixels at the corners; nearer is the same place."""


@dataclass(frozen=True)
class Placement:
    """Where a work lies in a file.

    Attributes:
        matrix: maps a point of the file to a point of the work: (x, y, 1) in px, pixel middles at halves. # [2, 3]
        turn: quarter turns against the clock that the work was given first, 0 to 3.
        mirrored: whether it was mirrored before that.
        alike: share of the work's structure that is found where it should be, 0 to 1.
        exact: whether the whole work fills the whole file.
    """

    matrix: NDArray[np.float64]
    turn: int
    mirrored: bool
    alike: float
    exact: bool

    @property
    def angle(self) -> float:
        """By how much the work is turned in the file beside quarter turns, degrees, against the clock."""
        (a, b), (c, d) = self.matrix[:, :2]
        return float(np.degrees(np.arctan2(c - b, a + d)))

    @property
    def scale(self) -> float:
        """How many times as long lines of the work are in the file."""
        return float(1 / np.sqrt(abs(np.linalg.det(self.matrix[:, :2]))))


def oriented(work: Pixels, turn: int, mirrored: bool) -> Pixels:
    """The work as it was mirrored and turned. # uint8 [h, w, 3]"""
    return np.ascontiguousarray(np.rot90(work[:, ::-1] if mirrored else work, turn))


def placed(work: Pixels, file: Pixels, progress: Progress = lambda done, total: None) -> Placement:
    """Where a work lies in a file, as well as it can be said; `alike` says how well that is.

    Upright is tried first, mirrored and turned where that is not found.

    Args:
        work, file: uint8 [h, w, 3]; of any two sizes.
        progress: called with the turns that were tried, and of how many.
    """
    best: Placement | None = None
    greys = _grey(work), _grey(file)
    for tried, (mirrored, turn) in enumerate(itertools.product((False, True), range(4))):
        progress(tried, 8)
        own = np.ascontiguousarray(np.rot90(greys[0][:, ::-1] if mirrored else greys[0], turn))
        found = _placed(own, greys[1], turn, mirrored)
        if best is None or found.alike > best.alike:
            best = found
        if best.alike >= _FOUND:
            break
    assert best is not None
    return best


def _placed(work: Floats, file: Floats, turn: int, mirrored: bool) -> Placement:
    """The best of two guesses: that the frame is the same, and what the search over scales finds."""
    frame = np.array([[work.shape[1] / file.shape[1], 0, 0], [0, work.shape[0] / file.shape[0], 0]])
    found = [(_alike(work, file, frame), frame)]
    if found[0][0] < 0.9:
        for guess in (frame, _searched(work, file)):
            better = _refined(work, file, guess)
            if _sound(better, frame):
                found.append((_alike(work, file, better), better))
    alike, matrix = max(found, key=lambda one: one[0])
    same = _distance(matrix, frame, file.shape) < _SAME * max(1.0, work.shape[1] / file.shape[1])
    if same and found[0][0] >= alike - 0.05:
        alike, matrix = found[0]
    return Placement(matrix, turn, mirrored, alike, same)


def _sound(matrix: NDArray[np.float64], frame: NDArray[np.float64]) -> bool:
    """Whether lines of a work can be so long in a file: no hand crops or stretches further than that."""
    longest, shortest = np.linalg.svd(matrix[:, :2], compute_uv=False)
    if shortest <= 0 or np.linalg.det(matrix[:, :2]) <= 0:
        return False
    usual = max(frame[0, 0], frame[1, 1]) / min(frame[0, 0], frame[1, 1])
    share = np.sqrt(longest * shortest / (frame[0, 0] * frame[1, 1]))
    return bool(longest / shortest <= 1.15 * usual and 0.3 <= share <= 3.3)


def _grey(pixels: Pixels) -> Floats:
    return np.asarray(pixels.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32), np.float32)


def _reduced(grey: Floats, factor: float) -> Floats:
    """A picture made smaller by a factor (1 or more), its sides rounded. # [h, w]"""
    if factor <= 1:
        return grey
    size = max(8, round(grey.shape[1] / factor)), max(8, round(grey.shape[0] / factor))
    return np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.BOX), np.float32)


def band(grey: Floats) -> Floats:
    """Without what is flat and what is finest. # [h, w]"""
    return np.asarray(ndimage.gaussian_filter(grey, 0.8) - ndimage.gaussian_filter(grey, 4), np.float32)


def _searched(work: Floats, file: Floats) -> NDArray[np.float64]:
    """Where the work correlates most with the file, over scales and shifts."""
    best, found = -1.0, np.eye(2, 3)
    for scale in _SCALES:
        # The one that shows more is looked at with `_COARSE` pixels, the other so that both show things as large.
        own, other = (_COARSE * min(1.0, scale), _COARSE * min(1.0, 1 / scale))
        small, large = (_even(band(_reduced(one, max(one.shape) / side))) for one, side in ((work, own), (file, other)))
        score, (down, right) = _correlated(small, large)
        if score > best:
            across, along = work.shape[1] / small.shape[1], work.shape[0] / small.shape[0]
            per = file.shape[1] / large.shape[1], file.shape[0] / large.shape[0]
            best = score
            found = np.array([[across / per[0], 0, -right * across], [0, along / per[1], -down * along]])
    return found


def _even(band: Floats) -> Floats:
    """With as much contrast everywhere, so that a strong line does not count for all others. # [h, w]"""
    around = np.sqrt(ndimage.gaussian_filter(band * band, 8))
    return np.asarray((band / (around + 1.5)).clip(-2, 2), np.float32)


def _correlated(work: Floats, file: Floats) -> tuple[float, tuple[int, int]]:
    """The highest normalised correlation, and by how much the work is then moved down and right in the file."""
    shape = [fft.next_fast_len(a + b - 1, real=True) for a, b in zip(work.shape, file.shape, strict=True)]

    def spectrum(one: Floats) -> NDArray[np.complex64]:
        return np.asarray(fft.rfft2(one, shape), np.complex64)

    def against(a: Floats, b: Floats) -> Floats:
        return np.asarray(fft.irfft2(np.conj(spectrum(a)) * spectrum(b), shape), np.float32)

    both, own, other = (np.ones_like(work), np.ones_like(file)), work * work, file * file
    count = against(both[0], both[1])
    energy = np.sqrt(np.maximum(against(own, both[1]), 1e-3) * np.maximum(against(both[0], other), 1e-3))
    least = _OVERLAP * min(work.size, file.size)
    # What overlaps little correlates much by chance: its score is held back.
    score = np.where(count >= least, against(work, file) / energy * np.sqrt(np.clip(count / (4 * least), 0, 1)), -1)
    at = np.unravel_index(int(score.argmax()), score.shape)
    down, right = (int(a) if a < b else int(a) - s for a, b, s in zip(at, file.shape, shape, strict=True))
    return float(score[at]), (down, right)


def _refined(work: Floats, file: Floats, guess: NDArray[np.float64]) -> NDArray[np.float64]:
    """A placement brought closer, from coarse to fine."""
    matrix = guess.copy()
    for side in _FINE:
        factor = max(1.0, max(file.shape) / side)
        scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
        small = band(_reduced(file, factor))
        large = band(_reduced(work, max(1.0, factor * scale)))
        to_file = np.diag([file.shape[1] / small.shape[1], file.shape[0] / small.shape[0], 1.0])
        to_work = np.diag([large.shape[1] / work.shape[1], large.shape[0] / work.shape[0]])
        local = to_work @ matrix @ to_file
        for _ in range(_STEPS):
            step = _step(large, small, local)
            local = local + step
            if np.abs(step @ [small.shape[1], small.shape[0], 1]).max() < 0.02:
                break
        matrix = np.linalg.inv(to_work) @ local @ np.linalg.inv(to_file)
        if factor <= 1:
            break
    return matrix


def _step(work: Floats, file: Floats, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """One Gauss-Newton step of the six numbers, by weighted least squares. # [2, 3]"""
    x, y, xs, ys, inside = _points(matrix, file.shape, work.shape)
    if inside.sum() < 64:
        return np.zeros((2, 3))
    seen = _sampled(work, xs, ys)
    right = _sampled(np.gradient(work, axis=1), xs, ys)
    down = _sampled(np.gradient(work, axis=0), xs, ys)
    own = file[inside]
    gain = float((seen * own).sum() / max(float((seen * seen).sum()), 1e-6))
    missing = own - max(gain, 0.2) * seen
    spread = 1.4826 * float(np.median(np.abs(missing))) + 0.3
    weight = np.square(np.clip(1 - np.square(missing / (4.7 * spread)), 0, None))
    right, down = max(gain, 0.2) * right, max(gain, 0.2) * down
    known = np.stack([right * x, right * y, right, down * x, down * y, down], axis=1)
    normal = (known * weight[:, None]).T @ known + np.diag([1e-3] * 6)
    found = np.linalg.solve(normal, (known * weight[:, None]).T @ missing)
    return np.asarray(found, np.float64).reshape(2, 3)


def _points(
    matrix: NDArray[np.float64], shape: tuple[int, ...], within: tuple[int, ...]
) -> tuple[Floats, Floats, Floats, Floats, NDArray[np.bool_]]:
    """Points of the file, where they lie in the work, both of those that lie in it, and which these are."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float64) + 0.5
    xs = matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2]
    ys = matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2]
    inside = (xs >= 0.5) & (ys >= 0.5) & (xs <= within[1] - 0.5) & (ys <= within[0] - 0.5)
    chosen = (one[inside].astype(np.float32) for one in (x, y, xs, ys))
    return (*chosen, inside)


def _sampled(values: Floats, xs: Floats, ys: Floats) -> Floats:
    return np.asarray(ndimage.map_coordinates(values, [ys - 0.5, xs - 0.5], order=1, mode="nearest"), np.float32)


def _alike(work: Floats, file: Floats, matrix: NDArray[np.float64]) -> float:
    """Share of the structure of the work, or of the file where that has less, that both show in the same place."""
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    factor = max(1.0, max(file.shape) / _LOOKED, max(work.shape) / scale / _LOOKED)
    small, large = band(_reduced(file, factor)), band(_reduced(work, max(1.0, factor * scale)))
    to_file = np.diag([file.shape[1] / small.shape[1], file.shape[0] / small.shape[0], 1.0])
    to_work = np.diag([large.shape[1] / work.shape[1], large.shape[0] / work.shape[0]])
    _, _, xs, ys, inside = _points(to_work @ matrix @ to_file, small.shape, large.shape)
    seen = np.zeros_like(small)
    seen[inside] = _sampled(large, xs, ys)
    product, own, other = (_blocks(one) for one in (seen * small, seen * seen, small * small * inside))
    correlation = product / np.sqrt(np.maximum(own, 1e-3) * np.maximum(other, 1e-3))
    floor = 1.0 * _BLOCK * _BLOCK  # of a block that shows anything, squared grey levels
    shown = (correlation >= _ALIKE) & (own > floor) & (other > floor)
    # By structure, so that a few strong blocks count for more than many faint ones.
    found = float((np.sqrt(np.minimum(own, other)) * shown).sum())
    whole = [_blocks(one * one) for one in (small, large)]
    weights = [float((np.sqrt(one) * (one > floor)).sum()) for one in whole]
    weights[1] /= min(1.0, factor * scale) ** 2  # a smaller work has fewer blocks for the same
    return min(1.0, found / max(min(weights), 1e-6))


def _blocks(values: Floats) -> Floats:
    """Sums over square blocks, the rest at the ends left out."""
    side = _BLOCK
    height, width = values.shape[0] // side * side, values.shape[1] // side * side
    return np.asarray(values[:height, :width].reshape(height // side, side, -1, side).sum((1, 3)), np.float32)


def _distance(one: NDArray[np.float64], other: NDArray[np.float64], shape: tuple[int, ...]) -> float:
    corners = np.array([[x, y, 1] for x in (0, shape[1]) for y in (0, shape[0])]).T
    return float(np.linalg.norm((one - other) @ corners, axis=0).max())
