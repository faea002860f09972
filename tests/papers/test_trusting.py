"""Whose word counts: anchors in the workspace, keys that were changed, certificates that were revoked."""

from __future__ import annotations

import datetime as dt
import shutil
import stat
import time
from contextlib import closing
from pathlib import Path

import encypher_c2pa
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from limner.errors import PapersError
from limner.ledger import Ledger
from limner.papers import Identity, Verdict, open_publisher
from limner.papers.identity.revocations import Revocation
from limner.papers.identity.trust import TrustStore
from limner.papers.verify.checking import open_checker
from limner.workspace import Workspace
from papers.test_identities import buy
from papers.test_timestamps import authority, server, stamp
from published_made import ARTIST, picture, provenance, publish, publisher

needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl to be a time-stamp authority")


def check(workspace: Workspace, path: Path) -> Verdict:
    with closing(open_checker(workspace)) as checker:
        return checker.check(path)


def why(verdict: Verdict) -> str:
    return f"{verdict.summary} {verdict.layers[0].proves}"


def stamped(workspace: Workspace, tsa: Path) -> Path:
    """A work with a time-stamp of the authority in `tsa`, whose root is believed."""
    tsa.mkdir()
    authority(tsa)
    TrustStore(workspace).add(tsa / "root.pem", "clock")
    with server(lambda query: (200, stamp(tsa, query))) as url, publisher(workspace, timestamp_url=url) as ready:
        return ready.publish(picture(), workspace.root / "stamped.png", provenance()).path


def test_an_anchor_is_believed_until_it_is_removed(workspace: Workspace, tmp_path: Path) -> None:
    certificate, key = buy(tmp_path, ec.generate_private_key(ec.SECP256R1()))
    with open_publisher(workspace, certificate=certificate, key=key) as ready:
        path = ready.publish(picture(), tmp_path / "work.png", provenance()).path
    store = TrustStore(workspace)
    assert not check(workspace, path).trusted
    added = store.add(tmp_path / "root.pem")
    assert (added.name, added.subjects) == ("a-real-issuer", ("A Real Issuer",))
    signer = check(workspace, path).signer
    assert signer is not None
    assert signer.trust == "anchor"
    assert [one.name for one in store.anchors()] == ["a-real-issuer"]
    store.remove("a-real-issuer")
    assert not check(workspace, path).trusted
    assert [act.what for act in Ledger.open(workspace.ledger).acts()] == ["publish", "trust", "distrust"]


def test_what_is_no_root_is_refused_in_one_line(workspace: Workspace, tmp_path: Path) -> None:
    folder = Identity.new(workspace, "Ada").folder
    assert folder is not None
    old = tmp_path / "old"
    old.mkdir()
    buy(old, ec.generate_private_key(ec.SECP256R1()), ends=dt.timedelta(hours=-1))
    (tmp_path / "text.pem").write_text("hello")
    cases = {
        folder / "certificate.pem": "is no root certificate: another one issued it",
        folder / "key.pem": "holds no certificate in PEM",
        tmp_path / "text.pem": "holds no certificate in PEM",
        tmp_path / "missing.pem": "cannot be read",
        tmp_path: "cannot be read",
        old / "root.pem": "expired on",
    }
    for file, reason in cases.items():
        with pytest.raises(PapersError, match=reason) as caught:
            TrustStore(workspace).add(file)
        assert "\n" not in str(caught.value)
    assert TrustStore(workspace).paths() == []


def test_an_anchor_has_one_name_and_no_key(workspace: Workspace, tmp_path: Path) -> None:
    buy(tmp_path, ec.generate_private_key(ec.SECP256R1()))
    both = tmp_path / "both.pem"
    both.write_bytes((tmp_path / "bought.key").read_bytes() + (tmp_path / "root.pem").read_bytes())
    store = TrustStore(workspace)
    for name in ("../../elsewhere", "", ".hidden", "a/b", "x" * 65):
        with pytest.raises(PapersError, match="is no name for an anchor"):
            store.add(both, name)
    kept = store.add(both, "issuer").path
    assert b"PRIVATE" not in kept.read_bytes()
    with pytest.raises(PapersError, match="is an anchor already, called issuer"):
        store.add(tmp_path / "root.pem", "other")
    buy(tmp_path, ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(PapersError, match="is the name of another anchor"):
        store.add(tmp_path / "root.pem", "issuer")
    with pytest.raises(PapersError, match="choose one of: issuer"):
        store.remove("../identities/default")


@pytest.mark.parametrize("new_root", [False, True])
def test_a_new_key_keeps_old_works_ones_own(workspace: Workspace, new_root: bool) -> None:
    old = publish(workspace, "old.png").path
    before = Identity.load(workspace)
    assert before.folder is not None
    root = (before.folder / "root.pem").read_text()
    after = Identity.rotate(workspace, new_root=new_root)
    new = publish(workspace, "new.png").path
    assert after.name == ARTIST
    assert after.fingerprint != before.fingerprint
    assert ((before.folder / "root.pem").read_text() == root) is not new_root
    verdicts = [check(workspace, path) for path in (old, new)]
    assert [one.signer.trust for one in verdicts if one.signer] == ["own", "own"]
    assert verdicts[0].signer != verdicts[1].signer
    report = encypher_c2pa.verify(new.read_bytes(), "image/png")
    assert (report["integrity"], report["signature"]) == ("valid", "valid")
    assert [one["fingerprint"] for one in Identity.look(workspace)["former"]] == [before.fingerprint]
    kept = [path for path in before.folder.rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}
    assert stat.S_IMODE(before.folder.stat().st_mode) == 0o700
    assert before.key not in "".join(path.read_text() for path in kept)


def test_a_key_is_changed_again_and_again(workspace: Workspace) -> None:
    path = publish(workspace).path
    for new_root in (True, False, True):
        Identity.rotate(workspace, new_root=new_root)
    assert len(Identity.look(workspace)["former"]) == 3
    assert check(workspace, path).trusted
    assert len(Identity.roots(workspace)) == 4


def test_an_encrypted_key_stays_encrypted(workspace: Workspace) -> None:
    Identity.new(workspace, "Ada", "secret")
    for new_root in (False, True):
        with pytest.raises(PapersError, match="give the passphrase"):
            Identity.rotate(workspace, new_root=new_root)
        assert Identity.rotate(workspace, passphrase="secret", new_root=new_root).name == "Ada"
        assert Identity.is_encrypted(workspace)
    with pytest.raises(PapersError, match="cannot be decrypted"):
        Identity.rotate(workspace, passphrase="wrong")


def test_a_revoked_key_signs_no_more_and_its_works_do_not_count(workspace: Workspace) -> None:
    path = publish(workspace).path
    revoked = Identity.revoke(workspace, ARTIST, reason="laptop stolen")
    verdict = check(workspace, path)
    assert (verdict.state, verdict.codes) == ("invalid", ("signingCredential.revoked",))
    assert "no trusted time-stamp shows that it was signed before" in verdict.summary
    assert verdict.signer is not None
    assert verdict.signer.revoked == revoked.since
    with pytest.raises(PapersError, match=f'limner identity rotate "{ARTIST}"'):
        publish(workspace, "another.png")
    Identity.rotate(workspace)
    assert check(workspace, publish(workspace, "another.png").path).trusted
    assert check(workspace, path).state == "invalid"
    assert Identity.look(workspace)["former"][0]["revoked"] == revoked.since


def test_a_former_certificate_can_be_revoked(workspace: Workspace) -> None:
    path = publish(workspace).path
    former = Identity.load(workspace).fingerprint
    Identity.rotate(workspace)
    for wrong in ("ffff", ""):
        with pytest.raises(PapersError):
            Identity.revoke(workspace, ARTIST if wrong else "Nobody", certificate=wrong)
    with pytest.raises(PapersError, match="in the future"):
        Identity.revoke(workspace, ARTIST, since=dt.datetime.now(dt.UTC) + dt.timedelta(days=1))
    Identity.revoke(workspace, ARTIST, certificate=former[:12])
    assert check(workspace, path).state == "invalid"
    assert check(workspace, publish(workspace, "new.png").path).trusted
    with pytest.raises(PapersError, match="already"):
        Identity.revoke(workspace, ARTIST, certificate=former[:12])


def test_a_damaged_list_of_revocations_is_not_taken_for_an_empty_one(workspace: Workspace) -> None:
    publish(workspace)
    (workspace.identities / "revoked.json").write_text("{")
    with pytest.raises(PapersError, match=r"revoked\.json: cannot be read"):
        open_checker(workspace)


@needs_openssl
def test_a_trusted_time_stamp_decides_about_a_revoked_key(workspace: Workspace, tmp_path: Path) -> None:
    path = stamped(workspace, tmp_path / "tsa")
    signed = check(workspace, path).signer
    assert signed is not None
    assert signed.time_stamp is not None
    moment = dt.datetime.fromisoformat(signed.time_stamp)
    before, after = moment - dt.timedelta(hours=1), moment + dt.timedelta(seconds=1)
    (workspace.identities / "revoked.json").unlink(missing_ok=True)
    Identity.revoke(workspace, ARTIST, since=before)
    late = check(workspace, path)
    assert late.state == "invalid"
    assert "shows that it was signed after" in late.summary
    (workspace.identities / "revoked.json").unlink()
    time.sleep(max(0.0, (after - dt.datetime.now(dt.UTC)).total_seconds()) + 1)
    Identity.revoke(workspace, ARTIST, since=after)
    early = check(workspace, path)
    assert (early.state, early.trusted) == ("valid", True)
    assert "was revoked from" in why(early)
    assert "signed before" in why(early)
    TrustStore(workspace).remove("clock")
    unknown = check(workspace, path)
    assert unknown.state == "invalid"
    assert "no trusted time-stamp" in unknown.summary


def test_a_revocation_concerns_one_certificate() -> None:
    one = Revocation("Ada", "ab" * 32, "0a1b", "2026-11-01T00:00:00+00:00", "2026-11-02T00:00:00+00:00")
    assert one.concerns("A1B", "Ada")
    assert not one.concerns("a1c", "Ada")
    assert not one.concerns("a1b", "Bob")
    assert not one.concerns("not a number", "Ada")
    assert one.spares("2026-10-31T23:59:59Z", True)
    assert not one.spares("2026-11-01T00:00:00+00:00", True)
    assert not one.spares("2026-10-31T23:59:59Z", False)
    assert not one.spares("rubbish", True)
