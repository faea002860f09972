"""From what a decoder gives to 8-bit sRGB: depth, profile, transparency, orientation."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageCms, ImageFile

_Deep = NDArray[np.uint16]

_MAX_PROFILE = 4 << 20
_STRIP = 256  # rows

# Pillow keeps the high byte of 16-bit colours. Reading once more with the bytes swapped gives the low one.
_SWAPPED = {
    f"{mode};16{order}": f"{mode};16{other}"
    for mode in ("RGB", "RGBA", "RGBX", "CMYK")
    for order, other in (("B", "L"), ("L", "B"), ("N", "B" if np.little_endian else "L"))
}

_LEFT_OVER = ("BMP", "DIB", "TIFF")
"""Formats in which programs that know no transparency leave bytes of zero where it would stand."""

_ORIENTATIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class UnsupportedDepthError(Exception):
    """The picture's numbers have no fixed range (32-bit integers, floating point)."""


def to_srgb(
    image: ImageFile.ImageFile, twin: Callable[[], ImageFile.ImageFile], background: tuple[int, int, int]
) -> tuple[Image.Image, tuple[str, ...]]:
    """`image` in 8-bit sRGB, upright, without transparency; and notes about what was odd.

    Args:
        image: as opened, not loaded yet.
        twin: opens the same file a second time; called where the low bytes of 16-bit colours are needed.
        background: the colour under what is transparent.

    Raises:
        UnsupportedDepthError: the numbers have no fixed range.
    """
    profile = image.info.get("icc_profile")
    shallow = _eight_bits(image, twin)
    profile = profile or shallow.info.get("icc_profile")  # some formats keep it behind the pixels
    orientation = _orientation(shallow)
    if _is_negative(image):
        shallow = _with_facts(ImageChops.invert(shallow), shallow)
    colours, alpha = _split_alpha(shallow)
    colours, notes = _convert(colours, profile)
    if alpha is not None and alpha.getextrema() == (0, 0):
        left_over = image.format in _LEFT_OVER
        notes += (f"transparent everywhere{', its colours were taken' if left_over else ''}",)
        alpha = None if left_over else alpha
    if alpha is not None:
        flat = Image.new("RGB", colours.size, background)
        flat.paste(colours, mask=alpha)
        colours = flat
    if orientation in _ORIENTATIONS:
        colours = colours.transpose(_ORIENTATIONS[orientation])
    return colours, notes


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(0x0112, 1)
    except Exception:  # damaged EXIF says nothing about the pixels, which were decoded well
        return 1
    return value if isinstance(value, int) else 1


def _eight_bits(image: ImageFile.ImageFile, twin: Callable[[], ImageFile.ImageFile]) -> Image.Image:
    if image.mode in ("F", "I"):
        raise UnsupportedDepthError(image.mode)
    if image.mode.startswith("I;16"):
        return _grey_from_16(image)
    low_tiles = [_swap(tile) for tile in image.tile]
    if not low_tiles or any(tile is None for tile in low_tiles):
        image.load()
        return image
    clear = image.info.get("transparency")
    image.load()
    low = twin()
    low.tile = low_tiles
    low.load()
    shallow = _by_strips(lambda box: _both_bytes(image.crop(box), low.crop(box)), image, clear)
    return _with_facts(shallow, image)


def _grey_from_16(image: ImageFile.ImageFile) -> Image.Image:
    clear = image.info.get("transparency")
    image.load()
    return _with_facts(_by_strips(lambda box: np.asarray(image.crop(box)).astype(np.uint16), image, clear), image)


def _both_bytes(high: Image.Image, low: Image.Image) -> _Deep:
    both: _Deep = np.asarray(high).astype(np.uint16) << 8 | np.asarray(low)
    return both


def _by_strips(strip: Callable[[tuple[int, int, int, int]], _Deep], image: Image.Image, clear: object) -> Image.Image:
    """The picture in 8 bits, transparent where it has the colour `clear`; made strip by strip to spare memory."""
    mode = "L" if image.mode.startswith("I") else image.mode
    whole = Image.new(mode, image.size)
    alpha = Image.new("L", image.size) if isinstance(clear, int | tuple) else None
    for top in range(0, image.height, _STRIP):
        deep = strip((0, top, image.width, min(top + _STRIP, image.height)))  # uint16, [rows, w] or [rows, w, c]
        eight = ((deep.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
        whole.paste(Image.frombytes(mode, (image.width, len(eight)), eight.tobytes()), (0, top))
        if alpha is not None:
            same = deep == np.array(clear)
            seen = np.where(same if same.ndim == 2 else same.all(-1), 0, 255).astype(np.uint8)
            alpha.paste(Image.fromarray(seen), (0, top))
    if alpha is not None:
        whole.putalpha(alpha)
    return whole


def _swap(tile: Any) -> Any:
    arguments = tile.args if isinstance(tile.args, tuple) else (tile.args,)
    swapped = _SWAPPED.get(arguments[0]) if arguments else None
    if swapped is None:
        return None
    return tile._replace(args=(swapped, *arguments[1:]) if isinstance(tile.args, tuple) else swapped)


def _is_negative(image: ImageFile.ImageFile) -> bool:
    """Whether it is 16-bit grey in which larger numbers are darker; with 8 bits the decoder turns them around."""
    return image.mode.startswith("I;16") and getattr(image, "tag_v2", {}).get(262) == 0


def _with_facts(image: Image.Image, source: Image.Image) -> Image.Image:
    """`image` with what `source` knows about orientation and profile."""
    orientation = _orientation(source)
    if profile := source.info.get("icc_profile"):
        image.info["icc_profile"] = profile
    if orientation != 1:
        image.getexif()[0x0112] = orientation
    return image


def _split_alpha(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    if not image.has_transparency_data:
        return (image.convert("RGB") if image.mode == "P" else image), None
    whole = image.convert("RGBA")
    alpha = whole.getchannel("A")
    opaque = alpha.getextrema() == (255, 255)
    # Grey stays grey, so that a profile for grey fits.
    colours = image.getchannel("L") if image.mode == "LA" else whole.convert("RGB")
    return colours, None if opaque else alpha


def _convert(image: Image.Image, profile: object) -> tuple[Image.Image, tuple[str, ...]]:
    notes: tuple[str, ...] = ()
    if isinstance(profile, bytes) and profile:
        try:
            transform = _transform(profile, image.mode)
            if transform is None:
                return _rgb(image), ()
            return _apply(transform, image), ()
        except (ImageCms.PyCMSError, ValueError, OSError, TypeError):
            notes = ("colour profile unreadable, taken as sRGB",)
    if image.mode == "LAB":
        return _apply((_build(ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")), "LAB"), "LAB"), image), notes
    return _rgb(image), notes


def _rgb(image: Image.Image) -> Image.Image:
    return image if image.mode == "RGB" else image.convert("RGB")  # converting to the same would copy


def _apply(transform: tuple[ImageCms.ImageCmsTransform, str], image: Image.Image) -> Image.Image:
    wanted = image if image.mode == transform[1] else image.convert(transform[1])
    result = ImageCms.applyTransform(wanted, transform[0])
    assert result is not None
    return result


@lru_cache(maxsize=32)
def _transform(profile: bytes, mode: str) -> tuple[ImageCms.ImageCmsTransform, str] | None:
    """The transform to sRGB and the mode that it takes; None where it would change nothing."""
    if len(profile) > _MAX_PROFILE:
        raise ValueError("profile too large")
    source = ImageCms.ImageCmsProfile(BytesIO(profile))
    taken = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab ": "LAB"}.get(source.profile.xcolor_space)
    if taken is None or (taken in ("CMYK", "LAB", "L") and mode not in (taken, "1")):
        raise ValueError("profile of other colours than the picture")
    transform = _build(source, taken)
    if taken == "RGB" and _changes_nothing(transform):
        return None
    return transform, taken


def _build(source: ImageCms.ImageCmsProfile, mode: str) -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(
        source,
        ImageCms.createProfile("sRGB"),
        mode,
        "RGB",
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether no colour of a coarse cube moves by more than one step: the profile is sRGB, whatever its name."""
    steps = np.linspace(0, 255, 17).astype(np.uint8)
    cube = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(17, -1, 3)  # [17, 289, 3]
    moved = np.asarray(ImageCms.applyTransform(Image.fromarray(cube), transform)).astype(int)
    return int(np.abs(moved - cube).max()) <= 1
