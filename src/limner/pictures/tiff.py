"""What a TIFF's own tags say: which of its pages is the picture, and whether the pixels can be read rightly."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from limner.pictures.files import Data

_MOST_PAGES = 1000
_MOST_TAGS = 4096
_MOST_PIECES = 100_000
_MOST_VALUES = 64
_WIDTHS = {1: 1, 3: 2, 4: 4, 16: 8}  # bytes of a value: BYTE, SHORT, LONG, LONG8

_SUBFILE, _OLD_SUBFILE = 254, 255
_PIECES = (273, 279, 324, 325)  # offsets and lengths of strips, and of tiles
_SIDES, _BITS, _COMPRESSION, _PHOTOMETRIC = (256, 257), 258, 259, 262
_SAMPLES, _PLANAR, _EXTRA, _FORMAT = 277, 284, 338, 339
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _MASK, _CMYK, _YCBCR, _LAB = 0, 1, 2, 3, 4, 5, 6, 8
_COLOURS = {_WHITE_IS_ZERO: 1, _BLACK_IS_ZERO: 1, _RGB: 3, _PALETTE: 1, _CMYK: 4, _YCBCR: 3, _LAB: 3}
_NAMES = dict(zip(_COLOURS, ("grey", "grey", "RGB", "palette", "CMYK", "YCbCr", "Lab"), strict=True))
_NAMES |= {9: "ICC Lab", 10: "ITU Lab", 32844: "LogL", 32845: "LogLuv"}
_NAMES |= {32803: "a camera's raw mosaic", 34892: "linear raw"}
_JPEG = (6, 7)


@dataclass(frozen=True)
class Page:
    """One page's tags, as far as they say how its pixels lie.

    Attributes:
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


def pages(data: Data) -> list[Page]:
    """The pages of a TIFF in the order of its chain; empty where the file is cut short before the first."""
    file = _File(data)
    found: list[Page] = []
    seen: set[int] = set()
    place = file.first
    while place and place not in seen and (entries := file.entries(place)) is not None and len(found) < _MOST_PAGES:
        seen.add(place)
        tags = {one.tag: file.values(one, _MOST_VALUES) for one in entries}
        found.append(Page(tags, file.order == "big"))
        place = file.after(place)
    return found


def is_cut_short(data: Data) -> bool:
    """Whether the first directory of a TIFF, or a strip or tile that it lists, lies behind the end."""
    file = _File(data)
    entries = file.entries(file.first)
    if entries is None or any(one.place + one.width * one.number > len(data) for one in entries if one.tag in _PIECES):
        return True
    lists = {one.tag: file.values(one, _MOST_PIECES) for one in entries if one.tag in _PIECES}
    offsets, lengths = (lists.get(strips, []) + lists.get(tiles, []) for strips, tiles in ((273, 324), (279, 325)))
    return any(offset + length > len(data) for offset, length in zip(offsets, lengths, strict=False))


class _Entry(NamedTuple):
    """A tag of a directory: so many values (`number`) of `width` bytes each, which lie at `place`."""

    tag: int
    width: int
    number: int
    place: int


class _File:
    """The directories of a TIFF or BigTIFF: a count, the entries, and where the next directory lies."""

    def __init__(self, data: Data) -> None:
        self._data = data
        self.order: Literal["little", "big"] = "little" if bytes(data[:2]) == b"II" else "big"
        big = bytes(data[2:4]) in (b"+\0", b"\0+")
        self._count_width, self._entry, self._inline = (8, 20, 8) if big else (2, 12, 4)
        self.first = self._number(8 if big else 4, self._inline)

    def _number(self, place: int, width: int) -> int:
        return int.from_bytes(self._data[place : place + width], self.order)

    def after(self, place: int) -> int:
        """Where the directory after that at `place` lies; 0 for the last."""
        end = place + self._count_width + self._entry * self._number(place, self._count_width)
        return self._number(end, self._inline)

    def entries(self, place: int) -> list[_Entry] | None:
        """The tags of whole numbers in the directory at `place`; None where the file ends before it does."""
        count, start = self._number(place, self._count_width), place + self._count_width
        if start > len(self._data) or count > _MOST_TAGS or start + self._entry * count > len(self._data):
            return None
        found = []
        for at in range(start, start + self._entry * count, self._entry):
            width, number = _WIDTHS.get(self._number(at + 2, 2), 0), self._number(at + 4, self._inline)
            values = at + 4 + self._inline
            if width * number > self._inline:
                values = self._number(values, self._inline)
            if width:
                found.append(_Entry(self._number(at, 2), width, number, values))
        return found

    def values(self, entry: _Entry, most: int) -> list[int]:
        """The values of a tag, at most so many, as far as they lie in the file."""
        room = (len(self._data) - entry.place) // entry.width
        count = max(0, min(entry.number, most, room))
        return [self._number(entry.place + entry.width * i, entry.width) for i in range(count)]


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
