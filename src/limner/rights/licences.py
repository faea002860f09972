"""Licences as SPDX expressions, and what they oblige a user of the picture to do."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from limner.errors import RightsError

_REFERENCE = re.compile(r"^LicenseRef-[A-Za-z0-9.-]+$", re.IGNORECASE)
_CC_ADDRESS = re.compile(r"^(?:https?://)?(?:www\.)?creativecommons\.org/(licenses|publicdomain)/([a-z-]+)/(\d\.\d)")
_CC_SPOKEN = re.compile(r"^(?:creative[\s-]+commons|cc)[\s-]+(by(?:[\s-]+(?:nc|nd|sa))*)[\s-]+(?:v)?(\d\.\d)$")
_SPOKEN = {
    "cc0": "CC0-1.0",
    "cc-0": "CC0-1.0",
    "cc zero": "CC0-1.0",
    "public domain": "LicenseRef-Public-Domain",
    "publicdomain": "LicenseRef-Public-Domain",
    "pd": "LicenseRef-Public-Domain",
}
NOTHING = frozenset(("", "unknown", "none", "n/a", "na", "nan", "null", "?", "-"))
"""Words in small letters by which tables say that nothing is known."""
_NO_LICENCE = NOTHING | {"noassertion", "unlicensed"}
_LONGEST = 500

# Which obligations the name of a licence carries; the first pattern that matches counts.
_FREE = re.compile(r"^(CC0-|CC-PDDC|CC-PDM|PDDL|Unlicense|0BSD|WTFPL|LicenseRef-Public-Domain)", re.IGNORECASE)

_CONDITIONS = {
    "share-alike": "Pass it on under the same terms",
    "non-commercial": "Not for commercial use",
    "no-derivatives": "Nothing made from its pictures may be passed on without leave",
    "notice": "Keep the notices of their licences",
    "read-it": "Terms that only a person can read",
}

TERMS = frozenset({"free", "share-alike", "non-commercial", "non-commercial share-alike"})
"""The kinds of licence under which something that was made from pictures can be passed on."""


def parse_licence(text: str) -> str:
    """`text` as a normalised SPDX expression; empty where it says that nothing is known.

    Understands any case, `LicenseRef-*`, Creative Commons addresses (`https://creativecommons.org/licenses/by/4.0/`)
    and the usual ways to say `CC BY 4.0`, `CC0` and `public domain`.

    Raises:
        RightsError: no SPDX expression; names what was probably meant.
    """
    plain = " ".join(text.split())
    if plain.lower() in _NO_LICENCE:
        return ""
    if len(plain) > _LONGEST:
        raise RightsError(
            f"licence {plain[:40]!r}...", f"is longer than {_LONGEST} characters", "give an SPDX expression"
        )
    return _parse(_as_spdx(plain))


def obligations(licence: str) -> frozenset[str]:
    """What `licence` (an SPDX expression) obliges to: any of `attribution`, `share-alike`, `non-commercial`,
    `no-derivatives`, `notice`, `read-it` (a `LicenseRef-*` that only a person can read).

    Every licence of an expression counts, `OR` included: who keeps all of them is on the safe side.
    """
    found: set[str] = set()
    for name in _names(licence) if licence else ():
        found |= _obligations_of(name)
    return frozenset(found)


def conditions(licences: Iterable[str]) -> list[str]:
    """What whoever passes on something made from pictures of these licences must keep to, beside naming their creators.

    One line each, in words; empty where nothing is asked for. Unknown licences (empty) say nothing here.

    Raises:
        RightsError: one is no SPDX expression.
    """
    known = sorted({one for one in licences if one})
    found = []
    for obligation, words in _CONDITIONS.items():
        if asking := [one for one in known if obligation in obligations(one)]:
            found.append(f"{words}: {', '.join(asking)}")
    allowed = [terms(one) for one in known]
    if allowed and all(allowed) and not TERMS.intersection(*allowed):
        found.append("No one licence keeps to all of these terms: pass it on only with leave")
    return found


def terms(licence: str) -> frozenset[str]:
    """Under which of `TERMS` something made from a picture of `licence` (an SPDX expression) may be passed on.

    Empty where nothing made from it may be passed on at all (no derivatives). Of `OR` one licence is enough, of `AND`
    all count. What is unknown or what only a person can read (`LicenseRef-*`) allows all. Versions of Creative Commons
    licences are not distinguished: share-alike allows later ones.

    Raises:
        RightsError: no SPDX expression.
    """
    plain = parse_licence(licence)
    return _terms_of(_spdx().parse(plain)) if plain else TERMS


def _terms_of(node: Any) -> frozenset[str]:
    if not (parts := getattr(node, "args", ())):
        return _terms_of_name(str(getattr(node, "key", "")))
    allowed = [_terms_of(part) for part in parts]
    either = isinstance(node, _spdx().OR)
    return frozenset().union(*allowed) if either else TERMS.intersection(*allowed)


def _terms_of_name(name: str) -> frozenset[str]:
    found = _obligations_of(name)
    if "no-derivatives" in found:
        return frozenset()
    if "share-alike" in found:
        return frozenset({"non-commercial share-alike" if "non-commercial" in found else "share-alike"})
    return frozenset({"non-commercial", "non-commercial share-alike"}) if "non-commercial" in found else TERMS


def _obligations_of(name: str) -> set[str]:
    if _FREE.match(name):
        return set()
    if name.upper().startswith("CC-BY"):
        parts = name.upper().split("-")
        words = {"BY": "attribution", "SA": "share-alike", "NC": "non-commercial", "ND": "no-derivatives"}
        return {words[part] for part in parts if part in words}
    return {"attribution", "read-it"} if _REFERENCE.match(name) else {"notice"}


def _as_spdx(text: str) -> str:
    low = text.lower()
    if low in _SPOKEN:
        return _SPOKEN[low]
    if address := _CC_ADDRESS.match(low):
        family, name, version = address.groups()
        if family == "publicdomain":
            return "CC0-1.0" if name == "zero" else "LicenseRef-Public-Domain-Mark"
        return f"CC-{name}-{version}".upper()
    if spoken := _CC_SPOKEN.match(low):
        return f"CC-{re.sub(r'[ -]+', '-', spoken[1])}-{spoken[2]}".upper()
    return text


@lru_cache(maxsize=1)
def _spdx() -> Any:
    from license_expression import get_spdx_licensing

    return get_spdx_licensing()


@lru_cache(maxsize=4096)
def _parse(text: str) -> str:
    from license_expression import ExpressionError, ExpressionParseError

    try:
        parsed = _spdx().parse(text)
    except (ExpressionError, ExpressionParseError, AttributeError, TypeError, RecursionError):
        raise _unreadable(text) from None
    if parsed is None:
        return ""
    unknown = [key for key in _spdx().unknown_license_keys(parsed) if not _REFERENCE.match(key)]
    if unknown:
        raise _unreadable(text, unknown[0])
    return str(parsed.render("{symbol.key}"))


@lru_cache(maxsize=4096)
def _names(licence: str) -> tuple[str, ...]:
    return tuple(_spdx().license_keys(_spdx().parse(licence)))


def _unreadable(text: str, key: str = "") -> RightsError:
    known = sorted(k for k in _spdx().known_symbols if not k.startswith("LicenseRef-"))
    close = difflib.get_close_matches((key or text).upper().replace(" ", "-"), [k.upper() for k in known], 1, 0.6)
    meant = next((k for k in known if close and k.upper() == close[0]), "")
    hint = f"did you mean {meant}? " if meant else ""
    return RightsError(
        f"licence {text!r}",
        "is no SPDX expression",
        f"{hint}write e.g. CC-BY-4.0, CC0-1.0, or LicenseRef-NAME for your own",
    )
