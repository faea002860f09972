"""Rights of pictures as parts of a document: licences with what they ask, whom to credit, what is held back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from limner.reports.document import Fact, Section, Table
from limner.rights import RightsSummary, conditions, obligations

_HUB = frozenset(
    (
        *("apache-2.0", "mit", "cc0-1.0", "cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0"),
        *("cc-by-sa-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nd-4.0", "cc-by-nc-nd-3.0"),
        *("cc-by-nc-nd-4.0", "cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", "unlicense", "pddl"),
    )
)
"""Licences by the names that Hugging Face's Hub knows."""
_FOLDED = 12
NOTICE = "What licences ask is information, not legal advice."


def hub_licence(licences: Sequence[str]) -> dict[str, object]:
    """The front matter that names licences to the Hub: its own names, or `other` with the name that it has here."""
    known = [one.lower() for one in licences if one.lower() in _HUB]
    if licences and len(known) == len(licences):
        return {"license": known[0] if len(known) == 1 else known}
    return {"license": "other", "license_name": "see-rights-below"}


def rights_section(rights: RightsSummary, credit: str, *, made: bool) -> Section:
    """Licences, what they ask, and the credit.

    Args:
        made: whether it is about something that was made from the pictures, not the pictures themselves.
    """
    rows = [
        (one, f"{count:,}", ", ".join(sorted(obligations(one))) or "nothing") for one, count in rights.licences.items()
    ]
    asked = conditions(one for one in rights.licences if one != "unknown") if made else []
    facts = [Fact("Credit", (credit or "No licence here obliges to name anyone.",))]
    facts += [Fact("Whoever passes it on", tuple(asked))] if asked else []
    if rights.accepted:
        accepted = rights.accepted
        facts.append(
            Fact("Decided by a person", (f"{accepted.pictures:,} held-back pictures are used: {accepted.reason}",))
        )
    for label, counts in (("Held back", rights.held), ("Flags", rights.flags)):
        if counts:
            facts.append(Fact(label, counted(counts)))
    return Section("Rights", (NOTICE,), facts, Table(("Licence", "Pictures", "It asks for"), rows))


def creators_section(creators: Mapping[str, int]) -> Section:
    """Everybody by name, most pictures first."""
    rows = [(name, f"{count:,}") for name, count in creators.items()]
    title = f"{len(rows):,} creators" if len(rows) != 1 else "The creator"
    return Section(title, table=Table(("Creator", "Pictures"), rows), level=3, folded=len(rows) > _FOLDED)


def counted(counts: Mapping[str, int], most: int = 12) -> tuple[str, ...]:
    """`name (count)` in one line, most frequent first, the rest as a number; nothing for nothing."""
    said = [f"{name} ({count:,})" for name, count in list(counts.items())[:most]]
    more = f" and {len(counts) - most:,} more" if len(counts) > most else ""
    return (", ".join(said) + more,) if said else ()
