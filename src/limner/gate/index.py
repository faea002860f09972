"""The index: local features of all training pictures, searched by faiss; thumbnails for a second look."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limner.collection.cache import PictureCache
from limner.gate.agreement import NOTHING, Agreement, agreement
from limner.gate.features import ASKED, UNIT, LocalFeatures, local_features
from limner.gate.hashes import nearest_hash
from limner.gate.placing import Affine, consistent, of_reduced, scale_of, similarity

THUMBNAIL = 96
"""Shorter side of the pictures that are compared place by place, px."""
_NEIGHBOURS = 16
_NEAR = 0.4 * UNIT**2
"""Squared distance of two descriptors up to which they may show the same."""
_VOTED, _COMPARED = 16, 3
_FEWEST = 3
_PROBED = 4
_MANY = 20_000_000
"""Descriptors from which they are kept as product codes of 32 bytes (Jegou et al. 2011)."""


@dataclass(frozen=True)
class Candidate:
    """A training picture that a picture may show.

    Attributes:
        picture: its number in the index.
        mirrored: whether the picture shows it mirrored.
        place: from the training picture's pixels to those of the picture, mirrored where that is.
    """

    picture: int
    mirrored: bool
    place: Affine
    agreement: Agreement


class LocalIndex:
    """Local features of training pictures, in memory.

    Attributes:
        owners: which picture each feature belongs to. # int32 [n]
        points: as `LocalFeatures.points`, of all features. # float32 [n, 4]
        shapes: height and width of each picture. # int32 [m, 2]
        hashes: perceptual hash of each picture. # uint8 [m, 32]
    """

    def __init__(
        self,
        found: Any,
        owners: NDArray[np.int32],
        points: NDArray[np.float32],
        shapes: NDArray[np.int32],
        thumbnails: PictureCache | None,
        hashes: NDArray[np.uint8] | None = None,
    ) -> None:
        self._faiss, self.owners, self.points, self.shapes, self._thumbnails = found, owners, points, shapes, thumbnails
        self.hashes = np.zeros((len(shapes), 32), np.uint8) if hashes is None else hashes
        self._starts = np.searchsorted(owners, np.arange(len(shapes) + 1))

    @classmethod
    def of(
        cls,
        features: Iterable[LocalFeatures],
        shapes: Sequence[tuple[int, int]],
        thumbnails: PictureCache | None,
        hashes: NDArray[np.uint8] | None = None,
    ) -> LocalIndex:
        """Index pictures.

        Args:
            shapes: height and width of each.
            thumbnails: the pictures at `THUMBNAIL`, in the same order.
        """
        each = list(features)
        owners = np.repeat(np.arange(len(each), dtype=np.int32), [len(one.points) for one in each])
        points = np.concatenate([one.points for one in each])
        descriptors = np.concatenate([one.descriptors for one in each])
        return cls(_searched(descriptors), owners, points, np.asarray(shapes, np.int32), thumbnails, hashes)

    def save(self, folder: Path) -> None:
        """Write what `load` reads."""
        import faiss

        faiss.write_index(self._faiss, str(folder / "features.faiss"))
        np.savez(
            folder / "features.npz", owners=self.owners, points=self.points, pictures=self.shapes, hashes=self.hashes
        )

    @classmethod
    def load(cls, folder: Path) -> LocalIndex:
        """Read what `save` wrote, with the thumbnails beside it."""
        import faiss

        known = np.load(folder / "features.npz", allow_pickle=False)
        found = faiss.read_index(str(folder / "features.faiss"))
        return cls(found, known["owners"], known["points"], known["pictures"], PictureCache(folder), known["hashes"])

    def thumbnail(self, picture: int) -> NDArray[np.uint8]:
        """A training picture, small. # -> uint8 [h, w, 3], the shorter side `THUMBNAIL`"""
        if self._thumbnails is None:
            raise ValueError("the index was made without thumbnails")
        return self._thumbnails[picture]

    def candidates(self, pixels: NDArray[np.uint8], without: NDArray[np.bool_] | None = None) -> list[Candidate]:
        """Training pictures that a picture may show, whole or in part; the one that agrees most comes first.

        Args:
            pixels: uint8 [h, w, 3], sRGB.
            without: training pictures that are passed over. # bool [m]
        """
        found = {one.picture: one for one in reversed(self._placed(pixels, without))}
        picture, alike = nearest_hash(pixels, self.hashes, without)
        if picture in found:
            one = found[picture]
            found[picture] = replace(one, agreement=replace(one.agreement, hashed=alike))
        elif alike > 0:
            found[picture] = Candidate(picture, False, np.eye(2, 3), replace(NOTHING, hashed=alike))
        return sorted(found.values(), key=lambda one: -max(one.agreement.whole, one.agreement.hashed))

    def _placed(self, pixels: NDArray[np.uint8], without: NDArray[np.bool_] | None) -> list[Candidate]:
        """What local features find; the one that agrees most comes first."""
        own = local_features(pixels, ASKED)
        if not len(own.points) or not len(self.owners):
            return []
        both = own.mirrored(pixels.shape[1])
        asked = np.concatenate([own.points, both.points])
        voted = self._voted(np.concatenate([own.descriptors, both.descriptors]), asked, without)
        sides = pixels, np.ascontiguousarray(pixels[:, ::-1])
        found = [one for vote in voted if (one := self._compared(sides, *vote)) is not None]
        return sorted(found, key=lambda one: -max(one.agreement.whole, 0.9 * one.agreement.most))

    def search(self, descriptors: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The nearest features: squared distances and numbers. # uint8 [n, 128] -> [n, 16] twice"""
        distances, numbers = self._faiss.search(descriptors.astype(np.float32), _NEIGHBOURS)
        return distances, numbers

    def _voted(
        self, descriptors: NDArray[np.uint8], asked: NDArray[np.float32], without: NDArray[np.bool_] | None
    ) -> list[tuple[int, bool, NDArray[np.float32], NDArray[np.float32]]]:
        """The pictures with the weightiest pairs of features that agree on a place, and those pairs."""
        distances, numbers = self.search(descriptors)
        near = (distances < _NEAR) & (numbers >= 0)
        if without is not None:
            near &= ~without[self.owners[numbers]]
        row, column = np.nonzero(near)
        number = numbers[row, column]
        # What many pictures have in common says little of any of them.
        weight = 1.0 / _distinct(row, self.owners[number], len(asked))[row]
        sides = 2 * self.owners[number].astype(np.int64) + (row >= len(asked) // 2)
        of, inverse = np.unique(sides, return_inverse=True)
        votes = []
        for k in np.argsort(-np.bincount(inverse, weight, len(of)), kind="stable")[:_VOTED]:
            pairs = np.flatnonzero(inverse == k)
            picture, mirrored = divmod(int(of[k]), 2)
            one, other = asked[row[pairs]], self.points[number[pairs]]
            agree = consistent(one, other, float(self.shapes[picture].max()), weight[pairs])
            if agree.sum() >= _FEWEST:
                votes.append((float(weight[pairs][agree].sum()), picture, bool(mirrored), one[agree], other[agree]))
        votes.sort(key=lambda vote: -vote[0])
        return [vote[1:] for vote in votes[:_COMPARED]]

    def _compared(
        self,
        sides: tuple[NDArray[np.uint8], NDArray[np.uint8]],
        picture: int,
        mirrored: bool,
        asked: NDArray[np.float32],
        known: NDArray[np.float32],
    ) -> Candidate | None:
        place = similarity(asked, known, float(self.shapes[picture].max()))
        size = scale_of(place) * self.shapes[picture].min() / min(sides[0].shape[:2])
        if self._thumbnails is None or not 0.08 < size < 12:
            return None
        thumbnail = self._thumbnails[picture]
        by = thumbnail.shape[0] / self.shapes[picture][0]
        points = (self.points[self._starts[picture] : self._starts[picture + 1], :2] + 0.5) * by - 0.5
        found = agreement(thumbnail, sides[mirrored], of_reduced(place, by, 1), points)
        return Candidate(picture, mirrored, place, found)


def _distinct(rows: NDArray[np.int64], owners: NDArray[np.int32], count: int) -> NDArray[np.int64]:
    """How many different pictures each of `count` features was found in. # -> [count]"""
    pairs = np.unique(rows << 32 | owners.astype(np.int64))
    return np.bincount(pairs >> 32, minlength=count)


def _searched(descriptors: NDArray[np.uint8]) -> Any:
    """A faiss index of descriptors: inverted lists, exact bytes inside; product codes where there are very many."""
    import faiss

    count = len(descriptors)
    if not count:  # only plain pictures
        return faiss.IndexFlatL2(128)
    lists = max(1, min(int(2 * np.sqrt(count)), 16384, count // 40))
    coarse = faiss.IndexFlatL2(128)
    if count < _MANY:
        kind = faiss.ScalarQuantizer.QT_8bit_direct
        index: Any = faiss.IndexIVFScalarQuantizer(coarse, 128, lists, kind, faiss.METRIC_L2, False)
    else:
        index = faiss.IndexIVFPQ(coarse, 128, lists, 32, 8)
    sample = np.random.default_rng(0).permutation(count)[: 40 * lists]
    index.train(np.ascontiguousarray(descriptors[np.sort(sample)], np.float32))
    for start in range(0, count, 1 << 18):
        index.add(descriptors[start : start + (1 << 18)].astype(np.float32))
    index.nprobe = min(lists, _PROBED)
    return index
