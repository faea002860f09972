"""Texts of people and strangers, made so that every format of the papers can hold them."""

from __future__ import annotations

__all__ = ["clean"]


def clean(text: str) -> str:
    """`text` without what XML or UTF-8 cannot hold: control characters and half surrogates become U+FFFD."""
    return "".join(
        character if character in "\n\t" or (character >= " " and not _is_forbidden(ord(character))) else "\ufffd"
        for character in text
    )


def _is_forbidden(code: int) -> bool:
    return 0x7F <= code <= 0x9F or 0xD800 <= code <= 0xDFFF or code in (0xFFFE, 0xFFFF)
