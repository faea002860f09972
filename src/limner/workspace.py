"""Where things are kept: the workspace's folders, and writing that leaves the old thing or the new thing."""

from __future__ import annotations

import contextlib
import fcntl
import glob
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from limner.errors import UsageError


@dataclass(frozen=True)
class Workspace:
    """The folder in which limner keeps everything of one person or studio.

    Attributes:
        root: taken from the environment variable LIMNER_HOME, or `~/.limner`.
    """

    root: Path

    @classmethod
    def default(cls) -> Workspace:
        """The workspace that LIMNER_HOME names, or `~/.limner`."""
        return cls(Path(os.environ.get("LIMNER_HOME") or "~/.limner").expanduser())

    @property
    def collections(self) -> Path:
        """Imported collections, one folder a name."""
        return self.root / "collections"

    @property
    def models(self) -> Path:
        """Trained models, one `.safetensors` file each."""
        return self.root / "models"

    @property
    def runs(self) -> Path:
        """Trainings: checkpoints, sheets, curves."""
        return self.root / "runs"

    @property
    def works(self) -> Path:
        """Generated pictures that were kept."""
        return self.root / "works"

    @property
    def measured(self) -> Path:
        """What `limner measure` found, a folder a model."""
        return self.root / "measured"

    @property
    def latents(self) -> Path:
        """Latents of the works, by digest."""
        return self.root / "latents"

    @property
    def sources(self) -> Path:
        """Source maps of finished works, by digest."""
        return self.root / "sources"

    @property
    def identities(self) -> Path:
        """Keys and certificates of the artist (folder mode 0700)."""
        return self.root / "identities"

    @property
    def cache(self) -> Path:
        """What can be made again: pictures decoded at training size."""
        return self.root / "cache"

    @property
    def ledger(self) -> Path:
        """The SQLite file of the ledger."""
        return self.root / "ledger.sqlite"

    @property
    def registry(self) -> Path:
        """The SQLite file of the registry of published works."""
        return self.root / "registry.sqlite"

    @property
    def registry_index(self) -> Path:
        """The index of the registry's fingerprints; can be made again."""
        return self.root / "registry.index"

    def make(self, folder: Path, mode: int = 0o755) -> Path:
        """Make `folder` (inside the workspace) with its parents and return it; a new workspace is private.

        Raises:
            UsageError: the folder cannot be made or written to.
        """
        try:
            if not self.root.exists():
                self.root.mkdir(parents=True, mode=0o700)
            folder.mkdir(parents=True, exist_ok=True, mode=mode)
        except OSError as error:
            raise UsageError(
                folder, f"cannot be made ({error.strerror})", "set LIMNER_HOME to a folder that you can write to"
            ) from error
        return folder


def sync_folder(folder: Path) -> None:
    """Make the renames inside `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def replace_file(path: Path, mode: int = 0o644, sync: bool = True) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success sync it and move it into place in one step.

    Whoever is killed meanwhile leaves the old file or the new one, never half of one.

    Args:
        path: where the file will lie; its folder exists.
        mode: permission bits of the file, set before anything is written into it.
        sync: wait until the disk holds the file (leave it on unless thousands of files are written).
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    os.fchmod(descriptor, mode)
    os.close(descriptor)
    part = Path(name)
    try:
        yield part
        if sync:
            with part.open("rb") as written:
                os.fsync(written.fileno())
        part.replace(path)
        if sync:
            sync_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)


def clear_parts(path: Path) -> None:
    """Remove what killed processes left half-written beside `path`; for whoever is the only one to write it."""
    for part in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        if part.is_dir():
            shutil.rmtree(part, ignore_errors=True)
        else:
            part.unlink(missing_ok=True)


@contextlib.contextmanager
def alone(path: Path, doing: str) -> Iterator[None]:
    """Keep what is done for this process: nobody else does the same with the lock at `path`, whose folder exists.

    Raises:
        UsageError: another process does it.
    """
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UsageError(doing, "is being done by another process", "wait for it") from None
        yield


@contextlib.contextmanager
def replace_folder(path: Path) -> Iterator[Path]:
    """Yield a new folder beside `path` to fill; on success it takes the place of `path`.

    A folder that was there before is moved aside first and removed last.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent))
    part.chmod(0o755)
    try:
        yield part
        old = part.with_suffix(".old")
        if path.exists():
            path.replace(old)
        part.replace(path)
        sync_folder(path.parent)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(part, ignore_errors=True)
