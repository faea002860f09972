"""Licences: what is understood, what is refused with what was meant, what they oblige to."""

from __future__ import annotations

import pytest

from limner.errors import RightsError
from limner.rights import Outcome, conflicts, joint, may_be_adapted, obligations, parse_licence, sources
from limner.rights.rules import rules


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("cc-by-4.0", "CC-BY-4.0"),
        ("CC BY-SA 4.0", "CC-BY-SA-4.0"),
        ("Creative Commons BY NC ND 3.0", "CC-BY-NC-ND-3.0"),
        ("https://creativecommons.org/licenses/by-nc/4.0/deed.en", "CC-BY-NC-4.0"),
        ("http://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        ("https://creativecommons.org/licenses/by-sa/3.0/de/", "CC-BY-SA-3.0-DE"),
        ("https://creativecommons.org/licenses/by-sa/3.0/pl/deed.pl", "CC-BY-SA-3.0"),
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
        ("", {"unknown"}),
        ("CC-BY-4.0", {"attribution"}),
        ("CC-BY-NC-SA-4.0", {"attribution", "non-commercial", "share-alike"}),
        ("CC-BY-ND-4.0", {"attribution", "no-derivatives"}),
        ("MIT", {"notice"}),
        ("LicenseRef-mine", {"attribution", "read-it"}),
        ("MIT OR CC-BY-4.0", {"notice"}),
        ("MIT AND CC-BY-4.0", {"attribution", "notice"}),
        ("CC-BY-NC-ND-4.0 OR CC-BY-SA-4.0", {"attribution", "share-alike"}),
        ("GPL-3.0-or-later WITH Font-exception-2.0", {"notice", "share-alike", "source"}),
        ("OSL-3.0", {"notice", "share-alike", "read-it"}),
        ("Adobe-Glyph", {"notice"}),
    ],
)
def test_obligations(licence: str, obliged: set[str]) -> None:
    assert obligations(licence) == obliged


@pytest.mark.parametrize(
    ("licence", "adapted"),
    [("", True), ("LicenseRef-mine", True), ("CC-BY-ND-3.0", False), ("CC-BY-ND-4.0 OR MIT", True)],
)
def test_whether_what_is_made_from_it_may_be_passed_on(licence: str, adapted: bool) -> None:
    assert may_be_adapted(licence) == adapted


def test_three_of_which_no_two_exclude_each_other() -> None:
    either = "CC-BY-SA-4.0 OR CC-BY-NC-SA-4.0", "CC-BY-SA-4.0 OR GPL-2.0-only", "CC-BY-NC-SA-4.0 OR GPL-2.0-only"
    assert joint(either[:2]).licence == "CC-BY-SA-4.0"
    assert joint(either).outcome is Outcome.NONE
    assert [len(found.licences) for found in conflicts(either)] == [3]


def test_what_forbids_alone_is_named_alone_with_its_source() -> None:
    (found,) = conflicts(["CC0-1.0", "CC-BY-ND-4.0", "", "LicenseRef-mine"])
    assert found.licences == ("CC-BY-ND-4.0",)
    assert found.sources == sources("CC-BY-ND-4.0") == ("CC BY-ND 4.0, section 2(a)(1)(B)",)


def test_every_rule_has_a_source_and_can_be_reached() -> None:
    assert all(rule.source for rule in rules())
    names = [name for rule in rules() for name in rule.licences]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("licence", ["CC-BY-SA-3.0 OR LicenseRef-a", "LicenseRef-a AND MIT"])
def test_an_open_part_is_no_choice_beside_a_known_one(licence: str) -> None:
    assert joint([licence, "CC0-1.0"]).outcome is (Outcome.ONE if " OR " in licence else Outcome.ASK)
