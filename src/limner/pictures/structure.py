"""What the bytes of a file say before any decoder sees them: its format, whether it was cut short, traps."""

from __future__ import annotations

from limner.pictures import tiff
from limner.pictures.containers import boxes, png_chunks
from limner.pictures.files import Data

MAX_SCANS = 100  # a progressive JPEG has about ten; thousands of empty ones keep a decoder busy for minutes

MEDIA_TYPES = {name: f"image/{name}" for name in ("avif", "bmp", "gif", "heif", "jpeg", "jxl", "png", "tiff", "webp")}
"""The media type of each format that can be read, always or with a plug-in."""

_AVIF_BRANDS = (b"avif", b"avis")
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


def sniff(head: bytes) -> str | None:
    """The format that the first bytes (64 are enough) promise; None where they promise no picture.

    One of the formats that are always read, or `heif` or `jxl`, which take a plug-in.
    """
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[4:8] == b"ftyp":
        return _brand(head)
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "tiff"
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return "gif"
    if head[:2] == b"\xff\x0a" or head[:12] == b"\0\0\0\x0cJXL \r\n\x87\n":
        return "jxl"
    return "bmp" if head[:2] == b"BM" else None


def _brand(head: bytes) -> str | None:
    """AVIF or HEIF, by the brands that the first box names."""
    brands = [
        head[8:12],
        *(head[place : place + 4] for place in range(16, min(int.from_bytes(head[:4], "big"), len(head)), 4)),
    ]
    if any(brand in _AVIF_BRANDS for brand in brands):
        return "avif"
    return "heif" if any(brand in _HEIF_BRANDS for brand in brands) else None


def scans(data: Data) -> int:
    """How many scans a JPEG has; inside picture data 0xFF is always stuffed, so the marker is countable."""
    count, place = 0, data.find(b"\xff\xda")
    while place >= 0 and count <= MAX_SCANS:
        count, place = count + 1, data.find(b"\xff\xda", place + 2)
    return count


def is_cut_short(data: Data, format: str) -> bool:
    """Whether the file's own structure promises more bytes than there are (False where it makes no promise)."""
    size = len(data)
    if format == "jpeg":
        return data.rfind(b"\xff\xd9") < max(data.rfind(b"\xff\xda"), 0)
    if format == "png":
        return not any(chunk.name == b"IEND" and chunk.whole for chunk in png_chunks(data))
    if format == "webp":
        return size < 12 or int.from_bytes(data[4:8], "little") + 8 > size + 1
    if format in ("avif", "heif"):
        return not all(box.whole for box in boxes(data))
    if format == "tiff":
        return tiff.is_cut_short(data)
    if format == "gif":
        return bytes(data[max(0, size - 64) :]).rstrip(b"\0")[-1:] != b";"
    return format == "bmp" and int.from_bytes(data[2:6], "little") > size
