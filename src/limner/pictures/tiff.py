"""What a TIFF's own tags say: which of its pages is the picture, and whether the pixels can be read rightly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from limner.pictures.files import Data

__all__ = ["Page", "pages", "picture_of", "unsupported"]

_MOST_PAGES = 1000
_MOST_VALUES = 64
_WIDTHS = {1: 1, 3: 2, 4: 4, 16: 8}  # bytes of a value: BYTE, SHORT, LONG, LONG8

_SUBFILE, _OLD_SUBFILE = 254, 255
_SIDES, _BITS, _COMPRESSION, _PHOTOMETRIC, _SAMPLES, _PLANAR, _EXTRA, _FORMAT = (
    (256, 257),
    258,
    259,
    262,
    277,
    284,
    338,
    339,
)
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _MASK, _CMYK, _YCBCR, _LAB = 0, 1, 2, 3, 4, 5, 6, 8
_COLOURS = {
    **{_WHITE_IS_ZERO: 1, _BLACK_IS_ZERO: 1, _RGB: 3, _PALETTE: 1, _CMYK: 4, _YCBCR: 3, _LAB: 3},
}
_NAMES = {
    **{_WHITE_IS_ZERO: "grey", _BLACK_IS_ZERO: "grey", _RGB: "RGB", _PALETTE: "palette", _CMYK: "CMYK"},
    **{_YCBCR: "YCbCr", _LAB: "Lab", 9: "ICC Lab", 10: "ITU Lab", 32803: "a camera's raw mosaic", 34892: "linear raw"},
    **{32844: "LogL", 32845: "LogLuv"},
}
_JPEG = (6, 7)


@dataclass(frozen=True)
class Page:
    """One page's tags, as far as they say how its pixels lie.

    Attributes:
        tags: values by tag.
        big_endian: how numbers of several bytes stand.
    """

    tags: dict[int, list[int]] = field(default_factory=dict)
    big_endian: bool = False

    def one(self, tag: int, default: int) -> int:
        """The first value of a tag."""
        return self.tags.get(tag, [default])[0] if self.tags.get(tag) else default

    @property
    def pixels(self) -> int:
        """Width times height."""
        return self.one(_SIDES[0], 0) * self.one(_SIDES[1], 0)

    @property
    def is_reduced(self) -> bool:
        """Whether it is a smaller copy of another page, or a mask for one."""
        return bool(self.one(_SUBFILE, 0) & 5) or self.one(_OLD_SUBFILE, 1) == 2 or self.one(_PHOTOMETRIC, 1) == _MASK

    @property
    def is_white_zero(self) -> bool:
        """Whether larger numbers are darker."""
        return self.one(_PHOTOMETRIC, _BLACK_IS_ZERO) == _WHITE_IS_ZERO

    @property
    def bits(self) -> int:
        """A channel."""
        return self.one(_BITS, 1)


def pages(data: Data) -> list[Page]:
    """The pages of a TIFF in the order of its chain; empty where the file is cut short before the first."""
    order: Literal["little", "big"] = "little" if bytes(data[:2]) == b"II" else "big"
    big = bytes(data[2:4]) in (b"+\0", b"\0+")
    found: list[Page] = []
    seen: set[int] = set()
    place = int.from_bytes(data[8:16] if big else data[4:8], order)
    while place and place not in seen and place + 2 <= len(data) and len(found) < _MOST_PAGES:
        seen.add(place)
        count_width, entry, after = (8, 20, 8) if big else (2, 12, 4)
        count = int.from_bytes(data[place : place + count_width], order)
        start = place + count_width
        if count > 4096 or start + entry * count > len(data):
            break
        found.append(Page(dict(_tags(data, start, count, order, big)), order == "big"))
        place = int.from_bytes(data[start + entry * count : start + entry * count + after], order)
    return found


def _tags(
    data: Data, start: int, count: int, order: Literal["little", "big"], big: bool
) -> Iterator[tuple[int, list[int]]]:
    entry, inline = (20, 8) if big else (12, 4)
    for place in range(start, start + entry * count, entry):
        tag, kind = (int.from_bytes(data[place + i : place + i + 2], order) for i in (0, 2))
        width = _WIDTHS.get(kind, 0)
        number = int.from_bytes(data[place + 4 : place + 4 + inline], order)
        values = place + 4 + inline
        if not width:
            continue
        if width * number > inline:
            values = int.from_bytes(data[values : values + inline], order)
        whole = range(values, values + width * min(number, _MOST_VALUES), width)
        yield tag, [int.from_bytes(data[at : at + width], order) for at in whole if at + width <= len(data)]


def picture_of(found: list[Page]) -> int:
    """Which page is the picture: the first that is no reduced copy and no mask; the largest where all are."""
    whole = [i for i, page in enumerate(found) if not page.is_reduced]
    return whole[0] if whole else max(range(len(found)), key=lambda i: found[i].pixels, default=0)


def unsupported(page: Page) -> str:
    """What about a page's pixels cannot be read rightly, in words; empty where nothing is.

    What is let through is what a test compares with one picture, layout by layout.
    """
    photometric = page.one(_PHOTOMETRIC, _BLACK_IS_ZERO)
    colours = _COLOURS.get(photometric)
    bits, samples = page.tags.get(_BITS) or [1], page.one(_SAMPLES, 1)
    name = _NAMES.get(photometric, f"colours of kind {photometric}")
    if colours is None:
        return name
    if len(set(bits)) > 1:
        return f"channels of {', '.join(map(str, bits[:8]))} bits"
    depth = bits[0]
    formats = set(page.tags.get(_FORMAT) or [1])
    if formats - {1, 2, 3} or len(formats) > 1 or (formats == {2} and photometric != _LAB):
        return f"{name} of signed or unknown numbers"
    if formats == {3} or depth > 16:
        return f"{name} of {depth}-bit {'floating-point' if formats == {3} else ''} numbers without a fixed range"
    alpha = samples - colours
    if alpha < 0:
        return f"{name} of {samples} channels"
    separate = page.one(_PLANAR, 1) == 2 and samples > 1
    text = f"{depth}-bit {name}{' with alpha' if alpha == 1 else ' with further channels' if alpha else ''}"
    text += " in separate planes" if separate else ""
    text += ", big-endian" if page.big_endian else ""
    return "" if _is_read(photometric, depth, alpha, separate, page) else text


def _is_read(photometric: int, depth: int, alpha: int, separate: bool, page: Page) -> bool:
    compression = page.one(_COMPRESSION, 1)
    extra = page.tags.get(_EXTRA) or []
    if photometric in (_WHITE_IS_ZERO, _BLACK_IS_ZERO):
        if depth == 16 and alpha == 0:
            return photometric == _BLACK_IS_ZERO or not page.big_endian
        return depth in (1, 2, 4, 8) and (
            alpha == 0 or (alpha == 1 and depth == 8 and photometric == 1 and not separate)
        )
    if photometric == _PALETTE:
        return depth in (1, 2, 4, 8) and alpha == 0
    if photometric == _YCBCR:
        return depth == 8 and alpha == 0 and (compression in _JPEG or not separate)
    if photometric == _LAB:
        return depth == 8 and alpha == 0 and not separate
    if depth not in (8, 16) or alpha > 1 or (alpha and photometric == _CMYK):
        return False
    # Planes that are not compressed are taken for interleaved ones.
    return not (separate and compression == 1 and (depth == 16 or 1 in extra))
