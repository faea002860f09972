"""A card or a summary, whatever it is written as. Every text in it may be a stranger's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from limner.reports.record import Shown

OPEN = "To be filled in"
"""What stands where limner cannot know and nobody said."""


@dataclass(frozen=True)
class Fact:
    """One line: what it is about, and what is known.

    Attributes:
        values: one or more; none where nobody said.
        wanted: what is to be filled in there.
    """

    label: str
    values: Sequence[str] = ()
    wanted: str = ""


@dataclass(frozen=True)
class Table:
    """Rows under a header, each as long as it."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Section:
    """One part of a document.

    Attributes:
        level: 2 for a section, 3 for a part of one.
        code: commands to type.
        folded: whether a page shows its table only when it is asked to.
    """

    title: str
    text: Sequence[str] = ()
    facts: Sequence[Fact] = ()
    table: Table | None = None
    pictures: Sequence[Shown] = ()
    code: Sequence[str] = ()
    level: int = 2
    folded: bool = False


@dataclass(frozen=True)
class Document:
    """Everything that a card or a summary says.

    Attributes:
        over: what kind of page it is.
        notice: what to know before reading; empty for nothing.
        front: YAML at the head of Markdown, as Hugging Face's Hub reads it.
        data: the same as JSON.
    """

    over: str
    title: str
    lead: str
    sections: Sequence[Section]
    notice: str = ""
    front: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
