"""Is a picture that was never published taken for a work? Many strangers, each looked up once, most of them changed.

Strangers: squares of photographs and of unregistered paintings that do not overlap in one grid, unregistered emoji, and
pictures that the shipped models painted with another seed: a model's pictures are kin to its registered ones.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import stats
from sqlalchemy import select

from bench.mark_pictures import photographs
from bench.places import WORK
from limner import pictures
from limner.papers.registry.fingerprints import fingerprints_of, thumbnail_of, unpack_thumbnail
from limner.papers.registry.index import Index
from limner.papers.registry.registry import Registry
from limner.papers.registry.store import EDITIONS, Edition

__all__ = ["Attacks", "is_same_drawing", "many_strangers", "photographed", "squares"]

Pixels = NDArray[np.uint8]
Attacks = dict[str, Any]
"""What is done to a picture, by name: PIL image in, PIL image out."""

_ROUNDED = 32  # grey levels by which two thumbnails of one drawing may differ, saved as JPEG
_ALIKE = ("emoji", "people")
"""Kinds of which many are one drawing with another mouth, or turned round: counted apart."""
_SIDE = 128
_PAIRS = WORK / "registry" / "pairs"
_CHUNK = 32


@dataclass(frozen=True)
class _Taken:
    """A stranger that was looked up: how near it came to a work, and which one, where it was taken for that."""

    kind: str
    number: int
    attack: str
    score: float
    title: str = ""
    same: bool = False


class _Open(Registry):
    """The same registry with its thumbnails unpacked beforehand, for many look-ups in a row."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, path.with_suffix(".index"))
        self._ready = super()._current()
        with self._database.connected() as connection:
            rows = connection.execute(select(EDITIONS.c.id, EDITIONS.c.work, EDITIONS.c.thumbnail)).all()
        unpacked = ((row.id, row.work, unpack_thumbnail(row.thumbnail)) for row in rows)
        self._small = {number: (work, small) for number, work, small in unpacked if small is not None}

    def _current(self) -> Index:
        return self._ready

    def _thumbnails(self, rows: Sequence[int]) -> dict[int, tuple[int, Pixels]]:
        return {row: self._small[row] for row in rows}


_held: Registry
_strangers: dict[str, Sequence[Pixels]]
_attacks: Attacks
"""What the processes share: set before they are forked, so that nothing need be sent to them."""


def many_strangers(
    path: Path, strangers: dict[str, Sequence[Pixels]], attacks: Attacks, workers: int
) -> dict[str, Any]:
    """Look each stranger up once, as it is or after one of the attacks, and count those taken for a work.

    Pairs of a stranger and the work that it was taken for are kept as pictures, to be looked at.

    Args:
        path: of the registry; its index lies beside it.
        strangers: by kind.
        workers: processes at a time.
    """
    global _held, _strangers, _attacks
    _held, _strangers, _attacks = _Open(path), strangers, attacks
    jobs = [(kind, at) for kind, ones in strangers.items() for at in range(0, len(ones), _CHUNK)]
    found: list[_Taken] = []
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        for number, ones in enumerate(pool.imap_unordered(_looked_up, jobs)):
            found += ones
            if number % 100 == 99 or any(one.title and not one.same for one in ones):
                taken = [one for one in found if one.title]
                print(f"{len(found):,} strangers, {len(taken)} taken: {taken[-3:]}", flush=True)
    told = {kind: _summed([one for one in found if one.kind == kind]) for kind in strangers}
    return {**told, "all but emoji": _summed([one for one in found if one.kind not in _ALIKE])}


def squares(images: Iterable[Image.Image], grids: Sequence[int]) -> Iterator[Pixels]:
    """Each picture cut into squares; of a grid none overlaps another.

    Args:
        grids: how many squares lie across the shorter side.

    Yields:
        uint8 [128, 128, 3].
    """
    for image in images:
        for count in grids:
            side = min(image.size) / count
            for y in range(count if image.height <= image.width else int(image.height / side)):
                for x in range(count if image.width < image.height else int(image.width / side)):
                    box = (x * side, y * side, (x + 1) * side, (y + 1) * side)
                    yield np.asarray(image.resize((_SIDE, _SIDE), Image.Resampling.BOX, box=box))


def photographed(folder: Path) -> Iterator[Image.Image]:
    """The photographs in a folder, their shorter side 1,400 px at most."""
    for path in photographs(folder):
        image = Image.fromarray(pictures.read(path).pixels)
        image.thumbnail((2400, 1400))
        yield image


def is_same_drawing(found: Edition, picture: Pixels) -> bool:
    """Whether what was found is the very same drawing, perhaps mirrored: emoji of several names share some."""
    small = thumbnail_of(picture).astype(int)
    kept = unpack_thumbnail(found.thumbnail)
    if kept is None:
        return False
    return any(np.abs(one.astype(int) - small).max() <= _ROUNDED for one in (kept, kept[:, ::-1]))


def _looked_up(job: tuple[str, int]) -> list[_Taken]:
    kind, start = job
    names = [None, *_attacks]
    return [
        _taken(kind, number, names[number % len(names)])
        for number in range(start, min(start + _CHUNK, len(_strangers[kind])))
    ]


def _taken(kind: str, number: int, attack: str | None) -> _Taken:
    picture = _strangers[kind][number]
    shown = picture if attack is None else np.asarray(_attacks[attack](Image.fromarray(picture)))
    laid = _held.compared(fingerprints_of(shown))
    score = min((seen.score for seen, _ in laid), default=99.0)
    match = _held.find(shown) if score <= 1 else None
    told = (kind, number, attack or "as it is", round(float(score), 3))
    if match is None:
        return _Taken(*told)
    same = is_same_drawing(match.edition, picture)
    kept = unpack_thumbnail(match.edition.thumbnail)
    if kept is not None:
        _PAIRS.mkdir(parents=True, exist_ok=True)
        pair = Image.fromarray(np.concatenate([thumbnail_of(picture), thumbnail_of(shown), kept], axis=1))
        pair.resize((576, 192)).save(_PAIRS / f"{'same' if same else 'other'}-{kind}-{number}.png".replace(" ", "-"))
    return _Taken(*told, match.edition.title, same)


def _summed(found: list[_Taken]) -> dict[str, Any]:
    own = [one for one in found if not one.same]
    taken = [one for one in own if one.title]
    scores = np.sort([one.score for one in own])
    return {
        "strangers": len(own),
        "left out as the same drawing": len(found) - len(own),
        "taken for a work": len(taken),
        "at most, 95 %": float(stats.beta.ppf(0.95, len(taken) + 1, len(own) - len(taken))),
        **{f"below {limit}": int((scores <= limit).sum()) for limit in (1, 1.25, 1.5, 2, 3)},
        "lowest": scores[:5].round(2).tolist(),
    }
