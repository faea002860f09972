"""Checking the papers of any file: read once, look at each layer, and say what that proves."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from limner import pictures
from limner.errors import PapersError, PictureError
from limner.papers.c2pa.claims import mapping
from limner.papers.c2pa.guard import claims_too_much
from limner.papers.c2pa.library import GENERATION, C2paError, read_store, reading_context
from limner.papers.c2pa.parts import Parts, take_apart
from limner.papers.identity.revocations import Revocation
from limner.papers.verify.manifest import broken, signed, xmp_of
from limner.papers.verify.recognising import contesting, looked_up, read_model_mark, read_watermark
from limner.papers.verify.verdict import Verdict
from limner.papers.watermark import Prepared

if TYPE_CHECKING:
    from limner.papers.registry.registry import Edition, Registry
    from limner.papers.watermark.keys import MarkKey

__all__ = ["Checker", "verify"]

_LIMIT = 512 << 20


def verify(path: Path, *, anchors: Sequence[Path] = (), own: Sequence[Path] = ()) -> Verdict:
    """Check the papers of one file. Whatever the file holds, this answers and does not raise.

    Args:
        path: the file.
        anchors: PEM files of roots whose word about names is believed.
        own: PEM files of the roots of the reader's own identities.

    Raises:
        PapersError: an anchor cannot be read.
    """
    with closing(Checker(anchors=anchors, own=own)) as checker:
        return checker.check(path)


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
        file = _File(data, path)
        verdict = self._of_papers(file)
        if verdict.state == "unreadable" or not (self._marks or self._registry):
            return verdict
        try:
            pixels = file.pixels
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
        """Digests of what a registered edition was made from, as its stored manifest says."""
        try:
            store = read_store(edition.manifest, "application/c2pa", self._context)
        except C2paError:
            return []
        manifests = {one.get("label"): one for one in (store or {}).get("manifests", [])}
        active = mapping(manifests.get((store or {}).get("active")))
        parents = mapping(mapping(active.get("assertions")).get(GENERATION)).get("parents")
        return [one for one in parents if isinstance(one, str)] if isinstance(parents, list) else []

    def _of_papers(self, file: _File) -> Verdict:
        data, path = file.data, file.path
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
        return broken(path, parts, fault) if parts.has_manifest else _unsigned(file, parts)


class _File:
    """A file that is checked; its picture is decoded once, when it is first asked for."""

    def __init__(self, data: bytes, path: Path) -> None:
        self.data, self.path = data, path

    @cached_property
    def pixels(self) -> NDArray[np.uint8]:
        """# uint8 [h, w, 3]

        Raises:
            PictureError: it holds none.
        """
        return pictures.decode(self.data, self.path).pixels


def _unsigned(file: _File, parts: Parts) -> Verdict:
    try:
        _ = file.pixels  # a file that is no picture has no papers to miss
    except PictureError as error:
        return _unreadable(file.path, error.reason)
    return Verdict(str(file.path), "none", **xmp_of(parts))


def _unreadable(path: Path, reason: str) -> Verdict:
    return Verdict(str(path), "unreadable", reason)


def _roots(paths: Sequence[Path]) -> str:
    texts = []
    for path in paths:
        try:
            text = path.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "is no PEM file"
            raise PapersError(path, f"cannot be read ({reason})", "give root certificates in PEM") from error
        if "BEGIN CERTIFICATE" not in text:
            raise PapersError(path, "holds no certificate in PEM", "give root certificates in PEM")
        texts.append(text if text.endswith("\n") else text + "\n")
    return "".join(texts)
