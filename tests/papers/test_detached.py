"""A detached signature: it holds for the bytes that were signed, says whose it is, and is read by others' rules."""

from __future__ import annotations

import json
from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from limner.papers import Identity
from limner.papers.identity.detached import Held, Trusted, check_detached, sign_detached
from limner.papers.identity.revocations import read_revocations
from limner.workspace import Workspace

DATA = b'{"what": "was done"}\n'


@pytest.fixture
def identity(workspace: Workspace) -> Identity:
    return Identity.new(workspace, "Ada Example")


def decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def test_it_holds_and_says_whose_it_is(identity: Identity, workspace: Workspace) -> None:
    signature = sign_detached(DATA, identity)
    seen = check_detached(DATA, signature, own=Identity.roots(workspace))
    assert (seen.held, seen.trusted, seen.name) == (Held.VALID, Trusted.OWN, "Ada Example")
    assert check_detached(DATA, signature, anchors=Identity.roots(workspace)).trusted is Trusted.ANCHOR
    assert check_detached(DATA, signature).trusted is Trusted.NOBODY


def test_by_the_letter_of_the_standard(identity: Identity) -> None:
    """RFC 7515, appendix F and section 3.4 of RFC 7518, without limner's own reader."""
    protected, nothing, signature = sign_detached(DATA, identity).split(".")
    assert nothing == ""
    header = json.loads(decoded(protected))
    leaf = x509.load_der_x509_certificate(b64decode(header["x5c"][0]))
    key, raw = leaf.public_key(), decoded(signature)
    assert header["alg"] == "ES256"
    assert isinstance(key, ec.EllipticCurvePublicKey)
    numbers = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    key.verify(encode_dss_signature(*numbers), f"{protected}.{encoded(DATA)}".encode(), ec.ECDSA(hashes.SHA256()))


def test_what_was_changed_does_not_hold(identity: Identity) -> None:
    signature = sign_detached(DATA, identity)
    protected, _, raw = signature.split(".")
    assert check_detached(DATA + b" ", signature).held is Held.BROKEN
    assert check_detached(DATA, f"{protected}..{encoded(bytes(64))}").held is Held.BROKEN
    header = json.loads(decoded(protected))
    for change in ({"iat": header["iat"] - 1}, {"alg": "ES384"}, {"alg": "EdDSA"}, {"x5t#S256": "a"}):
        other = encoded(json.dumps({**header, **change}).encode())
        assert check_detached(DATA, f"{other}..{raw}").held is Held.BROKEN, change


def test_strangers_words_are_read_without_a_fault(identity: Identity) -> None:
    protected, _, raw = sign_detached(DATA, identity).split(".")
    header = json.loads(decoded(protected))
    strange: tuple[dict[str, object], ...] = (
        {"alg": "none"},
        {"crit": ["b64"]},
        {"b64": False},
        {"x5c": []},
        {"x5c": ["!"]},
        {"iat": True},
        {"iat": -1},
    )
    texts = [f"{encoded(json.dumps({**header, **one}).encode())}..{raw}" for one in strange]
    for text in (*texts, "", "..", "a.b.c", f"{protected}.{encoded(DATA)}.{raw}", f"{encoded(b'[]')}..{raw}", "ä..b"):
        assert check_detached(DATA, text).held is Held.UNREADABLE, text[:40]


def test_another_name_under_a_strangers_root_is_nobodys(
    workspace: Workspace, identity: Identity, tmp_path: Path
) -> None:
    stranger = Identity.new(Workspace(tmp_path / "other"), "Ada Example")
    seen = check_detached(DATA, sign_detached(DATA, stranger), own=Identity.roots(workspace))
    assert (seen.held, seen.trusted) == (Held.VALID, Trusted.NOBODY)


def test_a_revoked_key_no_longer_counts(workspace: Workspace, identity: Identity) -> None:
    signature = sign_detached(DATA, identity)
    Identity.revoke(workspace, "Ada Example")
    seen = check_detached(DATA, signature, own=Identity.roots(workspace), revoked=read_revocations(workspace))
    assert seen.held is Held.REVOKED
