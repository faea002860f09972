"""Is a work found again without its papers, is nothing found that was never published, and how fast.

Works: emoji, paintings, windows of paintings, and pictures painted by the shipped models. Copies: each attack once.
Strangers: pictures of the same kinds that were never registered; emoji and paintings of one model are hard on purpose,
since many are nearly the same.
"""

from __future__ import annotations

import io
import json
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.places import RESULTS, WORK
from bench.registry_strangers import is_same_drawing, many_strangers, photographed, squares
from limner.collection.likeness import hash_pixels
from limner.papers.registry import fingerprints
from limner.papers.registry.fingerprints import fingerprints_of, pack_thumbnail
from limner.papers.registry.index import Index
from limner.papers.registry.registry import Registry
from limner.papers.registry.store import Edition
from limner.workspace import Workspace, replace_file

__all__ = ["registry", "strangers"]

Pixels = NDArray[np.uint8]
_MODELS = {"landscapes": 5000, "emoji-gan": 5000, "emoji-vae": 256}
_SEED = 20261123
_NEW = {"landscapes": 8000, "emoji-gan": 6000}
"""Strangers that are painted with another seed."""
_STRANGERS = 256  # of each model
_WINDOWS = "windows of paintings"


def registry(data: Path, count: int = 100_000, copies: int = 50, strangers: int = 400, rows: int = 1_000_000) -> Path:
    """Measure all of it and write `results/registry.json`.

    Args:
        data: folder of `paintings`, `emoji-styles` and `emoji-people`.
        count: works that are registered.
        copies: works of each kind that are looked for after each attack.
        strangers: unregistered pictures of each kind that are looked for.
        rows: synthetic works for the time of a look-up.
    """
    rng = np.random.default_rng(_SEED)
    works, unknown = _pictures(data, count, rng)
    held = _registered(works, count)
    names = list(works)
    told: dict[str, Any] = {"works": {name: len(works[name]) for name in names}}
    print(told, flush=True)
    told["copies"] = {name: _found(held, name, works[name], copies, rng) for name in names}
    told["strangers"] = {name: _false(held, pictures[:strangers]) for name, pictures in unknown.items()}
    told["look-up"] = {"works": len(held), **_timed(held, [one for name in names for one in works[name][:9]])}
    told["publishing"] = _publishing()
    told["a million"] = _million(rows, works)
    RESULTS.mkdir(parents=True, exist_ok=True)
    with replace_file(RESULTS / "registry.json") as part:
        part.write_text(json.dumps(told, indent=1) + "\n")
    return RESULTS / "registry.json"


def _attacks() -> dict[str, Callable[[Image.Image], Image.Image]]:
    def codec(kind: str, quality: int) -> Callable[[Image.Image], Image.Image]:
        def again(image: Image.Image) -> Image.Image:
            packed = io.BytesIO()
            image.save(packed, kind, quality=quality)
            with Image.open(packed) as read:
                return read.convert("RGB")

        return again

    def crop(kept: float) -> Callable[[Image.Image], Image.Image]:
        """Off the centre, as in the table of the watermark."""

        def cut(image: Image.Image) -> Image.Image:
            (w, h), (cw, ch) = image.size, (round(image.width * kept), round(image.height * kept))
            x, y = (w - cw) // 2 + (w - cw) // 7, (h - ch) // 2 - (h - ch) // 9
            return image.crop((x, y, x + cw, y + ch))

        return cut

    def both(image: Image.Image) -> Image.Image:
        return codec("JPEG", 50)(crop(0.9)(image))

    return {
        "crop 10 %": crop(0.9),
        "JPEG 50": codec("JPEG", 50),
        "WebP 80": codec("WEBP", 80),
        "x0.75": lambda image: image.resize((round(image.width * 0.75), round(image.height * 0.75)), 1),
        "mirrored": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        "crop 10 %, JPEG 50": both,
        "crop 25 %": crop(0.75),
    }


def _pictures(data: Path, count: int, rng: np.random.Generator) -> tuple[dict[str, list[Pixels]], dict[str, Any]]:
    """Works and strangers by kind; windows of paintings fill the works up to `count`."""
    works: dict[str, list[Pixels]] = {}
    unknown: dict[str, list[Pixels]] = {}
    for name, registered, left_out in _dealt(data, rng):
        works[name], unknown[name] = [_read(path) for path in registered], [_read(path) for path in left_out]
    for model, made in _MODELS.items():
        painted = _painted(model, made + _STRANGERS)
        works[model], unknown[model] = painted[:made], painted[made:]
    missing = count - sum(len(one) for one in works.values())
    works[_WINDOWS] = list(_windows(works["paintings"], missing, rng))
    _leave_out_twins(works, unknown)
    unknown[_WINDOWS] = list(_windows(unknown["paintings"], 1000, rng))
    return works, unknown


def _dealt(data: Path, rng: np.random.Generator) -> Iterator[tuple[str, list[Path], list[Path]]]:
    """Of each kind of pictures the files that are registered, and those that are left out."""
    for name, folder, left_out in (
        ("paintings", "paintings", 60),
        ("emoji", "emoji-styles", 1000),
        ("people", "emoji-people", 1000),
    ):
        paths = sorted(path for path in (data / folder).rglob("*") if path.suffix in (".jpg", ".png"))
        mixed = [paths[i] for i in rng.permutation(len(paths))]
        yield name, mixed[left_out:], mixed[:left_out]


def strangers(data: Path, folder: Path | None, count: int = 100_000, workers: int = 1) -> Path:
    """Count false matches alone, among 30,000 strangers and more, and write them into `results/registry.json`.

    Args:
        data, count: as in `registry`, whose registered works must be there already.
        folder: of photographs.
        workers: processes at a time.
    """
    unknown: dict[str, Sequence[Pixels]] = {}
    for name, _, left_out in _dealt(data, np.random.default_rng(_SEED)):
        read = [_read(path) for path in left_out]
        unknown[name] = list(squares(map(Image.fromarray, read), (2, 3, 4, 5))) if name == "paintings" else read
    if folder is not None:
        unknown["photographs"] = list(squares(photographed(folder), (3, 4, 6, 8, 10)))
    for model, made in _NEW.items():
        unknown[model] = _painted(model, made, seed=13)
    print({name: len(ones) for name, ones in unknown.items()}, flush=True)
    told = json.loads((RESULTS / "registry.json").read_text())
    told["many strangers"] = many_strangers(_place(count), unknown, _attacks(), workers)
    with replace_file(RESULTS / "registry.json") as part:
        part.write_text(json.dumps(told, indent=1) + "\n")
    return RESULTS / "registry.json"


def _leave_out_twins(works: dict[str, list[Pixels]], unknown: dict[str, list[Pixels]]) -> None:
    """Drop strangers that are a registered picture pixel for pixel: the two sets of emoji share some."""
    known = {hash_pixels(picture) for pictures in works.values() for picture in pictures if len(picture) != 64}
    for name, pictures in unknown.items():
        unknown[name] = [picture for picture in pictures if hash_pixels(picture) not in known]


def _read(path: Path) -> Pixels:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def _painted(model: str, count: int, seed: int = 12) -> list[Pixels]:
    """Pictures of a shipped model, kept between runs: painting them takes longest."""
    kept = WORK / "registry" / (f"{model}-{count}.npy" if seed == 12 else f"{model}-{count}-of-{seed}.npy")
    if not kept.exists():
        from limner.latent.pipeline import Pipeline

        pipeline = Pipeline.open(model, Workspace.default(), threads=1)
        chunks = [
            pipeline.sketch(pipeline.sample(min(128, count - start), seed=seed, first=start))
            .permute(0, 2, 3, 1)
            .numpy()
            for start in range(0, count, 128)
        ]
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.save(kept, np.concatenate(chunks))
    return list(np.load(kept))


def _windows(paintings: Sequence[Pixels], count: int, rng: np.random.Generator) -> Iterator[Pixels]:
    """Windows of 30 to 60 % of the shorter side, at 64 px."""
    for i in range(count):
        picture = Image.fromarray(paintings[i % len(paintings)])
        side = min(picture.size) * rng.uniform(0.3, 0.6)
        x, y = rng.uniform(0, picture.width - side), rng.uniform(0, picture.height - side)
        yield np.asarray(picture.resize((64, 64), Image.Resampling.BILINEAR, box=(x, y, x + side, y + side)))


def _registered(works: dict[str, list[Pixels]], count: int) -> Registry:
    """A registry of the works, kept between runs while fingerprints stay what they are."""
    path = _place(count)
    held = Registry(path, path.with_suffix(".index"))
    if len(held):
        return held
    number = 0
    editions = []
    blank = Edition(0, "", "", "", "", "", "", "", "", b"", b"")
    for name, pictures in works.items():
        for i, pixels in enumerate(pictures):
            prints = fingerprints_of(pixels)
            number += 1
            packed = pack_thumbnail(prints.thumbnail)
            found: dict[str, Any] = {"look": prints.look, "layout": prints.layout, "thumbnail": packed}
            editions.append(replace(blank, work=number, title=f"{name} {i}", **found))
    held.add(editions)
    return held


def _place(count: int) -> Path:
    made_by = sha256(Path(fingerprints.__file__).read_bytes()).hexdigest()[:8]
    return WORK / "registry" / f"works-{count}-{made_by}.sqlite"


def _found(held: Registry, name: str, works: list[Pixels], count: int, rng: np.random.Generator) -> dict[str, Any]:
    """Share of copies for which the work is found, alone or among others that look nearly the same."""
    chosen = rng.permutation(len(works))[:count]
    told: dict[str, Any] = {"works": len(chosen)}
    for attack, change in _attacks().items():
        right = among = wrong = 0
        for i in chosen:
            match = held.find(np.asarray(change(Image.fromarray(works[i]))))
            if match is None:
                continue
            good = match.edition.title == f"{name} {i}" or is_same_drawing(match.edition, works[i])
            right, among, wrong = right + good, among + (good and match.others > 0), wrong + (not good)
        told[attack] = {"found": right, "of these with others": among, "another work": wrong}
        print(name, attack, told[attack], flush=True)
    return told


def _false(held: Registry, pictures: Sequence[Pixels]) -> dict[str, Any]:
    """Strangers that are taken for a work, and how near the others come: their best score, 1 being the limit."""
    scores, twins = [], 0
    for pixels in pictures:
        laid = held.compared(fingerprints_of(pixels))
        score = min((seen.score for seen, _ in laid), default=99.0)
        match = held.find(pixels) if score <= 1 else None
        if match is not None and is_same_drawing(match.edition, pixels):
            twins += 1
        else:
            scores.append(score)
    found = np.sort(scores)
    at = {f"below {limit}": int((found <= limit).sum()) for limit in (1, 1.25, 1.5, 2, 3)}
    print(at, flush=True)
    told = {"strangers": len(scores), "left out as the same drawing": twins, "taken for a work": at["below 1"]}
    return {**told, **at, "lowest": found[:5].round(2).tolist()}


def _timed(held: Registry, pictures: Sequence[Pixels]) -> dict[str, float]:
    """Processor seconds of one look-up, its second look included: the median, and 95 % of them are faster."""
    seconds = []
    for pixels in pictures:
        start = time.process_time()
        held.find(pixels)
        seconds.append(time.process_time() - start)
    return {"median": float(np.median(seconds)), "95 %": float(np.percentile(seconds, 95))}


def _publishing(count: int = 192) -> dict[str, float]:
    """Processor milliseconds a work of 64 px, with the registry and without."""
    from limner.ledger import Ledger
    from limner.papers import Identity, Provenance, Publisher

    told: dict[str, float] = {}
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    for name in ("with", "without"):
        with tempfile.TemporaryDirectory() as folder:
            workspace = Workspace(Path(folder))
            identity = Identity.new(workspace, "Bench")
            held = Registry(workspace.registry) if name == "with" else None
            paper = Provenance("t", "c", "m", "sha256:0", "gan", "c", "sha256:1", "sha256:2")
            with Publisher(identity, Ledger.open(workspace.ledger), registry=held) as ready:
                ready.publish(picture, Path(folder) / "first.png", paper)
                start, clock = time.process_time(), time.perf_counter()
                ready.publish_many((picture, Path(folder) / f"{i}.png", paper) for i in range(count))
                told[f"{name} the registry, ms"] = 1000 * (time.process_time() - start) / count
                told[f"{name} the registry, works a second here"] = count / (time.perf_counter() - clock)
    start = time.process_time()
    for _ in range(count):
        pack_thumbnail(fingerprints_of(picture).thumbnail)
    told["of it fingerprints, ms"] = 1000 * (time.process_time() - start) / count
    print(told, flush=True)
    return told


def _million(rows: int, works: dict[str, list[Pixels]]) -> dict[str, Any]:
    """A look-up among synthetic works: hashes of real ones with bits changed at random, thumbnails of real ones."""
    rng = np.random.default_rng(1)
    real = [picture for name in works for picture in works[name][:300]]
    prints = [one for one in (fingerprints_of(picture) for picture in real) if one.layout and one.look]
    layouts, looks = (
        np.frombuffer(b"".join(part), np.uint8).reshape(-1, 32)
        for part in zip(*((one.layout or b"", one.look or b"") for one in prints), strict=True)
    )
    small = [pack_thumbnail(one.thumbnail) for one in prints]
    with tempfile.TemporaryDirectory(prefix="limner-million-") as folder:
        path = Path(folder) / "registry.sqlite"
        held = Registry(path, Path(folder) / "index")
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA synchronous=OFF")
        insert = (
            "INSERT INTO editions (work, digest, title, creator, time, path, signer, signer_name, model, latent, look,"
            " mirror, layout, thumbnail, manifest) VALUES (?, ?, '', '', '', '', '', '', '', '', ?, NULL, ?, ?, x'')"
        )
        for start in range(0, rows, 50_000):
            which = rng.integers(0, len(prints), 50_000)
            noise = rng.integers(0, 256, (2, 50_000, 32), dtype=np.uint8) & rng.integers(
                0, 256, (2, 50_000, 32), dtype=np.uint8
            )
            made = layouts[which] ^ noise[0], looks[which] ^ noise[1]
            connection.executemany(
                insert,
                (
                    (start + i, f"{start + i}", made[1][i].tobytes(), made[0][i].tobytes(), small[which[i]])
                    for i in range(50_000)
                ),
            )
            connection.commit()
        connection.close()
        started = time.process_time()
        held.find(real[0])
        built = time.process_time() - started
        index = Path(folder) / "index"
        size = sum(one.stat().st_size for one in index.iterdir())
        started = time.process_time()
        Index.load(index, json.loads((index / "index.json").read_text())["token"])
        told: dict[str, Any] = {
            "rows": rows,
            "index built, s": built,
            "index, MB": size / 1e6,
            "index loaded, s": time.process_time() - started,
        }
        told["look-up, s"] = _timed(held, real[:: max(1, len(real) // 100)])
        told["candidates kept"] = _kept(held, rng)
    print(told, flush=True)
    return told


def _kept(held: Registry, rng: np.random.Generator) -> float:
    """Share of works that the index finds by one hash of which 24 bits were changed."""
    found = []
    for edition in held.latest(300):
        bits = np.unpackbits(np.frombuffer(edition.layout or b"", np.uint8))
        bits[rng.permutation(len(bits))[:24]] ^= 1
        found.append(edition.id in held.candidates_near(np.packbits(bits).tobytes(), 56))
    return float(np.mean(found))
