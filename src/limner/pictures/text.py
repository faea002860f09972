"""Text that came with a picture, made fit for one line of a terminal, a table or a record."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["composed", "one_line", "visible"]

# Control characters, line and paragraph separators, lone surrogates, and what turns the direction of writing around.
# Joiners stay: an emoji of a family is several characters joined.
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")


def one_line(text: str, longest: int = 500) -> str:
    """`text` on one line without control characters, at most `longest` characters."""
    return " ".join(_UNFIT.sub(" ", text).split())[:longest]


def visible(text: str) -> str:
    """`text` with what is unfit for a line written out (`\\n`), so that different names stay different."""
    return _UNFIT.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def composed(text: str) -> str:
    """`text` in Unicode's normal form C: the same letters are the same text, on whichever system they were typed."""
    return unicodedata.normalize("NFC", text)
