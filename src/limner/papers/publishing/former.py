"""A work of one's own as it was published: its file checked, and its papers read back."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from limner import pictures
from limner.errors import PapersError
from limner.ledger import Ledger
from limner.papers.c2pa.ingredients import Ingredient
from limner.papers.c2pa.provenance import Provenance
from limner.papers.identity.identity import Identity
from limner.papers.identity.revocations import read_revocations
from limner.papers.identity.trust import TrustStore
from limner.papers.publishing.ingredients import ingredient_of
from limner.papers.publishing.published import Published
from limner.papers.registry.store import work_identifier, work_name
from limner.papers.verify.checking import Checker
from limner.papers.verify.verdict import Verdict
from limner.workspace import Workspace

_REMEDY = "give a file as limner published it here"


@dataclass(frozen=True)
class Former:
    """A published work that was found unchanged and one's own.

    Attributes:
        pixels: uint8, [height, width, 3], sRGB.
        ingredient: the file, as the new papers keep it.
        work: the work's number, as 12 hexadecimal digits; None where neither papers nor ledger name it.
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
    provenance = as_published(verdict, path)
    if label := provenance.visible_label:
        kept = {name: label.get(name) for name in ("kind", "language", "words", "corner")}
        provenance = replace(provenance, visible_label={**kept, "from_former": True})
    return Former(path, look.pixels, look.format, provenance, ingredient, work)


def as_published(verdict: Verdict, path: Path) -> Provenance:
    """What the papers of a work say of it, but for ingredients and how it differs from a former edition.

    Raises:
        PapersError: they lack something.
    """
    made = verdict.generation
    said = {one.name: made[one.name] for one in fields(Provenance) if one.name in made and one.name != "edition"}
    for name in ("model_parents", "parents", "retouches"):
        said[name] = tuple(said.get(name, ()))
    if isinstance(edition := made.get("edition"), dict) and edition.get("retouch"):
        said["retouches"] = (*said["retouches"], edition["retouch"])
    if isinstance(said.get("seed"), str):  # beyond 64 bits, numbers are written as text
        said["seed"] = int(said["seed"])
    uses = set(verdict.training_mining.values())
    said["training_mining"] = uses.pop() if len(uses) == 1 else "notAllowed"
    try:
        return Provenance(
            title=verdict.title or "",
            creator=verdict.creator or "",
            training_mining_terms=verdict.training_mining_terms,
            **said,
        )
    except (TypeError, ValueError) as error:
        raise PapersError(
            path, f"has papers that lack something ({error})", "publish it anew from its latent"
        ) from error


def _number(work: Published) -> str | None:
    if work.edition.get("work"):
        return str(work.edition["work"])
    return work_name(work_identifier(work.latent, work.model, work.signer)) if work.signer else None
