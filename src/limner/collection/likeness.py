"""When two pictures are the same, or nearly: the hash of pixels, the perceptual hash, groups of near-duplicates."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.cluster.hierarchy import DisjointSet

NEAR = 31
"""Two pictures whose perceptual hashes differ in at most so many of 256 bits are near-duplicates."""

LEAST_QUALITY = 50
"""Of 100, the quality from which on PDQ's authors advise to use a hash."""
_BLOCK = 2048


def hash_pixels(pixels: NDArray[np.uint8]) -> str:
    """sha256 of height, width and pixels: exact duplicates share it, whatever file they came in.

    Args:
        pixels: uint8, [height, width, 3], sRGB.
    """
    height, width, _ = pixels.shape
    digest = hashlib.sha256(f"limner pixels 1 {height} {width}\n".encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


def hash_look(pixels: NDArray[np.uint8]) -> str:
    """The PDQ hash (256 bits, hexadecimal): pictures that look alike have hashes that differ in few bits.

    Empty for a picture that is too plain to have one: all plain pictures would seem alike.

    Args:
        pixels: uint8, [height, width, 3], sRGB.

    Source: Facebook, "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm" (2019), part 2.
    """
    import pdqhash

    # PDQ averages down to 64 x 64 itself; averaging before costs a fifth of the time and survives resizing better.
    bits, quality = pdqhash.compute(squeezed(pixels, 64, 512))
    return packed(bits).hex() if quality >= LEAST_QUALITY else ""


def packed(bits: NDArray[np.integer]) -> bytes:
    """The bits of a hash, eight a byte."""
    return np.packbits(np.asarray(bits, np.uint8)).tobytes()


def squeezed(pixels: NDArray[np.uint8], side: int, rows: int, *, smooth: bool = False) -> NDArray[np.uint8]:
    """The picture as a square, whatever its shape. # uint8 [h, w, 3] -> uint8 [side, side, 3]

    Args:
        rows: of a large picture so many, evenly chosen, say as much as all, and need no second copy of it.
        smooth: interpolate a picture that is hardly larger than the square.
    """
    from PIL import Image

    step = max(1, min(pixels.shape[:2]) // rows)
    image = Image.fromarray(np.ascontiguousarray(pixels[::step, ::step]))
    cubic = smooth and min(image.size) < 2 * side
    return np.asarray(image.resize((side, side), Image.Resampling.BICUBIC if cubic else Image.Resampling.BOX))


def group(hashes: Sequence[str], near: int = NEAR) -> list[int]:
    """Groups of near-duplicates: for each hash the smallest index that it is chained to.

    Every pair is compared; what is kept of them does not grow with the square of the count.

    Args:
        hashes: perceptual hashes as `hash_look` gives them; an empty one is near to nothing.
        near: how many bits may differ.
    """
    import faiss

    hashed = np.flatnonzero([bool(hash) for hash in hashes])
    if not len(hashed):
        return list(range(len(hashes)))
    codes = np.frombuffer(bytes.fromhex("".join(hashes)), np.uint8).reshape(len(hashed), -1)
    index: Any = faiss.IndexBinaryFlat(8 * codes.shape[1])
    index.add(codes)

    def pairs() -> Iterator[tuple[int, int]]:
        for start in range(0, len(codes), _BLOCK):
            ends, _, found = index.range_search(codes[start : start + _BLOCK], near + 1)
            asked = np.repeat(hashed[start : start + _BLOCK], np.diff(ends.astype(np.int64)))
            yield from zip(asked.tolist(), hashed[found].tolist(), strict=True)

    return joined_groups(range(len(hashes)), pairs())


def joined_groups(leaders: Sequence[int], pairs: Iterable[tuple[int, int]]) -> list[int]:
    """Groups with these pairs joined: for each the smallest index of its group.

    Args:
        leaders: the groups so far, in the same form.
        pairs: indices that belong together.
    """
    groups = disjoint(leaders)
    for one, other in pairs:
        groups.merge(one, other)
    smallest = {i: min(group) for group in groups.subsets() for i in group}
    return [smallest[i] for i in range(len(leaders))]


def disjoint(leaders: Sequence[int]) -> DisjointSet:
    """Groups to be joined; for each member the smallest index of its group so far."""
    from scipy.cluster.hierarchy import DisjointSet

    groups = DisjointSet(range(len(leaders)))
    for i, leader in enumerate(leaders):
        groups.merge(leader, i)
    return groups
