"""Looking at the papers of what comes in: what was found on a picture is kept in the papers of what is made from it."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from limner import pictures
from limner.errors import PictureError
from limner.papers.c2pa.ingredients import Ingredient
from limner.papers.identity.identity import Identity
from limner.papers.publishing.ingredients import ingredient_of
from limner.papers.verify.checking import Checker
from limner.works.origins import Origin
from limner.workspace import Workspace


class Intake:
    """Looks at each picture that works are made from once.

    Args:
        workspace: whose own works are distinguished from others.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._checker = Checker(own=Identity.roots(workspace))
        self._known: dict[str, Ingredient | None] = {}

    def close(self) -> None:
        """Free what the library holds."""
        self._checker.close()

    def of(self, origins: Iterable[Origin], *, works: bool = False) -> tuple[Ingredient, ...]:
        """What of these goes into the papers of a work that is made from them, each once.

        A picture from outside always does. A work does where its own papers keep such pictures, so that they are
        handed on; another one is named by its digest among the parents, and the ledger knows the rest.

        Args:
            works: keep the papers of works in any case, as for a print of a work.
        """
        found: dict[str, Ingredient] = {}
        for origin in origins:
            if origin.kind == "seed":
                continue
            if origin.digest not in self._known:
                self._known[origin.digest] = self._look(origin, works=works)
            one = self._known[origin.digest]
            if one is not None:
                found[origin.digest] = one
        return tuple(found.values())

    def _look(self, origin: Origin, *, works: bool) -> Ingredient | None:
        try:
            data = bytes(pictures.open_file(Path(origin.name)))
        except PictureError:
            data = b""
        if f"sha256:{sha256(data).hexdigest()}" != origin.digest:
            return None if origin.kind == "work" else Ingredient(origin.digest, "inputTo", "unread")
        verdict = self._checker.check_bytes(data, Path(origin.name))
        handed_on = any(one.relationship != "parentOf" for one in verdict.chain)
        return ingredient_of(data, verdict) if works or handed_on or origin.kind == "picture" else None
