"""Making a model's copy gate ready: its training pictures found, indexed once, the threshold calibrated and kept."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from limner import pictures
from limner.collection.likeness import group
from limner.gate.agreement import NOTHING, Agreement
from limner.gate.calibration import Thresholds, thresholds
from limner.gate.features import INDEXED, LocalFeatures, local_features
from limner.gate.gate import CopyGate
from limner.gate.hashes import hash_of
from limner.gate.index import THUMBNAIL, LocalIndex
from limner.gate.looks import LooksIndex
from limner.models.bundle import Model
from limner.synthesis.exemplars import Exemplars
from limner.synthesis.finding import learned_rows, own_exemplars
from limner.workspace import Workspace, replace_folder

Progress = Callable[[int, int], None]
Pixels = NDArray[np.uint8]
T = TypeVar("T")
R = TypeVar("R")
_VERSION = 5
_SHIPPED = Path(__file__).parent / "shipped"
"""Thresholds of the models that ship, by the digest of their pictures."""
_READ = 300
"""Shorter side at which a training picture is indexed at most, px."""
_ALONE, _ENOUGH, _VIEWS = 1500, 1200, 6
"""Looks at training pictures, each compared with all others: at most, wanted, and at one picture."""
_THRESHOLDS = "thresholds.json"


@dataclass(frozen=True)
class Honest:
    """What is known of pictures that copy nothing.

    Attributes:
        held_out: files of pictures by the same hands that are not among those of the gate.
        groups: of the gate's pictures; those of one group are near-duplicates. Found by their looks where empty.
    """

    held_out: Sequence[Path] = ()
    groups: Sequence[str] = field(default_factory=tuple)


def gate_for(model: Model, workspace: Workspace, progress: Progress | None = None) -> CopyGate | str:
    """The copy gate of a model, or in words why there is none: what it learned from is not here.

    The index is made once and kept in the workspace.

    Args:
        progress: called with (done, total) where it is made.
    """
    own = own_exemplars(model, workspace)
    if isinstance(own, str):
        return own
    found, honest = learned_rows(model, workspace), Honest()
    if found is not None:
        collection, rows = found
        near = {row.pixel_sha256: row.group for row in rows}
        where = model.card.collection.where
        unseen = [row for row in collection.rows(where) if row.split == "holdout" and not row.held]
        groups = [near.get(one.digest, one.digest) for one in own.exemplars.items]
        honest = Honest([collection.picture_path(row) for row in unseen], groups)
    return open_gate(own.exemplars, workspace, honest, model.card.collection.pictures, progress)


def open_gate(
    exemplars: Exemplars,
    workspace: Workspace,
    honest: Honest | None = None,
    learned: int = 0,
    progress: Progress | None = None,
) -> CopyGate:
    """The copy gate of a set of pictures.

    Args:
        learned: how many pictures there are in all, where only a part of them is here.
    """
    name = exemplars.digest.removeprefix("sha256:")[:32]
    folder = workspace.cache / "gate" / f"{name}-{_VERSION}"
    if not (folder / _THRESHOLDS).is_file():
        workspace.make(folder.parent)
        with replace_folder(folder) as part:
            _make(part, exemplars, honest or Honest(), progress, _SHIPPED / f"{name}.json")
    kept = Thresholds.model_validate_json((folder / _THRESHOLDS).read_text())
    local, looks = LocalIndex.load(folder), LooksIndex.load(folder)
    return CopyGate(exemplars.items, local, looks, kept, max(learned, len(exemplars.items)))


def _make(folder: Path, exemplars: Exemplars, honest: Honest, progress: Progress | None, kept: Path) -> None:
    """Index the pictures, calibrate where no thresholds are kept, and write all of it."""
    count, known_already = len(exemplars), kept.is_file()
    rng = np.random.default_rng(0)
    views = min(_VIEWS, -(-_ENOUGH // count))
    alone = [(int(i), view) for view in range(views) for i in rng.permutation(count)][:_ALONE]
    total = 2 * count + (0 if known_already else len(honest.held_out) + len(alone))

    def moved(done: int) -> None:
        if progress:
            progress(done, total)

    seen, groups = _indexed(exemplars, folder, moved)
    shapes = [one.shape for one in seen]
    hashes = np.stack([one.hash for one in seen])
    LocalIndex.of([one.features for one in seen], shapes, None, hashes).save(folder)
    local = LocalIndex.load(folder)
    looks = LooksIndex.of((local.thumbnail(i) for i in range(count)), lambda done: moved(count + done))
    looks.save(folder)
    if known_already:
        (folder / _THRESHOLDS).write_bytes(kept.read_bytes())
        return
    known = np.array(honest.groups or groups)

    def unseen(path: Path) -> Agreement:
        return _best(local, pictures.read(path).pixels)

    def without_its_own(one: tuple[int, int]) -> Agreement:
        number, view = one
        return _best(local, _view(_picture(exemplars, number), view, number), known == known[number])

    scores = list[Agreement]()
    for found in (_in_order(unseen, honest.held_out), _in_order(without_its_own, alone)):
        for score in found:
            scores.append(score)
            moved(2 * count + len(scores))
    (folder / _THRESHOLDS).write_text(thresholds(scores, len(honest.held_out)).model_dump_json())


@dataclass(frozen=True)
class _Seen:
    """A training picture, once it is read."""

    features: LocalFeatures
    shape: tuple[int, int]
    thumbnail: Pixels
    hash: NDArray[np.uint8]


def _indexed(exemplars: Exemplars, folder: Path, moved: Callable[[int], None]) -> tuple[list[_Seen], list[int]]:
    """What the index needs of each picture, and groups of near-duplicates; thumbnails are written into `folder`."""

    def seen(number: int) -> _Seen:
        pixels = _picture(exemplars, number)
        return _Seen(local_features(pixels, INDEXED), pixels.shape[:2], _small(pixels), hash_of(pixels))

    found = list[_Seen]()
    for one in _in_order(seen, range(len(exemplars))):
        found.append(one)
        moved(len(found))
    np.save(folder / "shapes.npy", np.array([one.thumbnail.shape[:2] for one in found], np.int64))
    with (folder / "pixels.bin").open("wb") as out:
        for one in found:
            out.write(one.thumbnail.tobytes())
    return found, group([one.hash.tobytes().hex() if one.hash.any() else "" for one in found])


def _picture(exemplars: Exemplars, number: int) -> Pixels:
    item = exemplars.items[number]
    return exemplars.picture(number, min(_READ, item.height, item.width))


def _view(pixels: Pixels, view: int, seed: int) -> Pixels:
    """The whole picture as view 0; a part of 50 to 90 % of its sides otherwise: also a new picture that copies none."""
    if not view:
        return pixels
    rng = np.random.default_rng([seed, view])
    height, width = (round(side * rng.uniform(0.5, 0.9)) for side in pixels.shape[:2])
    top, left = rng.integers(0, pixels.shape[0] - height + 1), rng.integers(0, pixels.shape[1] - width + 1)
    return np.ascontiguousarray(pixels[top : top + height, left : left + width])


def _small(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    by = THUMBNAIL / min(height, width)
    size = max(8, round(width * by)), max(8, round(height * by))
    how = cv2.INTER_AREA if by < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, size, interpolation=how), np.uint8)


def _best(local: LocalIndex, pixels: Pixels, without: NDArray[np.bool_] | None = None) -> Agreement:
    found = local.candidates(pixels, without)
    each = [one.agreement for one in found] or [NOTHING]
    whole, most, hashed = (max(getattr(one, name) for one in each) for name in ("whole", "most", "hashed"))
    return Agreement(whole, most, 1.0, hashed)


def _in_order(do: Callable[[T], R], each: Iterable[T]) -> Iterator[R]:
    """Results in order, a few at once, so that few pictures are in memory."""
    waiting, threads = list(each), os.cpu_count() or 1
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(waiting), 8 * threads):
            yield from pool.map(do, waiting[start : start + 8 * threads])
