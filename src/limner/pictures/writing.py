"""The door out: 8-bit sRGB becomes a PNG, JPEG, WebP or AVIF file, with XMP inside where it is given."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from limner.errors import UsageError
from limner.pictures.structure import MEDIA_TYPES
from limner.workspace import replace_file

FORMATS: dict[str, str] = {name: MEDIA_TYPES[name] for name in ("avif", "jpeg", "png", "webp")}
"""What limner writes, with the media type of each."""

_OTHER_NAMES = {"jpg": "jpeg", "jpe": "jpeg", "jfif": "jpeg"}
_MAX_SIDE = {"avif": 65536, "jpeg": 65500, "png": 2**31 - 1, "webp": 16383}
_MAX_JPEG_XMP = 65502  # bytes in one APP1 segment after its name


def format_of(name: str | os.PathLike[str]) -> str:
    """The format that a format's name (`jpg`, `PNG`) or a file's ending asks for.

    Raises:
        UsageError: limner does not write that format.
    """
    text = os.fspath(name)
    short = (Path(text).suffix or text).lstrip(".").lower()
    format = _OTHER_NAMES.get(short, short)
    if format not in FORMATS:
        raise UsageError(text, "is no format that limner writes", f"choose one of {', '.join(sorted(FORMATS))}")
    return format


def encode(
    pixels: NDArray[np.uint8],
    format: str,
    *,
    quality: int = 90,
    lossless: bool = False,
    xmp: bytes | None = None,
    quick: bool = False,
) -> bytes:
    """The bytes of a picture file.

    Args:
        pixels: uint8, [height, width, 3], sRGB.
        format: one of `FORMATS` (`jpg` is understood).
        quality: 1 to 100, for JPEG, WebP and AVIF; PNG is lossless.
        lossless: whether a WebP keeps every pixel as it is.
        quick: whether a PNG is written in half of the time; it is then 2 % larger.

    Raises:
        UsageError: another format, a quality out of range, a side or a packet too long for the format.
        ValueError: `pixels` is no uint8 array of shape [height, width, 3].
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
        raise ValueError(f"pixels must be uint8 [height, width, 3], not {pixels.dtype} {list(pixels.shape)}")
    format = format_of(format)
    if not 1 <= quality <= 100:
        raise UsageError(f"quality {quality}", "is out of range", "choose 1 to 100")
    if max(pixels.shape) > _MAX_SIDE[format]:
        raise UsageError(
            f"{pixels.shape[1]}x{pixels.shape[0]}",
            f"a {format} has at most {_MAX_SIDE[format]} pixels a side",
            "use png",
        )
    buffer = BytesIO()
    options = _options(format, quality, lossless, xmp) | ({"compress_level": 2} if quick and format == "png" else {})
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, format.upper(), **options)
    return buffer.getvalue()


def write(pixels: NDArray[np.uint8], path: Path, *, quality: int = 90, xmp: bytes | None = None) -> None:
    """Write a picture beside `path` and move it into place; the file's ending says the format.

    Args:
        path: ends in .png, .jpg, .jpeg, .webp or .avif; its folder exists.
        quality: as in `encode`.
        xmp: as in `encode`.

    Raises:
        UsageError: as `encode` does, or the place cannot be written to.
    """
    data = encode(pixels, format_of(path), quality=quality, xmp=xmp)
    try:
        with replace_file(path) as part:
            part.write_bytes(data)
    except OSError as error:
        raise UsageError(path, f"cannot be written ({error.strerror})", "choose another place") from error


def _options(format: str, quality: int, lossless: bool, xmp: bytes | None) -> dict[str, Any]:
    if format == "png":
        if xmp is None:
            return {}
        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", xmp.decode("utf-8"))
        return {"pnginfo": info}
    if format == "jpeg" and xmp is not None and len(xmp) > _MAX_JPEG_XMP:
        raise UsageError(f"XMP of {len(xmp)} bytes", f"a jpeg holds at most {_MAX_JPEG_XMP}", "use png, webp or avif")
    options: dict[str, Any] = {"quality": quality}
    if format == "webp" and lossless:
        options |= {"lossless": True, "exact": True}
    if xmp is not None:
        options["xmp"] = xmp
    if format == "jpeg" and quality >= 90:
        options["subsampling"] = 0  # thin coloured lines stay coloured
    return options
