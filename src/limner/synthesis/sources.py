"""Where each pixel of a finished picture came from, and what follows: shares, pieces, a picture of it, a file of it."""

from __future__ import annotations

import colorsys
import json
import zlib
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter, minimum_filter

from limner.errors import UsageError
from limner.synthesis.exemplars import Exemplar
from limner.synthesis.pieces import label_pieces, largest_piece

_MAGIC = b"limner sources 1\n"
_LARGEST = 64 << 20
_FLAT = 4
"""Levels of 255 within 7x7 px below which a place is flat."""


@dataclass(frozen=True)
class SourceShare:
    """What one exemplar gave to a picture.

    Attributes:
        share: of the area that is not flat, 0 to 1.
        area: of the whole area.
        piece: the largest connected piece that comes from it as it stands there, as a share of the whole area.
    """

    exemplar: Exemplar
    share: float
    area: float
    piece: float


@dataclass(frozen=True)
class SourceMap:
    """Of each pixel of a finished picture, the exemplar and the place there.

    Attributes:
        shapes: height and width of each at the scale of the finish, without an edge that is never taken.
        places: index of the exemplar, row and column in it. # int32 [h, w, 3]
        busy: where something goes on: what is flat belongs to nobody. # bool [h, w]
    """

    exemplars: tuple[Exemplar, ...]
    shapes: tuple[tuple[int, int], ...]
    places: NDArray[np.int32]
    busy: NDArray[np.bool_]

    def shares(self) -> list[SourceShare]:
        """What each exemplar gave, most first; those that gave nothing are left out."""
        labels, areas = label_pieces(self.places)
        owner = np.zeros(len(areas), dtype=np.int64)
        owner[labels.ravel()] = self.places[..., 0].ravel()
        count, total = len(self.exemplars), self.places[..., 0].size
        whole = np.bincount(self.places[..., 0].ravel(), minlength=count)
        busy = np.bincount(self.places[..., 0][self.busy], minlength=count)
        largest = np.zeros(count, dtype=np.int64)
        np.maximum.at(largest, owner, areas)
        found = [
            SourceShare(one, float(busy[i] / max(1, busy.sum())), float(whole[i] / total), float(largest[i] / total))
            for i, one in enumerate(self.exemplars)
            if whole[i]
        ]
        return sorted(found, key=lambda one: (-one.share, -one.area, one.exemplar.digest))

    def largest_piece(self, *, flat_counts: bool = True) -> float:
        """The largest connected piece that comes from one picture as it stands there.

        Args:
            flat_counts: as a share of the whole area; otherwise of what is not flat, and only that is counted.
        """
        return largest_piece(self.places, np.ones_like(self.busy) if flat_counts else self.busy)

    def picture(self) -> NDArray[np.uint8]:
        """The map in colours, one an exemplar, in the order of `shares`. # -> uint8 [h, w, 3]"""
        return self.colours()[self.places[..., 0]]

    def colours(self) -> NDArray[np.uint8]:
        """The colour of each exemplar in `picture`. # -> uint8 [exemplars, 3]"""
        order = {one.exemplar.digest: i for i, one in enumerate(self.shares())}
        out = np.zeros((len(self.exemplars), 3), dtype=np.uint8)
        for i, exemplar in enumerate(self.exemplars):
            rank = order.get(exemplar.digest, len(order))
            hue, light = (rank * 0.61803398875) % 1.0, 0.55 if rank % 2 else 0.72
            out[i] = [round(255 * one) for one in colorsys.hls_to_rgb(hue, light, 0.55)]
        return out

    def packed(self) -> bytes:
        """The map as bytes: a line of JSON, then the places, compressed."""
        height, width = self.busy.shape
        header = {
            "exemplars": [_plain(one) for one in self.exemplars],
            "shapes": [list(shape) for shape in self.shapes],
            "size": [height, width],
        }
        down, across = np.mgrid[:height, :width]
        # Offsets hardly change from pixel to pixel, so that they compress well.
        planes = (self.places[..., 0], self.places[..., 1] - down, self.places[..., 2] - across, self.busy)
        data = zlib.compress(b"".join(plane.astype("<i2").tobytes() for plane in planes), 6)
        return _MAGIC + json.dumps(header, ensure_ascii=False).encode() + b"\n" + data

    @classmethod
    def unpacked(cls, raw: bytes, name: object) -> SourceMap:
        """Read a map from its bytes; messages call it `name`.

        Raises:
            UsageError: damaged, or not written by limner.
        """
        try:
            if not raw.startswith(_MAGIC) or len(raw) > _LARGEST:
                raise ValueError("not written by limner")
            head, _, data = raw[len(_MAGIC) :].partition(b"\n")
            header = json.loads(head)
            height, width = (int(one) for one in header["size"])
            if not 0 < height * width <= 1 << 26:
                raise ValueError("of an impossible size")
            plain = zlib.decompressobj().decompress(data, 4 * height * width * 2)
            planes = np.frombuffer(plain, dtype="<i2").reshape(4, height, width)
            exemplars = tuple(Exemplar(**one) for one in header["exemplars"])
            down, across = np.mgrid[:height, :width]
            places = np.stack([planes[0], planes[1] + down, planes[2] + across], axis=-1).astype(np.int32)
            if not exemplars or not 0 <= places[..., 0].min() <= places[..., 0].max() < len(exemplars):
                raise ValueError("names pictures that it does not list")
            shapes = tuple((int(h), int(w)) for h, w in header["shapes"])
            return cls(exemplars, shapes, places, planes[3] != 0)
        except (ValueError, KeyError, TypeError, zlib.error) as error:
            raise UsageError(name, f"holds no sources ({error})", "finish the work again") from None


def _plain(exemplar: Exemplar) -> dict[str, Any]:
    return {name: value for name, value in asdict(exemplar).items() if value or name != "credit"}


def busy_places(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where something goes on within 7x7 px. # uint8 [h, w, 3] -> bool [h, w]"""
    most, least = maximum_filter(pixels, (7, 7, 1)), minimum_filter(pixels, (7, 7, 1))
    busy: NDArray[np.bool_] = (most - least).max(axis=2) > _FLAT
    return busy
