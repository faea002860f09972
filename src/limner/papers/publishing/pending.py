"""Signed works that no book knows yet: announced before they come to their places, so that none is lost or unnamed.

A publisher announces each work here, moves its file into place, records it in ledger and registry, and takes the
announcement back. Whatever ends it in between, the announcements that are left say what to record, or take away.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from limner.errors import PapersError
from limner.ledger import Entry, Ledger
from limner.papers.registry.registry import Edition, Registry
from limner.workspace import Workspace, replace_file

__all__ = ["Announced", "Recovery", "Session", "recover", "unrecorded"]

_FOLDER, _LOCK, _ENDING = "pending", "lock", ".json"
_BYTES = ("manifest", "thumbnail", "look", "mirror", "layout", "xmp")


@dataclass(frozen=True)
class Announced:
    """A work that lies in its place, or was about to.

    Attributes:
        path: its place.
        digest: of its file, `sha256:` before the hexadecimal digits.
        size: of its file, in bytes.
        entries: what the ledger is to hold of it, the publication first.
        edition: what the registry is to hold of it; None where it is not registered.
    """

    path: Path
    digest: str
    size: int
    entries: tuple[Entry, ...]
    edition: Edition | None


@dataclass(frozen=True)
class Recovery:
    """What became of works that a command left behind.

    Attributes:
        recorded: places of works that ledger and registry know now.
        taken_away: unfinished files that were removed; they had not come to their places.
        gone: places at which no such file lies any more.
    """

    recorded: tuple[Path, ...] = ()
    taken_away: tuple[Path, ...] = ()
    gone: tuple[Path, ...] = ()


class Session:
    """The announcements of one publisher; nobody takes them for left behind while it lives.

    Raises:
        PapersError: the workspace cannot be written to.
    """

    def __init__(self, workspace_root: Path) -> None:
        folder = workspace_root / _FOLDER
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
        path = self._folder / f"{one.digest.removeprefix('sha256:')}{_ENDING}"
        with replace_file(path, mode=0o600) as part:
            part.write_text(json.dumps(_plain(one)), "utf-8")
        return path

    def settle(self, announcements: Sequence[Path]) -> None:
        """The books know these now."""
        for path in announcements:
            path.unlink(missing_ok=True)

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
        return sum(len(list(folder.glob(f"*{_ENDING}"))) for folder, _ in _ended(workspace))
    except OSError:
        return 0


def recover(workspace: Workspace, ledger: Ledger, registry: Registry | None) -> Recovery:
    """Record the works that ended commands left in their places, and take away what never came there.

    Raises:
        LedgerError, PapersError: the books cannot be written to; everything is left as it was then.
    """
    recorded: list[Path] = []
    taken: list[Path] = []
    gone: list[Path] = []
    for folder, release in _ended(workspace, keep=True):
        try:
            for file in sorted(folder.glob(f"*{_ENDING}")):
                one = _read(file)
                parts = _take_away_parts(one)
                taken += parts
                place = _place_of(one)
                known = any(act.what == "publish" for act in ledger.made(one.digest))
                if place is not None or known:
                    _record(one, place or one.path, ledger, registry, known=known)
                    recorded.append(place or one.path)
                elif not parts:
                    gone.append(one.path)
                file.unlink()
            for scrap in folder.iterdir():
                scrap.unlink()
            folder.rmdir()
        finally:
            release()
    return Recovery(tuple(recorded), tuple(taken), tuple(gone))


def _record(one: Announced, place: Path, ledger: Ledger, registry: Registry | None, *, known: bool) -> None:
    if not known:
        moved = place != one.path
        entries = [
            replace(entry, parameters={**entry.parameters, "path": str(place)})
            if moved and "path" in entry.parameters
            else entry
            for entry in one.entries
        ]
        ledger.record_many(entries)
    if registry is not None and one.edition is not None and not registry.with_digest(one.digest):
        registry.add([replace(one.edition, path=os.fsencode(place).decode(errors="replace"))])


def _place_of(one: Announced) -> Path | None:
    """Where the work lies: in its place, or beside it under another name; None where it is not there."""
    try:
        beside = [path for path in one.path.parent.iterdir() if path != one.path and not path.name.startswith(".")]
    except OSError:
        return None
    near = [path for path in beside if path.suffix == one.path.suffix]
    return next((path for path in (one.path, *near) if _digest(path) == one.digest), None)


def _take_away_parts(one: Announced) -> list[Path]:
    """Remove signed files that were written, wholly or in part, and not moved into place."""
    taken = []
    for part in one.path.parent.glob(f".{_escaped(one.path.name)}.*.part"):
        with contextlib.suppress(OSError):
            if part.stat().st_size < one.size or _digest(part) == one.digest:
                part.unlink()
                taken.append(part)
    return taken


def _escaped(name: str) -> str:
    return "".join(f"[{character}]" if character in "*?[" else character for character in name)


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            hashed = sha256()
            while piece := file.read(1 << 20):
                hashed.update(piece)
        return f"sha256:{hashed.hexdigest()}"
    except OSError:
        return ""


def _ended(workspace: Workspace, *, keep: bool = False) -> Iterator[tuple[Path, Callable[[], None]]]:
    """The folders of sessions whose publisher lives no more, each with what lets it go; `keep` locks them meanwhile."""
    root = workspace.root / _FOLDER
    if not root.is_dir():
        return
    for folder in sorted(root.iterdir()):
        try:
            lock = (folder / _LOCK).open("r+" if (folder / _LOCK).exists() else "w")
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            continue
        if not keep:
            lock.close()
        yield folder, lock.close


def _plain(one: Announced) -> dict[str, Any]:
    edition = None
    if one.edition is not None:
        edition = dict(vars(one.edition))
        for name in _BYTES:
            edition[name] = None if edition[name] is None else base64.b64encode(edition[name]).decode()
    entries = [{**asdict(entry), "parameters": dict(entry.parameters)} for entry in one.entries]
    return {"path": str(one.path), "digest": one.digest, "size": one.size, "entries": entries, "edition": edition}


def _read(file: Path) -> Announced:
    try:
        told = json.loads(file.read_text("utf-8"))
        edition = told["edition"]
        if edition is not None:
            for name in _BYTES:
                edition[name] = None if edition[name] is None else base64.b64decode(edition[name])
        entries = tuple(Entry(**entry) for entry in told["entries"])
        return Announced(
            Path(told["path"]), told["digest"], told["size"], entries, Edition(**edition) if edition else None
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PapersError(file, f"cannot be read ({type(error).__name__})", "move it away") from error
