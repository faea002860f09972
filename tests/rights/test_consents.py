"""Consents are kept as they were agreed, only added to, private; and they block what they do not grant."""

from __future__ import annotations

import sqlite3
import stat
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from limner.errors import RightsError
from limner.rights.consent import Consent, ConsentStore, Reason, Scope, Subject, blocked

ADA, BEA = Subject("creator", "Ada Example"), Subject("creator", "Bea Muster")
LETTER = "sha256:" + "1" * 64
TODAY = date(2026, 11, 30)


@dataclass(frozen=True)
class Picture:
    pixel_sha256: str
    creator: str


ONE, TWO, OTHER = Picture("a" * 64, "Ada Example"), Picture("b" * 64, "ADA  example"), Picture("c" * 64, "Bea Muster")


def agreed(subject: Subject = ADA, *scopes: Scope, **more: object) -> Consent:
    return Consent(subject, frozenset(scopes or Scope), **more)  # type: ignore[arg-type]


def test_a_consent_comes_back_as_it_was_given(tmp_path: Path) -> None:
    store = ConsentStore(tmp_path / "new")
    given = agreed(
        ADA,
        Scope.TRAIN,
        Scope.STYLE,
        licence="cc-by-4.0",
        holder="Estate of A. Example",
        document=LETTER,
        since=date(2026, 1, 1),
        until=date(2027, 12, 31),
        credit="© Estate of A. Example",
        note="letter of March",
    )
    stored = store.add(given)
    assert store.all() == ConsentStore(tmp_path / "new").all() == [stored]
    assert (stored.number, stored.licence, stored.scopes) == (1, "CC-BY-4.0", frozenset({Scope.TRAIN, Scope.STYLE}))
    assert stored.unnumbered().document == given.document
    assert stat.S_IMODE((tmp_path / "new" / "consents.sqlite").stat().st_mode) == 0o600


def test_reading_where_nothing_was_agreed_writes_nothing(tmp_path: Path) -> None:
    store = ConsentStore(tmp_path)
    assert (store.all(), store.of("a" * 64, "Ada"), blocked([ONE], Scope.TRAIN, store, TODAY)) == ([], None, [])
    assert not list(tmp_path.iterdir())


def test_a_later_row_supersedes_and_nothing_is_lost(tmp_path: Path) -> None:
    store = ConsentStore(tmp_path)
    first, second = store.add_many([agreed(ADA, Scope.TRAIN), agreed(ADA, Scope.STYLE)])
    assert store.of(ONE.pixel_sha256, ONE.creator) == second
    assert store.agreed(1).of(ONE.pixel_sha256, ONE.creator) == first
    with sqlite3.connect(tmp_path / "consents.sqlite") as connection:
        for change in (
            "DELETE FROM consents",
            "UPDATE consents SET withdrawn = 1",
            "INSERT OR REPLACE INTO consents SELECT 1, kind, name, scopes, licence, holder, document, since, until, "
            "credit, note, 1, recorded FROM consents WHERE number = 2",
        ):
            with pytest.raises(sqlite3.DatabaseError, match="only added to"):
                connection.execute(change)


def test_one_bad_row_keeps_all_out(tmp_path: Path) -> None:
    store = ConsentStore(tmp_path)
    with pytest.raises(RightsError, match="no SPDX expression"):
        store.add_many([agreed(ADA), agreed(BEA, licence="my licence")])
    assert store.all() == []


@pytest.mark.parametrize(
    ("consent", "reason"),
    [
        (agreed(ADA), None),
        (agreed(ADA, Scope.STYLE), Reason.OUT_OF_SCOPE),
        (Consent(ADA), Reason.OUT_OF_SCOPE),
        (agreed(ADA, since=TODAY, until=TODAY), None),
        (agreed(ADA, since=date(2026, 12, 1)), Reason.NOT_YET),
        (agreed(ADA, until=date(2026, 11, 29)), Reason.EXPIRED),
        (agreed(ADA, withdrawn=True), Reason.WITHDRAWN),
    ],
)
def test_what_blocks_training(consent: Consent, reason: Reason | None, tmp_path: Path) -> None:
    store = ConsentStore(tmp_path)
    store.add(consent)
    found = blocked([ONE, OTHER, TWO], Scope.TRAIN, store, TODAY)
    assert [(one.row, one.reason) for one in found] == ([(ONE, reason), (TWO, reason)] if reason else [])


def test_a_picture_of_its_own_stands_before_its_creator(tmp_path: Path) -> None:
    store = ConsentStore(tmp_path)
    store.add(agreed(ADA, Scope.TRAIN))
    store.add(agreed(Subject("picture", ONE.pixel_sha256), Scope.PUBLISH))
    assert [one.row for one in blocked([ONE, TWO], Scope.TRAIN, store, TODAY)] == [ONE]
    assert [one.row for one in blocked([ONE, TWO], Scope.PUBLISH, store, TODAY)] == [TWO]


def test_a_withdrawal_blocks_everything_of_its_subject_and_says_when(tmp_path: Path) -> None:
    store = ConsentStore(tmp_path)
    store.add(agreed(ADA, document=LETTER))
    store.add(agreed(Subject("picture", ONE.pixel_sha256)))
    gone = store.withdraw(Subject("creator", "Example, Ada"), "letter of 30 November")
    assert gone.withdrawn
    assert gone.document == LETTER
    for scope in Scope:
        assert [one.row for one in blocked([ONE, OTHER, TWO], scope, store, TODAY)] == [ONE, TWO]
    assert store.withdraw(ADA) == gone
    store.withdraw(Subject("picture", OTHER.pixel_sha256))
    assert len(blocked([ONE, OTHER, TWO], Scope.TRAIN, store, TODAY)) == 3


def test_what_makes_no_consent() -> None:
    with pytest.raises(RightsError, match="ends before it begins"):
        agreed(ADA, since=date(2027, 1, 1), until=date(2026, 1, 1))
    with pytest.raises(RightsError, match="is no digest"):
        agreed(ADA, document="letter.pdf")
    with pytest.raises(RightsError, match="no digest of pixels"):
        Subject("picture", "cat.png")
    with pytest.raises(RightsError, match="names nobody"):
        Subject("creator", " \n")


def test_a_damaged_store_is_said_and_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "consents.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(RightsError, match="list of consents"):
        blocked([ONE], Scope.TRAIN, ConsentStore(tmp_path), TODAY)
