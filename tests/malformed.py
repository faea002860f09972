"""A thousand malformed pictures: samples of each format, changed by a fixed seed; run as a program it reads them all.

Prints one JSON line: how many were refused, by kind, and how many were taken; the slowest; the peak of memory; what
was taken with another size than its header says.
"""

from __future__ import annotations

import io
import json
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from limner.errors import PictureError
from limner.pictures import decode, look
from limner.pictures.plugins import extra_formats
from odd_pictures import painting

__all__ = ["COUNT", "malformed"]

COUNT = 1000


def _samples() -> dict[str, bytes]:
    extra_formats()
    image = painting(5, 96, 80)
    clear = image.copy()
    clear.putalpha(Image.linear_gradient("L").resize(image.size))
    made: dict[str, tuple[Image.Image, str, dict[str, Any]]] = {
        "jpeg": (image, "JPEG", {"quality": 85}),
        "progressive jpeg": (image, "JPEG", {"quality": 85, "progressive": True}),
        "png": (clear, "PNG", {}),
        "palette png": (image.quantize(64), "PNG", {}),
        "webp": (image, "WEBP", {"quality": 80}),
        "lossless webp": (clear, "WEBP", {"lossless": True}),
        "avif": (image, "AVIF", {"quality": 70}),
        "gif": (image, "GIF", {}),
        "bmp": (image, "BMP", {}),
        "tiff": (image, "TIFF", {}),
        "lzw tiff": (image, "TIFF", {"compression": "tiff_lzw"}),
        "jpeg tiff": (image, "TIFF", {"compression": "jpeg"}),
        "deflate tiff": (image, "TIFF", {"compression": "tiff_adobe_deflate"}),
        "cmyk tiff": (image.convert("CMYK"), "TIFF", {}),
        "heic": (image, "HEIF", {"quality": 80}),
        "jpeg xl": (image, "JXL", {"quality": 85}),
    }
    samples = {}
    for name, (picture, format, options) in made.items():
        data = io.BytesIO()
        picture.save(data, format, **options)
        samples[name] = data.getvalue()
    return samples


def malformed(count: int = COUNT, seed: int = 21) -> Iterator[tuple[str, bytes]]:
    """Pairs of a name and bytes; the same for the same seed."""
    samples, dice = _samples(), random.Random(seed)
    names = sorted(samples)
    for number in range(count):
        name = names[number % len(names)]
        yield name, _changed(bytearray(samples[name]), dice)


def _changed(data: bytearray, dice: random.Random) -> bytes:
    size, way = len(data), dice.choice(["bits", "bytes", "head", "zeros", "cut", "insert", "again", "swap", "longer"])
    at, other = dice.randrange(size), dice.randrange(size)
    if way == "bits":
        for _ in range(dice.choice([1, 3, 20])):
            data[dice.randrange(size)] ^= 1 << dice.randrange(8)
    elif way == "bytes":
        for _ in range(dice.choice([1, 4, 30])):
            data[dice.randrange(size)] = dice.randrange(256)
    elif way == "head":
        for _ in range(dice.choice([1, 2, 4])):
            data[dice.randrange(min(size, 200))] = dice.choice([0, 1, 127, 128, 255, dice.randrange(256)])
    elif way == "zeros":
        data[at : at + dice.choice([4, 64, 1000])] = bytes(min(size - at, 64))
    elif way == "cut":
        del data[at:]
    elif way == "insert":
        data[at:at] = dice.randbytes(dice.choice([1, 4, 100]))
    elif way == "again":
        data[at:at] = data[at : at + dice.choice([8, 100])]
    elif way == "swap":
        data[at], data[other] = data[other], data[at]
    else:
        data += dice.randbytes(100)
    return bytes(data)


def main() -> None:
    """Read them all."""
    verdicts: Counter[str] = Counter()
    slowest, wrong = 0.0, []
    for name, data in malformed():
        began = time.monotonic()
        try:
            size, pixels = look(data, name), decode(data, name).pixels
        except PictureError as error:
            verdicts[error.kind] += 1
            assert "\n" not in str(error)
        else:
            verdicts["taken"] += 1
            if pixels.dtype != np.uint8 or sorted(pixels.shape[:2]) != sorted((size.height, size.width)):
                wrong.append(name)
        slowest = max(slowest, time.monotonic() - began)
    print(json.dumps({"verdicts": verdicts, "slowest": slowest, "peak": _peak(), "wrong": wrong}))


def _peak() -> int:
    """The most memory that this program held, in bytes; what its parent held before it began is not counted."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main()
