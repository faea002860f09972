"""What one file says about its rights, gathered from every place in it; nothing that was said is dropped."""

from __future__ import annotations

from dataclasses import dataclass, field

from limner.errors import RightsError
from limner.rights.licences import parse_licence
from limner.text import one_line

GENERATED = frozenset(
    (
        "trainedAlgorithmicMedia",
        "compositeWithTrainedAlgorithmicMedia",
        "algorithmicMedia",
        "compositeSynthetic",
        "algorithmicallyEnhanced",
    )
)
"""IPTC's digital source types of pictures that a generator had a part in."""


@dataclass
class Embedded:
    """What one file says about itself.

    Attributes:
        title, creator: the first that is named; empty where there is none.
        licence: an SPDX expression, where the file names one that can be read.
        held: opt-outs found in the file, one reason each.
        contradictions: statements in it that exclude one another.
        flags: what a person should know before training on it.
        unclear: statements about its rights that could not be read as a licence; they are never replaced by a default.
    """

    title: str = ""
    creator: str = ""
    notice: str = ""
    licence: str = ""
    held: list[str] = field(default_factory=list)
    contradictions: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    unclear: list[str] = field(default_factory=list)

    def take_title(self, text: str) -> None:
        """The title, where none was found before."""
        self.title = self.title or one_line(text)

    def take_creator(self, text: str) -> None:
        """A creator; one that contradicts another holds the picture."""
        plain = one_line(text)
        if self.creator and plain and not same_person(self.creator, plain):
            self.contradictions.append(f"the file names creators {self.creator[:80]!r} and {plain[:80]!r}")
        self.creator = self.creator or plain

    def take_notice(self, text: str) -> None:
        """A copyright notice; one that names a licence gives it."""
        plain = one_line(text)
        self.notice = self.notice or plain
        if licence := understood(plain):
            self._take(licence)

    def take_licence(self, text: str, name: str) -> None:
        """A statement that should be a licence, found under `name`; kept word by word where it cannot be read."""
        plain = one_line(text)
        if not plain:
            return
        if licence := understood(plain):
            self._take(licence)
        else:
            self.unclear.append(f"{name} {plain[:100]!r}")

    def take_source_type(self, address: str) -> None:
        """IPTC's digital source type: generated pictures are flagged."""
        if (last := one_line(address).rstrip("/").rsplit("/", 1)[-1]) in GENERATED:
            self.flags.append(f"generated picture ({last})")

    def _take(self, licence: str) -> None:
        if self.licence and licence != self.licence:
            self.contradictions.append(f"the file names licences {self.licence} and {licence}")
        self.licence = self.licence or licence


def understood(text: str) -> str:
    """The licence that a text names; empty for prose such as "all rights reserved"."""
    try:
        return parse_licence(text)
    except RightsError:
        return ""


def same_person(one: str, other: str) -> bool:
    """Whether two names are of the same person: the same words in any order, or one name within the other."""
    first, second = (frozenset(name.casefold().replace(",", " ").split()) for name in (one, other))
    return first <= second or second <= first
