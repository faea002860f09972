"""Text of strangers: what is shown holds nothing that hides, what is stored fits every format."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest

from limner.text import composed, one_line, printable, storable, visible

HOSTILE = "a\x1b[31mb\u202egnp.eurt\u200b\ud800\x00"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (HOSTILE, "a\ufffd[31mb\ufffdgnp.eurt\ufffd\ufffd\ufffd"),
        ("one\n two\t\xa0three", "one  two  three"),
        ("日本 Ω é 🙂", "日本 Ω é 🙂"),
    ],
)
def test_what_is_shown_cannot_hide(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_what_is_stored_fits_xml_and_utf8_and_keeps_the_rest() -> None:
    assert storable("é\n\t🙂\u200d\xa0") == "é\n\t🙂\u200d\xa0"
    every = storable("".join(map(chr, range(0x11000))))
    assert fromstring(f"<a>{every.replace('&', '').replace('<', '')}</a>".encode()).text


def test_one_line_and_visible_names() -> None:
    assert one_line(" a\n\x00b  c ", 5) == "a b c"
    assert visible("a\nb") == "a\\nb"
    assert composed("e\u0301") == "é"
