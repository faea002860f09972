"""Opening a file that anybody may have put there: no links out, no pipes, no surprises, no copies of big ones."""

from __future__ import annotations

import errno
import mmap
import os
import stat
from pathlib import Path

from limner.errors import PictureError

Data = bytes | mmap.mmap

MAX_BYTES = 2 << 30  # larger than any 200-megapixel picture of 8 bits that is worth its name
_MAPPED_FROM = 16 << 20  # above this, the file is mapped and not copied into memory


def open_file(path: str | os.PathLike[str], *, root: Path | None = None) -> Data:
    """The bytes of a regular file, mapped instead of copied where it is large.

    Args:
        root: a folder that the file must really lie in, whatever links say; None allows any place.

    Raises:
        PictureError: of kind `missing`, `unreadable`, `not-a-file`, `outside`, `empty` or `too-large`.
    """
    real = _real_path(path, root)
    try:
        # O_NONBLOCK: opening a pipe must not wait for a writer. O_NOFOLLOW: the real path has no links left.
        descriptor = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise _refusal(path, error) from None
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise PictureError(path, "not-a-file", f"is a {_kind_of(facts.st_mode)}, not a file")
        if facts.st_size == 0:
            raise PictureError(path, "empty", "the file has no bytes")
        if facts.st_size > MAX_BYTES:
            raise PictureError(
                path,
                "too-large",
                f"the file has {facts.st_size / 1e9:.1f} GB, limner reads up to 2 GB",
                "make it smaller",
            )
        if facts.st_size >= _MAPPED_FROM:
            return mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(facts.st_size)
    except OSError as error:
        raise _refusal(path, error) from None
    finally:
        os.close(descriptor)


def _real_path(path: str | os.PathLike[str], root: Path | None) -> str:
    try:
        real = os.path.realpath(path, strict=True)
    except OSError as error:
        raise _refusal(path, error) from None
    except ValueError:  # a NUL in the name
        raise PictureError(repr(os.fspath(path)), "missing", "is no name that a file can have") from None
    if root is not None and not _inside(real, os.path.realpath(root)):
        raise PictureError(path, "outside", f"leads out of the folder {root}", "copy the file into the folder")
    return real


def _inside(real: str, root: str) -> bool:
    return real == root or real.startswith(root.rstrip(os.sep) + os.sep)


def _refusal(path: str | os.PathLike[str], error: OSError) -> PictureError:
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        broken = Path(path).is_symlink()
        return PictureError(path, "missing", "is a link that leads nowhere" if broken else "does not exist")
    if error.errno == errno.ELOOP:
        return PictureError(path, "missing", "is a link that leads to itself")
    if error.errno in (errno.EACCES, errno.EPERM):
        return PictureError(path, "unreadable", "may not be read by you", "change its permissions")
    if error.errno in (errno.ENXIO, errno.EISDIR, errno.EOPNOTSUPP):
        return PictureError(path, "not-a-file", "is no file")
    return PictureError(path, "unreadable", f"cannot be read ({error.strerror or error})")


def _kind_of(mode: int) -> str:
    kinds = ((stat.S_ISDIR, "folder"), (stat.S_ISFIFO, "pipe"), (stat.S_ISSOCK, "socket"))
    return next((word for test, word in kinds if test(mode)), "device")
