"""What an import has read so far, so that after a kill nothing is read twice."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from limner.errors import CollectionError


@contextlib.contextmanager
def locked(folder: Path, name: str) -> Iterator[None]:
    """Keep `folder` for this process while it imports into it.

    Raises:
        CollectionError: another process does that already.
    """
    with (folder / "import.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            reason = "is being imported by another process"
            raise CollectionError(f"collection {name!r}", reason, "wait for it") from None
        yield


def identity_of(*paths: str) -> list[int]:
    """Size, time of change (nanoseconds) and inode of each of the files (behind links); zeros where there is none."""
    identity = []
    for path in paths:
        try:
            facts = os.stat(path)  # noqa: PTH116 (called for every file)
            identity += [facts.st_size, facts.st_mtime_ns, facts.st_ino]
        except (OSError, ValueError):
            identity += [0, 0, 0]
    return identity


class Journal:
    """One line of JSON for each file that was read: name, identity, what was found.

    The first line says with which settings; a journal of other settings is thrown away. A torn last line (the import
    was killed while writing it) is ignored, and cut off before the next line is written.
    """

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        self._path, self._settings = path, settings
        self.known: dict[str, tuple[list[int], str]] = {}
        whole = self._load()
        if whole == 0:
            path.write_text(json.dumps(settings) + "\n")
        else:
            os.truncate(path, whole)
        self._file = path.open("a", buffering=1)  # line by line: a kill loses no line

    def add(self, name: str, identity: list[int], found: str) -> None:
        """Note what was found in the file `name` (JSON); its picture is stored already."""
        self._file.write(json.dumps([name, identity, found]) + "\n")

    def close(self) -> None:
        """End writing."""
        self._file.close()

    def _load(self) -> int:
        """Read the lines; returns how many bytes of the file are whole lines of these settings."""
        whole = 0
        with contextlib.suppress(FileNotFoundError, ValueError), self._path.open("rb") as file:
            for line in file:
                entry = json.loads(line) if line.endswith(b"\n") else None
                if entry is None or (whole == 0 and entry != self._settings):
                    break
                if whole:
                    self.known[entry[0]] = (entry[1], entry[2])
                whole += len(line)
        return whole
