"""How often limner's reader tells a message of a picture that carries none: 20,000 pictures, and why so rarely."""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.attacks import attacked
from bench.data import EMOJI
from bench.mark_pictures import photographs
from bench.marks import MARKERS, SIZES, place_of
from bench.places import WORK
from limner import pictures
from limner.collection import PAINTINGS
from limner.latent.pipeline import Pipeline
from limner.models.bundle import SHIPPED
from limner.papers.watermark import Embedder, Reader, reading
from limner.papers.watermark.reading import Plane
from limner.papers.watermark.search import Search
from limner.workspace import Workspace, replace_file

__all__ = ["SOURCES", "THRESHOLDS", "Listener", "false_alarms"]

Pixels = NDArray[np.uint8]
Heard = dict[str, NDArray[Any]]
"""Of each picture, how far pilots stood out; the numbers of those that told a message; whether the source is done."""
Source = Callable[[int, Path | None], Iterator[Pixels]]

_PLACE = WORK / "marks" / "alarms"
_CHECK = 2.0**-16
"""Share of values that carry nothing and yet pass the check of 16 bits."""
THRESHOLDS = {"guessed": reading._KNOWN_POSE, "searched": reading._FOUND_POSE}
"""How far pilots must stand out before the code is asked."""
_SIDE, _KEPT = 256, 200
_NEVER = 3.0
"""What was never seen in n pictures happens, at 95 %, in less than 3 / n of them."""


class Listener(Reader):
    """A reader that remembers how far pilots stood out, in the pose that was guessed and in the one that was found."""

    def __init__(self) -> None:
        super().__init__()
        self.guessed: list[float] = []
        self.searched: list[float] = []

    def _as_embedded(self, plane: Plane) -> Any:
        found = super()._as_embedded(plane)
        self.guessed.append(found.statistic)
        return found

    def _searched(self, plane: Plane, search: Search) -> Any:
        found = super()._searched(plane, search)
        # Of all searches of a picture the one that came nearest to its threshold, as if that were the first one's.
        statistic = found.statistic - (reading._SEARCHES[search] - reading._FOUND_POSE)
        if search == "near":
            self.searched.append(statistic)
        else:
            self.searched[-1] = max(self.searched[-1], statistic)
        return found


def _crop(pixels: Pixels, random: np.random.Generator, least: int, most: int) -> Pixels:
    sides = [int(random.integers(least, min(most, side) + 1)) for side in pixels.shape[:2]]
    top, left = (int(random.integers(0, side - own + 1)) for side, own in zip(pixels.shape[:2], sides, strict=True))
    return pixels[top : top + sides[0], left : left + sides[1]]


def _enlarged(pixels: Pixels) -> Pixels:
    return np.asarray(Image.fromarray(pixels).resize((_SIDE, _SIDE), Image.Resampling.LANCZOS))


def _paintings(count: int, folder: Path | None) -> Iterator[Pixels]:
    """Crops of the paintings, 120 to 256 px a side, of each fifth one to 384."""
    paths, random = sorted((PAINTINGS / "img").iterdir()), np.random.default_rng(1)
    for i in range(count):
        yield _crop(pictures.read(paths[i % len(paths)]).pixels, random, 120, 384 if i % 5 == 0 else _SIDE)


def _photographs(count: int, folder: Path | None) -> Iterator[Pixels]:
    """Crops of photographs at several sizes, 120 to 256 px a side, of each fifth one to 512."""
    paths, random = photographs(folder) if folder else [], np.random.default_rng(2)
    for path in paths:
        image = Image.fromarray(pictures.read(path).pixels)
        for shorter in (480, 800, 1200):
            share = shorter / min(image.size)
            size = round(image.width * share), round(image.height * share)
            shrunk = np.asarray(image.resize(size, Image.Resampling.LANCZOS))
            for i in range(-(-count // (3 * len(paths)))):
                yield _crop(shrunk, random, 120, 512 if i % 5 == 0 else _SIDE)


def _emoji(count: int, folder: Path | None) -> Iterator[Pixels]:
    """Drawn emoji of four hands, enlarged, where they are at hand."""
    paths = sorted(EMOJI.glob("*/*.png"))
    for path in paths[:: max(1, len(paths) // count)][:count]:
        yield _enlarged(pictures.read(path).pixels)


def _painted(count: int, folder: Path | None) -> Iterator[Pixels]:
    """What limner's own models paint, enlarged."""
    for path in sorted(SHIPPED.glob("*.safetensors")):
        pipeline = Pipeline.open(str(path), Workspace.default(), precision="fp32", threads=1)
        left = count // 4
        while left > 0:
            latent = pipeline.sample(min(50, left), seed=2026, first=left)
            left -= 50
            for picture in pipeline.sketch(latent).permute(0, 2, 3, 1).numpy():
                yield _enlarged(np.ascontiguousarray(picture))


def _marked_by_others(count: int, folder: Path | None) -> Iterator[Pixels]:
    """What the other programs marked: as it is, as JPEG, cut."""
    for name in MARKERS:
        for size in SIZES:
            path = place_of(name, size) / "marked.npy"
            if name == "limner" or not path.is_file():
                continue
            for i, marked in enumerate(np.load(path)):
                for attack in ("none", "JPEG 70", "crop 25 %"):
                    yield attacked(marked, attack, i)


def _marked_by_other_keys(count: int, folder: Path | None) -> Iterator[Pixels]:
    """Paintings marked by limner with keys that this reader has not: as they are and as JPEG."""
    paths = sorted((PAINTINGS / "img").iterdir())
    for i in range(count // 2):
        if i % 50 == 0:
            embedder = Embedder(f"key {i}".encode())
        own = pictures.read(paths[i % len(paths)]).pixels
        marked = embedder.embed(own, int(np.random.default_rng([4, i]).integers(0, 1 << 48)))
        yield marked
        yield attacked(marked, "JPEG 70", i)


def _patterns(count: int, folder: Path | None) -> Iterator[Pixels]:
    """What repeats as a mark does: stripes, checks, dots, and tiles of noise, many of them 64 px apart."""
    random = np.random.default_rng(5)
    rows, columns = np.mgrid[:_SIDE, :_SIDE].astype(np.float32)
    for i in range(count):
        step = 64 / random.integers(1, 12) if i % 2 else random.uniform(4, 64)
        angle = 0 if i % 3 == 0 else random.uniform(0, np.pi)
        along = (np.cos(angle) * columns + np.sin(angle) * rows) / step
        across = (np.cos(angle) * rows - np.sin(angle) * columns) / step
        if i % 4 == 3:
            tile = random.normal(128, random.uniform(5, 60), (64, 64))
            plane = np.tile(tile, (4, 4)) + random.normal(0, 3, (_SIDE, _SIDE))
        else:
            stripes = np.sin(2 * np.pi * along)
            kinds = (stripes, np.sign(stripes), np.sign(stripes * np.sin(2 * np.pi * across)))
            plane = 128 + random.uniform(5, 120) * kinds[i % 4] + random.normal(0, 1, (_SIDE, _SIDE))
        yield np.repeat(np.clip(plane, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


SOURCES: dict[str, tuple[int, Source]] = {
    "crops of paintings": (7000, _paintings),
    "crops of photographs": (4662, _photographs),
    "emoji": (3000, _emoji),
    "painted by limner's models": (3000, _painted),
    "marked by other programs": (600, _marked_by_others),
    "marked by limner with other keys": (1200, _marked_by_other_keys),
    "stripes, checks and repeated tiles": (1000, _patterns),
}
"""Where pictures come from, and about how many."""


def false_alarms(folder: Path | None, *, share: float, again: bool) -> dict[str, Any]:
    """Read them all; what was read already is not repeated.

    Args:
        folder: of photographs.
        share: of each source's pictures, to try things out.
        again: repeat what is there.
    """
    _PLACE.mkdir(parents=True, exist_ok=True)
    found = {}
    for name, (count, source) in SOURCES.items():
        path = _PLACE / f"{name.replace(' ', '-')}.npz"
        if again:
            path.unlink(missing_ok=True)
        heard = _kept(path)
        if not heard["done"]:
            heard = _heard(name, source(round(count * share), folder), heard, path)
        found[name] = heard
    return _told(found)


def _kept(path: Path) -> Heard:
    """What a source gave so far; nothing, where it was not begun."""
    if not path.is_file():
        return {"guessed": np.zeros(0), "searched": np.zeros(0), "messages": np.zeros(0), "done": np.array(False)}
    with np.load(path) as kept:
        return {"done": np.array(True)} | dict(kept)


def _heard(name: str, shown: Iterator[Pixels], heard: Heard, path: Path) -> Heard:
    """Read what is left of a source, kept every few hundred pictures."""
    reader, began = Listener(), time.monotonic()
    messages: list[int] = []
    before = len(heard["guessed"])

    def keep(*, done: bool) -> Heard:
        now = {"guessed": reader.guessed, "searched": reader.searched, "messages": messages}
        told = {key: np.concatenate([heard[key], values]) for key, values in now.items()} | {"done": np.array(done)}
        with replace_file(path) as part, part.open("wb") as file:
            np.savez(file, **told)  # type: ignore[arg-type]
        return told

    for i, pixels in enumerate(itertools.islice(shown, before, None), start=1):
        if reader.read(pixels).message is not None:
            messages.append(before + i)
        if i % _KEPT == 0:
            rate = i / (time.monotonic() - began)
            print(f"false alarms, {name}: {before + i}, {len(messages)} told a message, {rate:.0f}/s", file=sys.stderr)
            keep(done=False)
    return keep(done=True)


def _told(found: dict[str, Heard]) -> dict[str, Any]:
    """Counts, and the rate that follows from how often pilots pass and how often a check holds by chance."""
    by = {name: _counted(one) for name, one in found.items() if len(one["guessed"])}
    whole = _counted({key: np.concatenate([one[key] for one in found.values()]) for key in ("messages", *THRESHOLDS)})
    count = whole["pictures"]
    rate = sum(whole[way]["passed"] for way in THRESHOLDS) / count * _CHECK
    return {
        "by_source": by,
        "all": whole,
        "share_with_a_message_below": _NEVER / count if whole["messages"] == 0 else None,
        "rate_argued": rate,
        "rate_argued_below": sum(_above(whole[way]["passed"], count) for way in THRESHOLDS) * _CHECK,
    }


def _above(seen: int, count: int) -> float:
    """Upper end of the 95 % interval of a share (Clopper and Pearson 1934)."""
    from scipy.stats import beta

    return float(beta.ppf(0.975, seen + 1, count - seen))


def _counted(one: Heard) -> dict[str, Any]:
    told: dict[str, Any] = {"pictures": len(one["guessed"]), "messages": len(one["messages"])}
    for way, threshold in THRESHOLDS.items():
        values = one[way]
        told[way] = {
            "threshold": threshold,
            "passed": int((values >= threshold).sum()),
            "median": float(np.median(values)),
            "highest": float(values.max()),
            "above": {f"{level:g}": int((values >= level).sum()) for level in (3.5, 4.0, 4.5, 5.0, 5.5, 6.0)},
        }
    return told
