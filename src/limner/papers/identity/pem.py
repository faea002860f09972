"""Certificates and keys as PEM files: read with clear errors, written so that nobody else can read them."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from limner.errors import PapersError
from limner.papers.identity.certificates import SigningKey


def write_private(path: Path, data: bytes) -> None:
    """Write a file that nobody else may read, from its first byte on; it is there whole, or not at all.

    Raises:
        FileExistsError: there is one already.
        OSError: it cannot be written.
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)  # mode 0600
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(part)  # unlike a rename, this replaces nothing
    finally:
        part.unlink(missing_ok=True)


def pem_of(certificate: x509.Certificate) -> str:
    """A certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def key_pem(key: SigningKey, passphrase: str | None) -> bytes:
    """A key as PEM (PKCS#8), encrypted where there is a passphrase."""
    if passphrase:
        cipher: serialization.KeySerializationEncryption = serialization.BestAvailableEncryption(passphrase.encode())
    else:
        cipher = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, cipher)


def read_bytes(path: Path) -> bytes:
    """What a file holds.

    Raises:
        PapersError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise PapersError(
            path, f"cannot be read ({error.strerror})", "see that the file exists and is yours"
        ) from error


def read_chain(path: Path) -> list[x509.Certificate]:
    """The certificates of a PEM file, in its order.

    Raises:
        PapersError: it cannot be read, or holds none.
    """
    try:
        return x509.load_pem_x509_certificates(read_bytes(path))
    except ValueError as error:
        raise PapersError(path, "holds no certificate in PEM", "give the certificate and its issuers as PEM") from error


def read_key(path: Path, passphrase: str | None) -> SigningKey:
    """The private key of a PEM file.

    Raises:
        PapersError: it cannot be read, is no key, or the passphrase is missing or wrong.
    """
    data = read_bytes(path)
    password = passphrase.encode() if passphrase else None
    try:
        return serialization.load_pem_private_key(data, password)  # type: ignore[return-value]
    except TypeError as error:
        if password is None:
            raise PapersError(path, "is encrypted", "give the passphrase (LIMNER_PASSPHRASE, or when asked)") from error
        # A passphrase was given for a key that has none: nothing to decrypt, nothing wrong.
        return serialization.load_pem_private_key(data, None)  # type: ignore[return-value]
    except ValueError as error:
        encrypted = b"ENCRYPTED" in data
        reason = "cannot be decrypted with this passphrase" if encrypted else "holds no private key in PEM"
        raise PapersError(path, reason, "give the right passphrase" if encrypted else "give a PKCS#8 key") from error


def common_name(certificate: x509.Certificate) -> str:
    """The name in a certificate, as every reader sees it."""
    names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(names[0].value) if names else certificate.subject.rfc4514_string()


def fingerprint_of(certificate: x509.Certificate) -> str:
    """SHA-256 of a certificate, hexadecimal."""
    return certificate.fingerprint(hashes.SHA256()).hex()
