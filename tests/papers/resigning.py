"""Signatures that no honest signer makes: a certificate of another time in a signed PNG, and the signature made anew.

The C2PA library signs only with certificates that count now; a stranger's program need not.
"""

from __future__ import annotations

import datetime as dt
import struct
import zlib
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from limner.papers.c2pa.structure import manifests_in
from limner.papers.identity.pem import read_chain

__all__ = ["with_validity"]


def with_validity(png: bytes, folder: Path, begins: dt.datetime, ends: dt.datetime) -> bytes:
    """The signed PNG as if its signer's certificate, from `bought.pem` of the folder, were valid at that time."""
    former = read_chain(folder / "bought.pem")[0]
    key = serialization.load_pem_private_key((folder / "bought.key").read_bytes(), None)
    issuer = serialization.load_pem_private_key((folder / "root.key").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert isinstance(issuer, ec.EllipticCurvePrivateKey)
    old = former.public_bytes(serialization.Encoding.DER)
    new = b""
    while len(new) != len(old):  # signatures differ in length by a byte or two
        builder = x509.CertificateBuilder(former.issuer, former.subject, former.public_key(), former.serial_number)
        builder = builder.not_valid_before(begins).not_valid_after(ends)
        for extension in former.extensions:
            builder = builder.add_extension(extension.value, extension.critical)
        new = builder.sign(issuer, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    data = png.replace(old, new)
    assert data != png
    manifest = manifests_in(png, "image/png")[-1][1].replace(old, new)
    claim, signature = _box(manifest, b"c2cl"), _box(manifest, b"c2cs")
    head, length = _head(signature[2:])
    signed = b"\x84\x6aSignature1" + _bytes(signature[2 + head : 2 + head + length]) + b"\x40" + _bytes(claim)
    r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA256())))
    fresh = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    data = data.replace(signature, signature[:-64] + fresh)
    at = data.index(b"caBX")
    (size,) = struct.unpack_from(">I", data, at - 4)
    body = data[at : at + 4 + size]
    return data[: at + 4 + size] + struct.pack(">I", zlib.crc32(body)) + data[at + 8 + size :]


def _box(manifest: bytes, kind: bytes) -> bytes:
    """What the box of this kind holds: after its description, the contents of its one inner box."""
    at = manifest.index(kind + bytes.fromhex("00110010800000AA00389B71")) - 8
    (description,) = struct.unpack_from(">I", manifest, at)
    at += description
    (length,) = struct.unpack_from(">I", manifest, at)
    return manifest[at + 8 : at + length]


def _head(data: bytes) -> tuple[int, int]:
    """Length of the head of a CBOR byte string, and of what follows."""
    short = data[0] & 31
    width = {24: 1, 25: 2, 26: 4}.get(short, 0)
    return 1 + width, int.from_bytes(data[1 : 1 + width], "big") if width else short


def _bytes(data: bytes) -> bytes:
    """A CBOR byte string."""
    if len(data) < 24:
        return bytes((0x40 | len(data),)) + data
    return (b"\x58" + bytes((len(data),)) if len(data) < 256 else b"\x59" + struct.pack(">H", len(data))) + data
