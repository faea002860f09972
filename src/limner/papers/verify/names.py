"""Names of strangers in a verdict: shown so that none can pose as a word of ours, or as somebody else's name."""

from __future__ import annotations

import unicodedata

from cryptography import x509
from cryptography.x509.oid import NameOID

from limner.text import composed, printable

_LONGEST = 100
_QUOTES = dict.fromkeys(map(ord, "\"'`´“”„‟‘’‚‛«»‹›＂＇〝〞〟"), "'")
# Letters that look like Latin ones: a word of these alone is no reading of another alphabet that one would notice.
_CYRILLIC = frozenset("АВЕЅІЈКМНОРСТУХаеѕіјорсԁԛԝухһӏ")
_GREEK = frozenset("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαορυι")


def name_in(subject: x509.Name, certificate: x509.Certificate | None = None) -> tuple[str, str]:
    """Who a certificate is for, by what there is, and what kind of name that is.

    Returns:
        The name; and `name`, `organisation`, `unit`, `e-mail` or `nothing` (the name is then empty).
    """
    for kind, oid in (
        ("name", NameOID.COMMON_NAME),
        ("organisation", NameOID.ORGANIZATION_NAME),
        ("unit", NameOID.ORGANIZATIONAL_UNIT_NAME),
        ("e-mail", NameOID.EMAIL_ADDRESS),
    ):
        found = subject.get_attributes_for_oid(oid)
        if found and str(found[0].value).strip():
            return str(found[0].value), kind
    if certificate is not None:
        try:
            names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            addresses = names.get_values_for_type(x509.RFC822Name)
        except (x509.ExtensionNotFound, ValueError):
            addresses = []
        if addresses:
            return addresses[0], "e-mail"
    return "", "nothing"


def quoted(name: str) -> str:
    """A name between quotation marks, none in it, on one line, with a warning where letters are not what they seem."""
    shown = " ".join(printable(composed(name)).translate(_QUOTES).split())
    if len(shown) > _LONGEST:
        shown = shown[: _LONGEST - 1] + "…"
    warning = _warning(shown)
    return f'"{shown}"{warning}'


def _warning(name: str) -> str:
    alphabets = {alphabet for character in name if (alphabet := _alphabet(character))}
    for word in name.replace(",", " ").replace(".", " ").split():
        own = {alphabet for character in word if (alphabet := _alphabet(character))}
        if len(own) > 1:
            return f" (beware: its letters are of several alphabets: {', '.join(sorted(alphabets))})"
        letters = [character for character in word if character.isalpha()]
        for alphabet, alike in (("Cyrillic", _CYRILLIC), ("Greek", _GREEK)):
            if own == {alphabet} and len(letters) > 2 and all(letter in alike for letter in letters):
                return f" (beware: in {alphabet} letters that look like Latin ones)"
    return ""


def _alphabet(character: str) -> str:
    if not character.isalpha():
        return ""
    first = unicodedata.name(character, "").partition(" ")[0].capitalize()
    return first if first in ("Latin", "Cyrillic", "Greek", "Armenian", "Cherokee", "Fullwidth", "Mathematical") else ""
