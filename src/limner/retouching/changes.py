"""What was changed between a work and a file that came back: where, how much of it, and by how much."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from limner.retouching.aligning import Placement, Progress, band, oriented, placed
from limner.retouching.tones import Tones, tones_between

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

_LOOKED = 1024
"""Longer side at which both are compared, px."""
_LARGEST = 4096
"""Longer side above which a picture is made smaller before anything else, px."""
_LEAST = 1.5
"""Difference in levels below which nothing counts as changed."""
_SPECK = 2e-5
"""Share of the picture below which a spot is noise, where the file was not saved without loss."""
RELATED = 0.3
"""Share of the work's structure that must be found in the file, or nothing can be said of what changed; measured in
docs/decisions/statement.md."""


@dataclass(frozen=True)
class Changes:
    """What was measured of a file against the work that it came from.

    Attributes:
        alike: share of the work's structure that is found in its place, 0 to 1.
        changed: share of the file's pixels that differ from the work by more than saving, scaling and a change of
            colours all over explain, or lie outside of the work, 0 to 1.
        added: share of the file's pixels that lie outside of the work, 0 to 1.
        kept: share of the work's area that lies in the file, 0 to 1.
        there: mean difference where pixels changed and lie in the work, in levels of 0 to 255.
        mean: mean difference of all pixels that lie in the work, in levels, any change of colours with it.
        tones: mean difference that the change of colours all over makes, in levels; 0 where there is none.
        limit: difference from which a pixel counts as changed, in levels.
        scale: how many times as long lines of the work are in the file.
        angle: degrees against the clock, quarter turns with it.
        mirrored: whether the work was mirrored.
        exact: whether the whole work fills the whole file.
        mask: which pixels changed, at the size at which both were compared. # bool [h, w]
        before, after: the work as it lies in the file, and the file, at that size. # uint8 [h, w, 3]
    """

    alike: float
    changed: float
    added: float
    kept: float
    there: float
    mean: float
    tones: float
    limit: float
    scale: float
    angle: float
    mirrored: bool
    exact: bool
    mask: NDArray[np.bool_]
    before: Pixels
    after: Pixels

    @property
    def related(self) -> bool:
        """Whether enough of the work is found in the file to say what changed."""
        return self.alike >= RELATED

    @property
    def nothing(self) -> bool:
        """Whether the file shows the same as the work: nothing but how it was saved differs."""
        whole = self.exact and not self.mirrored and abs(self.angle) < 0.01 and abs(self.scale - 1) < 1e-6
        return whole and self.changed == 0 and self.tones == 0

    def record(self) -> dict[str, Any]:
        """The numbers as papers and ledger hold them, rounded to what they are worth."""
        return {
            "alike": round(self.alike, 3),
            "changed": round(self.changed, 4),
            "added": round(self.added, 4),
            "kept": round(self.kept, 4),
            "mean_there": round(self.there, 1),
            "mean": round(self.mean, 2),
            "colours": round(self.tones, 1),
            "limit": round(self.limit, 1),
            "scale": round(self.scale, 4),
            "angle": round(self.angle, 2),
            "mirrored": self.mirrored,
        }


def changes_between(work: Pixels, file: Pixels, progress: Progress = lambda done, total: None) -> Changes:
    """Find a work in a file and measure what differs. # uint8 [h, w, 3] each, of any two sizes

    Args:
        progress: called with the turns of the work that were looked for, and of how many.
    """
    (work, smaller), (file, small) = _capped(work), _capped(file)
    place = placed(work, file, progress)
    before, after, inside = _together(work, file, place)
    tones = _tones(before, after, inside)
    expected = tones.changed(before) if tones else before
    away = _difference(expected, after, smooth=False)
    plain = place.exact and tones is None and before.shape == file.shape and work.size == file.size
    plain = plain and _noise(away[inside]) < 0.1  # saved without loss
    limit, slack = _LEAST, np.zeros_like(away)
    if not plain:
        away = _difference(expected, after)
        limit, slack = max(4.0, 6.0 * _noise(away[inside])), _edges(expected) * (0.25 if place.exact else 0.6)
    mask = (away > limit + slack) & inside
    mask = (mask if plain else _without_specks(mask)) | ~inside
    own = inside & mask
    all_over = float(np.abs(expected - before)[inside].mean()) if tones and inside.any() else 0.0
    turned = place.angle + 90 * place.turn
    return Changes(
        alike=place.alike,
        changed=float(mask.mean()),
        added=float(1 - inside.mean()),
        kept=_kept(place, file, work),
        there=float(away[own].mean()) if own.any() else 0.0,
        mean=float(np.abs(after - before)[inside].mean()) if inside.any() else 0.0,
        tones=all_over,
        limit=limit,
        scale=place.scale * small / smaller,
        angle=(turned + 180) % 360 - 180,
        mirrored=place.mirrored,
        exact=place.exact,
        mask=mask,
        before=before.round().astype(np.uint8),
        after=after.round().astype(np.uint8),
    )


def _capped(pixels: Pixels) -> tuple[Pixels, float]:
    """A picture no larger than a few screens, and by how much it was made smaller."""
    factor = max(pixels.shape[:2]) / _LARGEST
    if factor <= 1:
        return pixels, 1.0
    size = round(pixels.shape[1] / factor), round(pixels.shape[0] / factor)
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX)), factor


def _together(work: Pixels, file: Pixels, place: Placement) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """The work as it lies in the file, the file, both at the size of the coarser one, and where the work lies.

    # float32 [h, w, 3], [h, w, 3], bool [h, w]
    """
    own = oriented(work, place.turn, place.mirrored)
    longer = max(file.shape[:2]) * min(1.0, 1 / place.scale)  # no finer than the work is
    factor = max(1.0, max(file.shape[:2]) / min(longer, _LOOKED))
    size = max(1, round(file.shape[1] / factor)), max(1, round(file.shape[0] / factor))
    after = _resized(file, size)
    if place.exact:
        return _resized(own, size), after, np.ones((size[1], size[0]), np.bool_)
    shrunk = max(1.0, factor / place.scale)
    small = _resized(own, (max(1, round(own.shape[1] / shrunk)), max(1, round(own.shape[0] / shrunk))))
    to_file = np.diag([file.shape[1] / size[0], file.shape[0] / size[1], 1.0])
    to_work = np.diag([small.shape[1] / own.shape[1], small.shape[0] / own.shape[0]])
    matrix = to_work @ place.matrix @ to_file
    y, x = np.mgrid[: size[1], : size[0]].astype(np.float64) + 0.5
    xs = matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2]
    ys = matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2]
    inside = (xs >= 0.25) & (ys >= 0.25) & (xs <= small.shape[1] - 0.25) & (ys <= small.shape[0] - 0.25)
    at = [ys - 0.5, xs - 0.5]
    before = np.stack([ndimage.map_coordinates(small[..., c], at, order=3, mode="nearest") for c in range(3)], 2)
    return np.asarray(before, np.float32).clip(0, 255), after, inside


def _resized(pixels: Pixels, size: tuple[int, int]) -> Floats:
    if (pixels.shape[1], pixels.shape[0]) == size:
        return pixels.astype(np.float32)
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS), np.float32)


def _tones(before: Floats, after: Floats, inside: NDArray[np.bool_]) -> Tones | None:
    """The change of colours all over, from where both show the same: what was painted over says nothing of it."""
    own, other = (band(one.mean(2)) for one in (before, after))
    product, one, two = (ndimage.gaussian_filter(values, 5) for values in (own * other, own * own, other * other))
    same = inside & (product > 0.7 * np.sqrt(one * two)) & (one > 1) & (two > 0.25)
    # Blurred, since saving with loss takes colour from what is fine, which is no change all over.
    own, other = (np.asarray(ndimage.gaussian_filter(values, (3, 3, 0)), np.float32) for values in (before, after))
    found = tones_between(own[same], other[same])
    return found and (tones_between(before[same], after[same]) or found)


def _difference(one: Floats, other: Floats, *, smooth: bool = True) -> Floats:
    """How far colours lie apart, levels; noise of a pixel's size is smoothed away where that is asked. # [h, w]"""
    apart = ndimage.gaussian_filter(other - one, (1, 1, 0)) if smooth else other - one
    return np.asarray(np.sqrt(np.square(apart).mean(2)), np.float32)


def _noise(away: Floats) -> float:
    """Of pixels that did not change: the spread of the lower half."""
    return float(np.percentile(away, 30)) if away.size else 0.0


def _edges(pixels: Floats) -> Floats:
    """How steep a picture is around each pixel, levels a pixel. # [h, w]"""
    grey = pixels.mean(2)
    steep = np.hypot(ndimage.sobel(grey, 0), ndimage.sobel(grey, 1)) / 8
    return np.asarray(ndimage.maximum_filter(steep, 3), np.float32)


def _without_specks(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Spots of a few pixels taken away."""
    opened = ndimage.binary_opening(mask, np.ones((3, 3)))
    labels, count = ndimage.label(opened, np.ones((3, 3)))
    if not count:
        return np.zeros_like(mask)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    large = sizes >= max(9, _SPECK * mask.size)
    large[0] = False
    # A pixel less around, since smoothing carries a difference that far.
    return np.asarray(ndimage.binary_erosion(large[labels], np.ones((3, 3)), border_value=1), np.bool_)


def _kept(place: Placement, file: Pixels, work: Pixels) -> float:
    """Share of the work's area that the file shows."""
    if place.exact:
        return 1.0
    height, width = oriented(work[:, :, :1], place.turn, place.mirrored).shape[:2]
    inverse = np.linalg.inv(np.vstack([place.matrix, [0, 0, 1]]))
    y, x = np.mgrid[:200, :200] / 200 + 1 / 400
    points = inverse[:2] @ np.stack([x.ravel() * width, y.ravel() * height, np.ones(x.size)])
    shown = (points >= -0.5).all(0) & (points[0] <= file.shape[1] + 0.5) & (points[1] <= file.shape[0] + 0.5)
    return float(shown.mean())
