"""From descriptions to figures: how near each picture is to a training picture, and what a threshold finds of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.copies.alterations import KINDS, Class
from bench.copies.packs import Pack
from bench.copies.planted import CopySet
from bench.places import BENCH
from limner.statistics import share

__all__ = ["ALARMS", "Nearest", "left_out", "nearest", "summed", "threshold_of", "worst"]

Floats = NDArray[np.float64]
ALARMS = 0.001
"""False alarms that are allowed among honest new pictures."""
_PLAIN = 8.0
"""Grey levels by which a picture deviates at least that shows something."""
_CHUNK = 512


@dataclass(frozen=True)
class Nearest:
    """How near pictures are to the training picture that is nearest; larger is nearer.

    Attributes:
        score: minus the bits that differ, a cosine, or a gate's own score. # float64 [n]
        source: number of that training picture. # int64 [n]
    """

    score: Floats
    source: NDArray[np.int64]


def nearest(asked: NDArray[Any], training: NDArray[Any]) -> Nearest:
    """Of descriptions, the best over all ways round.

    Args:
        asked: uint8 of a hash, or float32 of a vector. # [n, views, d]
        training: # [m, 1, d]
    """
    n, views, width = asked.shape
    rows = asked.reshape(n * views, width)
    known = np.ascontiguousarray(training[:, 0])
    if asked.dtype == np.uint8:
        score, source = _hashes(np.ascontiguousarray(rows), known)
    else:
        score, source = _cosines(rows, known)
    best = score.reshape(n, views).argmax(1)
    picked = np.arange(n), best
    return Nearest(score.reshape(n, views)[picked], source.reshape(n, views)[picked])


def _hashes(rows: NDArray[np.uint8], known: NDArray[np.uint8]) -> tuple[Floats, NDArray[np.int64]]:
    import faiss

    index: Any = faiss.IndexBinaryFlat(8 * known.shape[1])
    index.add(known)
    apart, source = index.search(rows, 1)
    return -apart[:, 0].astype(np.float64), source[:, 0]


def _cosines(rows: NDArray[np.float32], known: NDArray[np.float32]) -> tuple[Floats, NDArray[np.int64]]:
    unit, other = _unit(rows), _unit(known)
    found = [unit[start : start + _CHUNK] @ other.T for start in range(0, len(unit), _CHUNK)]
    score = np.concatenate([part.max(1) for part in found]).astype(np.float64)
    return score, np.concatenate([part.argmax(1) for part in found])


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    whole: NDArray[np.float32] = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    return whole


def is_named(facts: Sequence[dict[str, Any]]) -> NDArray[np.bool_]:
    """Which honest pictures are kin by `kin.txt`, where what was seen by eye is named."""
    lines = (BENCH / "copies" / "kin.txt").read_text().splitlines()
    named = {line.partition(":")[0] for line in lines if not line.startswith("#")}
    return np.array([f"{fact['family']}, {str(fact['title']).rpartition(', ')[2]}" in named for fact in facts], bool)


def is_plain(pictures: Pack) -> NDArray[np.bool_]:
    """Which pictures show hardly anything, as a window of a sky or of white paper: any two of them are alike."""

    def deviation(pixels: NDArray[np.uint8]) -> float:
        small = Image.fromarray(np.array(pixels)).convert("L").resize((32, 32), Image.Resampling.BOX)
        return float(np.asarray(small, np.float64).std())

    return np.array([deviation(picture) < _PLAIN for picture in pictures], bool)


@lru_cache
def _left_out(folder: Path) -> NDArray[np.bool_]:
    honest = Pack(folder)
    return is_named(honest.facts) | is_plain(honest)


def left_out(given: CopySet) -> NDArray[np.bool_]:
    """Which honest pictures count for nothing: kin by name, and plain ones."""
    return _left_out(given.honest.folder)


def threshold_of(honest: Floats) -> float:
    """What a score must exceed, so that one in 1,000 of these honest pictures does, or fewer."""
    return float(np.sort(honest)[::-1][int(ALARMS * len(honest))])


def summed(given: CopySet, parts: dict[str, Nearest], threshold: float | None = None) -> dict[str, Any]:
    """Recall by kind and class, false alarms, each with its 95 % interval.

    Args:
        parts: of `planted`, `honest` and, where there are any, `kin`.
        threshold: a method's own; otherwise the one that half of the honest pictures give, the other half reporting.
    """
    out, named = left_out(given), is_named(given.honest.facts)
    half = np.array([fact["half"] for fact in given.honest.facts])[~out]
    honest = parts["honest"].score[~out]
    own = threshold is not None
    limit = threshold_of(honest[half == 0]) if threshold is None else threshold
    reporting = honest if own else honest[half == 1]
    planted = parts["planted"]
    stopped = planted.score > limit
    right = planted.source == [fact["source"] for fact in given.planted.facts]
    kinds = np.array([fact["kind"] for fact in given.planted.facts])
    classes = np.array([KINDS[kind].of.value for kind in kinds])
    sides = np.array([fact["side"] for fact in given.planted.facts])
    return {
        "threshold": limit,
        "alarms": share(reporting > limit).as_dict() | {"stopped": int((reporting > limit).sum())},
        "named": {"count": int(named.sum()), "stopped": int((parts["honest"].score[named] > limit).sum())},
        "kin": share(parts["kin"].score > limit).as_dict() if "kin" in parts else None,
        "classes": {one.value: _recall(stopped, right, classes == one.value) for one in Class},
        "kinds": {name: _recall(stopped, right, kinds == name) for name in KINDS},
        "sides": {
            f"{one.value}, {side} px": _recall(stopped, right, (classes == one.value) & (sides == side))
            for one in (Class.WHOLE, Class.PARTIAL)
            for side in sorted(set(sides.tolist()))
        },
    }


def _recall(stopped: NDArray[np.bool_], right: NDArray[np.bool_], chosen: NDArray[np.bool_]) -> dict[str, float]:
    found = share(stopped[chosen]).as_dict()
    return found | {"right_source": float(right[chosen & stopped].mean()) if (chosen & stopped).any() else 0.0}


def worst(scores: Sequence[float] | Floats, count: int) -> list[int]:
    """Numbers of the highest scores, highest first."""
    return [int(number) for number in np.argsort(-np.asarray(scores))[:count]]
