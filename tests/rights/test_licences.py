"""Licences: what is understood, what is refused with what was meant, what they oblige to."""

from __future__ import annotations

import pytest

from limner.errors import RightsError
from limner.rights import TERMS, obligations, parse_licence, terms


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("cc-by-4.0", "CC-BY-4.0"),
        ("CC BY-SA 4.0", "CC-BY-SA-4.0"),
        ("Creative Commons BY NC ND 3.0", "CC-BY-NC-ND-3.0"),
        ("https://creativecommons.org/licenses/by-nc/4.0/deed.en", "CC-BY-NC-4.0"),
        ("http://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        ("cc0", "CC0-1.0"),
        ("public domain", "LicenseRef-Public-Domain"),
        ("LicenseRef-Public-Domain-US", "LicenseRef-Public-Domain-US"),
        ("mit OR (apache-2.0 and LicenseRef-own)", "MIT OR (Apache-2.0 AND LicenseRef-own)"),
        ("", ""),
        ("Unknown", ""),
        ("  n/a ", ""),
    ],
)
def test_understood(said: str, meant: str) -> None:
    assert parse_licence(said) == meant


@pytest.mark.parametrize("said", ["all rights reserved", "CC-BY", "MIT AND", "(MIT", "x" * 501, "MIT\x00"])
def test_refused_in_one_line_with_a_remedy(said: str) -> None:
    with pytest.raises(RightsError) as caught:
        parse_licence(said)
    assert "CC-BY-4.0" in str(caught.value) or "SPDX" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_near_miss_is_named() -> None:
    with pytest.raises(RightsError, match=r"did you mean Apache-2\.0"):
        parse_licence("Apach-2.0")


@pytest.mark.parametrize(
    ("licence", "obliged"),
    [
        ("CC0-1.0", set()),
        ("LicenseRef-Public-Domain-US", set()),
        ("", set()),
        ("CC-BY-4.0", {"attribution"}),
        ("CC-BY-NC-SA-4.0", {"attribution", "non-commercial", "share-alike"}),
        ("CC-BY-ND-4.0", {"attribution", "no-derivatives"}),
        ("MIT", {"notice"}),
        ("LicenseRef-mine", {"attribution", "read-it"}),
        ("MIT OR CC-BY-4.0", {"attribution", "notice"}),
    ],
)
def test_obligations(licence: str, obliged: set[str]) -> None:
    assert obligations(licence) == obliged


@pytest.mark.parametrize(
    ("licence", "allowed"),
    [
        ("", TERMS),
        ("MIT", TERMS),
        ("CC-BY-4.0", TERMS),
        ("LicenseRef-mine", TERMS),
        ("CC-BY-SA-4.0", {"share-alike"}),
        ("CC-BY-NC-4.0", {"non-commercial", "non-commercial share-alike"}),
        ("CC-BY-NC-SA-4.0", {"non-commercial share-alike"}),
        ("CC-BY-NC-ND-4.0", set()),
        ("CC-BY-ND-4.0 OR CC-BY-SA-4.0", {"share-alike"}),
        ("CC-BY-ND-4.0 AND MIT", set()),
        ("CC-BY-NC-4.0 AND (CC-BY-SA-4.0 OR CC-BY-NC-SA-4.0)", {"non-commercial share-alike"}),
    ],
)
def test_terms_under_which_what_is_made_from_it_may_be_passed_on(licence: str, allowed: set[str]) -> None:
    assert terms(licence) == allowed
