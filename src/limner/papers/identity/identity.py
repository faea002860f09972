"""Who signs: the artist's key and certificates, made here or bought."""

from __future__ import annotations

import contextlib
import datetime as dt
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from limner.errors import PapersError
from limner.papers.identity.certificates import Chain, algorithm_of, fault_of, make_chain, renew_chain
from limner.papers.identity.pem import (
    common_name,
    fingerprint_of,
    key_pem,
    pem_of,
    read_bytes,
    read_chain,
    read_key,
    write_private,
)
from limner.papers.identity.revocations import Revocation, read_revocations, write_revocation
from limner.text import composed, slug
from limner.workspace import Workspace, replace_file, replace_folder, sync_folder

_KEY, _CERTIFICATE, _ROOT, _ROOT_KEY = "key.pem", "certificate.pem", "root.pem", "root-key.pem"
_FORMER, _DEFAULT = "former", "default"
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
        parent = workspace.identities
        with tempfile.TemporaryDirectory(prefix=".new.", dir=parent, ignore_cleanup_errors=True) as part:  # mode 0700
            _fill(Path(part), make_chain(name), passphrase)
            Path(part).rename(folder)  # unlike `replace_folder`, this replaces nothing
        sync_folder(parent)
        if default or len(cls.names(workspace)) == 1:
            with replace_file(workspace.identities / _DEFAULT, mode=0o600) as part:
                part.write_text(name, encoding="utf-8")
        return cls.load(workspace, name, passphrase)

    @classmethod
    def rotate(
        cls, workspace: Workspace, name: str | None = None, passphrase: str | None = None, *, new_root: bool = False
    ) -> Identity:
        """Give an identity a new key and certificate; its former certificate stays, its former key is destroyed.

        Works signed by the former key stay one's own: they are checked by the root, and every root is kept.

        Args:
            passphrase: of the root's key; the new key gets the same.
            new_root: make a new root too; whoever took the former one as a trust anchor needs the new one then.

        Raises:
            PapersError: there is no such identity, or its root's key cannot be read.
        """
        folder = cls.folder_of(workspace, name)
        former = read_chain(folder / _CERTIFICATE)[0]
        called, encrypted = common_name(former), cls.is_encrypted_key(folder / _KEY)
        if encrypted and not passphrase:
            raise PapersError(called, "has an encrypted key", "give the passphrase (LIMNER_PASSPHRASE, or when asked)")
        chain = make_chain(called) if new_root else renew_chain(called, *_read_root(folder, passphrase))
        with replace_folder(folder) as part:
            part.chmod(0o700)
            if (folder / _FORMER).is_dir():
                shutil.copytree(folder / _FORMER, part / _FORMER)
            kept = part / _FORMER / fingerprint_of(former)[:16]
            kept.mkdir(parents=True, mode=0o700)
            for file in (_CERTIFICATE, _ROOT):
                write_private(kept / file, read_bytes(folder / file))
            _fill(part, chain, passphrase if encrypted else None)
        return cls.load(workspace, called, passphrase)

    @classmethod
    def revoke(
        cls,
        workspace: Workspace,
        name: str,
        *,
        certificate: str = "",
        since: dt.datetime | None = None,
        reason: str = "",
    ) -> Revocation:
        """Record that what a certificate of an identity signs does not count from `since` on.

        Args:
            certificate: how its fingerprint begins; empty for the one that is in use.
            since: with time zone; None for now.
            reason: why, in one's own words.

        Raises:
            PapersError: no such identity or certificate, revoked already, or `since` lies in the future.
        """
        folder, now = cls.folder_of(workspace, name), dt.datetime.now(dt.UTC).replace(microsecond=0)
        since = since or now
        if since > now:
            raise PapersError(since.isoformat(), "lies in the future", "give a moment that has passed, or leave it out")
        known = [read_chain(path)[0] for path in (folder / _CERTIFICATE, *_formers(folder))]
        meant = [one for one in known if certificate and fingerprint_of(one).startswith(certificate.lower())]
        if certificate and len(meant) != 1:
            wrong = "fits several certificates" if meant else "is no fingerprint of a certificate of this identity"
            raise PapersError(certificate, wrong, f'see them: limner identity show "{name}"')
        leaf = meant[0] if meant else known[0]
        revocation = Revocation(
            name=common_name(leaf),
            fingerprint=fingerprint_of(leaf),
            serial=f"{leaf.serial_number:x}",
            since=since.astimezone(dt.UTC).isoformat(),
            recorded=now.isoformat(),
            reason=reason,
        )
        write_revocation(workspace, revocation)
        return revocation

    @classmethod
    def roots(cls, workspace: Workspace) -> list[Path]:
        """The roots (PEM) of all identities, former ones too: what lies below them is one's own."""
        found = [*workspace.identities.glob(f"*/{_ROOT}"), *workspace.identities.glob(f"*/{_FORMER}/*/{_ROOT}")]
        return sorted(path for path in found if not path.relative_to(workspace.identities).parts[0].startswith("."))

    @classmethod
    def root_of(cls, workspace: Workspace, fingerprint: str) -> Path | None:
        """The root (PEM) above the certificate with this fingerprint, in use or former; None where it is not here."""
        for root in cls.roots(workspace):
            if fingerprint_of(read_chain(root.with_name(_CERTIFICATE))[0]) == fingerprint:
                return root
        return None

    @classmethod
    def load(cls, workspace: Workspace, name: str | None = None, passphrase: str | None = None) -> Identity:
        """The identity called `name`; without a name the only one, or the default of several.

        Raises:
            PapersError: there is none, it was revoked, its passphrase is wrong or missing, or its files are damaged.
        """
        folder = cls.folder_of(workspace, name)
        leaf = read_chain(folder / _CERTIFICATE)[0]
        if revoked := _revocation(workspace, leaf):
            called = common_name(leaf)
            remedy = f'make it a new key: limner identity rotate "{called}"'
            raise PapersError(called, f"has a key that was revoked from {revoked.since[:10]} on", remedy)
        identity = cls.from_files(folder / _CERTIFICATE, folder / _KEY, passphrase)
        return replace(identity, root=read_bytes(folder / _ROOT).decode("ascii", "replace"), folder=folder)

    @classmethod
    def from_files(cls, certificate: Path, key: Path, passphrase: str | None = None) -> Identity:
        """A bought certificate (PEM, signer first, then its issuers) with its key (PEM), wherever they lie.

        Raises:
            PapersError: a file cannot be read or decrypted, or C2PA readers would refuse what they sign.
        """
        chain = read_chain(certificate)
        private = read_key(key, passphrase)
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
            name=common_name(chain[0]),
            algorithm=algorithm,
            certificates="".join(pem_of(one) for one in sent),
            root=None,
            key=key_pem(private, None).decode(),
        )

    @classmethod
    def names(cls, workspace: Workspace) -> list[str]:
        """The names of all identities in the workspace that can be read, sorted; no key is read."""
        leaves = _read_all(workspace)
        return sorted(common_name(one) for one in leaves if not isinstance(one, PapersError))

    @classmethod
    def damaged(cls, workspace: Workspace) -> list[str]:
        """What is wrong with identities that cannot be read, a line each."""
        return [str(one) for one in _read_all(workspace) if isinstance(one, PapersError)]

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
            for fault in _read_all(workspace):
                assert isinstance(fault, PapersError), "the others have names"
                raise fault
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
        return b"ENCRYPTED" in read_bytes(path)

    @classmethod
    def look(cls, workspace: Workspace, name: str | None = None) -> dict[str, Any]:
        """What may be shown of an identity in the workspace, as `details` gives it; its key is not read.

        Raises:
            PapersError: there is no such identity, or its certificate or root is damaged.
        """
        folder = cls.folder_of(workspace, name)
        leaf = read_chain(folder / _CERTIFICATE)[0]
        read_chain(folder / _ROOT)
        former = [_use(workspace, read_chain(path)[0]) for path in _formers(folder)]
        former.sort(key=lambda one: str(one["valid_from"]))
        return {**_details(leaf, "es256", folder), **_use(workspace, leaf), "former": former}

    def details(self) -> dict[str, Any]:
        """What may be shown of this identity: everything but its key."""
        return _details(self.certificate, self.algorithm, self.folder)

    @property
    def certificate(self) -> x509.Certificate:
        """The signer's own certificate."""
        return x509.load_pem_x509_certificates(self.certificates.encode())[0]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the signer's certificate (hexadecimal), by which two signers of one name are distinguished."""
        return fingerprint_of(self.certificate)


def _read_all(workspace: Workspace) -> Iterator[x509.Certificate | PapersError]:
    """The certificate in use of each identity, or why it cannot be read: one that is damaged does not hide others."""
    for path in sorted(workspace.identities.glob(f"[!.]*/{_CERTIFICATE}")):
        try:
            yield read_chain(path)[0]
        except PapersError as error:
            yield error


def _formers(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"{_FORMER}/*/{_CERTIFICATE}"))


def _revocation(workspace: Workspace, certificate: x509.Certificate) -> Revocation | None:
    fingerprint = fingerprint_of(certificate)
    return next((one for one in read_revocations(workspace) if one.fingerprint == fingerprint), None)


def _details(leaf: x509.Certificate, algorithm: str, folder: Path | None) -> dict[str, Any]:
    return {
        "name": common_name(leaf),
        "algorithm": algorithm,
        **_period(leaf),
        "folder": str(folder) if folder else None,
        "root": str(folder / _ROOT) if folder else None,
    }


def _period(certificate: x509.Certificate) -> dict[str, str | None]:
    return {
        "fingerprint": fingerprint_of(certificate),
        "valid_from": certificate.not_valid_before_utc.isoformat(),
        "valid_until": certificate.not_valid_after_utc.isoformat(),
    }


def _use(workspace: Workspace, certificate: x509.Certificate) -> dict[str, str | None]:
    revoked = _revocation(workspace, certificate)
    return {**_period(certificate), "revoked": revoked.since if revoked else None}


def _checked(name: str) -> str:
    name = composed(name).strip()
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
    name = composed(name).strip()
    return f"{slug(name) or 'identity'}-{sha256(name.encode(errors='surrogatepass')).hexdigest()[:8]}"


def _fill(folder: Path, chain: Chain, passphrase: str | None) -> None:
    write_private(folder / _KEY, key_pem(chain.leaf_key, passphrase))
    # Kept so that a later key can be issued under the root that others already trust.
    write_private(folder / _ROOT_KEY, key_pem(chain.root_key, passphrase))
    write_private(folder / _CERTIFICATE, (pem_of(chain.leaf) + pem_of(chain.intermediate)).encode())
    write_private(folder / _ROOT, pem_of(chain.root).encode())


def _read_root(folder: Path, passphrase: str | None) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = read_key(folder / _ROOT_KEY, passphrase)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise PapersError(folder / _ROOT_KEY, "is no key of a root that limner made", "make a new root: --new-root")
    return read_chain(folder / _ROOT)[0], key
