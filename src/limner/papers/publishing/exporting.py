"""Publishing a work again, in another format or size or with a label: signed anew, with the former papers kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from limner import pictures
from limner.errors import UsageError
from limner.papers.publishing.former import Former
from limner.papers.publishing.labels import LabelRequest
from limner.papers.publishing.publisher import PublishedWork, Publisher

_ENDINGS = {"jpeg": "jpg"}


@dataclass(frozen=True)
class Export:
    """What the new edition shall be.

    Attributes:
        format: one of `pictures.FORMATS`; None keeps the former one.
        quality: 1 to 100, for formats that lose something.
        long_edge: longer side in px; None keeps the size.
    """

    format: str | None = None
    quality: int = 90
    long_edge: int | None = None
    label: LabelRequest | None = None


def export(former: Former, to: Path, publisher: Publisher, request: Export) -> PublishedWork:
    """Publish a work again: resized, labelled, written, signed, with the former file's manifest kept in the new one.

    Args:
        to: the new file; its ending says the format where `request` names none.

    Raises:
        UsageError: it would be larger than the former one, be written over it, or have a second label.
        PapersError, LedgerError: as `Publisher.publish` does.
    """
    if to.exists() and to.samefile(former.path):
        raise UsageError(to, "is the work itself", "give another file with --to")
    if request.label and former.provenance.visible_label:
        words = former.provenance.visible_label.get("words")
        raise UsageError("--label", f'the work carries the label "{words}" already', "leave it out")
    pixels, size, format = former.pixels, _fitted(former.size, request.long_edge), pictures.format_of(to)
    if size != former.size:
        pixels = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))
    edition: dict[str, Any] = {
        "of": former.ingredient.digest,
        "former_format": former.format,
        "format": format,
        "former_size": f"{former.size[0]}x{former.size[1]}",
        "size": f"{size[0]}x{size[1]}",
    }
    if format != "png":
        edition["quality"] = request.quality
    if former.work:
        edition["work"] = former.work
    provenance = replace(former.provenance, edition=edition, ingredients=(former.ingredient,))
    return publisher.publish(pixels, to, provenance, quality=request.quality, label=request.label)


def name_of(former: Former, request: Export) -> str:
    """A file's name for the new edition: that of the former one, the size, and the label's kind."""
    width, height = _fitted(former.size, request.long_edge)
    label = f"-{request.label.kind}" if request.label else ""
    format = pictures.format_of(request.format or former.format)
    return f"{former.path.stem}-{width}x{height}{label}.{_ENDINGS.get(format, format)}"


def _fitted(size: tuple[int, int], long_edge: int | None) -> tuple[int, int]:
    """Width and height for a longer side."""
    longest = max(size)
    if long_edge is None or long_edge == longest:
        return size
    if long_edge < 1:
        raise UsageError(f"--long-edge {long_edge}", "is no length", "give pixels, e.g. 1600")
    if long_edge > longest:
        raise UsageError(
            f"--long-edge {long_edge}",
            f"is more than the work has ({size[0]}x{size[1]})",
            "leave it out, or make a larger print first: limner enlarge",
        )
    return max(1, round(size[0] * long_edge / longest)), max(1, round(size[1] * long_edge / longest))
