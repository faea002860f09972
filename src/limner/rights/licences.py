"""Licences as SPDX expressions: what is understood, and what was probably meant."""

from __future__ import annotations

import difflib
import re
from functools import lru_cache
from typing import Any

from limner.errors import RightsError

_REFERENCE = re.compile(r"^LicenseRef-[A-Za-z0-9.-]+$", re.IGNORECASE)
_CC_ADDRESS = re.compile(
    r"^(?:https?://)?(?:www\.)?creativecommons\.org/(licenses|publicdomain)/([a-z-]+)/(\d\.\d)(?:/([a-z]{2,3})(?:/|$))?"
)
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


def _as_spdx(text: str) -> str:
    low = text.lower()
    if low in _SPOKEN:
        return _SPOKEN[low]
    if address := _CC_ADDRESS.match(low):
        family, name, version, port = address.groups()
        if family == "publicdomain":
            return "CC0-1.0" if name == "zero" else "LicenseRef-Public-Domain-Mark"
        plain, ported = f"CC-{name}-{version}".upper(), f"CC-{name}-{version}-{port}".upper()
        return ported if port and ported in spdx().known_symbols else plain
    if spoken := _CC_SPOKEN.match(low):
        return f"CC-{re.sub(r'[ -]+', '-', spoken[1])}-{spoken[2]}".upper()
    return text


@lru_cache(maxsize=1)
def spdx() -> Any:
    """The parser of SPDX expressions, made once."""
    from license_expression import get_spdx_licensing

    return get_spdx_licensing()


@lru_cache(maxsize=4096)
def _parse(text: str) -> str:
    from license_expression import ExpressionError, ExpressionParseError

    try:
        parsed = spdx().parse(text)
    except (ExpressionError, ExpressionParseError, AttributeError, TypeError, RecursionError):
        raise _unreadable(text) from None
    if parsed is None:
        return ""
    unknown = [key for key in spdx().unknown_license_keys(parsed) if not _REFERENCE.match(key)]
    if unknown:
        raise _unreadable(text, unknown[0])
    return str(parsed.render("{symbol.key}"))


def _unreadable(text: str, key: str = "") -> RightsError:
    known = sorted(k for k in spdx().known_symbols if not k.startswith("LicenseRef-"))
    close = difflib.get_close_matches((key or text).upper().replace(" ", "-"), [k.upper() for k in known], 1, 0.6)
    meant = next((k for k in known if close and k.upper() == close[0]), "")
    hint = f"did you mean {meant}? " if meant else ""
    return RightsError(
        f"licence {text!r}",
        "is no SPDX expression",
        f"{hint}write e.g. CC-BY-4.0, CC0-1.0, or LicenseRef-NAME for your own",
    )
