"""A publisher's own watermark key: whoever has another one sees no mark of it, and can put none in.

What it does not hinder: a mark can be copied from one picture onto another, and taken out by whoever has many marked
works. A key that is lost is lost: what it marked is read by nobody any more.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from limner.errors import PapersError
from limner.papers.identity.pem import read_bytes, write_private
from limner.workspace import Workspace, sync_folder

_FOLDER, _IN_USE, _ENDING = "mark-keys", "in-use", ".key"
_HEAD = b"limner watermark key 1\n"
_BYTES = 32


@dataclass(frozen=True)
class MarkKey:
    """A key that puts watermarks in and reads them.

    Attributes:
        secret: 32 bytes; never shown.
        path: its file.
    """

    secret: bytes = field(repr=False)
    path: Path

    @property
    def fingerprint(self) -> str:
        """By what papers name it, 16 hexadecimal digits; the key cannot be found from them."""
        return sha256(b"limner watermark key fingerprint 1\n" + self.secret).hexdigest()[:16]


def new_key(workspace: Workspace) -> MarkKey:
    """Make a key; what is published from now on carries its marks in place of public ones.

    Raises:
        PapersError: there is one in use.
    """
    if (known := key_in_use(workspace)) is not None:
        remedy = "use it, or retire it first: limner identity mark-key --retire"
        raise PapersError(known.fingerprint, "is a watermark key that is in use", remedy)
    workspace.make(workspace.root)
    folder = workspace.make(workspace.root / _FOLDER, mode=0o700)
    key = MarkKey(secrets.token_bytes(_BYTES), folder / f"{_IN_USE}{_ENDING}")
    write_private(key.path, _HEAD + key.secret.hex().encode() + b"\n")
    sync_folder(folder)
    return key


def key_in_use(workspace: Workspace) -> MarkKey | None:
    """The key that marks what is published; None where works carry public marks.

    Raises:
        PapersError: it cannot be read, or is damaged.
    """
    path = workspace.root / _FOLDER / f"{_IN_USE}{_ENDING}"
    return _read(path) if path.exists() else None


def known_keys(workspace: Workspace) -> list[MarkKey]:
    """Every key whose marks are read here, retired ones too.

    Raises:
        PapersError: one cannot be read, or is damaged.
    """
    return [_read(path) for path in sorted((workspace.root / _FOLDER).glob(f"*{_ENDING}"))]


def retire_key(workspace: Workspace) -> MarkKey:
    """Mark what is published with the public key again; the retired one is kept, so that its marks are still read.

    Raises:
        PapersError: there is none in use, or it is damaged.
    """
    key = key_in_use(workspace)
    if key is None:
        raise PapersError("watermark key", "there is none in use", "make one: limner identity mark-key --new")
    path = key.path.with_name(f"{key.fingerprint}{_ENDING}")
    key.path.replace(path)
    sync_folder(path.parent)
    return MarkKey(key.secret, path)


def _read(path: Path) -> MarkKey:
    data = read_bytes(path)
    try:
        secret = bytes.fromhex(data.removeprefix(_HEAD).decode("ascii"))
    except ValueError:  # no hexadecimal digits, or no ASCII
        secret = b""
    if not data.startswith(_HEAD) or len(secret) != _BYTES:
        raise PapersError(path, "is no watermark key, or a damaged one", "put a copy of it back")
    return MarkKey(secret, path)
