"""The index of fingerprints: which rows of the registry have a hash near to a given one. Binary, by faiss.

It holds nothing that the database does not: kept beside it so that a start need not read every row, brought up to date
from the rows that came since, and made anew where it is damaged or belongs to another database.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limner.papers.registry.fingerprints import BITS, Bytes
from limner.workspace import replace_file

_BYTES = BITS // 8
_FORMAT = 1  # counts up when fingerprints or files change
_LISTS = 2048
_PROBED = 24  # lists that are looked into; with 200 trials a miss of one is made up by its neighbours
_ASKED = 3  # of one row; where two places are nearly as good, the second look decides
_FLAT = 20_000  # up to so many rows every one is compared

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Near:
    """A row with a hash near to one of those that were asked for.

    Attributes:
        row: its number in the database.
        distance: bits of 256 that differ.
        asked: number of the hash, among those that were asked for, to which it is nearest.
    """

    row: int
    distance: int
    asked: int


@dataclass
class _Half:
    """The hashes of one kind, with the rows that they belong to."""

    faiss_index: Any
    rows: Ids = field(default_factory=lambda: np.empty(0, np.int64))

    def add(self, rows: Ids, hashes: Bytes) -> None:
        if len(rows):
            self.faiss_index.add(hashes)
            self.rows = np.concatenate([self.rows, rows])

    def near(self, hashes: Bytes, count: int, radius: int, most: int | None = None) -> list[list[Near]]:
        """Rows within `radius` bits, each with the nearest of the hashes (three at most), the nearest rows first.

        Args:
            count: rows for each of the hashes.
            most: rows altogether; None gives all.
        """
        if not len(self.rows) or not len(hashes):
            return []
        distances, found = self.faiss_index.search(np.ascontiguousarray(hashes), min(count, len(self.rows)))
        asked = np.repeat(np.arange(len(hashes)), found.shape[1])
        distances, found = distances.ravel(), found.ravel()
        good = (found >= 0) & (distances <= radius)
        order = np.argsort(distances[good], kind="stable")
        distances, found, asked = distances[good][order], found[good][order], asked[good][order]
        places, first = np.unique(found, return_index=True)
        nearest: dict[int, list[Near]] = {int(place): [] for place in places[np.argsort(first)[:most]]}
        for at in np.flatnonzero(np.isin(found, list(nearest))):
            same = nearest[int(found[at])]
            if len(same) < _ASKED:
                same.append(Near(int(self.rows[found[at]]), int(distances[at]), int(asked[at])))
        return list(nearest.values())


class Index:
    """Hashes of the rows of one registry.

    Attributes:
        last: number of the newest row that is in it, 0 for none.
    """

    def __init__(self) -> None:
        import faiss

        self._looks, self._layouts = _Half(faiss.IndexBinaryFlat(BITS)), _Half(faiss.IndexBinaryFlat(BITS))
        self.last = 0

    def __len__(self) -> int:
        return max(len(self._looks.rows), len(self._layouts.rows))

    def add(self, rows: Ids, looks: list[bytes | None], layouts: list[bytes | None]) -> None:
        """Take in rows of the database, in the order of their numbers."""
        for half, hashes in ((self._looks, looks), (self._layouts, layouts)):
            there = [i for i, one in enumerate(hashes) if one is not None and len(one) == _BYTES]
            joined = np.frombuffer(b"".join(hashes[i] or b"" for i in there), np.uint8)
            half.add(rows[there], joined.reshape(-1, _BYTES))
        self.last = int(rows[-1]) if len(rows) else self.last
        if len(self._layouts.rows) > _FLAT and self._layouts.faiss_index.__class__.__name__ == "IndexBinaryFlat":
            self._divide()

    def near_look(self, hashes: Bytes, count: int, radius: int) -> list[list[Near]]:
        """Rows whose look is within `radius` bits of one of `hashes` (uint8 [n, 32]), nearest first; a list a row."""
        return self._looks.near(hashes, count, radius)

    def near_layout(self, hashes: Bytes, count: int, radius: int, most: int | None = None) -> list[list[Near]]:
        """The same by layout; `count` for each of the hashes, `most` altogether."""
        return self._layouts.near(hashes, count, radius, most)

    def _divide(self) -> None:
        """From comparing every row to comparing those of the nearest lists; some of the rows are the lists' centres."""
        import faiss

        flat = self._layouts.faiss_index
        hashes = faiss.vector_to_array(flat.xb).reshape(-1, _BYTES)
        centres = np.random.default_rng(0).choice(len(hashes), _LISTS, replace=False)
        quantizer = faiss.IndexBinaryFlat(BITS)
        quantizer.add(np.ascontiguousarray(hashes[np.sort(centres)]))
        divided = faiss.IndexBinaryIVF(quantizer, BITS, _LISTS)
        divided.is_trained, divided.nprobe = True, _PROBED
        divided.add(hashes)
        self._layouts.faiss_index = divided

    def save(self, folder: Path, token: str) -> None:
        """Keep it in `folder`, which is made when missing."""
        import faiss

        folder.mkdir(parents=True, exist_ok=True)
        digests = {}
        for name, half in (("looks", self._looks), ("layouts", self._layouts)):
            data = faiss.serialize_index_binary(half.faiss_index).tobytes() + half.rows.tobytes()
            digests[name] = hashlib.sha256(data).hexdigest()
            with replace_file(folder / name, sync=False) as part:
                part.write_bytes(data)
        header = {"format": _FORMAT, "token": token, "last": self.last, "digests": digests}
        header["rows"] = {"looks": len(self._looks.rows), "layouts": len(self._layouts.rows)}
        with replace_file(folder / "index.json", sync=False) as part:
            part.write_text(json.dumps(header))

    @classmethod
    def load(cls, folder: Path, token: str) -> Index | None:
        """The index kept in `folder`; None where there is none, it is damaged, or of another registry."""
        import faiss

        found = cls()
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RuntimeError):
            header = json.loads((folder / "index.json").read_bytes())
            if (header["format"], header["token"]) != (_FORMAT, token):
                return None
            for name, half in (("looks", found._looks), ("layouts", found._layouts)):
                data = (folder / name).read_bytes()
                # Checked before faiss sees it: what is damaged could end the whole program there.
                if hashlib.sha256(data).hexdigest() != header["digests"][name]:
                    return None
                split = len(data) - 8 * int(header["rows"][name])
                half.faiss_index = faiss.deserialize_index_binary(np.frombuffer(data[:split], np.uint8))
                half.rows = np.frombuffer(data[split:], np.int64)
            found.last = int(header["last"])
            return found
        return None
