"""Copies that a perceptual hash misses: mirrored, turned by a quarter, cropped; found so that they stay on one side.

A thumbnail of each picture (24 x 24 pixels) is compared with windows of all others' thumbnails. The few pairs that look
alike are then aligned, and must be near-duplicates by the perceptual hash where they overlap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from limner.collection.likeness import NEAR, disjoint, hash_look, squeezed

SIDE = 24
"""Side of a thumbnail in pixels."""

_SHARES = (1.0, 0.9, 0.8)
"""Shares of a side that a window takes; the alignment finds what lies between them."""
_CELLS, _COLOUR_CELLS = 6, 3  # a side of what is compared: brightness, and both differences of colour
_MANY = 400_000  # windows; from here on not all of them are compared
_NEAREST = 3
_FAR = 0.55
_BLOCK = 4096
_HOPELESS = 0.15
"""Squared difference, in variances, at which two aligned pictures show different things."""
_HOPELESS_SMALL = 0.2
"""The same for two thumbnails."""
_FINE = 96  # pixels, the side at which pairs are aligned

Bytes = NDArray[np.uint8]
Window = tuple[float, float, float, float]
"""Left, top, right, bottom as shares of the sides."""


def thumbnail(pixels: Bytes) -> Bytes:
    """The picture squeezed to a square. # uint8 [SIDE, SIDE, 3]

    Args:
        pixels: uint8 [height, width, 3], sRGB.
    """
    return squeezed(pixels, SIDE, 256)


def turned(pixels: NDArray[Any], way: int) -> NDArray[Any]:
    """A picture in one of eight ways: quarter turns (`way` modulo 4), mirrored first from 4 on."""
    return np.rot90(pixels[:, ::-1] if way >= 4 else pixels, way % 4)


def copies(
    thumbnails: Bytes,
    pixels: Callable[[int], Bytes],
    known: Sequence[int] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[tuple[int, int]]:
    """Pairs (i, j) of which i is j, or a part of it, mirrored or turned or as it is; none that others chain together.

    Args:
        thumbnails: uint8 [n, SIDE, SIDE, 3].
        pixels: the pixels of one of them; asked for only where two look alike.
        known: the group of each; pairs within a group are not looked at.
        progress: called with (done, total) as pictures are compared.
    """
    small: dict[int, Bytes] = {}

    def fine(i: int) -> Bytes:
        if i not in small:
            image = Image.fromarray(pixels(i))
            image.thumbnail((4 * _FINE, 4 * _FINE), reducing_gap=2.0)
            if len(small) > 512:
                small.pop(next(iter(small)))
            small[i] = np.asarray(image)
        return small[i]

    pairs, groups = _alike(thumbnails), disjoint(known if known is not None else range(len(thumbnails)))
    for number, (part, whole, way, window) in enumerate(pairs, 1):
        if progress is not None:
            progress(number, len(pairs))
        if groups.connected(part, whole):
            continue
        # By thumbnails first: most pairs are found to differ before their pictures are opened.
        near = _aligned(turned(thumbnails[part], way), thumbnails[whole], window, SIDE // 2, 0.012, _HOPELESS_SMALL, 6)
        if near is not None and _covers(turned(fine(part), way), fine(whole), window):
            groups.merge(part, whole)
            yield part, whole


def _windows() -> list[Window]:
    spans = [(left, left + share) for share in _SHARES for left in np.unique([0.0, (1 - share) / 2, 1 - share])]
    return [(x0, y0, x1, y1) for x0, x1 in spans for y0, y1 in spans]


def _alike(thumbnails: Bytes) -> list[tuple[int, int, int, Window]]:
    """(part, whole, way, window) for the nearest pictures of each, as far as they are near at all."""
    count, windows = len(thumbnails), _windows()
    if count < 2:
        return []
    wholes = np.concatenate([_features(thumbnails, window) for window in windows])  # [windows * n, d]
    centre = wholes.mean(0, dtype=np.float64).astype(np.float32)
    index = _index(_unit(wholes - centre))
    found: dict[tuple[int, int], tuple[float, int, Window]] = {}
    asked = len(windows) + 4 * _NEAREST
    for way in range(8):
        posed = np.stack([turned(one, way) for one in thumbnails])
        queries = _unit(_features(posed, (0.0, 0.0, 1.0, 1.0)) - centre)
        for start in range(0, count, _BLOCK):
            likeness, places = index.search(queries[start : start + _BLOCK], asked)
            for row, found_near in enumerate(zip(likeness, places, strict=True), start):
                for value, place in _near(*found_near, row, count):
                    whole, window = place % count, windows[place // count]
                    if value > found.get((row, whole), (-1.0, 0, window))[0]:
                        found[row, whole] = (value, way, window)
    best: dict[int, list[tuple[int, int, int, Window]]] = {}
    for (part, whole), (_, way, window) in sorted(found.items(), key=lambda one: (one[0][0], -one[1][0])):
        best.setdefault(part, []).append((part, whole, way, window))
    return [one for nearest in best.values() for one in nearest[:_NEAREST]]


def _near(values: NDArray[np.float32], places: NDArray[np.int64], row: int, count: int) -> Iterator[tuple[float, int]]:
    """Likeness and number of the windows nearest to a picture, best first: none of its own, none far away."""
    others = 0
    for value, place in zip(values.tolist(), places.tolist(), strict=True):
        if place % count == row:
            continue
        if value < 1 - _FAR * _FAR / 2 or others >= 4 * _NEAREST:
            return
        others += 1
        yield value, place


def _index(vectors: NDArray[np.float32]) -> Any:
    import faiss

    count, width = vectors.shape
    index: Any = faiss.IndexFlatIP(width)
    if count >= _MANY:
        cells = int(4 * np.sqrt(count))
        index = faiss.IndexIVFFlat(faiss.IndexFlatIP(width), width, cells, faiss.METRIC_INNER_PRODUCT)
        index.train(vectors[:: max(1, count // (64 * cells))])
        index.nprobe = 16
    index.add(vectors)
    return index


def _features(thumbnails: Bytes, window: Window) -> NDArray[np.float32]:
    """What is compared: the window in coarse cells, without its mean brightness and contrast. # [n, d]"""
    left, top, right, bottom = (round(SIDE * value) for value in window)
    part = thumbnails[:, top:bottom, left:right].astype(np.float32)
    grey = part.mean(-1, keepdims=True)
    colour = np.concatenate([part[..., :1] - grey, part[..., 2:] - grey], -1)
    found = []
    for channels, side in ((grey, _CELLS), (colour, _COLOUR_CELLS)):
        rows, columns = _averaging(part.shape[1], side), _averaging(part.shape[2], side)
        cells = np.einsum("ah,nhwc,bw->nabc", rows, channels, columns, optimize=True)
        found.append((cells - cells.mean((1, 2), keepdims=True)).reshape(len(thumbnails), -1))
    contrast = found[0].std(1, keepdims=True)
    scaled: NDArray[np.float32] = np.concatenate(found, 1) / np.maximum(contrast, 4)
    return scaled


def _averaging(length: int, count: int) -> NDArray[np.float32]:
    """The matrix that averages `length` values into `count` cells of equal size. # [count, length]"""
    edges = np.linspace(0, length, count + 1)
    low, high = edges[:-1, None], edges[1:, None]
    overlap = np.clip(np.minimum(high, np.arange(1, length + 1)) - np.maximum(low, np.arange(length)), 0, None)
    shares: NDArray[np.float32] = (overlap / overlap.sum(1, keepdims=True)).astype(np.float32)
    return shares


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Unit vectors in steps of 1/256: their products are exact, the same whatever machine adds them up."""
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
    return np.ascontiguousarray(np.round(unit * 256) / 256, np.float32)


def _covers(part: Bytes, whole: Bytes, window: Window) -> bool:
    """Whether `part` is a near-duplicate of some window of `whole` near `window`."""
    look = hash_look(np.ascontiguousarray(part))
    aligned = _aligned(part, whole, window, _FINE // 3, 0.004, _HOPELESS, 14) if look else None
    if aligned is None:
        return False
    sides = [whole.shape[1], whole.shape[0]] * 2
    left, top, right, bottom = (round(value * side) for value, side in zip(aligned, sides, strict=True))
    other = hash_look(np.ascontiguousarray(whole[top:bottom, left:right]))
    return bool(other) and (int(look, 16) ^ int(other, 16)).bit_count() <= NEAR


def _aligned(
    part: Bytes, whole: Bytes, window: Window, side: int, finest: float, hopeless: float, slack: float
) -> NDArray[np.float64] | None:
    """The window of `whole` near `window` that shows what `part` does, by descent; None where none does.

    Args:
        side: pixels at which both are compared.
        finest: the last step, as a share of the sides.
        hopeless: squared difference, in variances, that may be left at the end.
        slack: how much more of it may be left for each step that is still to come.
    """
    small, large = Image.fromarray(part).convert("L"), Image.fromarray(whole).convert("L")
    wanted = _plain(small.resize((side, side), Image.Resampling.BOX))
    scale = np.array([large.width, large.height] * 2)

    def apart(box: NDArray[np.float64]) -> float:
        left, top, right, bottom = box * scale
        shown = large.resize((side, side), Image.Resampling.BOX, box=(left, top, right, bottom))
        return float(np.square(_plain(shown) - wanted).mean())

    box, step = np.array(window, dtype=np.float64), 0.05
    best = apart(box)
    while step > finest:
        better = False
        for direction in _MOVES:
            moved = np.clip(box + step * direction, 0, 1)
            if (moved[2:] - moved[:2]).min() > 0.6 and (value := apart(moved)) < best:
                box, best, better = moved, value, True
        if not better:
            step /= 2
        if best > hopeless + slack * step:
            return None
    return box


_MOVES = np.array(
    [
        *([sign * value for value in edge] for edge in np.eye(4) for sign in (-1, 1)),
        *([x, y, x, y] for x, y in ((-1, 0), (1, 0), (0, -1), (0, 1))),
        *([sign, sign, -sign, -sign] for sign in (-1, 1)),
    ],
    dtype=np.float64,
)


def _plain(image: Image.Image) -> NDArray[np.float32]:
    """Grey values without mean and contrast."""
    grey = np.asarray(image, dtype=np.float32)
    plain: NDArray[np.float32] = (grey - grey.mean()) / max(float(grey.std()), 4.0)
    return plain
