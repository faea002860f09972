"""When two pictures are the same, or nearly: the hash of pixels, the perceptual hash, groups of near-duplicates."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["NEAR", "Groups", "group", "hash_look", "hash_pixels", "joined_groups"]

NEAR = 31
"""Two pictures whose perceptual hashes differ in at most so many of 256 bits are near-duplicates."""

_LEAST_QUALITY = 50  # of 100; what PDQ's authors advise
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
    from PIL import Image

    step = max(1, min(pixels.shape[:2]) // 512)  # of a large picture 512 rows say as much, and need no second copy
    # PDQ averages down to 64 x 64 itself; averaging before costs a fifth of the time and survives resizing better.
    small = Image.fromarray(np.ascontiguousarray(pixels[::step, ::step])).resize((64, 64), Image.Resampling.BOX)
    bits, quality = pdqhash.compute(np.asarray(small))
    return np.packbits(np.asarray(bits, dtype=np.uint8)).tobytes().hex() if quality >= _LEAST_QUALITY else ""


def group(hashes: Sequence[str], near: int = NEAR) -> list[int]:
    """Groups of near-duplicates: for each hash the smallest index that it is chained to.

    Every pair is compared, in blocks, so that memory does not grow with the square of the count.

    Args:
        hashes: perceptual hashes as `hash_look` gives them; an empty one is near to nothing.
        near: how many bits may differ.
    """
    hashed = [i for i, hash in enumerate(hashes) if hash]
    leader = list(range(len(hashes)))
    if not hashed:
        return leader
    words = np.frombuffer(bytes.fromhex("".join(hashes[i] for i in hashed)), dtype=np.uint64)
    words = words.reshape(len(hashed), -1)  # [n, 4]
    return joined_groups(
        leader,
        (
            (hashed[one], hashed[other])
            for start in range(0, len(hashed), _BLOCK)
            for one, other in _near_pairs(words, start, near)
        ),
    )


def joined_groups(leaders: Sequence[int], pairs: Iterable[tuple[int, int]]) -> list[int]:
    """Groups with these pairs joined: for each the smallest index of its group.

    Args:
        leaders: the groups so far, in the same form.
        pairs: indices that belong together.
    """
    groups = Groups(leaders)
    for one, other in pairs:
        groups.join(one, other)
    return [groups.leader(i) for i in range(len(leaders))]


class Groups:
    """Things that are chained together, each group led by the smallest of its indices.

    Args:
        leaders: for each the smallest index of its group so far.
    """

    def __init__(self, leaders: Sequence[int]) -> None:
        self._leader = list(leaders)

    def leader(self, i: int) -> int:
        """The smallest index of the group of `i`."""
        while self._leader[i] != i:
            self._leader[i] = self._leader[self._leader[i]]
            i = self._leader[i]
        return i

    def same(self, one: int, other: int) -> bool:
        """Whether both are in one group."""
        return self.leader(one) == self.leader(other)

    def join(self, one: int, other: int) -> None:
        """Make one group of two."""
        first, second = sorted((self.leader(one), self.leader(other)))
        self._leader[second] = first


def _near_pairs(words: NDArray[np.uint64], start: int, near: int) -> NDArray[Any]:
    """Pairs (i, j) with i in the block from `start` and j > i; [pairs, 2]."""
    block, rest = words[start : start + _BLOCK], words[start:]
    found = []
    for offset in range(0, len(rest), _BLOCK):
        other = rest[offset : offset + _BLOCK]
        apart = np.zeros((len(block), len(other)), dtype=np.uint16)  # bits that differ, [block, block]
        for word in range(words.shape[1]):
            apart += np.bitwise_count(block[:, None, word] ^ other[None, :, word])
        i, j = np.nonzero(apart <= near)
        pairs = np.stack([i + start, j + start + offset], 1)
        found.append(pairs[pairs[:, 1] > pairs[:, 0]])
    return np.concatenate(found)
