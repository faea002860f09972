"""Publishing a work again, in another format or size or with a label: signed anew, with the former papers kept."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from limner import pictures
from limner.errors import PapersError, UsageError
from limner.ledger import Ledger
from limner.papers.c2pa.ingredients import Ingredient
from limner.papers.c2pa.provenance import Provenance
from limner.papers.identity.identity import Identity
from limner.papers.identity.revocations import read_revocations
from limner.papers.identity.trust import TrustStore
from limner.papers.publishing.ingredients import ingredient_of
from limner.papers.publishing.labels import LabelWish
from limner.papers.publishing.published import Published
from limner.papers.publishing.publisher import PublishedWork, Publisher
from limner.papers.registry.registry import work_identifier, work_name
from limner.papers.verify.checking import Checker
from limner.papers.verify.verdict import Verdict
from limner.workspace import Workspace

__all__ = ["Export", "Former", "export", "name_of", "open_former"]

_ENDINGS = {"jpeg": "jpg"}
_REMEDY = "give a file as limner published it here"


@dataclass(frozen=True)
class Export:
    """What the new edition shall be.

    Attributes:
        format: one of `pictures.FORMATS`; None keeps the former one.
        quality: 1 to 100, for formats that lose something.
        long_edge: longer side in px; None keeps the size.
        label: a visible label to draw; None draws none.
    """

    format: str | None = None
    quality: int = 90
    long_edge: int | None = None
    label: LabelWish | None = None


@dataclass(frozen=True)
class Former:
    """A published work that was found unchanged and one's own.

    Attributes:
        path: its file.
        pixels: uint8, [height, width, 3], sRGB.
        format: of the file, one of `pictures.FORMATS`.
        provenance: what its papers say.
        ingredient: the file, as the new papers keep it.
        work: the work's number, as 12 hexadecimal digits; None where neither papers nor ledger tell of it.
    """

    path: Path
    pixels: NDArray[np.uint8]
    format: str
    provenance: Provenance
    ingredient: Ingredient
    work: str | None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, px."""
        return self.pixels.shape[1], self.pixels.shape[0]


def open_former(path: Path, workspace: Workspace) -> Former:
    """A work that was published by one of the workspace's identities, checked before anything is made of it.

    Raises:
        PictureError: it cannot be read.
        PapersError: it has no papers, was changed, does not count, or was published by somebody else.
    """
    data = bytes(pictures.open_file(path))
    anchors, own, revoked = TrustStore(workspace).paths(), Identity.roots(workspace), read_revocations(workspace)
    with closing(Checker(anchors=anchors, own=own, revoked=revoked)) as checker:
        verdict = checker.check_bytes(data, path)
    if not verdict.genuine:
        raise PapersError(path, f"cannot be published again: {verdict.summary}", _REMEDY)
    ingredient = ingredient_of(data, verdict, "parentOf")
    published = Published.find(Ledger.open(workspace.ledger), ingredient.digest)
    signer = verdict.signer
    if not verdict.generation or signer is None or (signer.trust != "own" and published is None):
        name = f' (signed under the name "{signer.name}")' if signer else ""
        raise PapersError(path, f"is no work that was published with this workspace{name}", _REMEDY)
    if ingredient.file is None:
        raise PapersError(path, "has papers of over 1 MiB, too many to go on", "publish the work that it was made from")
    look = pictures.decode(data, path)
    work = verdict.mark or (_number(published) if published else None)
    return Former(path, look.pixels, look.format, _as_published(verdict, path), ingredient, work)


def export(former: Former, to: Path, publisher: Publisher, wish: Export) -> PublishedWork:
    """Publish a work again: resized, labelled, written, signed, with the former file's manifest kept in the new one.

    Args:
        to: the new file; its ending says the format where `wish` names none.

    Raises:
        UsageError: it would be larger than the former one, be written over it, or have a second label.
        PapersError, LedgerError: as `Publisher.publish` does.
    """
    if to.exists() and to.samefile(former.path):
        raise UsageError(to, "is the work itself", "give another file with --to")
    if wish.label and former.provenance.visible_label:
        told = former.provenance.visible_label.get("words")
        raise UsageError("--label", f'the work carries the label "{told}" already', "leave it out")
    pixels = _resized(former.pixels, wish.long_edge)
    format = pictures.format_of(to)
    edition: dict[str, Any] = {
        "of": former.ingredient.digest,
        "former_format": former.format,
        "format": format,
        "former_size": _written(former.pixels),
        "size": _written(pixels),
    }
    if format != "png":
        edition["quality"] = wish.quality
    if former.work:
        edition["work"] = former.work
    told = {**vars(former.provenance), "edition": edition, "ingredients": (former.ingredient,)}
    return publisher.publish(pixels, to, Provenance(**told), quality=wish.quality, label=wish.label)


def name_of(former: Former, wish: Export) -> str:
    """A file's name for the new edition: that of the former one, the size, and the label's kind."""
    width, height = _fitted(former.size, wish.long_edge)
    label = f"-{wish.label.kind}" if wish.label else ""
    format = pictures.format_of(wish.format or former.format)
    return f"{former.path.stem}-{width}x{height}{label}.{_ENDINGS.get(format, format)}"


def _as_published(verdict: Verdict, path: Path) -> Provenance:
    """What the papers of a work say, as they are said again; ingredients stay in the former papers."""
    made = verdict.generation
    told = {one.name: made[one.name] for one in fields(Provenance) if one.name in made and one.name != "edition"}
    for name in ("model_parents", "parents"):
        told[name] = tuple(told.get(name, ()))
    if isinstance(told.get("seed"), str):  # beyond 64 bits, numbers are written as text
        told["seed"] = int(told["seed"])
    if label := told.get("visible_label"):
        told["visible_label"] = {name: label.get(name) for name in ("kind", "language", "words", "corner")}
        told["visible_label"]["from_former"] = True
    uses = set(verdict.training_mining.values())
    told["training_mining"] = uses.pop() if len(uses) == 1 else "notAllowed"
    try:
        return Provenance(
            title=verdict.title or "",
            creator=verdict.creator or "",
            training_mining_terms=verdict.training_mining_terms,
            **told,
        )
    except (TypeError, ValueError) as error:
        raise PapersError(
            path, f"has papers that lack something ({error})", "publish it anew from its latent"
        ) from error


def _number(work: Published) -> str | None:
    """The work's number by the act that published it."""
    if work.edition.get("work"):
        return str(work.edition["work"])
    return work_name(work_identifier(work.latent, work.model, work.signer)) if work.signer else None


def _fitted(size: tuple[int, int], long_edge: int | None) -> tuple[int, int]:
    """Width and height for a longer side.

    Raises:
        UsageError: the longer side is none, or longer than it was.
    """
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


def _resized(pixels: NDArray[np.uint8], long_edge: int | None) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    size = _fitted((width, height), long_edge)
    if size == (width, height):
        return pixels
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))


def _written(pixels: NDArray[np.uint8]) -> str:
    return f"{pixels.shape[1]}x{pixels.shape[0]}"
