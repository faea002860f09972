"""Whose word counts here: trust anchors kept in the workspace, beside the artist's own roots."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from limner.errors import PapersError
from limner.ledger import Ledger
from limner.papers.identity.certificates import fault_of_root
from limner.papers.identity.pem import common_name, fingerprint_of, pem_of, read_chain
from limner.text import slug
from limner.workspace import Workspace, replace_file

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_ENDING = ".pem"
_LARGEST = 8 << 20


@dataclass(frozen=True)
class Anchor:
    """A file of root certificates whose word about names, and about times, is believed.

    Attributes:
        subjects: the names in its certificates.
        fingerprints: SHA-256 of each, hexadecimal.
        valid_until: when the first of them ends, ISO 8601.
    """

    name: str
    path: Path
    subjects: tuple[str, ...]
    fingerprints: tuple[str, ...]
    valid_until: str


class TrustStore:
    """The trust anchors of a workspace, one file each."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace, self._folder = workspace, workspace.root / "trust"

    def paths(self) -> list[Path]:
        """The files of all anchors, sorted."""
        return sorted(self._folder.glob(f"[!.]*{_ENDING}"))

    def anchors(self) -> list[Anchor]:
        """All anchors, by name.

        Raises:
            PapersError: one of the files is damaged.
        """
        return [_anchor(path) for path in self.paths()]

    def add(self, file: Path, name: str | None = None) -> Anchor:
        """Believe the roots in a PEM file from now on; only its certificates are kept, whatever else it holds.

        Args:
            name: up to 64 small letters, digits, dots, dashes, underscores; None makes one from the certificate's.

        Raises:
            PapersError: it cannot be read, holds something else than valid roots, or is known or named already.
        """
        roots = _roots_in(file)
        if name is None:
            name = slug(common_name(roots[0]))[:48].strip("-") or fingerprint_of(roots[0])[:12]
        if not _NAME.fullmatch(name):
            raise PapersError(f"--name {name!r}", "is no name for an anchor", "use small letters, digits, dots, dashes")
        path = self._folder / f"{name}{_ENDING}"
        prints = tuple(fingerprint_of(one) for one in roots)
        for known in self.anchors():
            if set(prints) <= set(known.fingerprints):
                raise PapersError(file, f"is an anchor already, called {known.name}", "nothing was changed")
        if path.exists():
            raise PapersError(name, "is the name of another anchor", "choose another: --name NAME")
        self._workspace.make(self._folder)
        with replace_file(path) as part:
            part.write_text("".join(pem_of(one) for one in roots), encoding="ascii")
        anchor = _anchor(path)
        self._record("trust", anchor)
        return anchor

    def remove(self, name: str) -> Anchor:
        """Believe an anchor no longer.

        Raises:
            PapersError: there is none of this name.
        """
        path = self._folder / f"{name}{_ENDING}"
        if path not in self.paths():
            known = ", ".join(one.stem for one in self.paths())
            raise PapersError(name, "is no anchor here", f"choose one of: {known}" if known else "there is none")
        anchor = _anchor(path)
        path.unlink()
        self._record("distrust", anchor)
        return anchor

    def _record(self, what: str, anchor: Anchor) -> None:
        inputs = [f"sha256:{one}" for one in anchor.fingerprints]
        named = {"name": anchor.name, "subjects": anchor.subjects}
        Ledger.open(self._workspace.ledger).record("artist", what, inputs=inputs, parameters=named)


def _roots_in(file: Path) -> list[x509.Certificate]:
    try:
        if file.stat().st_size > _LARGEST:
            raise PapersError(file, "is too large for certificates", "give root certificates in PEM")
    except OSError as error:
        raise PapersError(file, f"cannot be read ({error.strerror})", "give root certificates in PEM") from error
    roots = read_chain(file)
    for one in roots:
        if fault := fault_of_root(one):
            whose = f" ({common_name(one)})" if len(roots) > 1 else ""
            raise PapersError(file, f"{fault}{whose}", "ask whoever issued it for the root certificate, in PEM")
    return roots


def _anchor(path: Path) -> Anchor:
    roots = read_chain(path)
    return Anchor(
        name=path.stem,
        path=path,
        subjects=tuple(common_name(one) for one in roots),
        fingerprints=tuple(fingerprint_of(one) for one in roots),
        valid_until=min(one.not_valid_after_utc for one in roots).isoformat(),
    )
