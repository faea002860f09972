"""The page of a trace: the work, pictures composed like it, who shaped its composition, what its finish took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from limner import pictures
from limner.collection.rows import Row
from limner.errors import UsageError
from limner.influence.estimate import Alike
from limner.influence.shares import GroupShare, Influence, Method
from limner.influence.sources import collection_of
from limner.papers.evidence.pages import environment
from limner.reports.record import Shown, shown
from limner.text import printable
from limner.works import trace_wording as words
from limner.works.credits import Credits
from limner.works.origins import pixels_of
from limner.works.tracing import ComposedFrom, Tracing
from limner.workspace import replace_file

_WORK, _NEAR, _COMPOSED = 640, 240, 320
_BARS, _SOURCES = 12, 12


@dataclass(frozen=True)
class Bar:
    """A share, drawn: all lengths in percent of the axis."""

    name: str
    share: str
    low: float
    wide: float
    value: float
    portion: float
    ahead: bool


def write_trace(tracing: Tracing, found: Influence, credits: Credits | None, label: str, to: Path) -> None:
    """Write the page in one step; everything that it shows is inside.

    Raises:
        UsageError: the place cannot be written to.
    """
    page = render_trace(tracing, found, credits, label)
    try:
        with replace_file(to) as part:
            part.write_text(page, encoding="utf-8")
    except OSError as error:
        raise UsageError(to, f"cannot be written ({error.strerror})", "choose another place with --to") from error


def render_trace(tracing: Tracing, found: Influence, credits: Credits | None, label: str) -> str:
    """The page as HTML; titles and names are the words of strangers, and are escaped."""
    pages = environment("limner.reports")
    pages.filters["visible"] = printable
    composition = np.array(tracing.composition.pixels)
    return pages.get_template("trace.html.j2").render(
        title=tracing.published.title or tracing.path.name,
        work=shown(_within(pixels_of(tracing.path), _WORK), "the work"),
        composition=shown(_enlarged(composition), "its composition", "png"),
        size=f"{composition.shape[1]} × {composition.shape[0]}",
        painted=tracing.composition.source is ComposedFrom.LATENT,
        model=tracing.card.name,
        collection=tracing.card.collection,
        nearest=tracing.nearest(),
        alike=[(_near(one, tracing), one.row) for one in tracing.alike()],
        bars=[_bar(one, found) for one in found.shares[:_BARS]],
        by=found.by,
        estimate=found.method is Method.ESTIMATE,
        said=[words.verdict_line(found), words.method_line(found), words.uncertainty_line(found)],
        limits=words.limits(tracing.card, found),
        sources=_sources(credits),
        label=label,
    )


def _bar(one: GroupShare, found: Influence) -> Bar:
    share = one.share
    ahead = found.first is not None and one.name == found.first.name
    low, wide, value, portion = (
        round(100 * x, 2) for x in (share.low, share.high - share.low, share.value, one.portion)
    )
    return Bar(words.named(one), words.between(one), low, wide, value, portion, ahead)


def _sources(credits: Credits | None) -> Sequence[tuple[str, str, str, str]]:
    """Share, title, creator and licence of the pictures that gave most to the finish."""
    if credits is None:
        return ()
    return [
        (f"{one.share:.1%}", one.exemplar.title, one.exemplar.creator or "unknown", one.exemplar.licence or "unknown")
        for one in credits.sources.shares()[:_SOURCES]
    ]


def _near(one: Alike, tracing: Tracing) -> Shown:
    row: Row = one.row
    pixels = pictures.read(collection_of(tracing.card, tracing.workspace).picture_path(row)).pixels
    return shown(_within(pixels, _NEAR), row.title or row.file)


def _within(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    image = Image.fromarray(np.ascontiguousarray(pixels))
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    return np.asarray(image)


def _enlarged(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """With whole pixels, or made smaller where it is large."""
    times = _COMPOSED // max(pixels.shape[:2])
    return pixels.repeat(times, 0).repeat(times, 1) if times > 1 else _within(pixels, _COMPOSED)
