"""What each licence asks for: the table `rules.csv`, a row a kind of licence, with the place where that stands.

Information, not legal advice: the licence's own text counts.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import lru_cache
from importlib import resources


class Obligation(StrEnum):
    """What a licence asks of whoever passes on something that was made from a picture."""

    NOTICE = "notice"
    """Keep the licence's notice."""
    ATTRIBUTION = "attribution"
    """Name the creator, the licence, and that it was changed."""
    SOURCE = "source"
    """Pass on the form in which it is best changed, too."""
    SHARE_ALIKE = "share-alike"
    """Pass it on under the same terms."""
    NON_COMMERCIAL = "non-commercial"
    """Not for commercial advantage."""
    READ_IT = "read-it"
    """Terms that only a person can read."""
    UNKNOWN = "unknown"
    """No licence is known: nothing is granted until the rights holder says so."""
    NO_DERIVATIVES = "no-derivatives"
    """Nothing that was made from it may be passed on."""


class Onward(StrEnum):
    """Under which licences something that was made from a picture may be passed on."""

    ANY = "any"
    """Any, or none."""
    KEEPING = "keeping"
    """Any that asks for as much, in the order of the table."""
    NON_COMMERCIAL = "non-commercial"
    """Any that is non-commercial and asks for as much."""
    NAMED = "named"
    """Only those that its text names."""
    NONE = "none"
    """None: it may not be passed on."""
    ASK = "ask"
    """Nobody but the rights holder knows."""


@dataclass(frozen=True)
class Rule:
    """One row of `rules.csv`: what licences of these names oblige to, and where that stands.

    Attributes:
        licences: SPDX identifiers with `*` and `?`, in any case, as `fnmatch` takes them.
        onto: licences under which adaptations may be passed on, where only named ones are allowed.
        never: licences that do not take it in, whatever `onward` says.
        source: section of the licence's text, or who says so.
    """

    licences: tuple[str, ...]
    obligations: frozenset[Obligation]
    onward: Onward
    onto: tuple[str, ...]
    never: tuple[str, ...]
    source: str
    never_source: str = ""

    @classmethod
    def of(cls, row: Mapping[str, str]) -> Rule:
        """The rule in one row of the table."""
        names = {name: tuple(row[name].split()) for name in ("licences", "onto", "never")}
        asks = frozenset(map(Obligation, row["obligations"].split()))
        return cls(
            **names,
            obligations=asks,
            onward=Onward(row["onward"]),
            source=row["source"],
            never_source=row["never_source"],
        )

    def named(self, licence: str) -> bool:
        """Whether the row is about this SPDX identifier."""
        return _named(licence, self.licences)

    def leads_onto(self, licence: str) -> bool:
        """Whether the row's text names this licence for adaptations."""
        return _named(licence, self.onto)

    def keeps_out_of(self, licence: str) -> bool:
        """Whether this licence does not take works of the row's licence in."""
        return _named(licence, self.never)


NOTHING_KNOWN = Rule(
    (),
    frozenset({Obligation.UNKNOWN}),
    Onward.ASK,
    (),
    (),
    "Berne Convention, article 9: the author alone may allow it",
)
"""The row of a picture without a licence."""

# Licences without a row of their own, by the category in the licence database of ScanCode: what they ask for, under
# which licences one may pass on, and the row beside which they stand.
_CATEGORIES = {
    "Public Domain": ((), Onward.ANY, "CC0-1.0"),
    "Permissive": ((Obligation.NOTICE,), Onward.KEEPING, "MIT"),
    "Copyleft": ((Obligation.NOTICE, Obligation.SHARE_ALIKE, Obligation.READ_IT), Onward.NAMED, "ODbL-1.0"),
    "Copyleft Limited": ((Obligation.NOTICE, Obligation.SHARE_ALIKE, Obligation.READ_IT), Onward.NAMED, "ODbL-1.0"),
}
_OTHERS = ((Obligation.NOTICE, Obligation.READ_IT), Onward.ASK, "LicenseRef-other")


@lru_cache(maxsize=1)
def rules() -> tuple[Rule, ...]:
    """The table, from what asks for least to what asks for most; the first row that names a licence counts."""
    table = resources.files("limner.rights").joinpath("rules.csv").read_text("utf-8")
    return tuple(Rule.of(row) for row in csv.DictReader(io.StringIO(table), strict=True))


@lru_cache(maxsize=4096)
def rule_of(licence: str) -> tuple[int, Rule]:
    """The row about one SPDX identifier (no expression), and its place: what asks for more stands later.

    A licence without a row of its own is judged by its category in the licence database of ScanCode; one whose category
    does not say enough has terms that only a person can read.
    """
    for place, rule in enumerate(rules()):
        if rule.named(licence):
            return place, rule
    category = _category(licence)
    asks, onward, beside = _CATEGORIES.get(category, _OTHERS)
    source = f"licence database of ScanCode, category {category or 'unknown'}"
    place, _ = rule_of(beside)
    return place, Rule((licence,), frozenset(asks), onward, (licence,), (), source)


def _category(licence: str) -> str:
    from license_expression import get_license_index

    for entry in get_license_index():
        if licence in (entry.get("spdx_license_key"), *entry.get("other_spdx_license_keys", ())):
            return str(entry.get("category") or "")
    return ""


def _named(licence: str, names: tuple[str, ...]) -> bool:
    return any(fnmatchcase(licence.lower(), name.lower()) for name in names)
