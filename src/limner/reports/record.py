"""What the page of a demo shows: plain values, so that a page can be made and tested without a training."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limner import pictures
from limner.papers import Verdict


@dataclass(frozen=True)
class Shown:
    """A picture file that goes into the page.

    Attributes:
        data: the bytes of the file, kept as they are.
        alt: what it is, for those who cannot see it.
    """

    data: bytes = field(repr=False)
    mime: str
    width: int
    height: int
    alt: str

    @property
    def uri(self) -> str:
        """The file as a `data:` address."""
        return f"data:{self.mime};base64,{base64.b64encode(self.data).decode()}"

    def times(self, target: int) -> int:
        """The whole number of times that its longer side fits into `target`, at least 1."""
        return max(1, target // max(self.width, self.height))


def shown(pixels: NDArray[np.uint8], alt: str, format: str = "webp", quality: int = 92) -> Shown:
    """A picture for the page from pixels. # uint8 [h, w, 3]"""
    data = pictures.encode(np.ascontiguousarray(pixels), format, quality=quality)
    return Shown(data, pictures.FORMATS[format], pixels.shape[1], pixels.shape[0], alt)


@dataclass(frozen=True)
class Block:
    """Pictures of one label (of any where it is empty), or at one moment of a stage."""

    label: str
    pictures: Sequence[Shown]


@dataclass(frozen=True)
class Sheet:
    """What one model paints, with what its card says of it.

    Attributes:
        target: pixels that a picture may be enlarged to.
        learned: from what, for how long, and what it went on from.
        licences: pictures that it learned from, by licence.
        credit: the line that these licences oblige to.
    """

    name: str
    digest: str
    blocks: Sequence[Block]
    columns: int
    target: int
    learned: str
    which: str
    licences: Mapping[str, int]
    credit: str = ""


@dataclass(frozen=True)
class Taken:
    """What was taken, and with which rights."""

    name: str
    digest: str
    """sha256 of the collection."""
    pictures: int
    """In the whole collection."""
    where: Sequence[str]
    """Conditions that chose what was learned from."""
    noun: str
    """What one of them is called: a painting, or a picture."""
    trained_count: int
    held_out_count: int
    trained: Sequence[Shown]
    """Pictures that were learned from, small; not all where they are many."""
    held_out: Sequence[Shown]
    """Pictures that were kept aside, small; not all where they are many."""
    licences: Mapping[str, int]
    creators: Mapping[str, int]
    credit: str = ""
    """The line that the licences oblige to."""


@dataclass(frozen=True)
class StageCurve:
    """One stage of the training as a curve.

    Attributes:
        line: minutes and training loss.
        checks: minutes and what the hold-out said.
    """

    title: str
    line: Sequence[tuple[float, float]]
    checks: Sequence[tuple[float, float]]
    unit: str


@dataclass(frozen=True)
class Learned:
    """How the model learned, and how well."""

    name: str
    digest: str
    """sha256 of the model file."""
    size: str
    minutes: float
    pictures_seen: int
    latents_seen: int
    machine: str
    teacher: str
    prior: str
    quality: Mapping[str, Any]
    curves: Sequence[StageCurve]
    originals: Sequence[Shown]
    """Held-out pictures that chose nothing, as they are."""
    reconstructions: Sequence[Block]
    """The same, through the model."""
    samples: Sequence[Block]
    """New pictures of fixed latents."""


@dataclass(frozen=True)
class Nearest:
    """The nearest training picture of a work."""

    picture: Shown
    title: str
    creator: str
    distance: float
    means: str
    """What the distance says, in a sentence."""


@dataclass(frozen=True)
class Work:
    """A signed work: the very bytes of its file, with what a stranger finds in them."""

    picture: Shown
    file: str
    """Its path inside the demo's folder."""
    title: str
    verdict: Verdict
    nearest: Nearest


@dataclass(frozen=True)
class Forged:
    """A work that somebody changed.

    Attributes:
        picture: the changed file as a forgiving viewer shows it; None where none can.
    """

    title: str
    file: str
    picture: Shown | None
    what: str
    lesson: str
    verdict: Verdict


@dataclass(frozen=True)
class DemoRecord:
    """Everything that the page of a demo shows."""

    taken: Taken
    learned: Learned
    sheet: Sequence[Shown]
    seed: int
    works: Sequence[Work]
    usual: str
    """How near pictures come that were never trained on, in a sentence."""
    forged: Sequence[Forged]
    commands: Sequence[tuple[str, str]]
    """What to type next, and what it does."""
    seconds: float
    version: str
    made: str
    """Date."""
    opening: Sequence[Sheet] = ()
    """What shipped models painted before anything was trained."""
    after: Sheet | None = None
    """The first pictures of the sheet, beside those of `opening[0]`, the model that this one went on from."""
