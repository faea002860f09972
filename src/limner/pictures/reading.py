"""The door in: any picture file becomes 8-bit sRGB, or is refused with a named reason."""

from __future__ import annotations

import io
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from mmap import mmap
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, UnidentifiedImageError

from limner.errors import PictureError
from limner.pictures.colour import UnsupportedDepthError, to_srgb
from limner.pictures.fields import names_in
from limner.pictures.files import Data, open_file
from limner.pictures.plugins import NAMES, extra_formats
from limner.pictures.structure import MAX_SCANS, is_cut_short, scans, sniff
from limner.pictures.tiff import pages, picture_of, unsupported

READABLE = ("avif", "bmp", "gif", "jpeg", "png", "tiff", "webp")
"""Formats that are always read; HEIF and JPEG XL besides, where their plug-ins are installed."""
MAX_PIXELS = 200_000_000

# A file that unfolds to over 500 times its size is no scan or photograph; small ones do no harm.
_BOMB_PIXELS = 50_000_000
_BOMB_RATIO = 500
_USUAL_SCANS = 20
_LARGE = 16_000_000  # pixels
_MOST_SCANNED = 1_000_000_000  # pixels times scans

_SMALLER = "make a smaller copy"
_AGAIN = "get it once more from where it came"

_lock = threading.Lock()
_inside = 0
_scope: warnings.catch_warnings[None] | None = None


@dataclass(frozen=True)
class Look:
    """What a file's header says, before anything is decoded.

    Attributes:
        format: one of `READABLE`, or `heif` or `jxl`.
        width, height: in pixels, as stored (before the orientation is applied).
    """

    format: str
    width: int
    height: int


@dataclass(frozen=True)
class Picture:
    """A decoded picture.

    Attributes:
        pixels: uint8, [height, width, 3], sRGB, upright, no transparency.
        format: what the file was, one of `READABLE`, or `heif` or `jxl`.
        xmp: the XMP packet that was embedded, or None.
        creators: who EXIF, IPTC-IIM and PNG's texts say made it, each once.
        notices: the copyright notices that stand there, each once.
        notes: what was odd about the file and did not keep it from being read.
    """

    pixels: NDArray[np.uint8]
    format: str
    xmp: bytes | None = None
    creators: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@contextmanager
def _decoder_warnings_ignored() -> Iterator[None]:
    """Ignore what Pillow warns of, in all threads, until the last thread has left this context: odd metadata is no news
    to whoever reads the pixels.

    `warnings.catch_warnings` alone would leave wrong filters behind when threads overlap.
    """
    global _inside, _scope
    with _lock:
        _inside += 1
        if _inside == 1:
            _scope = warnings.catch_warnings()
            _scope.__enter__()
            warnings.filterwarnings("ignore", module=r"PIL\.")
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0 and _scope is not None:
                _scope.__exit__(None, None, None)
                _scope = None


def read(
    path: str | os.PathLike[str],
    *,
    background: tuple[int, int, int] = (255, 255, 255),
    root: Path | None = None,
) -> Picture:
    """Read one picture file: JPEG, PNG, WebP, AVIF, TIFF, GIF (first frame) or BMP.

    Args:
        background: sRGB colour, 0 to 255 each, under what is transparent.
        root: a folder that the file must really lie in (links that lead out are refused); None allows any place.

    Raises:
        PictureError: with `.kind` one of `missing`, `unreadable`, `not-a-file`, `outside`, `empty`,
            `not-a-picture`, `truncated`, `damaged`, `too-large`, `bomb`, `unsupported`.
    """
    return decode(open_file(path, root=root), path, background=background)


@_decoder_warnings_ignored()
def look(data: Data, name: object) -> Look:
    """Read the header of a picture; nothing is decoded.

    Raises:
        PictureError: as `read` does for the contents of a file.
    """
    image = _open(data, name)
    return Look(_format(image), *image.size)


@_decoder_warnings_ignored()
def decode(data: Data, name: object, *, background: tuple[int, int, int] = (255, 255, 255)) -> Picture:
    """Decode the bytes of a picture file; `name` is what errors call it.

    Raises:
        PictureError: as `read` does for the contents of a file.
    """
    image = _open(data, name)
    format = _format(image)
    try:
        page = image.tell() if format == "tiff" else 0
        upright, notes = to_srgb(image, lambda: _reopen(data, page), background)
        pixels = _array(upright)
    except UnsupportedDepthError:
        raise PictureError(
            name, "unsupported", "has 32-bit numbers without a fixed range", "export it with 8 or 16 bits a channel"
        ) from None
    except MemoryError:
        raise PictureError(name, "too-large", "does not fit into memory", _SMALLER) from None
    except Exception as error:  # decoders raise nearly every type there is on hostile bytes; all mean the same
        raise _broken(data, name, format, error) from None
    creators, notices = names_in(image)
    return Picture(pixels, format, _xmp(image), creators, notices, notes + _oddities(image, data))


def _array(image: Image.Image) -> NDArray[np.uint8]:
    """The pixels of an RGB image; a large one strip by strip, since Pillow would hold it three times meanwhile."""
    if image.width * image.height < _LARGE:
        return np.array(image)
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    for top in range(0, image.height, 256):
        pixels[top : top + 256] = np.asarray(image.crop((0, top, image.width, min(top + 256, image.height))))
    return pixels


def _open(data: Data, name: object) -> ImageFile.ImageFile:
    promised = sniff(bytes(data[:64]))
    if promised is None:
        raise PictureError(name, "not-a-picture", "holds no picture of a known format")
    if promised in NAMES and promised not in extra_formats():
        raise PictureError(
            name, "unsupported", f"is {NAMES[promised]}", "install limner[formats], or export it as JPEG or PNG"
        )
    page = _tiff_page(data, name) if promised == "tiff" else 0
    try:
        image = _reopen(data, page)
    except Exception as error:  # see decode()
        raise _broken(data, name, promised, error) from None
    _check_size(image, len(data), name)
    if promised == "jpeg":
        _check_scans(image, scans(data), name)
    return image


def _tiff_page(data: Data, name: object) -> int:
    """The page of a TIFF that is the picture; refused where its pixels cannot be read rightly."""
    found = pages(data)
    if not found:
        return 0
    chosen = picture_of(found)
    if why := unsupported(found[chosen]):
        raise PictureError(name, "unsupported", f"is a TIFF of {why}", "export it as RGB or grey of 8 or 16 bits")
    return chosen


def _reopen(data: Data, page: int = 0) -> ImageFile.ImageFile:
    # Our own check follows, before anything is decoded. Pillow's warns at 89 megapixels, which is a normal scan.
    Image.MAX_IMAGE_PIXELS = None
    source = io.BytesIO(data) if isinstance(data, bytes) else cast("IO[bytes]", _Mapped(data))
    image = Image.open(source, formats=[name.upper() for name in (*READABLE, *extra_formats())])
    if page:
        image.seek(page)
    return image


class _Mapped(io.RawIOBase):
    """A mapped file with a position of its own, so that it can be opened twice; the mapping outlives it."""

    def __init__(self, data: mmap) -> None:
        self._data, self._place = data, 0

    def readinto(self, buffer: Any) -> int:
        piece = self._data[self._place : self._place + len(buffer)]
        buffer[: len(piece)] = piece
        self._place += len(piece)
        return len(piece)

    def seek(self, offset: int, whence: int = 0) -> int:
        self._place = max(0, offset + (0, self._place, len(self._data))[whence])
        return self._place

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True


def _check_size(image: Image.Image, size: int, name: object) -> None:
    width, height = image.size
    pixels = width * height
    if pixels == 0:
        raise PictureError(name, "damaged", f"is {width}x{height} pixels, which is no picture")
    if pixels > MAX_PIXELS:
        raise PictureError(
            name,
            "too-large",
            f"is {width}x{height} ({pixels / 1e6:,.0f} megapixels), limner takes up to {MAX_PIXELS // 1_000_000}",
            _SMALLER,
        )
    if pixels > _BOMB_PIXELS and pixels * len(image.getbands()) > _BOMB_RATIO * size:
        raise PictureError(
            name, "bomb", f"{size / 1e3:,.0f} kB unfold to {width}x{height} pixels, a decompression bomb", _SMALLER
        )


def _check_scans(image: Image.Image, count: int, name: object) -> None:
    if count > MAX_SCANS or (count > _USUAL_SCANS and count * image.width * image.height > _MOST_SCANNED):
        raise PictureError(name, "bomb", f"has {count} scans or more, made to keep a decoder busy", _SMALLER)


def _format(image: Image.Image) -> str:
    name = (image.format or "").lower()
    return "jpeg" if name == "mpo" else name


def _broken(data: Data, name: object, format: str, error: Exception) -> PictureError:
    reason = " ".join(str(error).split())[:120] or type(error).__name__
    if "too large" in reason.lower() and isinstance(error, ValueError):
        return PictureError(name, "bomb", f"has a text or profile that unfolds to too much ({reason})")
    if "truncated" in reason.lower() or is_cut_short(data, format):
        return PictureError(name, "truncated", f"the {format} file is cut short", _AGAIN)
    if isinstance(error, UnidentifiedImageError):
        reason = "its header cannot be read"
    return PictureError(name, "damaged", f"the {format} file is damaged ({reason})", _AGAIN)


def _xmp(image: Image.Image) -> bytes | None:
    packet = image.info.get("xmp")
    if isinstance(packet, str):
        packet = packet.encode("utf-8", "replace")
    return packet if isinstance(packet, bytes) else None


def _oddities(image: Image.Image, data: Data) -> tuple[str, ...]:
    format = _format(image)
    if format == "tiff":
        more = len(pages(data)) - 1
        return (f"{more} more page{'s' if more > 1 else ''} in the file, not taken",) if more > 0 else ()
    try:
        animated = format in ("gif", "webp", "png", "avif") and bool(getattr(image, "is_animated", False))
    except Exception:  # what comes after the first frame is damaged
        animated = True
    return ("animated, first frame taken",) if animated else ()
