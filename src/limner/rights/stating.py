"""Joining what table, command line and file say about one picture. The verdict: cleared or held."""

from __future__ import annotations

from dataclasses import dataclass

from limner.errors import RightsError
from limner.rights.embedded import Embedded
from limner.rights.licences import parse_licence

__all__ = ["HELD_NO_CREATOR", "HELD_NO_LICENCE", "Stated", "Verdict", "judge"]

HELD_NO_LICENCE = "no licence"
HELD_NO_CREATOR = "no creator"

_NOBODY = {"", "unknown", "n/a", "na", "nan", "null", "none", "?", "-"}
_ALL_RESERVED = "all rights reserved"


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
class Verdict:
    """The rights row of one picture.

    Attributes:
        notice: the copyright notice that the file carries.
        held: why it may not be trained on without being told to; empty is cleared.
        flags: what a person should know: contradictions, generated pictures.
    """

    title: str
    creator: str
    licence: str
    source: str
    consent: str
    notice: str
    held: tuple[str, ...]
    flags: tuple[str, ...]


def judge(table: Stated, given: Stated, embedded: Embedded, folder_held: tuple[str, ...] = ()) -> Verdict:
    """Join the table's row, what was given for the whole collection, and what the file says, in this order.

    Args:
        table: the picture's row; its gaps are filled by `given`, then by `embedded`.
        given: the same for every picture.
        embedded: from the file.
        folder_held: opt-outs of the folder that it lies in.
    """
    held, flags = [], list(embedded.flags)
    creator = _somebody(table.creator) or _somebody(given.creator)
    licence, unreadable = _licence(table.licence or given.licence)
    if unreadable:
        held.append(unreadable)
    flags += _contradictions(creator, licence, embedded)
    creator, licence = creator or _somebody(embedded.creator), licence or ("" if unreadable else embedded.licence)
    if not licence and not unreadable:
        held.append(HELD_NO_LICENCE)
    if not creator:
        held.append(HELD_NO_CREATOR)
    consent = table.consent or given.consent
    opted_out = [*embedded.held, *folder_held]
    if consent:
        flags += [f"{reason} (released by consent)" for reason in opted_out]
    else:
        held += opted_out
    return Verdict(
        title=table.title or given.title or embedded.title,
        creator=creator,
        licence=licence,
        source=table.source or given.source,
        consent=consent,
        notice=embedded.notice,
        held=tuple(sorted(set(held))),
        flags=tuple(sorted(set(flags))),
    )


def _somebody(creator: str) -> str:
    plain = " ".join(creator.split())
    return "" if plain.lower() in _NOBODY else plain


def _licence(text: str) -> tuple[str, str]:
    """The licence, and why it is held when it cannot be read."""
    try:
        return parse_licence(text), ""
    except RightsError as error:
        return "", f"{error.value} {error.reason}"


def _contradictions(creator: str, licence: str, embedded: Embedded) -> list[str]:
    found = []
    if creator and embedded.creator and not _same(creator, embedded.creator):
        found.append(f"contradiction: creator {creator!r} in the table, {embedded.creator!r} in the file")
    if licence and embedded.licence and licence != embedded.licence:
        found.append(f"contradiction: licence {licence} in the table, {embedded.licence} in the file")
    elif licence and _ALL_RESERVED in embedded.notice.lower():
        found.append(f"contradiction: licence {licence} in the table, {embedded.notice[:80]!r} in the file")
    return found


def _same(one: str, other: str) -> bool:
    """Whether two names are of the same person: the same words in any order, or one name within the other."""
    first, second = (frozenset(name.casefold().replace(",", " ").split()) for name in (one, other))
    return first <= second or second <= first
