"""Films: key pictures that go on from each other, and between them what changes fades over.

A picture a frame would take long, and what is new in each would flicker. Key pictures a fraction of a second apart,
each carried over from the one before (`carrying`), differ only where the composition asks for it; there the old fades
into the new.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from limner import pictures
from limner.synthesis.exemplars import Exemplar
from limner.synthesis.finishing import Finisher
from limner.synthesis.state import Carried, Level
from limner.workspace import replace_file

_KEPT_EVERY = 4
"""Key pictures after which the fields are kept, so that a killed film goes on from there."""
_BACK = 5
"""Key pictures over which a film fades back to its first one."""
_CARRIED = "carried.npz"


@dataclass(frozen=True)
class KeyPicture:
    """A finished picture of a film.

    Attributes:
        pixels: uint8 [height, width, 3].
        shares: what each exemplar gave, as a share of the area that is not flat, 0 to 1.
    """

    pixels: NDArray[np.uint8]
    shares: tuple[tuple[Exemplar, float], ...]


def key_count(frames: int, fps: int, keys_a_second: float) -> int:
    """How many key pictures a film of `frames` has: the first and the last frame are two of them."""
    return min(frames, 2 + int((frames - 1) / fps * keys_a_second))


def key_pictures(
    finisher: Finisher,
    compositions: Callable[[int], Iterable[NDArray[np.uint8]]],
    count: int,
    folder: Path,
    key: str,
    *,
    stations: Sequence[NDArray[np.uint8]],
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> Iterator[KeyPicture]:
    """Finished key pictures in their order; those that a killed run has made already are taken from its folder.

    Args:
        compositions: those from a number on. # uint8 [h, w, 3] each
        folder: where key pictures wait until the film is whole.
        key: what they follow from; those of another key are made anew.
        stations: compositions that exemplars are chosen for; the same for the whole film.
    """
    made_from = folder / "film.json"
    if not made_from.is_file() or made_from.read_text("utf-8") != key:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        with replace_file(made_from) as part:
            part.write_text(key, encoding="utf-8")
    chosen = finisher.choose(stations)
    first, before = _carried(folder, chosen)
    for number in range(first):
        progress(number + 1, count)
        yield _read(folder, number)
    for number, composition in zip(range(first, count), compositions(first), strict=False):
        finished = finisher.finish(composition, before=before, chosen=chosen, keep=True)
        before = finished.carried
        picture = KeyPicture(finished.pixels, tuple((one.exemplar, one.share) for one in finished.sources.shares()))
        _write(folder, number, picture)
        if before and number % _KEPT_EVERY == _KEPT_EVERY - 1:
            _keep(folder, number, before.levels)
        progress(number + 1, count)
        yield picture


def faded(keys: Iterable[NDArray[np.uint8]], count: int, frames: int) -> Iterator[NDArray[np.uint8]]:
    """`frames` pictures from `count` key pictures: each a mean of the two around it, weighted by how near they are.

    # uint8 [h, w, 3] each
    """
    waiting = iter(keys)
    number, here = 0, next(waiting)
    then = next(waiting, here)
    for frame in range(frames):
        at = frame / max(1, frames - 1) * (count - 1)
        while at >= number + 1 and number + 1 < count:
            number, here, then = number + 1, then, next(waiting, then)
        share = np.float32(at - number)
        mean = here + share * (then.astype(np.float32) - here)
        yield (mean + np.float32(0.5)).astype(np.uint8)


def looped(keys: Iterable[NDArray[np.uint8]], count: int) -> Iterator[NDArray[np.uint8]]:
    """`count` key pictures whose last ones fade into the first, so that a film that goes back does not jump."""
    first, over = None, min(_BACK, count - 1)
    for number, here in enumerate(keys):
        first = here if first is None else first
        share = np.float32(max(0, number - (count - 1 - over)) / over)
        yield (here + share * (first.astype(np.float32) - here) + np.float32(0.5)).astype(np.uint8) if share else here


def _paths(folder: Path, number: int) -> tuple[Path, Path]:
    return folder / f"key-{number:06d}.png", folder / f"key-{number:06d}.json"


def _write(folder: Path, number: int, key: KeyPicture) -> None:
    picture, shares = _paths(folder, number)
    with replace_file(shares, sync=False) as part:
        given = [{"exemplar": asdict(exemplar), "share": share} for exemplar, share in key.shares]
        part.write_text(json.dumps(given, ensure_ascii=False), encoding="utf-8")
    pictures.write(key.pixels, picture)


def _read(folder: Path, number: int) -> KeyPicture:
    picture, shares = _paths(folder, number)
    given = json.loads(shares.read_text("utf-8"))
    return KeyPicture(
        pictures.read(picture).pixels, tuple((Exemplar(**one["exemplar"]), float(one["share"])) for one in given)
    )


def _keep(folder: Path, number: int, levels: Sequence[Level]) -> None:
    arrays = {f"{name}-{k}": array for k, level in enumerate(levels) for name, array in vars(level).items()}
    with replace_file(folder / _CARRIED, sync=False) as part, part.open("wb") as file:
        np.savez(file, number=np.array(number), **arrays)


def _carried(folder: Path, chosen: Sequence[int]) -> tuple[int, Carried | None]:
    """How many key pictures are there to go on from, and what the next one goes on from."""
    if not (folder / _CARRIED).is_file():
        return 0, None
    with np.load(folder / _CARRIED, allow_pickle=False) as kept:
        number = int(kept["number"])
        count = sum(name.startswith("field-") for name in kept.files)
        names = [field.name for field in fields(Level)]
        levels = tuple(Level(**{name: kept[f"{name}-{k}"] for name in names}) for k in range(count))
    if not all(path.is_file() for one in range(number + 1) for path in _paths(folder, one)):
        return 0, None
    return number + 1, Carried(tuple(chosen), levels)
