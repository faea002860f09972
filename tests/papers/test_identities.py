"""The artist's key and certificate: made safely, loaded with clear errors, bought ones checked before use."""

from __future__ import annotations

import datetime as dt
import os
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from limner.errors import PapersError
from limner.ledger import Ledger
from limner.papers import Identity, Publisher, open_publisher, verify
from limner.papers.identity.certificates import NOTICE
from limner.workspace import Workspace
from published_made import picture, provenance

Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
TIME_STAMPING = ExtendedKeyUsageOID.TIME_STAMPING  # must be critical there (RFC 3161, 2.3)
DAY = dt.timedelta(days=1)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def buy(
    folder: Path,
    key: Key,
    *,
    usage: x509.ObjectIdentifier | None = ExtendedKeyUsageOID.EMAIL_PROTECTION,
    begins: dt.timedelta = -DAY,
    ends: dt.timedelta = 30 * DAY,
    subject: x509.Name | None = None,
    address: str = "",
    encryption: serialization.KeySerializationEncryption | None = None,
) -> tuple[Path, Path]:
    """Certificate and key files as an issuer would sell them; the issuer's root beside them."""
    now, issuer_key = dt.datetime.now(dt.UTC), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A Real Issuer")])
    museum = [
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Museum"),
        x509.NameAttribute(NameOID.COMMON_NAME, "Signer"),
    ]
    subject = x509.Name(museum) if subject is None else subject

    def made(subject: x509.Name, key: Key, authority: bool) -> x509.Certificate:
        may = {"digital_signature": not authority, "key_cert_sign": authority, "crl_sign": authority}
        others = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
        key_usage = x509.KeyUsage(**may, **dict.fromkeys((*others, "encipher_only", "decipher_only"), False))
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
        builder = (
            x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(now + begins)
            .not_valid_after(now + ends)
            .add_extension(x509.BasicConstraints(authority, None), critical=True)
            .add_extension(key_usage, critical=True)
            .add_extension(identifier, critical=False)
        )
        if usage and not authority:
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=usage == TIME_STAMPING)
        if address and not authority:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.RFC822Name(address)]), critical=False)
        return builder.sign(issuer_key, hashes.SHA256())

    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    root = made(issuer, issuer_key, True).public_bytes(pem)
    (folder / "root.pem").write_bytes(root)
    (folder / "bought.pem").write_bytes(made(subject, key, False).public_bytes(pem) + root)
    secret = encryption or serialization.NoEncryption()
    (folder / "root.key").write_bytes(issuer_key.private_bytes(pem, pkcs8, serialization.NoEncryption()))
    (folder / "bought.key").write_bytes(key.private_bytes(pem, pkcs8, secret))
    return folder / "bought.pem", folder / "bought.key"


def test_nobody_else_can_read_a_key(workspace: Workspace) -> None:
    old = os.umask(0)
    try:
        folder = Identity.new(workspace, "Ada").folder
    finally:
        os.umask(old)
    assert folder is not None
    assert mode(workspace.identities) == mode(folder) == 0o700
    assert {mode(path) for path in folder.iterdir()} == {0o600}


def test_a_key_is_private_from_its_first_byte(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    true_fdopen = os.fdopen

    def fdopen(descriptor: int, *arguments: object) -> object:
        seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        return true_fdopen(descriptor, *arguments)  # type: ignore[call-overload]

    monkeypatch.setattr("limner.papers.identity.pem.os.fdopen", fdopen)
    Identity.new(workspace, "Ada")
    assert seen == [0o600] * 4


def test_a_key_is_shown_nowhere(workspace: Workspace) -> None:
    identity = Identity.new(workspace, "Ada")
    assert "PRIVATE" in identity.key
    assert "PRIVATE" not in repr(identity) + str(identity.details())


def test_a_passphrase_encrypts_both_keys(workspace: Workspace) -> None:
    made = Identity.new(workspace, "Ada", "correct horse")
    assert made.folder is not None
    for name in ("key.pem", "root-key.pem"):
        assert b"ENCRYPTED" in (made.folder / name).read_bytes()
    assert Identity.is_encrypted(workspace)
    assert Identity.load(workspace, passphrase="correct horse").key == made.key
    with pytest.raises(PapersError, match="is encrypted; give the passphrase"):
        Identity.load(workspace)
    with pytest.raises(PapersError, match="cannot be decrypted"):
        Identity.load(workspace, passphrase="wrong")


def test_a_needless_passphrase_does_no_harm(workspace: Workspace) -> None:
    Identity.new(workspace, "Ada")
    assert Identity.load(workspace, passphrase="never set").name == "Ada"


def test_the_only_one_and_the_default_one(workspace: Workspace) -> None:
    with pytest.raises(PapersError, match='limner identity new --name "…"'):
        Identity.load(workspace)
    Identity.new(workspace, "Ada")
    Identity.new(workspace, "Bob")
    assert Identity.load(workspace).name == "Ada"
    Identity.new(workspace, "Cleo", default=True)
    assert Identity.load(workspace).name == "Cleo"
    assert Identity.load(workspace, "Bob").name == "Bob"
    assert Identity.names(workspace) == ["Ada", "Bob", "Cleo"]
    (workspace.identities / "default").unlink()
    with pytest.raises(PapersError, match="there are several"):
        Identity.load(workspace)
    with pytest.raises(PapersError, match="choose one of: Ada"):
        Identity.load(workspace, "Dan")


@pytest.mark.parametrize("name", ["李明", "../../etc/passwd", "a/b", "..", "Ada & <b>Bob</b>", "Zoë", "x" * 64])
def test_any_printable_name_makes_an_identity(workspace: Workspace, name: str) -> None:
    identity = Identity.new(workspace, name)
    assert identity.folder is not None
    assert identity.folder.parent == workspace.identities
    assert Identity.load(workspace, name).name == name
    path = workspace.root / "work.png"
    with Publisher(identity, Ledger.open(workspace.ledger)) as publisher:
        publisher.publish(picture(), path, provenance(creator=name))
    signer = verify(path).signer
    assert signer is not None
    assert (signer.name, signer.organisation) == (name, NOTICE)


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\0b", "\x1b[31mAda", "x" * 65])
def test_other_names_are_refused(workspace: Workspace, name: str) -> None:
    with pytest.raises(PapersError):
        Identity.new(workspace, name)
    assert Identity.names(workspace) == []


def test_names_alike_are_different_identities(workspace: Workspace) -> None:
    folders = {Identity.new(workspace, name).folder for name in ("Zoë", "Zoe", "zoe", "ZOE!")}
    assert len(folders) == 4
    with pytest.raises(PapersError, match="exists already"):
        Identity.new(workspace, "Zoe")


def test_a_damaged_identity_is_one_clear_error(workspace: Workspace) -> None:
    folder = Identity.new(workspace, "Ada").folder
    assert folder is not None
    (folder / "key.pem").write_text("garbage")
    with pytest.raises(PapersError, match="holds no private key"):
        Identity.load(workspace)
    (folder / "certificate.pem").write_text("garbage")
    with pytest.raises(PapersError, match="holds no certificate"):
        Identity.load(workspace)


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (ec.generate_private_key(ec.SECP256R1()), "es256"),
        (ec.generate_private_key(ec.SECP384R1()), "es384"),
        (ec.generate_private_key(ec.SECP521R1()), "es512"),
        (ed25519.Ed25519PrivateKey.generate(), "ed25519"),
        (rsa.generate_private_key(65537, 2048), "ps256"),
    ],
)
def test_bought_certificates_sign(workspace: Workspace, tmp_path: Path, key: Key, algorithm: str) -> None:
    certificate, key_file = buy(tmp_path, key, encryption=serialization.BestAvailableEncryption(b"secret"))
    with open_publisher(workspace, certificate=certificate, key=key_file, passphrase="secret") as publisher:
        publisher.publish(picture(), tmp_path / "work.png", provenance())
    verdict = verify(tmp_path / "work.png", anchors=[tmp_path / "root.pem"])
    assert verdict.signer is not None
    assert (verdict.trusted, verdict.signer.trust, verdict.signer.algorithm) == (True, "anchor", algorithm)
    assert not verify(tmp_path / "work.png").trusted


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"ends": dt.timedelta(hours=-1)}, "expired"),
        ({"begins": DAY}, "valid only from"),
        ({"usage": None}, "not made for signing"),
        ({"usage": ExtendedKeyUsageOID.SERVER_AUTH}, "not made for signing"),
    ],
)
def test_unfit_certificates_are_refused_before_signing(
    tmp_path: Path, options: dict[str, dt.timedelta], reason: str
) -> None:
    files = buy(tmp_path, ec.generate_private_key(ec.SECP256R1()), **options)  # type: ignore[arg-type]
    with pytest.raises(PapersError, match=reason):
        Identity.from_files(*files)


def test_a_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    certificate, key = buy(tmp_path, ec.generate_private_key(ec.SECP256R1()))
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(PapersError, match="does not belong to the key"):
        Identity.from_files(buy(other, ec.generate_private_key(ec.SECP256R1()))[0], key)
    with pytest.raises(PapersError, match="C2PA does not know"):
        Identity.from_files(certificate, buy(other, ec.generate_private_key(ec.SECP256K1()))[1])
    with pytest.raises(PapersError, match="cannot be read"):
        Identity.from_files(tmp_path / "missing.pem", key)


def test_options_that_do_not_go_together(workspace: Workspace, tmp_path: Path) -> None:
    certificate, key = buy(tmp_path, ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(PapersError, match="--key: is missing"):
        open_publisher(workspace, certificate=certificate)
    with pytest.raises(PapersError, match="--certificate: is missing"):
        open_publisher(workspace, key=key)
    with pytest.raises(PapersError, match="identity new"):
        open_publisher(workspace)


def test_the_passphrase_comes_from_the_environment_or_a_prompt(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    Identity.new(workspace, "Ada", "secret")
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return "secret"

    assert open_publisher(workspace, ask=ask).identity.name == "Ada"
    monkeypatch.setenv("LIMNER_PASSPHRASE", "secret")
    assert open_publisher(workspace, ask=ask).identity.name == "Ada"
    assert len(asked) == 1
