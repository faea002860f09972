"""Digests as limner writes them everywhere: `sha256:` before the hexadecimal digits."""

from __future__ import annotations

from hashlib import file_digest, sha256
from mmap import mmap
from pathlib import Path


def digest_of(data: bytes | mmap) -> str:
    """sha256 of bytes, or of a file that is mapped into memory."""
    return f"sha256:{sha256(data).hexdigest()}"


def digest_of_file(path: Path) -> str:
    """sha256 of a file, read piece by piece.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return f"sha256:{file_digest(file, 'sha256').hexdigest()}"
