"""Joining what table, command line and file say about one picture: it is cleared, or held back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from limner.errors import RightsError
from limner.rights.licences import NOTHING, parse_licence
from limner.rights.statements import Embedded, same_person

HELD_NO_LICENCE = "no licence"
HELD_NO_CREATOR = "no creator"

_ALL_RESERVED = "all rights reserved"

CONTRADICTION = "contradiction: "
"""How a reason begins for which a picture is held back because two statements about it exclude each other."""
FILE = "the pictures themselves"
GIVEN = "--licence and --creator"


@dataclass(frozen=True)
class Stated:
    """What the user says about a picture, in the table or on the command line; empty where nothing is said.

    Attributes:
        consent: what shows that the creator agrees to training (a letter, a contract, "I made it"); releases opt-outs.
    """

    title: str = ""
    creator: str = ""
    licence: str = ""
    source: str = ""
    consent: str = ""


@dataclass(frozen=True)
class Clearance(Stated):
    """The rights of one picture as they are joined from all statements: it is cleared, or held back.

    Attributes:
        held: why it is held back: it may not be trained on unless somebody decides to; empty is cleared.
        flags: what a person should know: contradictions, generated pictures.
        licence_from, creator_from: the table's name, `FILE` or `GIVEN`; empty where there is none.
        gaps: those of `held` that say what is missing or cannot be read.
        contradictory: whether it is held back because statements exclude each other.
        unused: whether the file says something else than the options, which do not count for it.
    """

    notice: str = ""
    held: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    licence_from: str = ""
    creator_from: str = ""
    gaps: tuple[str, ...] = ()
    contradictory: bool = False
    unused: bool = False


def judge(
    table: Stated,
    given: Stated,
    embedded: Embedded,
    folder_held: tuple[str, ...] = (),
    *,
    origin: str = "table",
    override: str = "",
) -> Clearance:
    """Join what the table's row, the file itself, and the whole collection's options say, in this order.

    What the options say fills what is empty. A statement in the file that cannot be read is not empty: such a picture
    is held back, unless its own row names the licence. So is one whose row and file contradict each other.

    Args:
        given: the same for every picture.
        override: why `given` stands above what files say, and contradictions hold nothing back; empty where not.
    """
    (row, unreadable), (option, option_unreadable) = _licence(table.licence), _licence(given.licence)
    licence, licence_from = _ranked([row, embedded.licence, option], origin, override) if not unreadable else ("", "")
    creators = [_somebody(one.creator) for one in (table, embedded, given)]
    creator, creator_from = _ranked(creators, origin, override)
    gaps = [] if licence else [unreadable or option_unreadable or HELD_NO_LICENCE]
    gaps += [] if creator else [HELD_NO_CREATOR]
    against = _contradictions(creators[0], row, embedded, origin)
    against += _not_replaced(licence_from, creator, embedded) if option else []
    unused = [] if override else _unused(given, option, licence_from, creator_from, embedded)
    flags = [*embedded.flags, *unused]
    if override:
        flags += [f"{reason} (overridden: {override[:100]})" for reason in against]
        flags += _overridden(creator, licence, embedded)
        against = []
    consent = table.consent or given.consent
    reserved = [*embedded.held, *folder_held]
    released = [f"{reason} (released by consent)" for reason in reserved] if consent else []
    return Clearance(
        title=table.title or given.title or embedded.title,
        creator=creator,
        licence=licence,
        source=table.source or given.source,
        consent=consent,
        notice=embedded.notice,
        held=tuple(sorted({*gaps, *against, *([] if consent else reserved)})),
        flags=tuple(sorted({*flags, *released})),
        licence_from=licence_from,
        creator_from=creator_from,
        gaps=tuple(gaps),
        contradictory=bool(against),
        unused=bool(unused),
    )


def _ranked(statements: Sequence[str], origin: str, override: str) -> tuple[str, str]:
    """The first statement that is not empty, and where it stands; options come before files only to override them."""
    row, file, option = statements
    rest = ((option, GIVEN), (file, FILE)) if override else ((file, FILE), (option, GIVEN))
    return next((pair for pair in ((row, origin), *rest) if pair[0]), ("", ""))


def _somebody(creator: str) -> str:
    plain = " ".join(creator.split())
    return "" if plain.lower() in NOTHING else plain


def _licence(text: str) -> tuple[str, str]:
    """The licence, and what is wrong where it cannot be read."""
    try:
        return parse_licence(text), ""
    except RightsError as error:
        return "", f"{error.value} {error.reason}"


def _contradictions(creator: str, licence: str, embedded: Embedded, origin: str) -> list[str]:
    """Where statements in the file exclude each other, or the row and the file do."""
    found = [f"{CONTRADICTION}{one}" for one in embedded.contradictions]
    if creator and embedded.creator and not same_person(creator, embedded.creator):
        found.append(f"{CONTRADICTION}creator {creator!r} in {origin}, {embedded.creator!r} in the file")
    if licence and embedded.licence and licence != embedded.licence:
        found.append(f"{CONTRADICTION}licence {licence} in {origin}, {embedded.licence} in the file")
    elif licence and not embedded.licence and _ALL_RESERVED in embedded.notice.lower():
        found.append(f"{CONTRADICTION}licence {licence} in {origin}, {embedded.notice[:80]!r} in the file")
    return found


def _not_replaced(licence_from: str, creator: str, embedded: Embedded) -> list[str]:
    """What the file says about its licence in words that only a person can read, where an option would replace it."""
    if licence_from != GIVEN:
        return []
    found = [f"{CONTRADICTION}--licence, and in the file {said}" for said in embedded.unclear]
    if embedded.notice and not _only_names(embedded.notice, creator):
        found.append(f"{CONTRADICTION}--licence, and in the file the notice {embedded.notice[:100]!r}")
    return found


_YEARS = re.compile(r"(?:19|20)\d\d(?:\s*(?:-|–|to|,)\s*(?:(?:19|20)\d\d|\d\d))*")
_SIGNS = re.compile(r"©|\(c\)|\bcopyright\b|\bcopr\b|\bby\b|[.,;:/|]", re.IGNORECASE)


def _only_names(notice: str, creator: str) -> bool:
    """Whether a notice does nothing but name `creator`, with a year: `(c) 2020 Ada Example`."""
    left = set(_SIGNS.sub(" ", _YEARS.sub(" ", notice)).casefold().split())
    return left <= set(creator.casefold().replace(",", " ").split())


def _unused(given: Stated, given_licence: str, licence_from: str, creator_from: str, embedded: Embedded) -> list[str]:
    """Where a file says something else than the options, and what it says stands."""
    found = []
    if licence_from == FILE and given_licence and given_licence != embedded.licence:
        found.append(f"the file says {embedded.licence}: --licence {given_licence} is not used")
    given_creator = _somebody(given.creator)
    if creator_from == FILE and given_creator and not same_person(given_creator, embedded.creator):
        found.append(f"the file names {embedded.creator[:80]!r}: --creator {given_creator[:80]!r} is not used")
    return found


def _overridden(creator: str, licence: str, embedded: Embedded) -> list[str]:
    found = []
    if embedded.licence and embedded.licence != licence:
        found.append(f"the file says {embedded.licence}, overridden by {licence}")
    if embedded.creator and creator and not same_person(creator, embedded.creator):
        found.append(f"the file names {embedded.creator[:80]!r}, overridden by {creator[:80]!r}")
    return found
