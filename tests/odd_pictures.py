"""Files that are odd, damaged or hostile, each with the verdict that it must get.

`make_all(folder)` writes them and returns for each name the verdicts that are right: `taken`, `merged`, or the kind of
refusal. Where a damage may or may not touch the decoded pixels, several verdicts are right.
"""

from __future__ import annotations

import io
import os
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms

__all__ = ["chunk", "encoded", "make_all", "painting", "png", "tiff"]

TAKEN = "taken"
Item = tuple[str, bytes, str]  # name, contents, right verdicts joined by `|`
_SIZE = 96


def painting(seed: int, width: int = _SIZE, height: int = _SIZE) -> Image.Image:
    """A picture with large and small things in it, as natural pictures have; different for each seed."""
    generator = np.random.default_rng(seed)
    sum_of_all = np.full((height, width, 3), 128.0)
    for cells, strength in ((3, 80), (6, 50), (12, 36), (24, 24)):
        coarse = Image.fromarray(generator.integers(0, 256, (cells, cells, 3), dtype=np.uint8))
        smooth = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC))
        sum_of_all += (smooth / 127.5 - 1) * strength
    return Image.fromarray(np.clip(sum_of_all, 0, 255).astype(np.uint8))


def encoded(image: Image.Image, format: str, **options: Any) -> bytes:
    """The bytes of `image` as a file."""
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, depth: int, colour: int, rows: bytes, *extra: bytes) -> bytes:
    """A PNG from raw rows (filter byte and samples); `extra` chunks come before the pixels."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(extra) + pixels + chunk(b"IEND", b"")


def tiff(width: int, height: int, bits: tuple[int, ...], sample_format: int, body: bytes, **changes: int) -> bytes:
    """An uncompressed little-endian TIFF; `changes` replace values of the directory."""
    count = len(bits)
    values = {
        "width": (256, 4, width),
        "height": (257, 4, height),
        "bits": (258, 3, bits[0]),
        "compression": (259, 3, 1),
        "photometric": (262, 3, 2 if count >= 3 else 1),
        "offset": (273, 4, 0),
        "samples": (277, 3, count),
        "rows": (278, 4, height),
        "bytes": (279, 4, len(body)),
        "format": (339, 3, sample_format),
    }
    start = 8 + 2 + 12 * len(values) + 4
    extra = struct.pack(f"<{count}H", *bits) + struct.pack(f"<{count}H", *[sample_format] * count)
    directory = struct.pack("<H", len(values))
    for name, (tag, kind, value) in values.items():
        many = count if name in ("bits", "format") and count > 2 else 1
        if many > 1:
            value = start + (0 if name == "bits" else 2 * count)
        if name == "offset":
            value = start + len(extra)
        directory += struct.pack("<HHII", tag, kind, many, changes.get(name, value))
    return b"II*\0\x08\0\0\0" + directory + struct.pack("<I", changes.get("next", 0)) + extra + body


def _truncated() -> Iterator[Item]:
    jpeg = encoded(painting(1), "JPEG", quality=90)
    for share in (0.002, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99):
        yield f"cut-{share}.jpg", jpeg[: max(4, int(len(jpeg) * share))], "truncated"
    formats: dict[str, dict[str, Any]] = {"PNG": {}, "WEBP": {}, "AVIF": {}, "GIF": {}, "BMP": {}, "TIFF": {}}
    formats["TIFF"] = {"compression": "tiff_lzw"}
    for format, options in formats.items():
        whole = encoded(painting(2), format, **options)
        for share in (0.3, 0.9):
            yield f"cut-{share}.{format.lower()}", whole[: int(len(whole) * share)], "truncated"


def _flipped() -> Iterator[Item]:
    for format, right in (("JPEG", "taken|damaged|truncated"), ("PNG", "damaged"), ("WEBP", "taken|damaged")):
        whole = encoded(painting(3), format)
        for place in (0.3, 0.6):
            changed = bytearray(whole)
            changed[int(len(whole) * place)] ^= 0x10
            yield f"flipped-{place}.{format.lower()}", bytes(changed), right


def _no_pictures() -> Iterator[Item]:
    yield "empty.png", b"", "empty"
    yield "zeros.png", bytes(5000), "not-a-picture"
    yield "noise.webp", np.random.default_rng(4).bytes(5000), "not-a-picture"
    yield "text.jpg", b"This is no picture.\n" * 50, "not-a-picture"
    yield "page.gif", b"<!doctype html><script>alert(1)</script>", "not-a-picture"
    yield "drawing.png", b'<svg xmlns="http://www.w3.org/2000/svg"/>', "not-a-picture"
    yield "document.jpeg", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "not-a-picture"
    yield "postscript.tif", b"%!PS-Adobe-3.0 EPSF-3.0\n(%pipe%id) (r) file\n", "not-a-picture"
    yield "only-magic.png", b"\x89PNG\r\n\x1a\n", "truncated"
    yield "one-byte.jpg", b"\xff", "not-a-picture"


def _names() -> Iterator[Item]:
    yield "a-jpeg.png", encoded(painting(5), "JPEG"), TAKEN
    yield "a-png.txt", encoded(painting(6), "PNG"), TAKEN
    yield "no-ending", encoded(painting(7), "WEBP"), TAKEN
    yield "two\nlines.png", encoded(painting(8), "PNG"), TAKEN
    yield "\x1b[31mred\x1b[0m.png", encoded(painting(9), "PNG"), TAKEN
    yield "café [bold]日本 🎨.png", encoded(painting(10), "PNG"), TAKEN
    yield "LOUD.JPG", encoded(painting(11), "JPEG"), TAKEN
    yield "n" * 240 + ".png", encoded(painting(12), "PNG"), TAKEN


def _sizes() -> Iterator[Item]:
    yield "1x1.png", encoded(painting(13, 1, 1), "PNG"), TAKEN
    yield "1x10000.png", encoded(painting(14, 1, 10000), "PNG"), TAKEN
    yield "20000x2.png", encoded(painting(15, 20000, 2), "PNG"), TAKEN  # wider than a WebP can be
    yield "0x0.png", png(0, 0, 8, 2, b""), "damaged"
    yield "30000x30000.png", png(30000, 30000, 8, 2, b"\0" * 100), "too-large"
    yield "2147483647.png", png(2**31 - 1, 2**31 - 1, 8, 2, b"\0" * 100), "too-large|damaged"
    large = bytearray(encoded(painting(16), "JPEG"))
    place = large.find(b"\xff\xc0")
    large[place + 5 : place + 9] = struct.pack(">HH", 65000, 65000)
    yield "65000x65000.jpg", bytes(large), "too-large"
    small = bytearray(encoded(painting(16), "BMP"))
    small[18:26] = struct.pack("<ii", 30000, 30000)
    yield "30000x30000.bmp", bytes(small), "too-large"
    gif = bytearray(encoded(painting(16), "GIF"))
    gif[6:10] = struct.pack("<HH", 65535, 65535)
    yield "65535x65535.gif", bytes(gif), "too-large"
    yield "huge.tif", tiff(100000, 100000, (8, 8, 8), 1, b"\0" * 300), "too-large"


def _bombs() -> Iterator[Item]:
    rows = zlib.compressobj(9)
    line = b"\0" + bytes(12000)
    body = b"".join(rows.compress(line) for _ in range(12000)) + rows.flush()
    header = struct.pack(">IIBBBBB", 12000, 12000, 8, 0, 0, 0, 0)
    yield "bomb.png", b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b""), "bomb"
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(200 << 20), 9))
    yield "text-bomb.png", png(2, 2, 8, 2, (b"\0" + bytes(6)) * 2, text), "bomb"
    profile = chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(200 << 20), 9))
    yield "profile-bomb.png", png(2, 2, 8, 2, (b"\0" + bytes(6)) * 2, profile), "bomb"
    jpeg = encoded(painting(17), "JPEG", progressive=True)
    last = jpeg.rfind(b"\xff\xda")
    yield "scans.jpg", jpeg[:last] + jpeg[last:-2] * 3000 + jpeg[-2:], "bomb"


def _colours() -> Iterator[Item]:
    yield "cmyk.jpg", encoded(painting(18).convert("CMYK"), "JPEG"), TAKEN
    yield "cmyk.tif", encoded(painting(19).convert("CMYK"), "TIFF"), TAKEN
    yield "grey.jpg", encoded(painting(20).convert("L"), "JPEG"), TAKEN
    yield "black-and-white.png", encoded(painting(21).convert("1"), "PNG"), TAKEN
    yield "palette.png", encoded(painting(22).convert("P"), "PNG"), TAKEN
    yield "palette-clear.png", encoded(painting(23).convert("P"), "PNG", transparency=bytes(range(0, 256, 2))), TAKEN
    yield "rgba.png", _with_alpha(24, "PNG"), TAKEN
    yield "rgba.webp", _with_alpha(25, "WEBP"), TAKEN
    yield "rgba.avif", _with_alpha(26, "AVIF"), TAKEN
    yield "grey-alpha.png", encoded(Image.open(io.BytesIO(_with_alpha(27, "PNG"))).convert("LA"), "PNG"), TAKEN
    yield "lab.tif", encoded(_lab(28), "TIFF"), TAKEN
    deep = np.random.default_rng(29).integers(0, 65536, (8, 8, 3), dtype=np.uint16)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in deep)
    yield "16-bit.png", png(8, 8, 16, 2, rows), TAKEN
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in deep[:, :, 0])
    yield "16-bit-grey.png", png(8, 8, 16, 0, rows), TAKEN
    yield "16-bit.tif", tiff(8, 8, (16, 16, 16), 1, deep.astype("<u2").tobytes()), "merged"  # into 16-bit.png
    yield "float.tif", tiff(8, 8, (32,), 3, deep[:, :, 0].astype("<f4").tobytes()), "unsupported"
    yield "32-bit.tif", tiff(8, 8, (32,), 2, deep[:, :, 0].astype("<i4").tobytes()), "unsupported"


def _with_alpha(seed: int, format: str) -> bytes:
    image = painting(seed).convert("RGBA")
    image.putalpha(painting(seed + 1000).convert("L"))
    return encoded(image, format)


def _lab(seed: int) -> Image.Image:
    transform = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    changed = ImageCms.applyTransform(painting(seed), transform)
    assert changed is not None
    return changed


def _profiles() -> Iterator[Item]:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    yield "profile-noise.jpg", encoded(painting(30), "JPEG", icc_profile=b"no profile" * 50), TAKEN
    yield "profile-cut.png", encoded(painting(31), "PNG", icc_profile=srgb[:200]), TAKEN
    yield "profile-other.jpg", encoded(painting(32).convert("CMYK"), "JPEG", icc_profile=srgb), TAKEN
    yield "profile-good.png", encoded(painting(33), "PNG", icc_profile=srgb), TAKEN


def _metadata() -> Iterator[Item]:
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        image = painting(40 + orientation, 64, 48)
        yield f"turned-{orientation}.jpg", encoded(image, "JPEG", exif=exif.tobytes()), TAKEN
    yield "exif-noise.jpg", encoded(painting(50), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff" + bytes(40)), TAKEN
    laughs = b'<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "' + b"&b;" * 1000 + b'">]><rdf:RDF>&c;</rdf:RDF>'
    yield "xmp-laughs.jpg", encoded(painting(51), "JPEG", xmp=laughs), TAKEN
    reaching = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><rdf:RDF>&x;</rdf:RDF>'
    yield "xmp-reaching.jpg", encoded(painting(52), "JPEG", xmp=reaching), TAKEN
    yield "xmp-deep.webp", encoded(painting(53), "WEBP", xmp=b"<rdf:RDF>" + b"<a>" * 20000), TAKEN
    yield "manifest-noise.png", _with_chunk(54, b"caBX", b"\0\0\0\x20jumb\0\0\0\x18jumdc2pa" + bytes(40)), TAKEN


def _with_chunk(seed: int, kind: bytes, body: bytes) -> bytes:
    whole = encoded(painting(seed), "PNG")
    return whole[:33] + chunk(kind, body) + whole[33:]


def _moving() -> Iterator[Item]:
    frames = [painting(seed, 48, 48) for seed in (60, 61, 62)]
    for number, format in enumerate(("GIF", "WEBP", "PNG", "AVIF")):
        first, *rest = [painting(60 + 5 * number + i, 48, 48) for i in range(3)]
        yield f"moving.{format.lower()}", encoded(first, format, save_all=True, append_images=rest), TAKEN
    yield "pages.tif", encoded(frames[2], "TIFF", save_all=True, append_images=frames[:2]), TAKEN


def _structures() -> Iterator[Item]:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("inside.txt", "hidden")
    yield "and-zip.jpg", encoded(painting(80), "JPEG") + archive.getvalue(), TAKEN
    yield "and-page.png", encoded(painting(81), "PNG") + b"<html><script>alert(1)</script></html>", TAKEN
    yield "and-script.jpg", encoded(painting(82), "JPEG", comment=b"<?php system($_GET['c']); ?>"), TAKEN
    yield "and-script.gif", encoded(painting(83), "GIF", comment=b"*/=1;alert(1)//"), TAKEN
    whole = encoded(painting(84), "PNG")
    place = whole.find(b"IDAT")
    yield "wrong-sum.png", whole[: place - 4] + _broken_sum(whole[place - 4 :]), "damaged"
    yield "no-pixels.png", whole[: place - 4] + chunk(b"IEND", b""), "damaged|truncated"
    yield "long-riff.webp", b"RIFF\xff\xff\xff\xff" + encoded(painting(85), "WEBP")[8:], "truncated|damaged|taken"
    circle = tiff(4, 4, (8, 8, 8), 1, bytes(48), next=8)
    yield "circle.tif", circle, TAKEN
    yield "strips.tif", tiff(4, 4, (8, 8, 8), 1, bytes(48), rows=0), "damaged|taken"
    yield "outside.tif", tiff(4, 4, (8, 8, 8), 1, bytes(48), offset=1 << 30), "truncated|damaged"
    yield "samples.tif", tiff(4, 4, (8, 8, 8), 1, bytes(48), samples=60000), "unsupported"


def _broken_sum(idat: bytes) -> bytes:
    """An IDAT chunk whose compressed data ends with another sum than its pixels have."""
    length = struct.unpack(">I", idat[:4])[0]
    body = bytearray(idat[8 : 8 + length])
    body[-1] ^= 0xFF
    return chunk(b"IDAT", bytes(body)) + idat[12 + length :]


def _special(folder: Path) -> dict[str, str]:
    """What is no plain file: pipes, links, folders."""
    right = {"pipe.jpg": "not-a-file", "folder.jpg": "not-a-file", "elsewhere.jpg": "outside"}
    os.mkfifo(folder / "pipe.jpg")
    (folder / "folder.jpg").mkdir()
    outside = folder.parent / "outside-the-folder.jpg"
    outside.write_bytes(encoded(painting(90), "JPEG"))
    (folder / "elsewhere.jpg").symlink_to(outside)
    (folder / "nowhere.jpg").symlink_to(folder / "does-not-exist.jpg")
    (folder / "round.jpg").symlink_to(folder / "round.jpg")
    (folder / "the-same.png").symlink_to("rgba.png")
    (folder / "up").symlink_to("..")
    return right | {"nowhere.jpg": "missing", "round.jpg": "missing", "the-same.png": "merged", "up": "not-a-file"}


_KINDS: tuple[Callable[[], Iterator[Item]], ...] = (
    _truncated,
    _flipped,
    _no_pictures,
    _names,
    _sizes,
    _bombs,
    _colours,
    _profiles,
    _metadata,
    _moving,
    _structures,
)


def make_all(folder: Path) -> dict[str, str]:
    """Write every odd file into `folder`; returns the right verdicts (joined by `|`) by file name."""
    folder.mkdir(parents=True, exist_ok=True)
    right: dict[str, str] = {}
    for make in _KINDS:
        for name, contents, verdicts in make():
            assert name not in right
            (folder / name).write_bytes(contents)
            right[name] = verdicts
    (folder / "copy.png").write_bytes((folder / "palette.png").read_bytes())
    right["copy.png"] = "taken"  # and palette.png is merged into it: the first name in order keeps the row
    right["palette.png"] = "merged"
    if sys.platform != "darwin":  # which refuses such names itself
        (folder / b"not-text-\xff.png".decode("utf-8", "surrogateescape")).write_bytes(encoded(painting(91), "PNG"))
        right[r"not-text-\xff.png"] = "taken"
    return right | _special(folder)
