"""Runs one watermark, in its program's own environment: embeds, attacks, reads, and leaves what was read.

    python -m bench.peers.watermarks PROGRAM --pictures FILE --to FOLDER

Leaves `marked.npy` and `run.json`. Besides the program it needs NumPy and Pillow only.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bench.attacks import LISTS, attacked
from bench.likeness import psnr, ssim

__all__ = ["MARKS", "Mark", "main", "message_of"]

Pixels = NDArray[np.uint8]


class Mark(Protocol):
    """One way to mark a picture."""

    bits: int
    """How many a message has."""
    choices: list[str]
    """Where it was not run as it comes, each with the reason."""

    def embed(self, pixels: Pixels, message: int) -> Pixels:
        """The picture, marked. # uint8 [h, w, 3], sRGB"""
        ...

    def read(self, pixels: Pixels) -> int | None:
        """The message; None where the program says that there is none, or refuses the picture."""
        ...


class InvisibleWatermark:
    """invisible-watermark 0.2.0.

    Args:
        method: `dwtDctSvd` or `rivaGan`.
    """

    def __init__(self, method: str) -> None:
        import imwatermark

        self.method, self.bits = method, 32 if method == "rivaGan" else 48
        self.choices = [f"{self.bits} bits, no check of its own: it always answers"]
        self._encoder, self._decoder = imwatermark.WatermarkEncoder(), imwatermark.WatermarkDecoder("bits", self.bits)
        if method == "rivaGan":
            self.choices.append("32 bits are all it takes; its network on one thread")
            _one_thread()
            self._encoder.loadModel()

    def embed(self, pixels: Pixels, message: int) -> Pixels:
        """By its encoder, on BGR as it asks."""
        self._encoder.set_watermark("bits", _bits(message, self.bits))
        found: Pixels = self._encoder.encode(_turned(pixels), self.method)[..., ::-1].astype(np.uint8)
        return np.ascontiguousarray(found)

    def read(self, pixels: Pixels) -> int | None:
        """By its decoder; it refuses less than 256 x 256 pixels."""
        try:
            return _number(self._decoder.decode(_turned(pixels), self.method))
        except RuntimeError:
            return None


class BlindWatermark:
    """blind-watermark 0.4.4, its passwords left at 1."""

    bits = 48

    def __init__(self) -> None:
        from blind_watermark import WaterMark, bw_notes

        bw_notes.close()
        self._made = WaterMark
        self.choices = ["48 bits, no check of its own: it always answers; its result rounded to bytes"]

    def embed(self, pixels: Pixels, message: int) -> Pixels:
        """By `embed`, on BGR as it asks."""
        mark = self._made()
        mark.read_img(img=_turned(pixels))
        mark.read_wm(_bits(message, self.bits), mode="bit")
        return np.ascontiguousarray(np.clip(np.rint(mark.embed()), 0, 255).astype(np.uint8)[..., ::-1])

    def read(self, pixels: Pixels) -> int | None:
        """By `extract`, told how many bits there are."""
        return _number(self._made().extract(embed_img=_turned(pixels), wm_shape=self.bits, mode="bit"))


def _one_thread() -> None:
    """Networks opened from now on compute on one thread; the program gives no way to ask for it."""
    import onnxruntime

    opened: Callable[..., Any] = onnxruntime.InferenceSession

    def alone(path: str) -> Any:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        return opened(path, options)

    onnxruntime.InferenceSession = alone


MARKS: dict[str, tuple[str, str, tuple[Any, ...], tuple[str, ...]]] = {
    "limner": ("bench.limner_mark", "LimnerMark", (), ("numpy", "scipy", "pillow")),
    "dwtDctSvd": (__name__, "InvisibleWatermark", ("dwtDctSvd",), ("invisible-watermark", "opencv-python", "numpy")),
    "rivaGan": (__name__, "InvisibleWatermark", ("rivaGan",), ("invisible-watermark", "onnxruntime", "torch")),
    "blind-watermark": (__name__, "BlindWatermark", (), ("blind-watermark", "opencv-python", "numpy")),
}
"""Module, what makes the mark, its arguments, packages whose versions are told."""


def message_of(index: int, bits: int) -> int:
    """What picture number `index` is marked with."""
    return int(np.random.default_rng([2026, index]).integers(0, 1 << bits))


def _turned(pixels: Pixels) -> Pixels:
    """BGR. # [h, w, 3]"""
    return np.ascontiguousarray(pixels[..., ::-1])


def _bits(number: int, count: int) -> list[int]:
    return [number >> (count - 1 - i) & 1 for i in range(count)]


def _number(bits: Any) -> int:
    return int("".join(str(int(bit)) for bit in bits), 2)


def _timed(work: Callable[..., Any], *given: Any) -> tuple[Any, float]:
    """What it gives, and its milliseconds of the processor's time."""
    began = time.process_time()
    found = work(*given)
    return found, 1000 * (time.process_time() - began)


def run(program: str, pictures: Pixels) -> tuple[dict[str, Any], Pixels]:
    """Mark each picture, attack it, read it.

    Args:
        pictures: uint8 [n, h, w, 3].

    Returns:
        what was found, for JSON (of each reading 1 is exact, 0 none, -1 something else), and the marked pictures.
    """
    module, name, arguments, packages = MARKS[program]
    mark: Mark = getattr(importlib.import_module(module), name)(*arguments)
    mark.read(mark.embed(pictures[0], 1))  # warm
    names = [name for names in LISTS.values() for name in names]
    found: dict[str, Any] = {"psnr": [], "ssim": [], "embed_ms": [], "unmarked": [], "unmarked_ms": []}
    reads: dict[str, Any] = {name: {"read": [], "ms": []} for name in names}
    kept = []
    for index, pixels in enumerate(pictures):
        message = message_of(index, mark.bits)
        marked, spent = _timed(mark.embed, pixels, message)
        kept.append(marked)
        found["embed_ms"].append(spent)
        found["psnr"].append(psnr(pixels, marked))
        found["ssim"].append(ssim(pixels, marked))
        answer, spent = _timed(mark.read, pixels)
        found["unmarked"].append(0 if answer is None else -1)
        found["unmarked_ms"].append(spent)
        for name in names:
            seen = attacked(marked, name, index)
            answer, spent = _timed(mark.read, seen)
            reads[name]["read"].append(0 if answer is None else 1 if answer == message else -1)
            reads[name]["ms"].append(spent)
        print(f"{program}: {index + 1} of {len(pictures)}", flush=True)
    versions = {package: importlib.metadata.version(package) for package in packages}
    told = {"program": program, "bits": mark.bits, "choices": mark.choices, "versions": versions}
    return told | found | {"attacks": reads}, np.stack(kept)


def main() -> None:
    """Read the command line, run, leave the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", choices=sorted(MARKS))
    parser.add_argument("--pictures", type=Path, required=True, help="uint8 [n, h, w, 3] as .npy")
    parser.add_argument("--count", type=int, default=None, help="only the first so many")
    parser.add_argument("--to", type=Path, required=True)
    given = parser.parse_args()
    pictures: Pixels = np.load(given.pictures)
    given.to.mkdir(parents=True, exist_ok=True)
    found, marked = run(given.program, pictures[: given.count])
    np.save(given.to / "marked.npy", marked)
    (given.to / "run.json").write_text(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
