"""Checking the papers of any file: read once, look at each layer, and say what that proves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from limner import pictures
from limner.errors import PapersError, PictureError
from limner.papers.c2pa.claims import mapping
from limner.papers.c2pa.guard import claims_too_much
from limner.papers.c2pa.library import C2paError, read_store, reading_context
from limner.papers.c2pa.parts import take_apart
from limner.papers.c2pa.provenance import GENERATION
from limner.papers.identity.identity import Identity
from limner.papers.identity.pem import pem_of, read_chain
from limner.papers.identity.revocations import Revocation, read_revocations
from limner.papers.identity.trust import TrustStore
from limner.papers.registry.registry import Registry, open_registry
from limner.papers.registry.store import Edition
from limner.papers.verify.manifest import broken, signed, xmp_of
from limner.papers.verify.recognising import contesting, looked_up, read_model_mark, read_watermark
from limner.papers.verify.verdict import Verdict
from limner.papers.watermark import Prepared
from limner.papers.watermark.keys import MarkKey, known_keys
from limner.workspace import Workspace

_LIMIT = 512 << 20


def verify(path: Path, *, anchors: Sequence[Path] = (), own: Sequence[Path] = ()) -> Verdict:
    """Check the papers of one file. Whatever the file holds, this answers and does not raise.

    Args:
        anchors: PEM files of roots whose word about names is believed.
        own: PEM files of the roots of the reader's own identities.

    Raises:
        PapersError: an anchor cannot be read.
    """
    with closing(Checker(anchors=anchors, own=own)) as checker:
        return checker.check(path)


def open_checker(workspace: Workspace, anchors: Sequence[Path] = (), *, own: Literal["own", "none"] = "own") -> Checker:
    """A checker that knows the workspace: its roots, anchors, revocations and works; it believes `anchors` too.

    Args:
        own: whether the workspace counts as the reader's own; `none` judges as a stranger would, who only has the
            signer's word.

    Raises:
        PapersError: an anchor, the list of revocations or a watermark key cannot be read.
    """
    return Checker(
        anchors=[*anchors, *TrustStore(workspace).paths()],
        own=Identity.roots(workspace) if own == "own" else (),
        revoked=read_revocations(workspace),
        registry=open_registry(workspace),
        marks=True,
        mark_keys=known_keys(workspace),
    )


class Checker:
    """Checks many files with the same trust anchors, from several threads if one likes.

    Args:
        anchors, own: as in `verify`.
        own_roots: roots of one's own as PEM text instead of files.
        revoked: certificates that no longer count.
        registry: asked for works that a picture looks like, where its papers are gone or no longer fit.
        marks: whether pixels are searched for a watermark; takes 10 to 50 ms a picture.
        mark_keys: one's own keys by which it is looked for, beside that which all know.

    Raises:
        PapersError: an anchor cannot be read.
    """

    def __init__(
        self,
        *,
        anchors: Sequence[Path] = (),
        own: Sequence[Path] = (),
        own_roots: str = "",
        revoked: Sequence[Revocation] = (),
        registry: Registry | None = None,
        marks: bool = False,
        mark_keys: Sequence[MarkKey] = (),
    ) -> None:
        self._revoked, self._registry, self._marks = tuple(revoked), registry, marks
        self._mark_keys = tuple(mark_keys)
        given = ", ".join(str(path) for path in (*anchors, *own))
        try:
            self._context = reading_context(_roots(anchors), own_roots + _roots(own))
        except C2paError as error:
            raise PapersError(given, f"is no trust anchor ({error})", "give root certificates in PEM") from error

    def close(self) -> None:
        """Free what the library holds."""
        self._context.close()

    def manifest(self, data: bytes) -> dict[str, Any] | None:
        """All that the C2PA library reads from a picture's manifests, as `read_store` gives it; None without one."""
        kind = take_apart(data).kind
        try:
            return None if claims_too_much(data, kind) else read_store(data, kind, self._context)
        except C2paError:
            return None

    def check(self, path: Path) -> Verdict:
        """The verdict on one file; never raises."""
        try:
            data = pictures.open_file(path)
        except PictureError as error:
            return _unreadable(path, error.reason)
        if len(data) > _LIMIT:
            return _unreadable(path, f"has {len(data) >> 20:,} MiB; files up to {_LIMIT >> 20} MiB are checked")
        return self.check_bytes(bytes(data), path)

    def check_bytes(self, data: bytes, path: Path) -> Verdict:
        """The verdict on the bytes of the file that lies, or will lie, at `path`; never raises."""
        decoded = cache(lambda: pictures.decode(data, path).pixels)
        verdict = self._of_papers(data, path, decoded)
        if verdict.state == "unreadable" or not (self._marks or self._registry):
            return verdict
        try:
            pixels = decoded()
        except PictureError:
            return verdict
        signed, registry = verdict.state in ("valid", "invalid"), self._registry
        if registry is not None and not signed:
            verdict = replace(verdict, registered=looked_up(data, pixels, registry, self._made_from))
        if self._marks:
            picture = Prepared(pixels)
            read = read_watermark(verdict, picture, registry, self._mark_keys)
            verdict = replace(verdict, mark_read=read, model_mark=read_model_mark(verdict, picture))
        if registry is not None and signed:
            verdict = replace(verdict, registered=contesting(verdict, data, pixels, registry))
        return verdict

    def _made_from(self, edition: Edition) -> list[str]:
        try:
            store = read_store(edition.manifest, "application/c2pa", self._context)
        except C2paError:
            return []
        manifests = {one.get("label"): one for one in (store or {}).get("manifests", [])}
        active = mapping(manifests.get((store or {}).get("active")))
        parents = mapping(mapping(active.get("assertions")).get(GENERATION)).get("parents")
        return [one for one in parents if isinstance(one, str)] if isinstance(parents, list) else []

    def _of_papers(self, data: bytes, path: Path, decoded: Callable[[], NDArray[np.uint8]]) -> Verdict:
        parts = take_apart(data)
        if parts.kind is None:
            if parts.has_manifest:
                return broken(path, parts, "it no longer is a picture")
            return _unreadable(path, "holds no picture of a known format")
        if claims_too_much(data, parts.kind):
            return broken(path, parts, "a value in it says that it is longer than the box that holds it")
        try:
            store, fault = read_store(data, parts.kind, self._context), "no manifest is found"
        except C2paError as error:
            store, fault = None, str(error)
        if store and store["active"] and store.get("manifests"):
            return signed(path, data, parts, store, self._revoked)
        if parts.has_manifest:
            return broken(path, parts, fault)
        try:
            decoded()  # a file that is no picture has no papers to miss
        except PictureError as error:
            return _unreadable(path, error.reason)
        return Verdict(str(path), "none", **xmp_of(parts))


def _unreadable(path: Path, reason: str) -> Verdict:
    return Verdict(str(path), "unreadable", reason)


def _roots(paths: Sequence[Path]) -> str:
    return "".join(pem_of(one) for path in paths for one in read_chain(path))
