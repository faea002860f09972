"""Licences side by side: what they oblige to together, and whether one licence suits what is made from all of them.

Information, not legal advice: the licences' own texts count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import combinations
from typing import Any

from limner.rights.licences import parse_licence, spdx
from limner.rights.rules import NOTHING_KNOWN, Obligation, Onward, Rule, rule_of

_CANDIDATES = (
    *("CC0-1.0", "CC-BY-4.0", "CC-BY-SA-4.0", "LAL-1.3", "GPL-3.0-or-later", "GPL-3.0-only"),
    *("CC-BY-NC-4.0", "CC-BY-NC-SA-4.0"),
)
"""Licences that are tried beside those of the pictures."""
_VERSION = re.compile(r"-(\d+)\.(\d+)")
_WEIGHTS = {one: 1 << place for place, one in enumerate(Obligation)}
_MOST_COMPARED = 64
"""Different licences beyond which no pairs are looked for: what excludes each other shows earlier."""


class Outcome(StrEnum):
    """What comes of licences together."""

    ONE = "one"
    """One licence suits all."""
    NONE = "none"
    """No licence suits all."""
    ASK = "ask"
    """Nothing excludes anything, but the terms of some are unknown."""


@dataclass(frozen=True)
class Joint:
    """Whether one licence suits what is made from pictures of several licences.

    Attributes:
        licence: the one that asks for least; empty where there is none, or where it cannot be told.
    """

    outcome: Outcome
    licence: str = ""


@dataclass(frozen=True)
class Conflict:
    """Licences that leave no way to pass on what is made from pictures of all of them.

    Attributes:
        licences: one, which lets nothing made from it be passed on; two that exclude each other; or more, of which no
            two do.
        sources: where that stands, one for each licence.
    """

    licences: tuple[str, ...]
    sources: tuple[str, ...]


def obligations(licence: str) -> frozenset[str]:
    """What `licence` (an SPDX expression) obliges to: values of `Obligation`.

    Of `OR` the licence that asks for least is taken, since whoever uses the picture may choose; of `AND` all count;
    an exception after `WITH` only ever allows more and is left out. No licence (empty) is `unknown`.

    Raises:
        RightsError: no SPDX expression.
    """
    return frozenset(one.value for one in _obliged(parse_licence(licence)))


def sources(licence: str) -> tuple[str, ...]:
    """Where it stands what `licence` (an SPDX expression) asks for: one place for each licence in it.

    Raises:
        RightsError: no SPDX expression.
    """
    return _sources(parse_licence(licence))


def may_be_adapted(licence: str) -> bool:
    """Whether something made from a picture of `licence` may be passed on at all, as far as is known.

    Raises:
        RightsError: no SPDX expression.
    """
    return joint([licence]).outcome is not Outcome.NONE


def joint(licences: Iterable[str]) -> Joint:
    """The licence under which something made from pictures of all these licences may be passed on.

    Tried are the licences themselves and those of Creative Commons and the GPL, the one that asks for least first.
    What is unknown excludes nothing, and leaves the answer open.

    Raises:
        RightsError: one is no SPDX expression.
    """
    given = sorted({parse_licence(one) for one in licences})
    for candidate in _candidates(given):
        if all(_accepts(one, candidate) for one in given):
            return Joint(Outcome.ASK) if any(map(_open, given)) else Joint(Outcome.ONE, candidate)
    return Joint(Outcome.NONE)


def conflicts(licences: Iterable[str]) -> list[Conflict]:
    """Why nothing made from pictures of all these licences may be passed on; empty where it may, or nothing is known.

    Licences that forbid it alone come first, then pairs that exclude each other, then, if no pair does, all together.

    Raises:
        RightsError: one is no SPDX expression.
    """
    given = sorted({parse_licence(one) for one in licences})
    alone = [one for one in given if not may_be_adapted(one)]
    found = [_conflict(one) for one in alone]
    others = [one for one in given if one and one not in alone]
    pairs = combinations(others[:_MOST_COMPARED], 2)
    found += [_conflict(*pair) for pair in pairs if joint(pair).outcome is Outcome.NONE]
    if not found and others and joint(others).outcome is Outcome.NONE:
        found.append(_conflict(*others))
    return found


def _conflict(*licences: str) -> Conflict:
    return Conflict(licences, tuple("; ".join(sources(one)) for one in licences))


@lru_cache(maxsize=4096)
def _obliged(licence: str) -> frozenset[Obligation]:
    if not licence:
        return NOTHING_KNOWN.obligations
    return _least(_tree(licence))


def _least(node: Any) -> frozenset[Obligation]:
    parts = _parts(node)
    if not parts:
        return rule_of(_name(node))[1].obligations
    asked = [_least(part) for part in parts]
    if _either(node):
        return min(asked, key=lambda asks: sum(_WEIGHTS[one] for one in asks))
    return frozenset().union(*asked)


@lru_cache(maxsize=4096)
def _sources(licence: str) -> tuple[str, ...]:
    if not licence:
        return (NOTHING_KNOWN.source,)
    rules = [rule_of(name)[1] for name in _names(_tree(licence))]
    return tuple(dict.fromkeys(source for rule in rules for source in (rule.source, rule.never_source) if source))


@lru_cache(maxsize=65536)
def _accepts(licence: str, candidate: str) -> bool:
    """Whether something made from a picture of `licence` may be passed on under `candidate`, one SPDX identifier."""
    return not licence or _node_accepts(_tree(licence), candidate, *rule_of(candidate))


def _node_accepts(node: Any, candidate: str, place: int, wanted: Rule) -> bool:
    if parts := _parts(node):
        # What only a person can read is no choice while there is another.
        chosen = [part for part in parts if not _asks(part)] if _either(node) else parts
        found = [_node_accepts(part, candidate, place, wanted) for part in chosen or parts]
        return any(found) if _either(node) else all(found)
    own, rule = rule_of(_name(node))
    if Obligation.NO_DERIVATIVES in wanted.obligations or rule.keeps_out_of(candidate):
        return False
    match rule.onward:
        case Onward.ANY | Onward.ASK:
            return True
        case Onward.KEEPING:
            return place >= own
        case Onward.NON_COMMERCIAL:
            return place >= own and Obligation.NON_COMMERCIAL in wanted.obligations
        case Onward.NAMED:
            return rule.leads_onto(candidate)
        case Onward.NONE:
            return False


def _open(licence: str) -> bool:
    """Whether it cannot be told under which licences something made from a picture of `licence` may be passed on."""
    return not licence or _asks(_tree(licence))


def _asks(node: Any) -> bool:
    if parts := _parts(node):
        found = [_asks(part) for part in parts]
        return all(found) if _either(node) else any(found)
    return rule_of(_name(node))[1].onward is Onward.ASK


def _candidates(licences: Sequence[str]) -> list[str]:
    return _tried(name for licence in licences if licence for name in _names(_tree(licence)))


def _tried(names: Iterable[str]) -> list[str]:
    """Licences to try, those that ask for least first; of one kind later versions first; the given before others."""
    given = list(dict.fromkeys(names))

    def order(name: str) -> tuple[int, tuple[int, ...], int, str]:
        version = _VERSION.search(name)
        latest = tuple(-int(part) for part in version.groups()) if version else ()
        return rule_of(name)[0], latest, len(name), name

    given = [one for one in given if rule_of(one)[1].onward is not Onward.ASK]
    return sorted(given, key=order) + sorted({*_CANDIDATES} - {*given}, key=order)


@lru_cache(maxsize=4096)
def _tree(licence: str) -> Any:
    return spdx().parse(licence)


def _parts(node: Any) -> Sequence[Any]:
    """The parts of `AND` and `OR`; none of a single licence, with an exception or without."""
    return tuple(getattr(node, "args", ()))


def _either(node: Any) -> bool:
    return isinstance(node, spdx().OR)


def _name(node: Any) -> str:
    """The SPDX identifier of a single licence, without its exception."""
    return str(getattr(node, "license_symbol", node).key)


def _names(node: Any) -> Iterator[str]:
    if parts := _parts(node):
        for part in parts:
            yield from _names(part)
    else:
        yield _name(node)
