"""Formats that Pillow reads only with a plug-in (`pip install limner[formats]`): HEIC and JPEG XL."""

from __future__ import annotations

import importlib
from functools import lru_cache

NAMES = {"heif": "HEIC", "jxl": "JPEG XL"}
"""What people call each of these formats."""


@lru_cache(maxsize=1)
def extra_formats() -> frozenset[str]:
    """Which of the formats in `NAMES` can be read here; their plug-ins are made known to Pillow."""
    found = set()
    for name, module in (("heif", "pillow_heif"), ("jxl", "pillow_jxl")):
        try:
            plugin = importlib.import_module(module)
        except ImportError:  # not installed, or without its library
            continue
        if name == "heif":
            plugin.register_heif_opener(thumbnails=False)
        found.add(name)
    return frozenset(found)
