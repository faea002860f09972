"""An edition made of a file that came back from another program: measured against the work, signed, its chain kept."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limner import pictures
from limner.errors import PictureError, UsageError
from limner.ledger import Ledger
from limner.papers.c2pa.ingredients import Ingredient
from limner.papers.identity.identity import Identity
from limner.papers.publishing.former import Former
from limner.papers.publishing.ingredients import ingredient_of
from limner.papers.publishing.labels import LabelRequest
from limner.papers.publishing.published import RETOUCH, Published
from limner.papers.publishing.publisher import PublishedWork, Publisher
from limner.papers.verify.checking import Checker
from limner.retouching.aligning import Progress
from limner.retouching.changes import Changes, changes_between
from limner.retouching.masks import keep_mask
from limner.workspace import Workspace

WAYS = ("hand", "generator")
"""How the artist may say that it was done: without a generator, or with one."""
_QUALITY, _LONGEST = 95, 500


@dataclass(frozen=True)
class Retouch:
    """A file that came back, and what the artist says of it.

    Attributes:
        by: one of `WAYS`; None where the artist does not say.
        note: the artist's words for what was done.
        unrelated: why it is a retouch of the work though it does not look like it; None where it must.
        title: of the new edition; that of the work with ", retouched" otherwise.
        label: that is to be drawn.

    Raises:
        UsageError: one of these cannot be used.
    """

    file: Path
    by: str | None = None
    note: str = ""
    unrelated: str | None = None
    title: str | None = None
    label: LabelRequest | None = None

    def __post_init__(self) -> None:
        if self.by is not None and self.by not in WAYS:
            raise UsageError(f"--by {self.by}", "is no way", f"use {' or '.join(WAYS)}, or leave it out")
        for option, words in (("--note", self.note), ("--allow-unrelated", self.unrelated or "")):
            if len(words) > _LONGEST:
                raise UsageError(option, f"has {len(words):,} letters", f"give {_LONGEST} at most")
        if self.unrelated is not None and not self.unrelated.strip():
            raise UsageError("--allow-unrelated", "gives no reason", "say why it is a retouch of this work")


@dataclass(frozen=True)
class Returned:
    """A file that came back, measured.

    Attributes:
        pixels: of the file. # uint8 [h, w, 3]
        format: what the file was.
        changes: against the work, however little of it is found.
        source: the file as the new papers name it, or keep its own papers.
    """

    former: Former
    request: Retouch
    pixels: NDArray[np.uint8]
    format: str
    changes: Changes
    source: Ingredient

    def record(self) -> dict[str, Any]:
        """What papers and ledger say of it: `file`, what was measured, and what the artist says."""
        said = {"by": self.request.by, "note": self.request.note.strip() or None}
        kept = {name: value for name, value in said.items() if value}
        if not self.changes.related:
            reason = {"alike": round(self.changes.alike, 3), "reason": self.request.unrelated}
            return {"file": self.source.digest, **reason, **kept}
        return {"file": self.source.digest, **self.changes.record(), **kept}


@dataclass(frozen=True)
class RetouchedWork:
    """A retouched work that was published.

    Attributes:
        label_lost: words of the visible label of the former edition, where it cannot be said to be there still.
    """

    work: PublishedWork
    returned: Returned
    label_lost: str = ""


def returned(
    former: Former, request: Retouch, workspace: Workspace, progress: Progress = lambda done, total: None
) -> Returned:
    """A file that came back, measured against the work that it is said to come from.

    Args:
        progress: as in `changes_between`.

    Raises:
        UsageError: it is no picture, the work itself, shows nothing else than it, or does not show it at all.
    """
    try:
        data = bytes(pictures.open_file(request.file))
        look = pictures.decode(data, request.file)
    except PictureError as error:
        raise UsageError(error.value, error.reason, error.remedy or "give the file that came back") from None
    with closing(Checker(own=Identity.roots(workspace))) as checker:
        source = ingredient_of(data, checker.check_bytes(data, request.file), "componentOf")
    if source.digest == former.ingredient.digest:
        raise UsageError(f"--with {request.file}", "is the work itself", "give the file that came back")
    changes = changes_between(former.pixels, look.pixels, progress)
    if changes.nothing:
        reason = "shows the same picture; only how it was saved differs"
        raise UsageError(f"--with {request.file}", reason, "publish the work again with: limner publish")
    if not changes.related and request.unrelated is None:
        reason = f"does not show {former.path.name}: {changes.alike:.0%} of what is drawn there was found in it"
        remedy = 'give another file, or say why it is a retouch all the same: --allow-unrelated "..."'
        raise UsageError(f"--with {request.file}", reason, remedy)
    return Returned(former, request, look.pixels, look.format, changes, source)


def publish_retouched(one: Returned, to: Path, publisher: Publisher, workspace: Workspace) -> RetouchedWork:
    """Publish a file that came back as the next edition of its work; the former papers are kept in it.

    Args:
        to: the new file; its ending says the format.

    Raises:
        UsageError: it would be written over the work or the file that came back, or have a second label.
        PapersError, LedgerError: as `Publisher.publish` does.
    """
    former, request, format = one.former, one.request, pictures.format_of(to)
    for source in (former.path, request.file):
        if to.exists() and to.samefile(source):
            raise UsageError(to, "is one of the sources", "give another file with --to")
    label = _label_left(one, publisher.ledger)
    if request.label and label:
        raise UsageError("--label", f'the work carries the label "{label.get("words")}" already', "leave it out")
    height, width = one.pixels.shape[:2]
    record = one.record()
    if one.changes.related:
        record["map"] = keep_mask(one.changes.mask, workspace)
    edition: dict[str, Any] = {
        "of": former.ingredient.digest,
        "former_format": former.format,
        "format": format,
        "former_size": f"{former.size[0]}x{former.size[1]}",
        "size": f"{width}x{height}",
        **({} if format == "png" else {"quality": _QUALITY}),
        **({"work": former.work} if former.work else {}),
        RETOUCH: record,
    }
    provenance = replace(
        former.provenance,
        title=request.title or _title(former),
        edition=edition,
        ingredients=(former.ingredient, one.source),
        visible_label=label,
    )
    work = publisher.publish(one.pixels, to, provenance, quality=_QUALITY, label=request.label)
    lost = former.provenance.visible_label if not label and not request.label else {}
    return RetouchedWork(work, one, str(lost.get("words", "")))


def name_of(one: Returned) -> str:
    """A file's name for the new edition, in the format of the file that came back, where limner writes that."""
    format = one.format if one.format in pictures.FORMATS else "png"
    return f"{one.former.path.stem}-retouched.{'jpg' if format == 'jpeg' else format}"


def _title(former: Former) -> str:
    title = former.provenance.title
    return title if title.endswith(", retouched") else f"{title}, retouched"


def _label_left(one: Returned, ledger: Ledger) -> dict[str, Any]:
    """The visible label of the former edition where it is still there, by what changed in its place; else empty."""
    label, changes = one.former.provenance.visible_label, one.changes
    if not label:
        return {}
    published = Published.find(ledger, one.former.ingredient.digest)
    box = published.visible_label.get("box") if published else None
    upright = changes.exact and not changes.mirrored and abs(changes.angle) < 0.01
    if not (changes.related and upright and isinstance(box, list) and len(box) == 4):
        return {}
    width, height = one.former.size
    down, across = changes.mask.shape[0] / height, changes.mask.shape[1] / width
    left, top, wide, tall = box
    rows = slice(int(top * down), int((top + tall) * down) + 1)
    place = changes.mask[rows, int(left * across) : int((left + wide) * across) + 1]
    return label if place.size and place.mean() < 0.02 else {}
