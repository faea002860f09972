"""Certificates that C2PA accepts: making a chain of one's own, and checking a bought one before it is used.

The profile is that of the C2PA specification 2.2, section 14.5: X.509 version 3, a key usage of digital signature, an
extended key usage such as e-mail protection, an authority key identifier, and a chain that ends below a root.
"""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOTICE = "self-made with limner, on no public trust list"
"""The organisation in every certificate that limner makes: whoever reads the signature reads this first."""

YEARS_LEAF = 10
"""A signature without a time-stamp ends with its certificate, so a self-made one lives as long as readers accept."""
YEARS_ROOT = 20

USAGES = (
    "1.3.6.1.5.5.7.3.4",  # e-mail protection
    "1.3.6.1.5.5.7.3.36",  # document signing (RFC 9336)
    "1.3.6.1.4.1.62558.2.1",  # C2PA's own: claim signing
)
"""Extended key usages that a signer's certificate may have, one of them at least."""

_CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}

SigningKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class Chain:
    """A root, what stands between, and the signer's certificate, with the keys of the two that are kept."""

    root: x509.Certificate
    intermediate: x509.Certificate
    leaf: x509.Certificate
    root_key: ec.EllipticCurvePrivateKey
    leaf_key: ec.EllipticCurvePrivateKey


def make_chain(name: str) -> Chain:
    """A new chain on the curve P-256 whose signer is `name` (1 to 64 characters)."""
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    root_key = ec.generate_private_key(ec.SECP256R1())
    # A root's own name must be unlike any other's: readers look issuers up by name.
    root_name = _name(_unlike("Root"))
    root = _certificate(root_name, root_key, root_name, root_key, now, _after(now, YEARS_ROOT), length=1)
    return renew_chain(name, root, root_key)


def renew_chain(name: str, root: x509.Certificate, root_key: ec.EllipticCurvePrivateKey) -> Chain:
    """A new key for the signer `name` below a root that is there already; none of it outlives the root."""
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    intermediate_key, leaf_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer, until = _name(_unlike("Intermediate")), root.not_valid_after_utc
    intermediate = _certificate(issuer, intermediate_key, root.subject, root_key, now, until, length=0)
    leaf_until = min(until, _after(now, YEARS_LEAF))
    leaf = _certificate(_name(name), leaf_key, issuer, intermediate_key, now, leaf_until)
    return Chain(root, intermediate, leaf, root_key, leaf_key)


def algorithm_of(key: object) -> str | None:
    """The name by which C2PA knows signatures of this private key; None when it accepts none."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return _CURVES.get(key.curve.name)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= 2048:
        return "ps256"
    return None


def fault_of(chain: list[x509.Certificate], key: SigningKey) -> str:
    """Why C2PA readers would refuse what `key` signs under `chain` (signer first); empty when they would not."""
    leaf = chain[0]
    if leaf.public_key() != key.public_key():
        return "does not belong to the key"
    if fault := _fault_of_dates(leaf):
        return fault
    if leaf.issuer == leaf.subject:
        return "is signed by itself, which C2PA does not allow for a signer"
    if not _may_sign(leaf):
        return "is not made for signing documents or e-mail (key usage)"
    for lower, upper in itertools.pairwise(chain):
        try:
            lower.verify_directly_issued_by(upper)
        except Exception:  # the library raises five unrelated kinds, all meaning no
            return "is followed by certificates that did not issue it (signer first, then its issuer, and so on)"
    return ""


def fault_of_root(certificate: x509.Certificate) -> str:
    """Why this is no root whose word about names can be taken; empty when it is one."""
    if certificate.issuer != certificate.subject:
        return "is no root certificate: another one issued it"
    try:
        basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        certificate.verify_directly_issued_by(certificate)
    except x509.ExtensionNotFound:
        return "is no root certificate: it does not say that it may issue others"
    except Exception:  # the library raises five unrelated kinds, all meaning no
        return "is no root certificate: its own signature does not hold"
    if not basic.ca:
        return "is no root certificate: it may not issue others"
    return _fault_of_dates(certificate)


def _fault_of_dates(certificate: x509.Certificate) -> str:
    now = dt.datetime.now(dt.UTC)
    if now < certificate.not_valid_before_utc:
        return f"is valid only from {certificate.not_valid_before_utc:%Y-%m-%d}"
    return f"expired on {certificate.not_valid_after_utc:%Y-%m-%d}" if now > certificate.not_valid_after_utc else ""


def _may_sign(leaf: x509.Certificate) -> bool:
    try:
        usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
        extended = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (x509.ExtensionNotFound, ValueError):
        return False
    return usage.digital_signature and any(one.dotted_string in USAGES for one in extended)


def _unlike(kind: str) -> str:
    return f"{kind} {x509.random_serial_number():040x}"[: len(kind) + 21]


def _after(now: dt.datetime, years: int) -> dt.datetime:
    return now + dt.timedelta(days=365 * years)


def _name(common: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, NOTICE), x509.NameAttribute(NameOID.COMMON_NAME, common)]
    )


def _certificate(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    now: dt.datetime,
    until: dt.datetime,
    length: int | None = None,
) -> x509.Certificate:
    """One certificate; `length` is how many authorities may stand below it, None for a signer."""
    authority = length is not None
    issuer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))  # clocks of readers differ
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=length), critical=True)
        .add_extension(_key_usage(authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(issuer_id, critical=False)
    )
    if not authority:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=True)
    return builder.sign(issuer_key, hashes.SHA256())


def _key_usage(authority: bool) -> x509.KeyUsage:
    ciphers = ("key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only")
    never = dict.fromkeys(("content_commitment", *ciphers), False)
    return x509.KeyUsage(digital_signature=not authority, key_cert_sign=authority, crl_sign=authority, **never)
