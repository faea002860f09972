"""What a look costs with many indexed pictures: milliseconds a picture in batches of 64 on two cores, and memory.

Pictures of the index are synthetic: each has as many local features as a real one, real descriptors with noise on them.
A million is too many to train and encode here in an hour: centroids are drawn from descriptors in place of k-means, and
codes by chance, evenly over the lists. What is searched is as much as it would be; what is found means nothing.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.copies.alterations import sized
from bench.copies.comparing import keep
from bench.copies.packs import Pack
from bench.copies.pictures import PLACE
from bench.machine import machine
from limner.collection.cache import PictureCache
from limner.gate import CopyGate
from limner.gate.calibration import Thresholds
from limner.gate.features import INDEXED, local_features
from limner.gate.index import _MANY, _PROBED, THUMBNAIL, LocalIndex
from limner.gate.index import _searched as index_of
from limner.gate.looks import LooksIndex
from limner.synthesis import Exemplar

__all__ = ["COUNTS", "TARGETS", "times"]

COUNTS = 10_000, 1_000_000
TARGETS = {10_000: 15.0, 1_000_000: 40.0}
"""Milliseconds that a look may cost."""
_BATCH, _ROUNDS = 64, 4
_NUMBERS = 128
_CODE = 32
_LISTS = 16384
_REAL = 200


_HOW = (
    "Indexed pictures are synthetic; with a million, codes lie in their lists by chance, as training and encoding them "
    "takes hours: as much is searched, what is found means nothing."
)


def times(counts: Sequence[int] = COUNTS) -> None:
    """Measure each count in a process of its own, and keep the figures."""
    rows = []
    for count in counts:
        command = [sys.executable, "-m", "bench.copies.times", str(count)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        rows.append(json.loads(done.stdout.splitlines()[-1]))
        _keep(rows)


def _keep(rows: Sequence[dict[str, Any]]) -> None:
    lines = [
        "| indexed pictures | local features | ms a picture (target) | ms of both cores | peak of memory, GB |",
        "| --- " * 5 + "|",
    ]
    for row in rows:
        own, peak = format(row["cpu_ms"], ".1f"), format(row["gb"], ".1f")
        cells = f"{row['pictures']:,}", f"{row['features']:,}", _target(row), own, peak
        lines.append(f"| {' | '.join(cells)} |")
    where = f"{machine()['processor']}, {datetime.now(UTC).date()}"
    about = f"Batches of {_BATCH} works of 256 px on two cores; {where}. {_HOW}\n"
    keep("times", {"title": "What a look costs", "told": [about, *lines], "rows": rows, "machine": machine()})


def _target(row: dict[str, Any]) -> str:
    return f"{row['ms']:.1f} ({TARGETS.get(row['pictures'], float('nan')):g})"


def _measured(count: int) -> dict[str, Any]:
    gate = _gate(count)
    batch = _paintings("honest", _BATCH)
    gate.look(batch[:2])
    clock, own = [], []
    for _ in range(_ROUNDS):
        began, used = time.perf_counter(), time.process_time()
        gate.look(batch)
        clock.append(time.perf_counter() - began)
        own.append(time.process_time() - used)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return {
        "pictures": count,
        "features": len(gate.local.owners),
        "ms": 1000 * float(np.median(clock)) / len(batch),
        "cpu_ms": 1000 * float(np.median(own)) / len(batch),
        "gb": peak,
    }


def _gate(count: int) -> CopyGate:
    """A gate of so many synthetic pictures."""
    random = np.random.default_rng(0)
    known = [np.array(picture) for picture in _paintings("training", _REAL)]
    features = [local_features(picture, INDEXED) for picture in known]
    each = np.resize(np.arange(len(known)), count)
    sizes = np.array([len(one.points) for one in features])[each]
    owners = np.repeat(np.arange(count, dtype=np.int32), sizes)
    points = np.concatenate([one.points for one in features])
    points = np.resize(points, (len(owners), 4))
    shapes = np.array([picture.shape[:2] for picture in known], np.int32)[each]
    descriptors = np.concatenate([one.descriptors for one in features])
    filled = _exact if len(owners) < _MANY else _by_chance
    local = LocalIndex(filled(descriptors, len(owners), random), owners, points, shapes, _Repeated(known))
    rows = random.standard_normal((count, _NUMBERS), np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    looks = LooksIndex(rows, np.zeros(1280, np.float32), np.eye(_NUMBERS, 1280, dtype=np.float32))
    one = Exemplar("0" * 64, "synthetic", "", "", "", 512, 512)
    chosen = Thresholds(whole=0.5, most=0.6, hashed=0.9, honest=0, held_out=0, above=0, high=1.0)
    return CopyGate((one,) * count, local, looks, chosen, count)


def _exact(descriptors: NDArray[np.uint8], count: int, random: np.random.Generator) -> Any:
    """As the gate makes it: real descriptors, repeated with noise on them."""
    made = np.resize(descriptors, (count, descriptors.shape[1])).astype(np.int16)
    made += random.integers(-8, 9, made.shape, np.int16)
    return index_of(np.clip(made, 0, 255).astype(np.uint8))


def _by_chance(descriptors: NDArray[np.uint8], count: int, random: np.random.Generator) -> Any:
    """Product codes by chance in as many lists as the gate makes of so many."""
    import faiss

    real = np.resize(descriptors, (2 * _LISTS, descriptors.shape[1])).astype(np.float32)
    real += random.normal(0, 8, real.shape).astype(np.float32)
    coarse = faiss.IndexFlatL2(real.shape[1])
    coarse.add(real[:_LISTS])
    index: Any = faiss.IndexIVFPQ(coarse, real.shape[1], _LISTS, _CODE, 8)
    index.cp.niter, index.pq.cp.niter = 1, 4
    index.train(real[_LISTS:])
    share = -(-count // _LISTS)
    for number in range(_LISTS):
        own = np.arange(number * share, min((number + 1) * share, count), dtype=np.int64)
        codes = random.integers(0, 256, (len(own), _CODE), np.uint8)
        index.invlists.add_entries(number, len(own), faiss.swig_ptr(own), faiss.swig_ptr(codes))
    index.ntotal = count
    index.nprobe = _PROBED
    return index


class _Repeated(PictureCache):
    """Thumbnails of few pictures for the numbers of many."""

    def __init__(self, known: Sequence[NDArray[np.uint8]]) -> None:
        self._known = [np.asarray(_small(picture)) for picture in known]

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        return self._known[index % len(self._known)]


def _small(picture: NDArray[np.uint8], side: int = THUMBNAIL) -> Image.Image:
    return sized(Image.fromarray(picture), side)


def _paintings(part: str, count: int) -> list[NDArray[np.uint8]]:
    """The first pictures of a part of the paintings' set, their shorter side 256 px."""
    folder = next(path / part for path in sorted(PLACE.glob("paintings-*")) if (path / part).is_dir())
    pack = Pack(folder)
    return [np.asarray(_small(np.array(pack[i]), 256)) for i in range(min(count, len(pack)))]


if __name__ == "__main__":
    print(json.dumps(_measured(int(sys.argv[1]))))
