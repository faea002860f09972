"""Who signs: the artist's key and certificates, made here or bought."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
import unicodedata
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from limner.errors import PapersError
from limner.papers.certificates import Chain, SigningKey, algorithm_of, fault_of, make_chain
from limner.workspace import Workspace, replace_file, sync_folder

__all__ = ["Identity"]

_KEY, _CERTIFICATE, _ROOT, _ROOT_KEY = "key.pem", "certificate.pem", "root.pem", "root-key.pem"
_DEFAULT = "default"
_NAME_LIMIT = 64  # X.520, upper bound of a common name


@dataclass(frozen=True)
class Identity:
    """A key that signs works, with the certificates that say whose it is.

    Attributes:
        name: as it stands in the certificate; what every reader of a work sees.
        algorithm: the name of its signatures in C2PA, such as `es256`.
        certificates: PEM, the signer's certificate first, the root left out.
        root: PEM of the root, which receivers who want to trust this identity take as a trust anchor; None for a
            bought certificate, whose root readers find on a public list.
        key: PEM of the private key, in memory only; never shown.
        folder: where it is kept; None for a bought one.
    """

    name: str
    algorithm: str
    certificates: str
    root: str | None
    key: str = field(repr=False)
    folder: Path | None = None

    @classmethod
    def new(cls, workspace: Workspace, name: str, passphrase: str | None = None, *, default: bool = False) -> Identity:
        """Make a key and a certificate chain of the artist's own and keep them in the workspace.

        The first identity becomes the one that is used where none is named; `default` makes a later one so.

        Raises:
            PapersError: the name cannot stand in a certificate, or is taken.
        """
        name = _checked(name)
        workspace.make(workspace.root)
        workspace.make(workspace.identities, mode=0o700).chmod(0o700)
        folder = workspace.identities / _slug(name)
        if folder.exists():
            raise PapersError(name, "is an identity that exists already", "use it, or choose another name")
        _write(make_chain(name), folder, passphrase)
        if default or len(cls.names(workspace)) == 1:
            with replace_file(workspace.identities / _DEFAULT, mode=0o600) as part:
                part.write_text(name, encoding="utf-8")
        return cls.load(workspace, name, passphrase)

    @classmethod
    def load(cls, workspace: Workspace, name: str | None = None, passphrase: str | None = None) -> Identity:
        """The identity called `name`; without a name the only one, or the default of several.

        Raises:
            PapersError: there is none, its passphrase is wrong or missing, or its files are damaged.
        """
        folder = cls.folder_of(workspace, name)
        identity = cls.from_files(folder / _CERTIFICATE, folder / _KEY, passphrase)
        return cls(**{**vars(identity), "root": _text(folder / _ROOT), "folder": folder})

    @classmethod
    def from_files(cls, certificate: Path, key: Path, passphrase: str | None = None) -> Identity:
        """A bought certificate (PEM, signer first, then its issuers) with its key (PEM), wherever they lie.

        Raises:
            PapersError: a file cannot be read or decrypted, or C2PA readers would refuse what they sign.
        """
        chain = _read_chain(certificate)
        private = _read_key(key, passphrase)
        algorithm = algorithm_of(private)
        if algorithm is None:
            raise PapersError(
                key, "is a key that C2PA does not know", "use P-256, P-384, P-521, Ed25519 or RSA from 2048"
            )
        if fault := fault_of(chain, private):
            raise PapersError(certificate, fault, "ask its issuer for one for e-mail or document signing, in PEM")
        # Readers look for the root in their own list; sent along it is only weight.
        sent = [one for one in chain if one is chain[0] or one.issuer != one.subject]
        return cls(
            name=_common_name(chain[0]),
            algorithm=algorithm,
            certificates="".join(_pem(one) for one in sent),
            root=None,
            key=_key_pem(private, None).decode(),
        )

    @classmethod
    def names(cls, workspace: Workspace) -> list[str]:
        """The names of all identities in the workspace, sorted; no key is read."""
        if not workspace.identities.is_dir():
            return []
        found = [folder / _CERTIFICATE for folder in workspace.identities.iterdir() if not folder.name.startswith(".")]
        return sorted(_common_name(_read_chain(path)[0]) for path in found if path.is_file())

    @classmethod
    def default_name(cls, workspace: Workspace) -> str | None:
        """The identity that is used where none is named; None when there is none or it is not settled."""
        names = cls.names(workspace)
        with contextlib.suppress(OSError, UnicodeDecodeError):
            chosen = (workspace.identities / _DEFAULT).read_text(encoding="utf-8")
            if chosen in names:
                return chosen
        return names[0] if len(names) == 1 else None

    @classmethod
    def folder_of(cls, workspace: Workspace, name: str | None = None) -> Path:
        """The folder of the identity called `name`, or of the default one.

        Raises:
            PapersError: there is no such identity.
        """
        names = cls.names(workspace)
        if not names:
            raise PapersError("identity", "there is none to sign with", 'make one: limner identity new --name "…"')
        wanted = name if name is not None else cls.default_name(workspace)
        if wanted is None:
            raise PapersError("identity", f"there are several ({', '.join(names)})", "say which: --identity NAME")
        folder = workspace.identities / _slug(wanted)
        if not (folder / _CERTIFICATE).is_file():
            raise PapersError(wanted, "is no identity here", f"choose one of: {', '.join(names)}")
        return folder

    @classmethod
    def is_encrypted(cls, workspace: Workspace, name: str | None = None) -> bool:
        """Whether the key of this identity needs a passphrase."""
        return cls.is_encrypted_key(cls.folder_of(workspace, name) / _KEY)

    @staticmethod
    def is_encrypted_key(path: Path) -> bool:
        """Whether the key file at `path` needs a passphrase."""
        return b"ENCRYPTED" in _read(path)

    @classmethod
    def look(cls, workspace: Workspace, name: str | None = None) -> dict[str, Any]:
        """What may be shown of an identity in the workspace, as `told` gives it; its key is not read.

        Raises:
            PapersError: there is no such identity, or its certificate is damaged.
        """
        folder = cls.folder_of(workspace, name)
        leaf = _read_chain(folder / _CERTIFICATE)[0]
        return cls(_common_name(leaf), "es256", _pem(leaf), _text(folder / _ROOT), key="", folder=folder).told()

    def told(self) -> dict[str, Any]:
        """What may be shown of this identity: everything but its key."""
        leaf = self.certificate
        return {
            "name": self.name,
            "fingerprint": self.fingerprint,
            "algorithm": self.algorithm,
            "valid_from": leaf.not_valid_before_utc.isoformat(),
            "valid_until": leaf.not_valid_after_utc.isoformat(),
            "folder": str(self.folder) if self.folder else None,
            "root": str(self.folder / _ROOT) if self.folder else None,
        }

    @property
    def certificate(self) -> x509.Certificate:
        """The signer's own certificate."""
        return x509.load_pem_x509_certificates(self.certificates.encode())[0]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the signer's certificate (hexadecimal): what tells two signers of one name apart."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()


def _checked(name: str) -> str:
    name = unicodedata.normalize("NFC", name).strip()
    if not name:
        raise PapersError("--name", "is empty", 'give the name to sign with: --name "…"')
    if not name.isprintable():
        raise PapersError(repr(name), "holds characters that cannot be printed", "leave them out")
    if len(name) > _NAME_LIMIT:
        raise PapersError(
            f"{name[:20]}…", f"has {len(name)} characters; a certificate holds {_NAME_LIMIT}", "choose a shorter name"
        )
    return name


def _slug(name: str) -> str:
    """A folder's name for an artist's name: readable where it can be, and never the same for two names."""
    name = unicodedata.normalize("NFC", name).strip()
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    readable = re.sub(r"[^a-z0-9]+", "-", ascii_name).strip("-")
    return f"{readable or 'identity'}-{sha256(name.encode(errors='surrogatepass')).hexdigest()[:8]}"


def _write(chain: Chain, folder: Path, passphrase: str | None) -> None:
    """Fill a hidden folder (mode 0700) and move it into place; a killed process leaves no half of an identity."""
    part = Path(tempfile.mkdtemp(prefix=".new.", dir=folder.parent))
    try:
        _write_private(part / _KEY, _key_pem(chain.leaf_key, passphrase))
        # Kept so that a later key can be issued under the root that others already trust.
        _write_private(part / _ROOT_KEY, _key_pem(chain.root_key, passphrase))
        _write_private(part / _CERTIFICATE, (_pem(chain.leaf) + _pem(chain.intermediate)).encode())
        _write_private(part / _ROOT, _pem(chain.root).encode())
        part.rename(folder)
        sync_folder(folder.parent)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _write_private(path: Path, data: bytes) -> None:
    """Write a file that nobody else may read, from its first byte on."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_pem(key: SigningKey, passphrase: str | None) -> bytes:
    if passphrase:
        cipher: serialization.KeySerializationEncryption = serialization.BestAvailableEncryption(passphrase.encode())
    else:
        cipher = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, cipher)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PapersError(
            path, f"cannot be read ({error.strerror})", "see that the file exists and is yours"
        ) from error


def _text(path: Path) -> str:
    return _read(path).decode("ascii", "replace")


def _read_chain(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(_read(path))
    except ValueError as error:
        raise PapersError(path, "holds no certificate in PEM", "give the certificate and its issuers as PEM") from error


def _read_key(path: Path, passphrase: str | None) -> SigningKey:
    data = _read(path)
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


def _common_name(certificate: x509.Certificate) -> str:
    names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(names[0].value) if names else certificate.subject.rfc4514_string()
