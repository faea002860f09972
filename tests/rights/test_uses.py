"""What a consent changes: who may be learned from, under which licence, with which credit; what a check finds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest

from limner.errors import RightsError, UsageError
from limner.rights import clear, credit_line, joined, summary
from limner.rights.consent import Consent, ConsentStore, Scope, Subject, Use
from limner.rights.consent.blocking import Agreed
from limner.rights.consent.changing import Change, row_digest, scopes_of
from limner.rights.consent.checking import Finding, Kind, RightsCheck
from limner.rights.consent.documents import is_whole, keep
from limner.rights.consent.standing import State, standings

TODAY = date(2026, 11, 30)
ADA = Subject("creator", "Ada")


@dataclass(frozen=True)
class Row:
    pixel_sha256: str
    creator: str = "Ada"
    licence: str = ""
    held: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    file: str = "a.png"


HELD = Row("a" * 64, held=("no licence", "opt-out: ai.txt"))
DISPUTED = Row("b" * 64, held=("contradiction: creator 'Ada' in table, 'Bea' in the file", "no licence"))
OTHER = Row("c" * 64, "Bea", "CC0-1.0")
ROWS = [HELD, DISPUTED, OTHER]


def use(*consents: Consent, scope: Scope = Scope.TRAIN, on: date = TODAY) -> Use:
    numbered = [replace(one, number=number, recorded="2026-01-02T00:00:00") for number, one in enumerate(consents, 1)]
    return Use(Agreed.of_rows(numbered), scope, on)


def test_a_consent_settles_what_a_picture_is_held_back_for_but_not_who_made_it() -> None:
    given = Consent(ADA, frozenset({Scope.TRAIN}), licence="LicenseRef-letter")
    with pytest.raises(RightsError, match=r"1 of 3 pictures.*held back"):
        clear(ROWS, use=use(given))
    rows, _ = clear(ROWS, only_cleared=True, use=use(given))
    assert [(row.pixel_sha256[0], row.licence, row.held) for row in rows] == [
        ("a", "LicenseRef-letter", ()),
        ("c", "CC0-1.0", ()),
    ]
    own = Consent(Subject("picture", DISPUTED.pixel_sha256), frozenset({Scope.TRAIN}))
    assert clear(ROWS, use=use(given, own))[1] is None


def test_a_consent_that_does_not_hold_settles_nothing() -> None:
    expired = Consent(ADA, frozenset(Scope), licence="CC-BY-4.0", until=date(2026, 11, 29))
    assert use(expired).as_agreed(ROWS) == ROWS


@pytest.mark.parametrize(
    ("consent", "said"),
    [
        (Consent(ADA, frozenset(Scope), until=date(2026, 11, 29)), "the consent of Ada ended on 2026-11-29: 2"),
        (Consent(ADA, frozenset(Scope), since=date(2027, 1, 1)), "the consent of Ada begins on 2027-01-01: 2"),
        (Consent(ADA, frozenset({Scope.STYLE})), "the consent of Ada grants style, not train: 2"),
        (Consent(ADA, frozenset(Scope), withdrawn=True), "the consent of Ada was withdrawn on 2026-01-02: 2"),
    ],
)
def test_what_is_blocked_is_refused_with_the_list_whatever_the_artist_accepts(consent: Consent, said: str) -> None:
    for accepted in (None, "I know what I do"):
        with pytest.raises(RightsError) as caught:
            clear(ROWS, accept_unknown=accepted, use=use(consent))
        line = str(caught.value)
        assert said in line
        assert "2 of 3 pictures" in line and "a.png" in line and "limner rights set" in line
    assert clear(ROWS, only_cleared=True, use=use(consent))[0] == [OTHER]
    with pytest.raises(RightsError, match="2 of 2 pictures"):
        clear(ROWS[:2], only_cleared=True, use=use(consent))


def test_words_of_credit_stand_in_the_credit_line() -> None:
    rows = [Row("a" * 64, "Ada", "CC-BY-4.0"), Row("b" * 64, "Bea", "MIT")]
    asked = use(Consent(ADA, frozenset(Scope), credit="© Estate of Ada / VG Bild-Kunst"))
    rights = summary(rows, credit_of=lambda row: asked.credit(row.pixel_sha256, row.creator))
    line = "Learned from pictures by Bea (MIT); © Estate of Ada / VG Bild-Kunst (CC-BY-4.0)"
    assert credit_line(rights) == line
    assert credit_line(joined(rights, rights)) == line
    assert type(rights).model_validate_json(rights.model_dump_json()) == rights


def test_what_is_not_said_stays_and_a_withdrawal_needs_a_new_document() -> None:
    first = Change(frozenset({Scope.TRAIN}), licence="cc by 4.0", until="2027-01-01").applied(ADA, Agreed.of_rows([]))
    assert first.licence == "CC-BY-4.0"
    known = Agreed.of_rows([replace(first, number=1)])
    second = Change(holder="Estate", until="open").applied(ADA, known)
    assert second == replace(first, holder="Estate", until=None)
    gone = Agreed.of_rows([replace(second, number=2, withdrawn=True, recorded="2026-05-01")])
    with pytest.raises(UsageError, match=r"withdrawn on 2026-05-01; a new consent needs --document and --scope"):
        Change(scopes=frozenset(Scope)).applied(ADA, gone)
    anew = Change(scopes=frozenset({Scope.STYLE}), document="sha256:" + "2" * 64).applied(ADA, gone)
    assert (anew.withdrawn, anew.licence, anew.holder) == (False, "", "")
    with pytest.raises(UsageError, match="has no consent yet"):
        Change(holder="Estate").applied(ADA, Agreed.of_rows([]))
    with pytest.raises(UsageError, match="--until tomorrow"):
        Change(frozenset(), until="tomorrow").applied(ADA, Agreed.of_rows([]))


def test_scopes_as_they_are_typed() -> None:
    assert scopes_of(["all"]) == set(Scope)
    assert scopes_of(["none"]) == frozenset()
    assert scopes_of(["Train", "style"]) == {Scope.TRAIN, Scope.STYLE}
    for wrong in ([], ["none", "train"], ["training"]):
        with pytest.raises(UsageError, match="train, exemplar, style, publish, sell, all or none"):
            scopes_of(wrong)


def findings(rows: list[Row], *consents: Consent, on: date = TODAY, root: Path = Path("/none")) -> list[Finding]:
    return RightsCheck(use(*consents).agreed, on, tuple(Scope), root).of(rows)


def test_a_check_finds_what_blocks_first_and_what_one_should_know() -> None:
    rows = [
        Row("a" * 64, "Ada", "CC-BY-SA-4.0"),
        Row("b" * 64, "Bea", "CC-BY-NC-SA-4.0"),
        Row("c" * 64, "Ada Example", "CC-BY-ND-4.0"),
        Row("d" * 64, "", "", ("no creator", "no licence")),
    ]
    letter = Consent(ADA, frozenset({Scope.TRAIN}), licence="CC-BY-4.0", until=date(2026, 12, 24))
    found = findings(rows, letter)
    assert [(one.kind, one.blocks, one.scopes) for one in found[:3]] == [
        (Kind.OUT_OF_SCOPE, True, (Scope.EXEMPLAR, Scope.STYLE, Scope.PUBLISH)),
        (Kind.HELD, True, (Scope.TRAIN,)),
        (Kind.HELD, True, (Scope.TRAIN,)),
    ]
    told = {one.kind for one in found[3:]}
    assert told == {
        Kind.OUT_OF_SCOPE, Kind.NO_DOCUMENT, Kind.ENDS_SOON, Kind.CONTRADICTION, Kind.NON_COMMERCIAL,
        Kind.NO_DERIVATIVES, Kind.LIKE_NAME,
    }  # fmt: skip
    assert not any(one.blocks for one in found[3:])
    by_kind = {one.kind: one for one in found[3:]}
    assert by_kind[Kind.LIKE_NAME].detail == "Ada"
    assert by_kind[Kind.CONTRADICTION].licences == ("CC-BY-SA-4.0", "CC-BY-4.0")
    assert "section 2(a)(1)(B)" in by_kind[Kind.NO_DERIVATIVES].detail


def test_licences_that_exclude_each_other_are_found_with_their_sources() -> None:
    rows = [Row("a" * 64, "Ada", "CC-BY-SA-4.0"), Row("b" * 64, "Bea", "CC-BY-NC-SA-4.0")]
    (conflict,) = (one for one in findings(rows) if one.kind is Kind.CONFLICT)
    assert conflict.licences == ("CC-BY-NC-SA-4.0", "CC-BY-SA-4.0")
    assert "section 3(b)(1)" in conflict.detail
    leave = Consent(ADA, frozenset(Scope), document="sha256:" + "3" * 64)
    assert not any(one.kind is Kind.CONFLICT for one in findings(rows, leave)), "leave to publish settles it"


def test_a_check_on_another_day_and_of_a_changed_row(tmp_path: Path) -> None:
    rows = [Row("a" * 64, "Ada", "CC0-1.0")]
    letter = tmp_path / "letter.pdf"
    letter.write_text("I agree")
    path = keep(letter, tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600
    digest = "sha256:" + path.stem
    consent = Consent(ADA, frozenset(Scope), document=digest, until=date(2027, 6, 30))
    assert findings(rows, consent, root=tmp_path) == []
    assert [one.kind for one in findings(rows, consent, on=date(2027, 7, 1), root=tmp_path)] == [Kind.EXPIRED]
    path.write_text("I agree to everything")
    assert not is_whole(digest, tmp_path)
    assert [one.kind for one in findings(rows, consent, root=tmp_path)] == [Kind.CHANGED]
    store = ConsentStore(tmp_path)
    stored = store.add(replace(consent, document=""))
    assert row_digest(stored) == row_digest(store.all()[0]) != row_digest(replace(stored, scopes=frozenset()))
    check = RightsCheck(store.agreed(), TODAY, (Scope.TRAIN,), tmp_path, lambda one: False)
    assert [one.kind for one in check.of(rows)] == [Kind.CHANGED, Kind.NO_DOCUMENT]
    check = replace(check, recorded=lambda one: None)
    assert [(one.kind, one.blocks) for one in check.of(rows)] == [(Kind.UNRECORDED, False), (Kind.NO_DOCUMENT, False)]


def test_pictures_stand_together_by_creator_and_alone_with_a_consent_of_their_own() -> None:
    rows = [Row("a" * 64), Row("b" * 64), OTHER, HELD]
    own = Consent(Subject("picture", "b" * 64), frozenset(Scope), licence="MIT", since=date(2027, 1, 1))
    found = standings(rows, use(own).agreed, TODAY)
    assert [(one.creator, len(one.rows), one.state, one.licences) for one in found] == [
        ("Ada", 1, State.LICENCE, ()),
        ("Ada", 1, State.HELD, ()),
        ("Ada", 1, State.NOT_YET, ("MIT",)),
        ("Bea", 1, State.LICENCE, ("CC0-1.0",)),
    ]
