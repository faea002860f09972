"""What lies in folders beside pictures: folders of the system, and files that limner cannot read, with the way out."""

from __future__ import annotations

from pathlib import PurePath

_PICTURES = ".avif .bmp .dib .gif .jfif .jpe .jpeg .jpg .png .tif .tiff .webp"
PICTURES = frozenset(_PICTURES.split())
"""Endings of the formats that are read everywhere."""

_ONE_WORD = (
    "@eadir @recycle @recently-snapshot @sharebin @tmp #recycle #snapshot $recycle.bin recycler recycled found.000 "
    "lost+found __macosx thumbs.db ehthumbs.db desktop.ini"
)
_SYSTEM = {*_ONE_WORD.split(), "system volume information", "network trash folder", "temporary items"}
_SYSTEM_ENDINGS = (".lrdata", ".cocatalog", ".fcpcache")  # previews that programs keep

_KINDS = {
    "HEIC": "heic heif hif heics",
    "JPEG XL": "jxl",
    "JPEG 2000": "jp2 j2k jpf jpx",
    "PSD": "psd psb",
    "GIMP, Krita or other layers": "xcf kra ora clip afphoto procreate sai mdp",
    "vector drawing": "svg svgz eps ai pdf cdr wmf emf",
    "RAW": "3fr arw cr2 cr3 crw dcr dng erf iiq kdc mef mos mrw nef nrw orf pef raf raw rw2 rwl sr2 srf srw x3f",
    "archive": "zip tar tgz gz bz2 xz 7z rar zst",
    "video": "mp4 mov avi mkv webm m4v mts",
    "EXR, HDR or other high range": "exr hdr pfm rgbe",
    "other picture format": "tga ico cur icns pcx ppm pgm pbm pnm qoi dds jls bpg",
}
_BY_ENDING = {f".{ending}": kind for kind, endings in _KINDS.items() for ending in endings.split()}
_REMEDIES = {
    "HEIC": "install limner[formats], or export them as JPEG",
    "JPEG XL": "install limner[formats], or: djxl IN.jxl OUT.png",
    "RAW": "develop them, and export TIFF or JPEG",
    "archive": "unpack them first",
    "video": "take pictures out of them, for example with ffmpeg",
    "vector drawing": "export them as PNG at the size that you want",
}


def is_system(name: str) -> bool:
    """Whether a file or folder of this name belongs to a system or a program and not to the artist."""
    low = name.casefold()
    return low.startswith(".") or low in _SYSTEM or low.endswith(_SYSTEM_ENDINGS)


def foreign_kind(name: str) -> str:
    """What a file is that limner cannot read, by the ending of its name; empty where that says nothing."""
    return _BY_ENDING.get(PurePath(name).suffix.lower(), "")


def remedy(kind: str) -> str:
    """How files of this kind (as `foreign_kind` names it) become pictures that limner reads."""
    return _REMEDIES.get(kind, "export them as PNG or TIFF")
