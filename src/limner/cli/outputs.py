"""The one door for files that commands write: nothing that lies there is replaced unasked, and no source ever."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from limner.errors import UsageError
from limner.workspace import Workspace

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def output(
    to: Path,
    *,
    option: str = "--to",
    endings: Sequence[str] = (),
    sources: Iterable[object] = (),
    overwrite: bool = False,
) -> Path:
    """`to`, where a command may write its file; its folder is made where it is missing.

    Args:
        option: by which it was given.
        endings: formats of the output, as `.png`; empty where any will do.
        sources: what the command reads; texts that are no files are passed over.
        overwrite: whether another file may be replaced.

    Raises:
        UsageError: the ending is no format of the output, a file lies there, it is one of the sources (whatever
            links lead to it), or the folder cannot be made.
    """
    said = f"{option} {to}"
    if endings and to.suffix.lower() not in endings:
        raise UsageError(said, "does not end as this output does", f"end it in {' or '.join(endings)}")
    if to.is_dir():
        raise UsageError(said, "is a folder", "give a file")
    if to.exists() or to.is_symlink():
        for source in sources:
            if _is_same(to, Path(str(source))):
                raise UsageError(said, "is one of the sources", "give another file; a source is never replaced")
        if not overwrite:
            raise UsageError(said, "lies there already", "give another file, or add --overwrite")
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(to.parent, f"cannot be made ({error.strerror})", "choose another folder") from error
    return to


def new_model(name: str, workspace: Workspace, to: Path | None = None) -> Path:
    """Where a new model will lie: its own file, or one among the workspace's models; nothing is there yet.

    Raises:
        UsageError: the name is unfit or taken, or the file is none for a model.
    """
    from limner.models.bundle import SHIPPED

    if not _NAME.fullmatch(name):
        raise UsageError(f"--name {name}", "is no name for a model", "use letters, digits, dot, dash, at most 64")
    if to is None:
        taken = [folder / f"{name}.safetensors" for folder in (workspace.models, SHIPPED)]
        if any(file.exists() for file in taken):
            raise UsageError(f"--name {name}", "there is a model of this name already", "give another name")
        return workspace.make(workspace.models) / f"{name}.safetensors"
    if to.suffix != ".safetensors":
        raise UsageError(f"--to {to}", "is no model's file", "end it in .safetensors")
    if to.exists():
        raise UsageError(f"--to {to}", "is there already", "give another file")
    return workspace.make(to.parent) / to.name


def _is_same(to: Path, source: Path) -> bool:
    try:
        return source.is_file() and to.exists() and to.samefile(source)
    except (OSError, ValueError):
        return False
