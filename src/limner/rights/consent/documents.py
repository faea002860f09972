"""Permission documents: known by the sha256 of their files, and kept privately where that is asked for."""

from __future__ import annotations

from pathlib import Path

from limner.digests import digest_of, digest_of_file
from limner.errors import UsageError
from limner.workspace import replace_file

FOLDER = "consents"
_LARGEST = 64 << 20


def document_digest(file: Path) -> str:
    """sha256 of a permission document, `sha256:` before the digits.

    Raises:
        UsageError: it cannot be read, or is empty.
    """
    try:
        if file.stat().st_size == 0:
            raise UsageError(f"--document {file}", "is empty", "give the letter or contract")
        return digest_of_file(file)
    except OSError as error:
        raise UsageError(f"--document {file}", f"cannot be read ({error.strerror})", "check its name") from error


def keep(file: Path, root: Path) -> Path:
    """Copy a permission document into the workspace (mode 0600, folder 0700), named by its digest.

    Args:
        root: of the workspace.

    Raises:
        UsageError: it cannot be read or copied, or is larger than 64 MiB.
    """
    digest = document_digest(file)
    if file.stat().st_size > _LARGEST:
        raise UsageError(f"--document {file}", "is larger than 64 MiB", "leave --keep-document out: its digest is kept")
    suffix = "".join(one for one in file.suffix.lower()[:8] if one.isalnum() or one == ".")
    path = root / FOLDER / f"{digest.removeprefix('sha256:')}{suffix}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        data = file.read_bytes()
        with replace_file(path, mode=0o600) as part:
            part.write_bytes(data)
    except OSError as error:
        raise UsageError(path, f"cannot be written ({error.strerror})", "change its permissions") from error
    if digest_of(data) != digest:
        path.unlink(missing_ok=True)
        raise UsageError(f"--document {file}", "changed while it was read", "give it again")
    return path


def kept(digest: str, root: Path) -> Path | None:
    """The copy of a permission document in the workspace; None where none is kept."""
    return next(iter(sorted((root / FOLDER).glob(f"{digest.removeprefix('sha256:')}*"))), None)


def is_whole(digest: str, root: Path) -> bool:
    """Whether the kept copy is still what it was; true where none is kept."""
    path = kept(digest, root)
    try:
        return path is None or digest_of_file(path) == digest
    except OSError:
        return False
