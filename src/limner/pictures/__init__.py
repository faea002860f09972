"""Lives here: the one door in and the one door out for pixels: files to 8-bit sRGB arrays, and back.

Not here: where pictures are kept (`collection/`), and what may be done with them (`rights/`).
Ground floor (docs/architecture.md).
"""

from limner.pictures.files import open_file
from limner.pictures.reading import MAX_PIXELS, READABLE, Picture, decode, look, read
from limner.pictures.writing import FORMATS, encode, format_of, write

__all__ = [
    "FORMATS",
    "MAX_PIXELS",
    "READABLE",
    "Picture",
    "decode",
    "encode",
    "format_of",
    "look",
    "open_file",
    "read",
    "write",
]
