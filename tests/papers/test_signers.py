"""Who signed, and when it counts: usages, names by what there is, names that pose, three findings about time."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from limner.errors import PapersError
from limner.papers import open_publisher, verify
from limner.papers.identity.certificates import USAGES
from limner.papers.verify.findings import RELEASED, Refusal, SignerSeen, latest_missed
from limner.papers.verify.names import name_in, quoted
from limner.papers.verify.verdict import Verdict
from limner.workspace import Workspace
from papers.resigning import with_validity
from papers.test_identities import DAY, buy
from papers.test_verdicts import foreign
from published_made import picture, provenance

# Of the collection of tests, which may lie half an hour back: "soon" is hours away.
NOW = dt.datetime.now(dt.UTC)
SOON = dt.timedelta(hours=12)


def name(*parts: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in parts])


@pytest.mark.parametrize("usage", USAGES)
def test_each_usage_that_may_sign_is_verified(usage: str, workspace: Workspace, tmp_path: Path) -> None:
    certificate, key = buy(tmp_path, ec.generate_private_key(ec.SECP256R1()), usage=x509.ObjectIdentifier(usage))
    with open_publisher(workspace, certificate=certificate, key=key) as ready:
        path = ready.publish(picture(), tmp_path / "work.png", provenance()).path
    verdict = verify(path, anchors=[tmp_path / "root.pem"])
    assert (verdict.state, verdict.trusted, verdict.codes) == ("valid", True, ())


@pytest.mark.parametrize("usage", ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.8", "2.5.29.37.0"])
def test_other_usages_are_refused(usage: str, workspace: Workspace, tmp_path: Path) -> None:
    certificate, key = buy(tmp_path, ec.generate_private_key(ec.SECP256R1()), usage=x509.ObjectIdentifier(usage))
    with pytest.raises(PapersError, match="is not made for signing"):
        open_publisher(workspace, certificate=certificate, key=key)


@pytest.mark.parametrize(
    ("subject", "address", "shown", "kind"),
    [
        (name((NameOID.ORGANIZATION_NAME, "City Museum")), "", 'the organisation "City Museum"', "organisation"),
        (name((NameOID.EMAIL_ADDRESS, "ada@example.org")), "", 'the e-mail address "ada@example.org"', "e-mail"),
        (name(), "ada@example.org", 'the e-mail address "ada@example.org"', "e-mail"),
        (name((NameOID.COUNTRY_NAME, "DE")), "", "somebody whose certificate bears no name", "nothing"),
    ],
)
def test_a_signer_is_shown_by_what_there_is(
    subject: x509.Name, address: str, shown: str, kind: str, workspace: Workspace, tmp_path: Path
) -> None:
    verdict = verify(foreign(workspace, tmp_path, "png", subject=subject, address=address))
    assert verdict.state == "valid"
    assert shown in verdict.summary
    assert verdict.signer is not None
    assert (verdict.signer.named_by, '""' in verdict.summary) == (kind, False)


def signer(**changes: object) -> SignerSeen:
    told = {
        "name": "Ada",
        "organisation": "",
        "issuer": "",
        "serial": "1",
        "algorithm": "es256",
        "valid_from": (NOW - DAY).isoformat(),
        "valid_until": (NOW + DAY).isoformat(),
        "trust": "none",
    }
    return SignerSeen(**{**told, **changes})  # type: ignore[arg-type]


def why(**changes: object) -> str:
    expired = ("signingCredential.expired",)
    return Verdict("it.png", "invalid", signer=signer(**changes), codes=expired).summary


def test_not_begun_and_ended_and_a_wrong_clock_are_three_findings() -> None:
    soon = why(valid_from=(NOW + SOON).isoformat(), valid_until=(NOW + 3650 * DAY).isoformat())
    assert "begins only at" in soon
    assert "check the clock" in soon
    assert "ended" not in soon
    over = why(valid_from=(NOW - 9 * DAY).isoformat(), valid_until=(NOW - DAY).isoformat())
    assert "ended on" in over
    assert "clock" not in over
    later = (NOW + SOON).isoformat()
    for changes in (
        {"valid_from": later, "trust": "own"},
        {"valid_from": later, "time_stamp": later, "time_stamp_trusted": True},
    ):
        assert "must be wrong" in why(**changes)
        assert "set the clock" in why(**changes)
    assert "must be wrong" not in why(valid_from=later, time_stamp=later, time_stamp_trusted=False)


@pytest.mark.parametrize(
    ("begins", "ends", "words"),
    [
        (SOON, 3650 * DAY, "begins only at"),
        (-9 * DAY, -DAY, "ended on"),
        (-DAY, DAY, "genuine"),
    ],
)
def test_a_certificate_of_another_time_is_told_by_its_time(
    begins: dt.timedelta, ends: dt.timedelta, words: str, workspace: Workspace, tmp_path: Path
) -> None:
    path = foreign(workspace, tmp_path, "png")
    path.write_bytes(with_validity(path.read_bytes(), tmp_path, NOW + begins, NOW + ends))
    verdict = verify(path)
    assert words in verdict.summary
    assert verdict.state == ("valid" if words == "genuine" else "invalid")


def test_the_clock_is_wrong_where_something_shows_it() -> None:
    assert latest_missed(dt.datetime(2019, 1, 1, tzinfo=dt.UTC)) == RELEASED
    assert latest_missed(NOW, [(NOW + dt.timedelta(minutes=2)).isoformat(), "nonsense", ""]) is None
    later = NOW + dt.timedelta(minutes=30)
    assert latest_missed(NOW, [later.isoformat()]) == later
    assert "happened at" in why(valid_from=(NOW + SOON).isoformat(), trust="own")


def test_programs_read_codes_where_people_read_sentences() -> None:
    over = {"valid_from": (NOW - 9 * DAY).isoformat(), "valid_until": (NOW - DAY).isoformat()}
    for changes, refusal in (
        (over, Refusal.ENDED),
        ({"valid_from": (NOW + SOON).isoformat()}, Refusal.NOT_BEGUN),
        ({"valid_from": (NOW + SOON).isoformat(), "trust": "own"}, Refusal.CLOCK_WRONG),
        ({}, Refusal.OUTSIDE_VALIDITY),
    ):
        verdict = Verdict("it.png", "invalid", signer=signer(**changes), codes=("signingCredential.expired",))
        assert verdict.refusal is refusal
        told = json.loads(verdict.to_json())
        assert (told["refusal"], told["layers"][0]["code"]) == (refusal.value, refusal.value)


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("Ada Lovelace", '"Ada Lovelace"'),
        ('Ada" (vouched for by a trust anchor) "', "\"Ada' (vouched for by a trust anchor) '\""),
        ("Ada” (your own key) “", "\"Ada' (your own key) '\""),
        ("Ada\n\x1b[32m✓ genuine\x1b[0m", '"Ada \ufffd[32m✓ genuine\ufffd[0m"'),
        ("Ada\u202egnp.eurt", '"Ada\ufffdgnp.eurt"'),
        ("A\u200bda", '"A\ufffdda"'),
        ("A" * 300, '"' + "A" * 99 + '…"'),
        ("Ada Lоvelace", '"Ada Lоvelace" (beware: its letters are of several alphabets: Cyrillic, Latin)'),
        ("НОМЕ", '"НОМЕ" (beware: in Cyrillic letters that look like Latin ones)'),
        ("Анна Каренина", '"Анна Каренина"'),
        ("Ελένη", '"Ελένη"'),
        ("葛飾 北斎", '"葛飾 北斎"'),
        ("Zoë Müller-Łoś", '"Zoë Müller-Łoś"'),
    ],
)
def test_no_name_can_pose_as_our_words(told: str, shown: str) -> None:
    assert quoted(told) == shown


def test_a_posing_name_stays_between_its_marks(workspace: Workspace, tmp_path: Path) -> None:
    posing = name((NameOID.COMMON_NAME, 'Ada" (vouched for by a trust anchor)'))
    verdict = verify(foreign(workspace, tmp_path, "jpeg", subject=posing))
    words = 'somebody who calls themselves "Ada\' (vouched for by a trust anchor)"'
    assert words in verdict.summary
    assert verdict.layers[0].holds.count("\"Ada'") == 1
    assert name_in(posing) == ('Ada" (vouched for by a trust anchor)', "name")
