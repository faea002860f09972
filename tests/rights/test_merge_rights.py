"""A merge that the licences of two models forbid is refused with the two that exclude each other."""

from __future__ import annotations

import pytest

from limner.errors import RightsError
from limner.rights import RightsSummary, check_merge, summary
from rights_made import Known


def rights(*licences: str, creator: str = "Ada") -> RightsSummary:
    return summary([Known(creator, licence) for licence in licences])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CC0-1.0", "CC-BY-SA-4.0"),
        ("MIT", "CC-BY-NC-4.0"),
        ("CC-BY-SA-3.0", "CC-BY-SA-4.0"),
        ("CC-BY-NC-4.0", "CC-BY-NC-SA-4.0"),
        ("CC-BY-SA-4.0 OR CC-BY-4.0", "CC-BY-NC-4.0"),
        ("", "CC-BY-NC-SA-4.0"),
        ("LicenseRef-mine", "CC-BY-SA-4.0"),
    ],
)
def test_what_goes_together(one: str, other: str) -> None:
    check_merge(rights("CC-BY-4.0", one), rights(other), ("m", "n"))
    check_merge(rights(other), rights(one, "CC-BY-4.0"), ("m", "n"))
    check_merge(summary([]), rights(other), ("m", "n"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CC-BY-SA-4.0", "CC-BY-NC-4.0"),
        ("CC-BY-SA-4.0", "CC-BY-NC-SA-4.0"),
        ("CC-BY-ND-4.0", "CC0-1.0"),
        ("CC0-1.0", "CC-BY-NC-ND-4.0"),
    ],
)
def test_what_excludes_each_other_is_named_with_creators(one: str, other: str) -> None:
    with pytest.raises(RightsError) as caught:
        check_merge(rights("MIT", one), rights("MIT", other, creator="Bea"), ("mine", "hers"))
    line = str(caught.value)
    assert "of mine" in line
    assert "of hers" in line
    assert all(f"{licence} (" in line for licence in (one, other) if licence.startswith("CC-BY"))
    assert "forbid a merge" in line


def test_no_derivatives_forbids_even_a_model_without_known_pictures() -> None:
    with pytest.raises(RightsError, match=r"CC-BY-ND-4.0 allows nothing made from it"):
        check_merge(summary([]), rights("CC-BY-ND-4.0"), ("m", "n"))


def test_of_many_creators_some_are_named() -> None:
    many = summary([Known(f"Artist {number}", "CC-BY-ND-4.0") for number in range(9)])
    with pytest.raises(RightsError, match=r"Artist 2 and 6 more"):
        check_merge(many, rights("MIT"), ("m", "n"))


def test_a_licence_that_cannot_be_read_stops_in_one_line() -> None:
    hostile = rights("MIT").model_copy(update={"licences": {"(" * 400: 1}})
    with pytest.raises(RightsError, match="no SPDX expression"):
        check_merge(rights("MIT"), hostile, ("m", "n"))
