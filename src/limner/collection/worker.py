"""The program that reads pictures for an import: one line of JSON in, one out, in a process of its own.

A process, so that a file made to hang, crash or fill a decoder ends this program and not the import. What it costs is
bounded: processor seconds by the size of the picture, memory by a limit, and of large pictures one at a time.

Run as `python -P -m limner.collection.worker FOLDER ROOT RED GREEN BLUE`.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import hashlib
import json
import math
import os
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from limner.collection.copies import thumbnail
from limner.collection.likeness import hash_look, hash_pixels
from limner.collection.store import stored_path
from limner.errors import PictureError
from limner.pictures import Picture, decode, look, open_file
from limner.pictures.files import Data
from limner.rights import Embedded, read_embedded

_LEAST_SECONDS = 5
_SECONDS_PER_MEGAPIXEL = 0.5
_LARGE = 25_000_000  # pixels; above this a worker waits until it is the only one with such a picture
_MEMORY = 4 << 30
_LARGEST_SIDECAR = 4 << 20
_ENDINGS = {"jpg": "jpeg", "jpe": "jpeg", "jfif": "jpeg", "tif": "tiff", "dib": "bmp", "heic": "heif", "hif": "heif"}
"""Formats that files are named after in other words."""


def main() -> None:
    """Read requests `{"path", "name", "sidecars"}` from standard input until it ends; answer on standard output."""
    folder, root, colour = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:6]
    background = int(colour[0]), int(colour[1]), int(colour[2])
    _limit_memory()
    _say({"ready": True})
    for line in sys.stdin:
        request = json.loads(line)
        _allow_seconds(_LEAST_SECONDS)
        try:
            answer = _examined(Path(request["path"]), request["name"], request["sidecars"], root, folder, background)
        except PictureError as error:
            answer = {"refused": error.kind, "reason": error.reason}
        except MemoryError:
            answer = {"refused": "too-large", "reason": "does not fit into memory"}
        except OSError as error:  # of writing; what goes wrong in reading is a PictureError
            answer = {"fatal": error.strerror or str(error)}
        _say(answer)


def _examined(
    path: Path, name: str, sidecars: Sequence[str], root: Path, folder: Path, background: tuple[int, int, int]
) -> dict[str, Any]:
    """What is to know about one picture, which is now stored in `folder`."""
    data = open_file(path, root=root)
    size = look(data, name)
    area = size.width * size.height
    _allow_seconds(max(_LEAST_SECONDS, _SECONDS_PER_MEGAPIXEL * area / 1e6))
    with _alone(folder) if area > _LARGE else contextlib.nullcontext():
        picture = decode(data, name, background=background)
        pixel_sha256 = hash_pixels(picture.pixels)
        _store(picture.pixels, pixel_sha256, folder)
        height, width, _ = picture.pixels.shape
        return {
            "file_sha256": hashlib.sha256(data).hexdigest(),
            "pixel_sha256": pixel_sha256,
            "width": width,
            "height": height,
            "format": picture.format,
            "phash": hash_look(picture.pixels),
            "embedded": asdict(_embedded(data, picture, sidecars, root)),
            "thumbnail": base64.b64encode(thumbnail(picture.pixels).tobytes()).decode(),
            "notes": [*picture.notes, *_misnamed(name, picture.format)],
        }


def _embedded(data: Data, picture: Picture, sidecars: Sequence[str], root: Path) -> Embedded:
    """What the file and the XMP files beside it say of its rights; one that cannot be read holds the picture."""
    read, unreadable = [], []
    for sidecar in sidecars:
        try:
            read.append(bytes(open_file(sidecar, root=root)[: _LARGEST_SIDECAR + 1]))
        except PictureError as error:
            unreadable.append(f"XMP file beside it that {error.reason}")
    found = read_embedded(data, picture, read)
    found.held += unreadable
    return found


def _misnamed(name: str, format: str) -> list[str]:
    _, dot, ending = name.rpartition("/")[2].lower().rpartition(".")
    if not dot:
        return [f"named without an ending, is {format}"]
    return [] if _ENDINGS.get(ending, ending) == format else [f"named .{ending[:20]}, is {format}"]


def _store(pixels: NDArray[np.uint8], pixel_sha256: str, folder: Path) -> None:
    height, width, _ = pixels.shape
    place = stored_path(folder, pixel_sha256, width, height)
    if place.exists():
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_name(f".{place.name}.{os.getpid()}.part")
    webp = place.suffix == ".webp"
    how: dict[str, Any] = {"lossless": True, "quality": 0, "method": 0} if webp else {"compress_level": 1}
    Image.fromarray(pixels).save(part, "WEBP" if webp else "PNG", **how)
    part.replace(place)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait until no other worker has a large picture; the lock ends with the process that holds it."""
    with (folder / "large.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _allow_seconds(seconds: float) -> None:
    """End this process when it uses more processor time than this from now on (waiting for others does not count)."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    limit = math.ceil(time.process_time() + seconds)
    if hard == resource.RLIM_INFINITY or limit < hard:
        resource.setrlimit(resource.RLIMIT_CPU, (limit, hard))


def _limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    with contextlib.suppress(ValueError, OSError):  # not every system keeps this limit
        limit = _MEMORY if hard == resource.RLIM_INFINITY else min(_MEMORY, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def _say(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        main()
