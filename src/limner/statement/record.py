"""What a statement says, as plain values: pages, JSON and terminal show the same."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Standing(StrEnum):
    """Why one may believe something, from strong to weak."""

    MEASURED = "measured"
    """limner measured it on the pictures, and anybody who has them can measure it again."""
    RECORDED = "recorded"
    """limner wrote it into the ledger when it was done, on the artist's own computer."""
    CLAIMED = "claimed"
    """The artist says so; nothing here checks it."""


@dataclass(frozen=True)
class Slider:
    """One number that the artist set."""

    name: str
    value: float


@dataclass(frozen=True)
class Step:
    """One picture on the way to a work, and what was done to get it.

    Attributes:
        act: the verb as the ledger has it.
        title: what was done, in a few words; `artist` and `algorithm` in sentences.
        name: of the picture.
        digest: of its file, or of its latent where it was never published.
        when: ISO 8601, UTC; empty where it is not known.
        measured: what limner measured of it.
        note: the artist's own words.
        by: how a retouch was done, as the artist says.
        evolution: name of the evolution that it was chosen in; empty for others.
        picture: the picture as it was published; None where it is not here any more. # uint8 [h, w, 3]
        changed: which of its pixels a retouch changed. # bool [h', w']
    """

    act: str
    title: str
    name: str
    digest: str
    artist: tuple[str, ...] = ()
    algorithm: tuple[str, ...] = ()
    sliders: tuple[Slider, ...] = ()
    when: str = ""
    measured: tuple[str, ...] = ()
    note: str = ""
    by: str = ""
    evolution: str = ""
    picture: NDArray[np.uint8] | None = field(default=None, repr=False, compare=False)
    changed: NDArray[np.bool_] | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Count:
    """A number of the artist's choices or acts, with what it counts and what it is counted from."""

    number: int
    what: str
    source: str


@dataclass(frozen=True)
class ActionSaid:
    """One action of a manifest that the work's file keeps.

    Attributes:
        picture: title of the picture whose manifest says it.
        source_type: IPTC's digital source type; empty where none is said.
        made_of: titles of the ingredients that it names.
    """

    picture: str
    action: str
    meaning: str
    source_type: str = ""
    description: str = ""
    when: str = ""
    made_of: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fact:
    """One thing that is said of the work, and why one may believe it."""

    what: str
    value: str
    standing: Standing
    why: str


@dataclass(frozen=True)
class LawNote:
    """What a source says of human authorship."""

    says: str
    source: str


@dataclass(frozen=True)
class Statement:
    """What an artist and an algorithm did for one work, as far as a ledger and the work's file know.

    Attributes:
        file: name of the work's file; `digest` is its sha256.
        summary: in one or two sentences.
        counts: choices and acts; none that are zero.
        algorithm: what the algorithm did, in sentences.
        unknown: what the ledger cannot know, in sentences.
        ledger: whether the ledger holds, how many acts it has, and its head.
        verdict: what a check of the file finds, in one line.
        made: when this was written, and by which version.
    """

    title: str
    artist: str
    file: str
    digest: str
    summary: str
    verdict: str
    counts: tuple[Count, ...]
    steps: tuple[Step, ...]
    algorithm: tuple[str, ...]
    actions: tuple[ActionSaid, ...]
    facts: tuple[Fact, ...]
    unknown: tuple[str, ...]
    law: tuple[LawNote, ...]
    ledger: dict[str, Any]
    made: str

    def to_dict(self) -> dict[str, Any]:
        """As plain values, without pictures."""
        steps = [
            {name: value for name, value in vars(one).items() if name not in ("picture", "changed")}
            | {"sliders": [asdict(slider) for slider in one.sliders]}
            for one in self.steps
        ]
        plain = {name: value for name, value in vars(self).items() if name != "steps"}
        for name in ("counts", "actions", "facts", "law"):
            plain[name] = [asdict(one) for one in plain[name]]
        return {**plain, "steps": steps}
