"""TIFF in every layout against one reference picture: right, or refused by name; and a thousand malformed files."""

from __future__ import annotations

import io
import itertools
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms

from limner.errors import PictureError
from limner.pictures import decode

HEIGHT, WIDTH = 40, 56
Depth = int | str


def reference() -> NDArray[np.uint8]:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    made = np.stack([x * 255 / (WIDTH - 1), y * 255 / (HEIGHT - 1), (x + y) * 255 / (HEIGHT + WIDTH - 2)], -1)
    made[5:12, 5:12], made[20:30, 30:40] = (220, 30, 30), (10, 200, 40)
    return np.asarray(made.round(), np.uint8)


RGB = reference()
GREY = RGB.mean(-1).round().astype(np.uint8)
COLOURS = ("black is zero", "white is zero", "rgb", "palette", "cmyk", "ycbcr", "lab")
DEPTHS: tuple[Depth, ...] = (1, 8, 16, 32, "float")
ALPHAS = ("none", "straight", "associated", "all zero")
NAMES = {"black is zero": "minisblack", "white is zero": "miniswhite", "cmyk": "separated", "lab": "cielab"}


def deep(values: NDArray[np.uint8], depth: Depth) -> NDArray[Any]:
    share = values.astype(np.float64) / 255
    if depth == "float":
        return share.astype(np.float32)
    if depth == 1:
        return np.asarray(share > 0.5)
    return np.asarray((share * (2 ** int(depth) - 1)).round(), f"u{int(depth) // 8}")


def channels(colour: str, depth: Depth) -> tuple[list[NDArray[Any]], NDArray[np.uint8], dict[str, Any]] | None:
    """The channels of a picture in these colours, how it must look, and further tags; None where it cannot be."""
    if colour in ("black is zero", "white is zero"):
        values = deep(GREY, depth)
        if colour == "white is zero":
            values = 1 - values if depth == "float" else ~values
        grey = ((GREY > 127) * 255).astype(np.uint8) if depth == 1 else GREY
        return [values], np.repeat(grey[..., None], 3, 2), {}
    if colour == "palette":
        if depth != 8:
            return None
        few = Image.fromarray(RGB).quantize(255)
        table = np.array(((few.getpalette() or []) + [0] * 768)[:768]).reshape(256, 3).T.astype(np.uint16) * 257
        return [np.asarray(few)], np.asarray(few.convert("RGB")), {"colormap": table}
    if depth == 1:
        return None
    if colour == "rgb":
        values = deep(RGB, depth)
    elif colour == "cmyk":
        values = deep(np.concatenate([255 - RGB, np.zeros((HEIGHT, WIDTH, 1), np.uint8)], -1), depth)
    elif depth != 8:
        return None
    elif colour == "ycbcr":
        values = np.asarray(Image.fromarray(RGB).convert("YCbCr"))
    else:
        srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        made = ImageCms.profileToProfile(Image.fromarray(RGB), srgb, lab, outputMode="LAB")
        assert made is not None
        values = np.asarray(made)
    return [values[..., i] for i in range(values.shape[-1])], RGB, {}


def files() -> Iterator[tuple[str, bytes, NDArray[np.uint8]]]:
    """Name, bytes, and how it must look on white, of every layout that there is."""
    for colour, depth, planar, order, compression, alpha in itertools.product(
        COLOURS, DEPTHS, ("contig", "separate"), "<>", (None, "zlib"), ALPHAS
    ):
        made = channels(colour, depth)
        if made is None or (alpha != "none" and depth == 1) or (alpha == "associated" and colour != "rgb"):
            continue
        parts, right, tags = made
        if alpha != "none":
            if colour == "palette":
                continue
            cover = np.full((HEIGHT, WIDTH), 255, np.uint8)
            cover[:, WIDTH // 2 :] = 128
            if alpha == "all zero":
                cover[:] = 0
            share = cover / 255
            if alpha == "associated":
                parts = [part * share for part in parts]
                parts = [part.astype(np.float32) if depth == "float" else part.round() for part in parts]
                parts = [part.astype(deep(cover, depth).dtype) for part in parts]
            parts = [*parts, deep(cover, depth)]
            tags = {**tags, "extrasamples": ["assocalpha" if alpha == "associated" else "unassalpha"]}
            if alpha != "all zero":  # with nothing to see, its colours are taken
                right = (right * share[..., None] + 255 * (1 - share[..., None])).round().astype(np.uint8)
        if len(parts) == 1 and planar == "separate":
            continue
        data = np.stack(parts, 0 if planar == "separate" else -1) if len(parts) > 1 else parts[0]
        if len(parts) > 1:
            tags = {**tags, "planarconfig": planar}
        out = io.BytesIO()
        tifffile.imwrite(
            out,
            data,
            photometric=NAMES.get(colour, colour),
            byteorder=order,  # type: ignore[arg-type]
            compression=compression,
            metadata=None,
            **tags,
        )
        yield f"{colour}, {depth}, {planar}, {order}, {compression}, alpha {alpha}", out.getvalue(), right


def test_every_layout_is_right_or_refused_by_name() -> None:
    verdicts: Counter[str] = Counter()
    for name, data, right in files():
        try:
            seen = decode(data, name).pixels
        except PictureError as error:
            assert error.kind == "unsupported", f"{name}: {error}"
            assert "TIFF of" in error.reason, name
            verdicts["refused"] += 1
            continue
        assert seen.shape == right.shape, name
        apart = np.abs(seen.astype(int) - right)
        # Eight bits of Lab are coarse where colours are dark and strong.
        allowed = (32, 1.5) if name.startswith("lab") else (3, 1.5) if name.startswith("ycbcr") else (2, 0.6)
        assert apart.max() <= allowed[0] and apart.mean() <= allowed[1], name
        verdicts["right"] += 1
    assert verdicts["right"] + verdicts["refused"] >= 400
    assert verdicts["right"] >= 106  # the usual ones: none of these may become refused
    print(verdicts)


_MODES = ("1", "L", "RGB", "RGBA", "CMYK", "I;16")
_COMPRESSIONS = {  # those that there are in each of the modes; Group 4 is for black and white alone
    **dict.fromkeys(("packbits", "tiff_lzw", "tiff_adobe_deflate"), _MODES[1:]),
    "jpeg": ("L", "RGB", "CMYK"),
    "group4": ("1",),
}


@pytest.mark.parametrize(
    ("compression", "mode"), [(one, mode) for one, modes in _COMPRESSIONS.items() for mode in modes]
)
def test_every_compression_is_right(compression: str, mode: str) -> None:
    grey = Image.fromarray(GREY)
    image = (
        Image.fromarray(deep(GREY, 16))
        if mode == "I;16"
        else (grey if mode in "1L" else Image.fromarray(RGB)).convert(mode)
    )
    out = io.BytesIO()
    image.save(out, "TIFF", compression=compression, **({"quality": 95} if compression == "jpeg" else {}))
    right = np.repeat(GREY[..., None], 3, 2) if mode == "I;16" else np.asarray(image.convert("RGB")).astype(int)
    apart = np.abs(decode(out.getvalue(), "it").pixels.astype(int) - right)
    assert apart.mean() <= (6 if compression == "jpeg" else 0.6)


def test_the_picture_is_no_reduced_page_and_others_are_told(tmp_path: Path) -> None:
    small = np.ascontiguousarray(RGB[::4, ::4])
    for number, (pages, notes) in enumerate(
        [
            ([(small, 1), (RGB, 0)], ("1 more page in the file, not taken",)),
            ([(RGB, 0), (small, 1)], ("1 more page in the file, not taken",)),
            ([(RGB, 0)], ()),
            ([(small, 1), (RGB[:, ::-1], 1), (RGB, 0)], ("2 more pages in the file, not taken",)),
            ([(small, 1), (RGB, 1)], ("1 more page in the file, not taken",)),
            ([(small, 1), (RGB, 2)], ("1 more page in the file, not taken",)),
        ]
    ):
        path = tmp_path / f"{number}.tif"
        with tifffile.TiffWriter(path) as out:
            for pixels, kind in pages:
                out.write(np.ascontiguousarray(pixels), subfiletype=kind, metadata=None)
        seen = decode(path.read_bytes(), path)
        assert np.array_equal(seen.pixels, RGB), number
        assert seen.notes == notes


def test_grey_with_alpha_keeps_its_profile() -> None:
    profile = Path(__file__).with_name("grey.icc")
    curve = ImageCms.ImageCmsProfile(io.BytesIO(profile.read_bytes())).tobytes()
    for alpha in (None, 255, 128):
        image = Image.fromarray(GREY)
        if alpha is not None:
            image = Image.merge("LA", (image, Image.new("L", image.size, alpha)))
        out = io.BytesIO()
        image.save(out, "PNG", icc_profile=curve)
        seen = decode(out.getvalue(), "it")
        assert seen.notes == ()
        plain = io.BytesIO()
        Image.fromarray(GREY).save(plain, "PNG", icc_profile=curve)
        right = decode(plain.getvalue(), "it").pixels.astype(float)
        right = right if alpha != 128 else right * 128 / 255 + 255 * 127 / 255
        assert np.abs(seen.pixels - right).max() <= 1
        assert np.abs(right - GREY[..., None]).max() > 20  # the profile does something


@pytest.mark.parametrize(("format", "colours_taken"), [("BMP", True), ("TIFF", True), ("PNG", False), ("WEBP", False)])
def test_a_picture_that_is_transparent_everywhere_is_flagged(format: str, colours_taken: bool) -> None:
    image = Image.fromarray(RGB)
    image.putalpha(0)
    out = io.BytesIO()
    image.save(out, format, **({"lossless": True, "exact": True} if format == "WEBP" else {}))
    seen = decode(out.getvalue(), "it")
    assert format == "BMP" or any("transparent everywhere" in note for note in seen.notes)  # Pillow keeps none of BMP's
    assert np.array_equal(seen.pixels, RGB) is colours_taken


def test_a_thousand_malformed_files() -> None:
    here = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, str(here / "malformed.py")],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "PYTHONPATH": str(here)},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    said = json.loads(done.stdout.splitlines()[-1])
    assert sum(said["verdicts"].values()) == 1000
    assert said["wrong"] == []
    assert said["slowest"] < 5
    assert said["peak"] < 1e9
    assert said["verdicts"]["taken"] < 800
