"""One consent: what a rights holder agreed to, for a picture or for all pictures of a creator."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Literal

from limner.errors import RightsError
from limner.text import composed, one_line

_PICTURE = re.compile(r"^[0-9a-f]{64}$")
_DOCUMENT = re.compile(r"^sha256:[0-9a-f]{64}$")
_LONGEST = 500


class Scope(StrEnum):
    """What a picture may be used for."""

    TRAIN = "train"
    """A model learns from it."""
    EXEMPLAR = "exemplar"
    """Patches of it finish works."""
    STYLE = "style"
    """It says how a restyled work looks."""
    PUBLISH = "publish"
    """Works that it has a part in are published."""
    SELL = "sell"
    """Such works are sold: limner sells nothing, and says where this was not granted."""


@dataclass(frozen=True)
class Subject:
    """What a consent is about: one picture, or all pictures of one creator.

    Attributes:
        name: the picture's pixel_sha256 (64 hexadecimal digits), or the creator's name on one line.

    Raises:
        RightsError: the name is empty, or no digest.
    """

    kind: Literal["picture", "creator"]
    name: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", composed(one_line(self.name, _LONGEST)))
        if self.kind == "picture" and not _PICTURE.match(self.name):
            raise RightsError(f"picture {self.name!r}", "is no digest of pixels", "give 64 hexadecimal digits")
        if not self.name:
            raise RightsError("creator ''", "names nobody", "give a name")

    @property
    def key(self) -> str:
        """What makes two names one subject: see `creator_key`."""
        return self.name if self.kind == "picture" else creator_key(self.name)

    def __str__(self) -> str:
        return f"picture {self.name[:12]}" if self.kind == "picture" else self.name


@dataclass(frozen=True)
class Consent:
    """What a rights holder agreed to. A later row about the same subject supersedes an earlier one as a whole.

    Attributes:
        licence: SPDX expression that was agreed on; empty leaves the one that the collection found.
        holder: who gave it: the rights holder, where that is somebody else than the creator.
        document: sha256 of the permission document's file, `sha256:` before the digits; empty where there is none.
        scopes: what was granted; what is not named was not granted.
        since, until: first and last day on which it holds; None is open.
        credit: the words by which the holder wants to be credited; empty leaves the usual credit.
        note: anything else, on one line.
        withdrawn: nothing is granted any more.
        number: place in the store, from 1; 0 for one that is not stored.
        recorded: when it was stored, UTC, ISO 8601; empty for one that is not stored.

    Raises:
        RightsError: it ends before it begins, or the document is no digest.
    """

    subject: Subject
    scopes: frozenset[Scope] = frozenset()
    licence: str = ""
    holder: str = ""
    document: str = ""
    since: date | None = None
    until: date | None = None
    credit: str = ""
    note: str = ""
    withdrawn: bool = False
    number: int = 0
    recorded: str = ""

    def __post_init__(self) -> None:
        for name in ("holder", "credit", "note"):
            object.__setattr__(self, name, one_line(getattr(self, name), _LONGEST))
        if self.document and not _DOCUMENT.match(self.document):
            raise RightsError(f"document {self.document[:80]!r}", "is no digest", "give sha256: and 64 digits")
        if self.since and self.until and self.until < self.since:
            days = f"{self.since} to {self.until}"
            raise RightsError(f"consent from {days}", "ends before it begins", "change the days round")

    def unnumbered(self) -> Consent:
        """The same agreement without its place in a store, to be compared with another."""
        return replace(self, number=0, recorded="")


def creator_key(name: str) -> str:
    """By what a creator is known: small letters, single spaces, `Last, First` as `First Last`, Unicode composed."""
    plain = composed(" ".join(name.split())).casefold()
    last, comma, first = plain.partition(", ")
    return f"{first} {last}" if comma and ", " not in first else plain
