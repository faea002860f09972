"""Exemplars: the pictures whose patches may finish a composition, with their rights; decoded when they are needed."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from limner import pictures
from limner.collection import Collection, Row
from limner.collection.cache import open_cache
from limner.collection.importing import Progress
from limner.collection.likeness import hash_pixels
from limner.errors import UsageError
from limner.rights.consent import ConsentStore, Scope
from limner.synthesis.resampling import fitted
from limner.workspace import Workspace

THUMBNAIL = 48
"""Shorter side at which exemplars are compared with a composition, px."""
_KEPT_BYTES = 96 << 20
"""Bytes of decoded pictures that are kept at once."""


class PictureCache:
    """Pictures that were made lately, as many as fit into 96 MiB; several threads may use one."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, int], NDArray[np.uint8]] = OrderedDict()
        self._bytes, self._lock = 0, Lock()

    def get(self, key: tuple[int, int], make: Callable[[], NDArray[np.uint8]]) -> NDArray[np.uint8]:
        """The picture of this key, made where it is not there."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        found = make()
        with self._lock:
            if key not in self._kept:
                self._kept[key] = found
                self._bytes += found.nbytes
            while self._bytes > _KEPT_BYTES and len(self._kept) > 1:
                self._bytes -= self._kept.popitem(last=False)[1].nbytes
        return found


@dataclass(frozen=True)
class Exemplar:
    """One picture that may give patches.

    Attributes:
        digest: sha256 of its pixels, as its collection names it.
        title, creator, licence, source: its rights; empty where unknown.
        credit: the words by which its rights holder wants to be credited; empty for the usual ones.
    """

    digest: str
    title: str
    creator: str
    licence: str
    source: str
    height: int
    width: int
    credit: str = ""

    @property
    def pixel_sha256(self) -> str:
        """The digest, as rows of collections call it."""
        return self.digest

    @classmethod
    def of_row(cls, row: Row, credit: str = "") -> Exemplar:
        """The exemplar that a row of a collection describes."""
        rights = row.title or row.file, row.creator, row.licence, row.source
        return cls(row.pixel_sha256, *rights, row.height, row.width, credit)


class Exemplars:
    """Pictures that may give patches.

    Args:
        read: gives the pixels of number i at full size. # uint8 [h, w, 3]
        thumbnails: gives the pixels of number i, the shorter side `THUMBNAIL` px or more; `read` where not given.
        version: goes into `digest`, which so differs from that of other versions of the same pictures.
    """

    def __init__(
        self,
        items: Sequence[Exemplar],
        read: Callable[[int], NDArray[np.uint8]],
        thumbnails: Callable[[int], NDArray[np.uint8]] | None = None,
        version: str = "",
    ) -> None:
        if not items:
            raise UsageError("exemplars", "are none", "give pictures to take patches from")
        self.items, self._read, self._thumbnail = tuple(items), read, thumbnails or read
        self._version = version
        self._pictures = PictureCache()

    def __len__(self) -> int:
        return len(self.items)

    @cached_property
    def digest(self) -> str:
        """sha256 over all of them, in their order: names the set."""
        whole = hashlib.sha256(b"limner exemplars 1\n" + b"".join(bytes.fromhex(one.digest) for one in self.items))
        whole.update(self._version.encode())
        return f"sha256:{whole.hexdigest()}"

    @cached_property
    def side(self) -> int:
        """Shorter side that half of them have at least, px."""
        return int(np.median([min(one.height, one.width) for one in self.items]))

    def thumbnail(self, index: int) -> NDArray[np.uint8]:
        """A picture at the size at which it is compared. # -> uint8 [h, w, 3], the shorter side `THUMBNAIL`"""
        return fitted(self._thumbnail(index), THUMBNAIL)

    def picture(self, index: int, side: int) -> NDArray[np.uint8]:
        """A picture whose shorter side is `side` px. # -> uint8 [h, w, 3]"""
        return self._pictures.get((index, side), lambda: fitted(self._read(index), side))

    def without(self, digests: Container[str]) -> Exemplars | None:
        """The same but for some pictures, by their digests; None where none is left."""
        kept = [index for index, one in enumerate(self.items) if one.digest not in digests]
        if len(kept) == len(self):
            return self
        if not kept:
            return None
        items = [self.items[index] for index in kept]
        return Exemplars(items, lambda k: self._read(kept[k]), lambda k: self._thumbnail(kept[k]), self._version)

    @classmethod
    def of_collection(
        cls,
        collection: Collection,
        rows: Sequence[Row],
        workspace: Workspace,
        progress: Progress | None = None,
    ) -> Exemplars:
        """Pictures of a collection, with the rights that were agreed on.

        Args:
            progress: called where they are made small for the first time.
        """
        use = ConsentStore(workspace.root).use(Scope.EXEMPLAR)
        rows = use.as_agreed(rows)
        small = open_cache(collection, rows, THUMBNAIL, workspace, progress)

        def read(index: int) -> NDArray[np.uint8]:
            return pictures.read(collection.picture_path(rows[index])).pixels

        items = [Exemplar.of_row(row, use.credit(row.pixel_sha256, row.creator)) for row in rows]
        return cls(items, read, small.__getitem__)

    @classmethod
    def of_pictures(cls, files: Sequence[Path], *, creator: str = "", licence: str = "") -> Exemplars:
        """Pictures from files, all with the same rights.

        Raises:
            PictureError: one of them is no picture that can be read.
        """
        found = [pictures.read(file).pixels for file in files]
        items = [
            Exemplar(hash_pixels(pixels), file.name, creator, licence, "", *pixels.shape[:2])
            for file, pixels in zip(files, found, strict=True)
        ]
        return cls(items, found.__getitem__)
