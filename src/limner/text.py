"""Text of strangers, made fit for a line, a terminal, a page, a record or a file's metadata."""

from __future__ import annotations

import re
import unicodedata

# Control characters, line and paragraph separators, lone surrogates, and what turns the direction of writing around.
# Joiners stay: an emoji of a family is several characters joined.
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")


# What XML or UTF-8 cannot hold: control characters but tab and line feed, surrogates, and two that are no characters.
_UNSTORABLE = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def one_line(text: str, longest: int = 500) -> str:
    """`text` on one line without control characters, at most `longest` characters."""
    return " ".join(_UNFIT.sub(" ", text).split())[:longest]


def visible(text: str) -> str:
    """`text` with what is unfit for a line written out (`\\n`), so that different names stay different."""
    return _UNFIT.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def printable(text: object) -> str:
    """`text` to be shown: spaces of any kind are spaces; what else cannot be seen, or turns the direction of writing
    around, becomes U+FFFD."""
    return "".join(one if one.isprintable() else " " if one.isspace() else "\ufffd" for one in str(text))


def storable(text: str) -> str:
    """`text` as every format of the papers can hold it: what XML or UTF-8 cannot hold becomes U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text)


def composed(text: str) -> str:
    """`text` in Unicode's normal form C: the same letters are the same text, on whichever system they were typed."""
    return unicodedata.normalize("NFC", text)


def slug(text: str) -> str:
    """What of `text` can stand in any file's name: small Latin letters and digits, dashes between; may be empty."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
