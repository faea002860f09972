"""What a forger, or only a careless person, does to a signed work: one flipped byte, and saving it again."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from limner import pictures
from limner.workspace import replace_file

_REACH, _TRIES = 4096, 120


@dataclass(frozen=True)
class Flip:
    """The byte that was changed.

    Attributes:
        position: counted from 0.
    """

    position: int
    before: int
    after: int
    size: int


def flip_byte(source: Path, target: Path) -> Flip:
    """Copy a signed PNG with one byte of its picture data changed by one bit.

    Of a few bytes ever nearer to the end, the first is taken with which forgiving viewers still show a picture: most
    others break the compression of all that follows them, and a large picture takes long to try.
    """
    data = source.read_bytes()
    start, length = _last_picture_data(data)
    reach = min(length // 2, _REACH)
    tried = [start + length - 1 - max(8, round(reach * 0.95**step)) for step in range(_TRIES)]
    position = next((one for one in tried if seen_by_a_viewer(_flipped(data, one)) is not None), tried[-1])
    changed = _flipped(data, position)
    with replace_file(target) as part:
        part.write_bytes(changed)
    return Flip(position, data[position], changed[position], len(data))


def save_again(source: Path, target: Path) -> None:
    """Open a picture and save it as another file, as an editor or a messenger does: the pixels go on, papers do not."""
    pictures.write(pictures.read(source).pixels, target, quality=90)


def seen_by_a_viewer(data: bytes) -> NDArray[np.uint8] | None:
    """What a viewer that forgives damage shows of a file; None where it shows nothing. # uint8 [h, w, 3]"""
    try:
        with Image.open(BytesIO(data)) as image:
            pixels: NDArray[np.uint8] = np.asarray(image.convert("RGB"))
    except (OSError, ValueError, SyntaxError):
        return None
    return pixels


def _flipped(data: bytes, position: int) -> bytes:
    return data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]


def _last_picture_data(data: bytes) -> tuple[int, int]:
    name = data.rindex(b"IDAT")
    return name + 4, int.from_bytes(data[name - 4 : name], "big")
