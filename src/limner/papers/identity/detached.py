"""A signature beside a file: a detached JSON Web Signature (RFC 7515, appendix F) with the signer's certificates.

Any reader of JWS can check it: the payload is the file, byte for byte. `x5c` holds the certificates as C2PA signatures
hold them, signer first and without the root; `x5t#S256` and `iat` (seconds since 1970) are signed with them.
"""

from __future__ import annotations

import binascii
import datetime as dt
import itertools
import json
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from limner.errors import PapersError
from limner.papers.identity.certificates import SigningKey, algorithm_of
from limner.papers.identity.identity import Identity
from limner.papers.identity.pem import common_name, fingerprint_of, read_chain
from limner.papers.identity.revocations import Revocation

_NAMES = {"es256": "ES256", "es384": "ES384", "es512": "ES512", "ps256": "PS256", "ed25519": "EdDSA"}
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "es256": hashes.SHA256(), "es384": hashes.SHA384(), "es512": hashes.SHA512()
}  # fmt: skip
_SIZES = {256: "es256", 384: "es384", 521: "es512"}
_LARGEST, _MOST = 64 << 10, 8
"""Bytes of a signature, and certificates in it."""
_SKEW = dt.timedelta(minutes=10)


class Held(StrEnum):
    """Whether a signature holds."""

    VALID = "valid"
    BROKEN = "broken"
    """The file or the signature was changed."""
    UNREADABLE = "unreadable"
    UNFIT = "unfit"
    """The certificate was not valid then, may not sign, or was not issued by what stands above it."""
    REVOKED = "revoked"


class Trusted(StrEnum):
    """Why the signer's name can be believed."""

    OWN = "own"
    ANCHOR = "anchor"
    NOBODY = "none"


@dataclass(frozen=True)
class SignatureSeen:
    """What was found of a detached signature.

    Attributes:
        reason: why it does not hold; empty where it does.
        name: of the signer, as the certificate has it; empty where none was read.
        fingerprint: sha256 of the certificate, hexadecimal.
        time: when it was signed, by the signer's own clock, UTC, ISO 8601.
    """

    held: Held
    reason: str = ""
    name: str = ""
    fingerprint: str = ""
    time: str = ""
    trusted: Trusted = Trusted.NOBODY


def sign_detached(data: bytes, identity: Identity) -> str:
    """The signature of an identity over some bytes: one line, `header..signature`.

    Raises:
        PapersError: the key is of a kind that JWS does not know.
    """
    key = load_pem_private_key(identity.key.encode(), None)
    algorithm = algorithm_of(key)
    if algorithm is None:
        raise PapersError(identity.name, "has a key that cannot sign", "use another identity")
    chain = x509.load_pem_x509_certificates(identity.certificates.encode())
    header = {
        "alg": _NAMES[algorithm],
        "cty": "application/json",
        "iat": int(dt.datetime.now(dt.UTC).timestamp()),
        "x5c": [b64encode(one.public_bytes(Encoding.DER)).decode() for one in chain],
        "x5t#S256": _encoded(sha256(chain[0].public_bytes(Encoding.DER)).digest()),
    }
    protected = _encoded(json.dumps(header, separators=(",", ":")).encode())
    signature = _signed(key, algorithm, f"{protected}.{_encoded(data)}".encode())  # type: ignore[arg-type]
    return f"{protected}..{_encoded(signature)}"


def check_detached(
    data: bytes,
    signature: str,
    *,
    own: Sequence[Path] = (),
    anchors: Sequence[Path] = (),
    revoked: Sequence[Revocation] = (),
) -> SignatureSeen:
    """What a detached signature over some bytes proves; never raises for what the signature holds.

    Args:
        own, anchors: PEM files of roots of one's own, and of others whose word about names is believed.
        revoked: certificates that no longer count.

    Raises:
        PapersError: a root cannot be read.
    """
    try:
        header, chain, protected, raw = _taken_apart(signature)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        return SignatureSeen(Held.UNREADABLE, f"is no signature that limner knows ({error})")
    leaf, time = chain[0], dt.datetime.fromtimestamp(header["iat"], dt.UTC)
    said: dict[str, Any] = {
        "name": common_name(leaf), "fingerprint": fingerprint_of(leaf), "time": time.isoformat()
    }  # fmt: skip
    if not _holds(leaf.public_key(), header["alg"], f"{protected}.{_encoded(data)}".encode(), raw):
        return SignatureSeen(Held.BROKEN, "the file or its signature was changed", **said)
    if fault := _fault(chain, time):
        return SignatureSeen(Held.UNFIT, fault, **said)
    for one in revoked:
        if one.concerns(f"{leaf.serial_number:x}", said["name"]):
            return SignatureSeen(Held.REVOKED, f"the certificate was revoked from {one.since[:10]} on", **said)
    for roots, trusted in ((own, Trusted.OWN), (anchors, Trusted.ANCHOR)):
        if any(_issued(chain[-1], root) for path in roots for root in read_chain(path)):
            return SignatureSeen(Held.VALID, trusted=trusted, **said)
    return SignatureSeen(Held.VALID, **said)


def _taken_apart(text: str) -> tuple[dict[str, Any], list[x509.Certificate], str, bytes]:
    """The header, the certificates, the header as it was signed, and the signature."""
    if len(text) > _LARGEST:
        raise ValueError("too large")
    protected, payload, signature = text.strip().split(".")
    if payload:
        raise ValueError("its payload is not beside it")
    header = json.loads(_decoded(protected))
    if not isinstance(header, dict) or "crit" in header or header.get("b64") is False:
        raise ValueError("it asks for more than this reader knows")
    if header["alg"] not in _NAMES.values() or not isinstance(header["iat"], int) or isinstance(header["iat"], bool):
        raise ValueError("without algorithm or time")
    if not 0 <= header["iat"] < 1 << 36 or not 1 <= len(header["x5c"]) <= _MOST:
        raise ValueError("with an impossible time, or too many certificates")
    try:
        chain = [x509.load_der_x509_certificate(b64decode(one, validate=True)) for one in header["x5c"]]
        common_name(chain[0])
    except (ValueError, binascii.Error, IndexError) as error:
        raise ValueError(f"a certificate cannot be read: {error}") from None
    return header, chain, protected, _decoded(signature)


def _fault(chain: Sequence[x509.Certificate], time: dt.datetime) -> str:
    """Why a signer's certificates would not do; empty where they do."""
    leaf = chain[0]
    if time > dt.datetime.now(dt.UTC) + _SKEW:
        return "it is dated in the future"
    for one in chain:
        if not one.not_valid_before_utc - _SKEW <= time <= one.not_valid_after_utc:
            return "a certificate was not valid when it was signed"
    try:
        usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
    except (x509.ExtensionNotFound, ValueError):
        return "the certificate does not say that it may sign"
    if not usage.digital_signature:
        return "the certificate may not sign"
    for lower, upper in itertools.pairwise(chain):
        if not _is_authority(upper) or not _issued(lower, upper):
            return "a certificate was not issued by the one above it"
    return ""


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False


def _issued(certificate: x509.Certificate, by: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(by)
    except Exception:  # the library raises five unrelated kinds, all meaning no
        return False
    return True


def _signed(key: SigningKey, algorithm: str, data: bytes) -> bytes:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        size = (key.curve.key_size + 7) // 8
        numbers = decode_dss_signature(key.sign(data, ec.ECDSA(_HASHES[algorithm])))
        return b"".join(number.to_bytes(size, "big") for number in numbers)
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    return key.sign(data)


def _holds(key: object, name: str, data: bytes, signature: bytes) -> bool:
    """Whether a signature of this algorithm is that of the key over the data."""
    algorithm = next(own for own, other in _NAMES.items() if other == name)
    try:
        if isinstance(key, ec.EllipticCurvePublicKey) and algorithm in _HASHES:
            size = (key.curve.key_size + 7) // 8
            if len(signature) != 2 * size or _SIZES.get(key.curve.key_size) != algorithm:
                return False
            numbers = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
            key.verify(encode_dss_signature(*numbers), data, ec.ECDSA(_HASHES[algorithm]))
        elif isinstance(key, rsa.RSAPublicKey) and algorithm == "ps256":
            key.verify(signature, data, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
        elif isinstance(key, ed25519.Ed25519PublicKey) and algorithm == "ed25519":
            key.verify(signature, data)
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
