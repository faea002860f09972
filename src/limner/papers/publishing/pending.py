"""Announcements of signed works that ledger and registry do not know yet, so that none is lost or unnamed.

A publisher announces each work before it moves its file into place, records it in ledger and registry, and takes the
announcement back. Whatever ends it in between, `recovery` reads from the announcements what to record, or take away.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import tempfile
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from limner.errors import PapersError
from limner.papers.publishing.published import Published
from limner.papers.registry.store import Edition
from limner.workspace import Workspace, replace_file

FOLDER, DAMAGED = "pending", ".damaged"
"""Where announcements lie in a workspace, and how those end that cannot be read and were set aside."""
_LOCK, _ENDING = "lock", ".json"
_BYTES = ("manifest", "thumbnail", "look", "mirror", "layout", "xmp")


@dataclass(frozen=True)
class Announced:
    """A work that lies in its place, or was about to.

    Attributes:
        published: what the ledger is to hold of it.
        size: of its file, in bytes.
        edition: what the registry is to hold of it; None where it is not registered.
    """

    published: Published
    size: int
    edition: Edition | None


class Session:
    """The announcements of one publisher; nobody takes them for left behind while it lives.

    Raises:
        PapersError: the workspace cannot be written to.
    """

    def __init__(self, workspace_root: Path) -> None:
        folder = workspace_root / FOLDER
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._folder = Path(tempfile.mkdtemp(dir=folder))
            self._lock = (self._folder / _LOCK).open("w")
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        except OSError as error:
            remedy = "make room, or set LIMNER_HOME to a folder that you can write to; nothing was written"
            raise PapersError(folder, f"cannot be written to ({error.strerror})", remedy) from error

    def announce(self, one: Announced) -> Path:
        """Say that a work is about to come to its place; when this returns, the disk holds it.

        Raises:
            OSError: it cannot be written.
        """
        path = self._folder / f"{one.published.digest.removeprefix('sha256:')}{_ENDING}"
        with replace_file(path, mode=0o600) as part:
            published = {**vars(one.published), "path": str(one.published.path)}
            edition = one.edition and {name: _text(value) for name, value in vars(one.edition).items()}
            part.write_text(json.dumps({"published": published, "size": one.size, "edition": edition}), "utf-8")
        return path

    def close(self) -> None:
        """Give up the session; announcements that are left stay to be found."""
        with contextlib.suppress(OSError):
            if not list(self._folder.glob(f"*{_ENDING}")):
                (self._folder / _LOCK).unlink(missing_ok=True)
                self._folder.rmdir()
        self._lock.close()


def unrecorded(workspace: Workspace) -> int:
    """How many works ended commands left behind; quick, and never raises."""
    try:
        with contextlib.closing(ended_sessions(workspace)) as sessions:
            return sum(len(announcements(folder)) for folder in sessions)
    except OSError:
        return 0


def announcements(session: Path) -> list[Path]:
    """The announcements in a session's folder, sorted."""
    return sorted(session.glob(f"*{_ENDING}"))


def ended_sessions(workspace: Workspace) -> Generator[Path, None, None]:
    """The folders of sessions whose publisher lives no more; each is locked until the next is asked for."""
    root = workspace.root / FOLDER
    for folder in sorted(root.iterdir()) if root.is_dir() else ():
        try:
            lock = (folder / _LOCK).open("r+" if (folder / _LOCK).exists() else "w")
        except OSError:
            continue
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            yield folder


def read(file: Path) -> Announced:
    """An announcement.

    Raises:
        PapersError: it is damaged.
    """
    try:
        said = json.loads(file.read_text("utf-8"))
        published = Published(**{**said["published"], "path": Path(said["published"]["path"])})
        edition = said["edition"] and {
            name: base64.b64decode(value) if name in _BYTES and value is not None else value
            for name, value in said["edition"].items()
        }
        return Announced(published, said["size"], Edition(**edition) if edition else None)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PapersError(file, f"cannot be read ({type(error).__name__})", "move it away") from error


def _text(value: object) -> object:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value
